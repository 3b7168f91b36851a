"""The journals of one folder as files: those of earlier runs, and the one that this run adds to."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ..fsio import cannot_write
from .journal_entries import FOLDER, Entries
from .journal_lines import pack_line
from .journal_lock import FolderLock


class Book(Entries):
    """The journals of one folder, and its lock."""

    _file: int | None = None
    _lock: FolderLock | None = None
    _is_foreign = False

    @property
    def is_held(self) -> bool:
        """Whether no other run may begin in the folder, as this one has looked at it."""
        return self._lock is not None

    def look(self) -> None:
        """Hold the folder, and read what earlier runs did, if there is anything. Writes nothing that was not there.

        Raises `BadSetting` if another run is at work, and `CannotWrite`.
        """
        if self._place.is_dir():
            with _explaining(self._place):
                self._lock = FolderLock(self.folder)
                self._lock.hold(self.shard)
                self._read_all()

    def consult(self) -> None:
        """Read the journals of a folder above or below that of this run, and keep others from beginning there.

        Raises `BadSetting` if another run is at work in it. What this user cannot read does not count.
        """
        with suppress(OSError):
            self._lock = FolderLock(self.folder)
            self._lock.share()
        with suppress(OSError):
            self._read_all()

    def open(self) -> bool:
        """Make the journal of this run; return whether lines came to light that `look` did not see."""
        with _explaining(self._place):
            seen, fresh = len(self._entries), self._lock is None
            if fresh:
                self._place.mkdir(parents=True, exist_ok=True)
                self.look()  # another run may have begun a moment ago
            if self._is_foreign:
                self._path.rename(self._place / f"damaged-{self._path.name}-{os.urandom(4).hex()}")
            self._open()
            return len(self._entries) > seen

    def join(self) -> None:
        """Take part in the run of another process."""
        with _explaining(self._place):
            self._lock = FolderLock(self.folder)
            self._lock.join(self.shard)
            self._open()

    def append(self, line: Mapping[str, Any]) -> None:
        """Write a line so that neither a kill nor a power failure takes it back. Raises OSError.

        The result of a line takes its place afterwards: it must not survive a power failure that its line does not.
        """
        assert self._file is not None
        whole = pack_line(line)
        if os.write(self._file, whole) != len(whole):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # the line is cut off, and so ignored
        try:
            os.fsync(self._file)
        except OSError as error:
            if error.errno in (errno.EIO, errno.ENOSPC, errno.EDQUOT):  # others: the drive cannot
                raise
        if "target" in line:
            self.keep(line)

    def close(self) -> None:
        """Let another run begin."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        if self._lock:
            self._lock.close()
            self._lock = None

    @property
    def _place(self) -> Path:
        return self.folder / FOLDER

    @property
    def _path(self) -> Path:
        return self._place / f"journal{self.shard.suffix}"

    def _read_all(self) -> None:
        for path in sorted(self._place.glob("journal*")):
            if not path.is_file():  # a pipe would never end
                self._is_foreign |= path == self._path and path.exists() and not path.is_dir()
                continue
            with path.open("rb") as file:
                sound = self.read(path.name, file)
                self._is_foreign |= path == self._path and not sound and file.tell() > 0

    def _open(self) -> None:
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
        size = os.fstat(self._file).st_size
        with self._path.open("rb") as file:
            file.seek(max(0, size - 1))
            if file.read(1) not in (b"", b"\n"):  # the last line was cut off
                os.write(self._file, b"\n")


def find_books(root: str, folders: Iterable[str]) -> Iterator[Path]:
    """Yield the folders above and below `root` that have journals. folders: those of the results, below `root`.

    All are paths without links.
    """
    below = set[Path]()
    for folder in map(Path, folders):
        if folder.is_relative_to(root):
            below.update(one for one in (folder, *folder.parents) if one not in below and one.is_relative_to(root))
    for place in (*Path(root).parents, *sorted(below - {Path(root)})):
        if os.path.isdir(place / FOLDER):  # noqa: PTH112 - raises for a folder that is not ours to read
            yield place


@contextmanager
def _explaining(place: Path) -> Iterator[None]:
    """Make a sentence of what the drive refuses."""
    try:
        yield
    except OSError as error:
        raise cannot_write(Path(error.filename or place), error) from error
