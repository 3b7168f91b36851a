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
import os
import secrets
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import BadSetting
from ..fsio import RangeLock, cannot_write, sweep_owned
from .journal_lines import Entry, Stamp, digest_file, is_near, pack_line, read_entry, read_line
from .shard import SPAN, WHOLE, Shard

FOLDER = ".facefix"
"""Folder of the journals, inside the folder of results; hidden, so that no listing of images enters it."""
VERSION = 1
"""Version of the lines."""
LOCK_SECONDS = 10.0
"""Longest time to wait for the worker processes of a run that was killed to end."""


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
                with path.open("rb") as file:
                    self._read_lines(path.name, file)
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

    def beside(self, name: str) -> Path | None:
        """Return the path of a file that belongs to this run's journal, if the place can hold one."""
        return self.folder / FOLDER / f"{name}{self.shard.suffix}"

    def announce(self, targets: Iterable[Path]) -> None:
        """Do nothing: in a folder, a result and its line appear together."""

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
        self.add(source, read, target, written, digest_file(part), changed=changed)

    def add(
        self, source: Path, read: tuple[int, int], target: Path, written: Stamp, digest: str, *, changed: bool
    ) -> None:
        """Add the line of a result. Raises OSError."""
        self._append({
            "target": self._key(target), "source": source.name, "read": read, "written": written,
            "digest": digest, "config": self.config, "changed": changed,
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
        whole = pack_line(line)
        if os.write(self._file, whole) != len(whole):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # the line is cut off, and so ignored
        if "target" in line:
            self._keep(line)

    def _read_lines(self, journal: str, lines: Iterable[bytes]) -> None:
        for raw in lines:
            line = read_line(raw)
            if line is None:
                self.damaged += 1
            else:
                self._take(line, journal)

    def _take(self, line: Mapping[str, Any], journal: str) -> None:
        """Take in a line of an earlier run. journal: name of its file."""
        if "target" in line:
            self._keep(line)
        elif self.shard.holds(journal):
            self._ended.add(str(line.get("run", "")))

    def _keep(self, line: Mapping[str, Any]) -> None:
        key = line["target"]
        if key in self._entries:  # if its successor was killed before the last step, the file is still this one
            self._earlier.setdefault(key, []).append(self._entries[key])
        self._entries[key] = read_entry(line)

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
        near = [entry for entry in known if is_near(entry.written, now)]
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
