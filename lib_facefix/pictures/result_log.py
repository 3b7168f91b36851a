"""Which files FaceFix has written, so that a later run may replace them, and nothing else."""

import contextlib
import hashlib
import os
from pathlib import Path

from ..errors import CannotWrite
from ..fsio import atomic_write, find_open_number

MAX_BYTES = 8 << 20
"""Of the log; beyond it, the older half is forgotten."""
_SLACK = 2_000_000_000
"""Nanoseconds by which some drives round the time of a file."""
_PRODUCT, _FIXED, _IN_PLACE = "product", "fixed", "in-place"
"""Words after a line: FaceFix made the file of others beside it; FaceFix changed something in the image; the image was
fixed in its own file, which so is the only one of it."""


class ResultLog:
    """Written files by path, size, and modification time, in one text file that is only appended to.

    Paths are stored as hashes. A file that somebody changed or put in the place of a result is not ours. A log that
    cannot be read or written raises no error: then no file is known to be ours.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._made: dict[str, tuple[int, int, frozenset[str]]] | None = None

    def may_replace(self, path: Path) -> bool:
        """Return whether no file would be lost at `path`: there is none, or FaceFix wrote it; links are followed.

        An image that was fixed in its own file would be lost.
        What is no regular file, or is open as standard output is, gets more and loses nothing.
        """
        try:
            if not os.path.isfile(path) or find_open_number(path) is not None:  # noqa: PTH113 - raises for a long name
                return True
            return self._is_as_written(path) and not self._has(path, _IN_PLACE)
        except OSError:
            return False

    def is_product(self, path: Path) -> bool:
        """Return whether FaceFix made the file of others that stand beside it, and nobody has changed it since."""
        try:
            return self._has(path, _PRODUCT)
        except OSError:
            return False

    def is_fixed(self, path: Path) -> bool:
        """Return whether FaceFix changed the image in the file, and nobody has changed the file since.

        This knows formats that hold no mark, and results without one.
        """
        try:
            return self._has(path, _FIXED)
        except OSError:
            return False

    def add(
        self,
        path: Path,
        *,
        product: bool = False,
        fixed: bool = False,
        in_place: bool = False,
        part: Path | None = None,
    ) -> None:
        """Remember that FaceFix wrote the file at `path` as it is now, or as it will be.

        part: the finished temporary file that is about to be renamed to `path`. A run that is killed in between leaves
        a line that does not fit the old file, and so says nothing.
        product: whether it is a result beside its input, or a drawing, so that a folder does not contribute it.
        fixed: whether it holds an image in which FaceFix changed something. in_place: whether it was its own input.
        """
        words = [word for word, given in ((_PRODUCT, product), (_FIXED, fixed), (_IN_PLACE, in_place)) if given]
        with contextlib.suppress(OSError):
            state = (part or path).stat()
            self._read()[_key(path)] = state.st_size, state.st_mtime_ns, frozenset(words)
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a", encoding="ascii") as file:  # one short write: safe beside other processes
                file.write(" ".join((_key(path), str(state.st_size), str(state.st_mtime_ns), *words)) + "\n")

    def _has(self, path: Path, word: str) -> bool:
        known = self._read()  # nothing on a new machine: then the path need not be looked up
        return bool(known) and word in known.get(_key(path), (0, 0, frozenset()))[2] and self._is_as_written(path)

    def _is_as_written(self, path: Path) -> bool:
        (size, time, _), now = self._read().get(_key(path), (-1, 0, frozenset())), path.stat()
        return now.st_size == size and abs(now.st_mtime_ns - time) <= _SLACK

    def _read(self) -> dict[str, tuple[int, int, frozenset[str]]]:
        if self._made is None:
            self._made = {}
            try:
                lines = self._file.read_bytes()
            except OSError:
                return self._made
            if len(lines) > MAX_BYTES:
                lines = lines[-MAX_BYTES // 2 :].partition(b"\n")[2]
                with contextlib.suppress(CannotWrite):
                    atomic_write(self._file, lambda file: file.write(lines))
            for line in lines.decode("ascii", "replace").splitlines():
                with contextlib.suppress(ValueError):  # a line that was cut off
                    key, size, time, *words = line.split(" ")
                    self._made[key] = int(size), int(time), frozenset(words)
        return self._made


def _key(path: Path) -> str:
    return hashlib.sha256(os.fsencode(os.path.realpath(path))).hexdigest()[:32]
