"""The journal of a folder of results: which images are done, so that a run that was killed can be continued.

It is a text file that is only appended to. A line is added when a result is finished as a temporary file, just before
that file takes its place, and says what the file in that place will be: size, time, inode, and digest. So the line
becomes true by the very step that replaces the file. A run that is killed before this step leaves a line that does not
fit, and the image is done again; one that is killed after it leaves a line that fits. There is no moment in between.

Each line begins with its checksum. A line that was cut off, or damaged, is ignored: its image is done again.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import secrets
import time
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .. import __version__
from ..errors import BadSetting
from ..fsio import RangeLock, cannot_write, sweep_owned
from .shard import SPAN, WHOLE, Shard

FOLDER = ".facefix"
"""Folder of the journals, inside the folder of results; hidden, so that no listing of images enters it."""
VERSION = 1
"""Version of the lines."""
LOCK_SECONDS = 10.0
"""Longest time to wait for the worker processes of a run that was killed to end."""
SLACK = 2_000_000_000
"""Nanoseconds by which some drives round the time of a file."""
_CHUNK = 1 << 20


class Stamp(NamedTuple):
    """How a file is told from an earlier state of it."""

    size: int
    time: int
    """Modification time, in nanoseconds."""
    node: int = 0
    """Inode, 0 if unknown."""

    @classmethod
    def of(cls, path: str | Path) -> Stamp | None:
        """Return the stamp of the file, None if there is none."""
        try:
            state = Path(path).stat()
        except OSError:
            return None
        return cls(state.st_size, state.st_mtime_ns, state.st_ino)


class Entry(NamedTuple):
    """One finished image."""

    source: str
    """File name of the image, without its folder."""
    read: tuple[int, int]
    """Size and time of the image when it was read."""
    written: Stamp
    """The result."""
    digest: str
    """BLAKE2 of the result, 32 hexadecimal digits."""
    config: str
    """Digest of the settings and models."""
    changed: bool
    """Whether a face was fixed, or the image enlarged."""


class Journal:
    """The journal of one run in a folder of results. Reads those of all earlier runs, and appends to its own."""

    def __init__(self, folder: Path, config: str, shard: Shard = WHOLE, *, again: bool = False) -> None:
        """Open nothing yet. folder: of the results. config: digest of settings and models. again: nothing is done."""
        self.folder, self.config, self.shard, self.again = folder, config, shard, again
        self.run = secrets.token_hex(4)
        """Eight hexadecimal digits that begin the names of temporary files of this run."""
        self.damaged = 0
        """Lines that were ignored."""
        self._root = os.path.realpath(folder)
        self._entries: dict[str, Entry] = {}
        self._earlier: dict[str, list[Entry]] = {}
        self._ended: set[str] = set()
        self._lock: RangeLock | None = None
        self._file: int | None = None

    def look(self) -> None:
        """Read what earlier runs did, if there is anything; raises `BadSetting` if another run is at work.

        Writes nothing that was not there.
        """
        place = self.folder / FOLDER
        if not place.is_dir():
            return
        try:
            self._lock = RangeLock(place / "lock")
            self._acquire(self._lock)
            for path in sorted(place.glob("journal*")):
                self._read(path)
        except OSError as error:
            raise cannot_write(place, error) from error

    def start(self, about: Mapping[str, Any]) -> None:
        """Begin this run: make the journal, and write its first line.

        about: the settings, for people who read the file. Raises `BadSetting` if another run is at work in the folder,
        and `CannotWrite`.
        """
        place = self.folder / FOLDER
        try:
            if self._lock is None:
                place.mkdir(parents=True, exist_ok=True)
                self.look()  # another run may have begun a moment ago
            self._open()
            self._append({"journal": VERSION, "run": self.run, "facefix": __version__, "config": self.config, **about})
        except OSError as error:
            raise cannot_write(place, error) from error

    def join(self, run: str) -> None:
        """Take part in a run that another process has started, to add to its journal. run: its `run`."""
        self.run = run
        self._lock = RangeLock(self.folder / FOLDER / "lock")
        start, length = self.shard.span
        self._lock.acquire(SPAN + start, length, shared=True)  # while one worker lives, nobody else may start
        self._open()

    def beside(self, name: str) -> Path:
        """Return the path of a file that belongs to this run's journal; an image of another shard is not in it."""
        return self.folder / FOLDER / f"{name}{self.shard.suffix}"

    def sweep(self, folders: Iterable[Path]) -> None:
        """Delete the temporary files that earlier runs, which have all ended, left in these folders."""
        for folder in folders:
            sweep_owned(folder, self._ended)

    def is_done(self, source: Path, target: Path) -> bool:
        """Return whether the image needs no work: its result is there, and neither image nor settings have changed.

        An image that was fixed in its own place is done whatever the settings are: nothing is restored twice.
        """
        entry = None if self.again else self._find(target)
        if entry is None:
            return False
        if source == target:
            return entry.changed or entry.config == self.config
        now = Stamp.of(source)
        unchanged = now is not None and now[:2] == entry.read and source.name == entry.source
        return unchanged and entry.config == self.config

    def has_written(self, target: Path) -> bool:
        """Return whether a run wrote the file at `target`, and nobody has changed it since."""
        return self._find(target) is not None

    def was_changed(self, target: Path) -> bool:
        """Return whether the file at `target` is a result in which a face was fixed, or an enlarged one."""
        entry = self._find(target)
        return entry is not None and entry.changed

    def expect(self, source: Path, read: tuple[int, int], target: Path, part: Path, *, changed: bool) -> None:
        """Add the line of a result that is about to be renamed from `part` to `target`.

        read: size and time of the image when it was read. changed: whether a face was fixed, or the image enlarged.
        Raises OSError.
        """
        written = Stamp.of(part)
        assert written
        self._append({
            "target": self._key(target), "source": source.name, "read": read, "written": written,
            "digest": digest_file(part), "config": self.config, "changed": changed,
        })  # fmt: skip

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the run: another one may start."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        if self._lock:
            self._lock.close()
            self._lock = None

    def _acquire(self, lock: RangeLock) -> None:
        start, length = self.shard.span
        until = time.monotonic() + LOCK_SECONDS
        if not lock.acquire(start, length):
            raise BadSetting(
                f"another facefix is writing into {self.folder}. Wait until it has ended, choose another folder, or "
                "divide the work with --shard"
            )
        while not lock.acquire(SPAN + start, length):  # held by the workers of a run that was killed
            if time.monotonic() > until:
                raise BadSetting(f"processes of a killed run are still writing into {self.folder}. End them first")
            time.sleep(0.05)
        lock.release(SPAN + start, length)

    def _open(self) -> None:
        path = self.folder / FOLDER / f"journal{self.shard.suffix}"
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
        size = os.fstat(self._file).st_size
        with path.open("rb") as file:
            file.seek(max(0, size - 1))
            if file.read(1) not in (b"", b"\n"):  # the last line was cut off
                os.write(self._file, b"\n")

    def _append(self, line: Mapping[str, Any]) -> None:
        """Write a line at once: what a killed process has written is not lost."""
        assert self._file is not None
        text = json.dumps(line, separators=(",", ":"), default=str).encode("ascii")
        whole = b"%08x %s\n" % (zlib.crc32(text), text)
        if os.write(self._file, whole) != len(whole):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # the line is cut off, and so ignored
        if "target" in line:
            self._keep(line)

    def _read(self, path: Path) -> None:
        with path.open("rb") as file:
            for raw in file:
                line = _check(raw)
                if line is None:
                    self.damaged += 1
                elif "target" in line:
                    self._keep(line)
                elif self.shard.holds(str(path.name)):
                    self._ended.add(str(line.get("run", "")))

    def _keep(self, line: Mapping[str, Any]) -> None:
        key = line["target"]
        if key in self._entries:  # if its successor was killed before the last step, the file is still this one
            self._earlier.setdefault(key, []).append(self._entries[key])
        self._entries[key] = _entry(line)

    def _find(self, target: Path) -> Entry | None:
        """Return the entry that the file at `target` fits, None if there is none; of several one with our settings.

        Size, time and inode together are certain. If the drive has rounded the time, or somebody has copied the folder,
        the content decides: another image of the same size may have been in this place before.
        """
        key = self._key(target)
        now = Stamp.of(target) if key in self._entries else None
        if now is None:
            return None
        known = [*self._earlier.get(key, ()), self._entries[key]]
        fitting = [entry for entry in known if entry.written == now]
        near = [entry for entry in known if _is_near(entry.written, now)]
        if not fitting and near:
            with contextlib.suppress(OSError):
                digest = digest_file(target)
                fitting = [entry for entry in near if entry.digest == digest]
        return max(fitting, key=lambda entry: entry.config == self.config, default=None)

    def _key(self, target: Path) -> str:
        """Return the path of a result below the folder, the same on every machine."""
        name = os.fspath(target)
        start = f"{os.fspath(self.folder)}{os.sep}"
        below = name[len(start) :] if name.startswith(start) else os.path.relpath(os.path.realpath(name), self._root)
        return below.replace(os.sep, "/")


def digest_file(path: Path) -> str:
    """Return the BLAKE2 digest of a file, 32 hexadecimal digits."""
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _check(raw: bytes) -> dict[str, Any] | None:
    """Return the content of a line, None if it is damaged."""
    checksum, _, text = raw.rstrip(b"\n").partition(b" ")
    with contextlib.suppress(ValueError):
        if int(checksum, 16) == zlib.crc32(text):
            line = json.loads(text)
            return line if isinstance(line, dict) else None
    return None


def _entry(line: Mapping[str, Any]) -> Entry:
    size, moment = line["read"]
    return Entry(
        line["source"], (size, moment), Stamp(*line["written"]), line["digest"], line["config"], line["changed"]
    )


def _is_near(written: Stamp, now: Stamp) -> bool:
    """Return whether a file may be the one that was written, as far as size and time tell."""
    return now.size == written.size and abs(now.time - written.time) <= SLACK
