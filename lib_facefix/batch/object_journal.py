"""The journal of results in an object store, where no file can be added to, and none can be locked."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, NamedTuple

from .. import __version__
from ..errors import BadPicture, BadSetting, FaceFixError
from ..pictures.objects import as_url, delete_object, list_objects, read_object, write_object
from .journal import Journal
from .journal_entries import FOLDER, VERSION, Entries
from .journal_lines import pack_line
from .shard import Shard

FLUSH_SECONDS = 2.0
"""Longest time that a line waits. The images of lines that a kill takes with it are done again, to the same bytes."""
FRESH_SECONDS = 60.0
"""Age of a lock after which its run has ended, if that cannot be found out otherwise."""
TURN_SECONDS = 0.2
"""Time between two looks at the locks of runs that start at the same time."""
LATEST = 1e12
"""Time that no clock shows, in seconds since 1970: a lock that has it is damaged."""
WRONG_SECONDS = 3600.0
"""Time by which a lock may be in the future, as clocks differ; beyond it, a clock was wrong, and has been set back."""


class _Objects(Entries):
    """The entries of a store, and what was announced there."""

    def __init__(self, folder: Path, shard: Shard) -> None:
        super().__init__(folder, shard)
        self.run = ""
        """The run whose lines are being read."""
        self._pending: dict[str, set[str]] = {}

    def is_pending(self, target: Path) -> bool:
        """Return whether a run has announced a result of which it has left no line."""
        return any(self.key(target) in announced for announced in self._pending.values())

    def take(self, line: Mapping[str, Any], journal: str) -> None:
        """Take in a line of an earlier run, also one that announces results."""
        announced = self._pending.setdefault(self.run, set())
        if "announced" in line:
            announced.update(line["announced"])
        else:
            super().take(line, journal)
            announced.discard(line.get("target", ""))


class _Lock(NamedTuple):
    """What the lock of a run says."""

    host: str
    pid: int
    time: float
    """When it was written, in seconds since 1970."""
    span: tuple[int, int]
    """First place and number of places of the run's shard."""
    waits: bool
    """Whether the run has not begun yet, as it looks for others first."""


class ObjectJournal(Journal):
    """A `Journal` of many small objects: each holds the lines of a few seconds, and none is ever changed.

    A run announces its targets when it begins, so that results whose lines were lost are known to be ours.

    Each run has a lock of its own, which says at first that the run waits, and looks for those of others after it has
    written it: of two runs that start at the same time, at least one so sees the other. A run that finds one at work
    ends. Of those that wait, the one whose lock has the first name waits until the others have ended.
    """

    def _prepare(self) -> None:
        self._waiting: list[bytes] = []
        self._number, self._guard, self._ended_run, self._locked = 0, Lock(), Event(), False
        self._is_lost = False
        self._objects = _Objects(self.folder, self.shard)

    def look(self, parents: Iterable[str] = ()) -> None:  # noqa: ARG002 - as in any journal
        """Read what earlier runs did; raises `BadSetting` if another run is at work, and `BadPicture`."""
        self._prepare()
        place = self.folder / FOLDER
        names = list(list_objects(self.folder))  # also the stamps of the results
        for path in names:
            if path.parent == place and path.name.startswith("lock"):
                for _ in self._find_others([path]):
                    raise self._refuse()
            elif path.parent == place and path.name.startswith("journal"):
                name, _, rest = path.name.rpartition(".")
                self._objects.run = rest.partition("-")[0]
                self._objects.read(name, read_object(path)[0].splitlines(keepends=True))

    def start(self, about: Mapping[str, Any]) -> bool:
        """Begin this run, as `Journal.start` does."""
        self._locked = True
        try:
            self._write_lock(waits=True)
            self._take_turn()
            self._write_lock()
        except BaseException:
            self.close()
            raise
        self._add_line({"journal": VERSION, "run": self.run, "facefix": __version__, "config": self.config, **about})
        Thread(target=self._beat, daemon=True).start()
        return False

    def join(self, run: str) -> None:
        """Take part in a run that another process has started."""
        self._prepare()
        self.run = run
        Thread(target=self._beat, daemon=True).start()

    def announce(self, targets: Iterable[Path]) -> None:
        """Note which results this run is going to write."""
        self._add_line({"announced": [self._objects.key(target) for target in targets]})
        self.flush()

    def has_written(self, target: Path) -> bool:
        """Return whether a run wrote the object, or has announced it when there was none of somebody else."""
        return self._objects.is_pending(target) or super().has_written(target)

    def was_edited(self, target: Path) -> bool:
        """Return whether somebody has changed a result, unless a run may have written it whose line was lost."""
        return not self._objects.is_pending(target) and super().was_edited(target)

    def beside(self, name: str) -> Path | None:  # noqa: ARG002 - as in any journal
        """Return None: no file can be added to there."""
        return None

    def check_held(self) -> None:
        """Raise `BadSetting` if another run has taken this one for ended, and writes here now."""
        if self._is_lost:
            raise self._refuse()

    def sweep(self, folders: Iterable[Path]) -> None:
        """Do nothing: in a store there are no unfinished objects."""

    def flush(self) -> None:
        """Write the lines that are waiting; raises `CannotWrite`."""
        with self._guard:
            lines, self._waiting = self._waiting, []
            if lines:
                self._number += 1
                name = f"journal{self.shard.suffix}.{self.run}-{os.getpid()}-{self._number:06}"
                write_object(self.folder / FOLDER / name, b"".join(lines))

    def close(self) -> None:
        """End the run: another one may start."""
        if not self._ended_run.is_set():
            self._ended_run.set()
            self.flush()
            if self._locked:
                delete_object(self._lock_path)

    @property
    def _lock_path(self) -> Path:
        return self.folder / FOLDER / f"lock{self.shard.suffix}.{self.run}"

    def _all(self) -> Sequence[Entries]:
        return (self._objects,)

    def _append(self, line: Mapping[str, Any], target: Path) -> None:
        self.check_held()
        whole = {**line, "target": self._objects.key(target)}
        self._add_line(whole)
        self._objects.keep(whole)

    def _add_line(self, line: Mapping[str, Any]) -> None:
        with self._guard:
            self._waiting.append(pack_line(line))

    def _write_lock(self, *, waits: bool = False) -> None:
        lock = _Lock(platform.node(), os.getpid(), time.time(), self.shard.span, waits)
        write_object(self._lock_path, json.dumps({"run": self.run, **lock._asdict()}).encode())

    def _take_turn(self) -> None:
        """Return once no other run can write here; raises `BadSetting` if this one has to end."""
        place, until = self.folder / FOLDER, time.monotonic() + FRESH_SECONDS / 2
        while True:
            names = [path for path in list_objects(place) if path.parent == place and path.name.startswith("lock")]
            others = list(self._find_others(names))
            if not others:
                return
            first = all(lock.waits and self._lock_path.name < path.name for path, lock in others)
            if not first or time.monotonic() > until:
                raise self._refuse()
            time.sleep(TURN_SECONDS)

    def _find_others(self, paths: Iterable[Path]) -> Iterator[tuple[Path, _Lock]]:
        """Yield the locks of other runs that are alive and have images in common with this one. Delete dead ones."""
        start, length = self.shard.span
        for path in paths:
            lock = _read_lock(path) if path != self._lock_path else None
            if lock and lock.span[0] < start + length and start < sum(lock.span):
                if _is_alive(lock):
                    yield path, lock
                elif self._locked:
                    delete_object(path)

    def _refuse(self) -> BadSetting:
        return BadSetting(
            f"another facefix is writing into {as_url(self.folder)}. Wait until it has ended, choose another "
            "folder, or divide the work with --shard"
        )

    def _beat(self) -> None:
        """Write waiting lines every few seconds, and show that the run is alive."""
        beaten = time.monotonic()
        while not self._ended_run.wait(FLUSH_SECONDS):
            with contextlib.suppress(FaceFixError):  # the store cannot be reached: the next image will tell
                self.flush()
                if time.monotonic() - beaten > FRESH_SECONDS / 3:
                    self._renew_lock()
                    beaten = time.monotonic()

    def _renew_lock(self) -> None:
        """Write the lock again, unless another run has deleted it: after a minute without it, this one seemed dead."""
        with self._guard:
            if not self._ended_run.is_set() and not self._is_lost:
                self._is_lost = _read_object(self._lock_path) is None
                if self._locked and not self._is_lost:
                    self._write_lock()


def _read_object(path: Path) -> bytes | None:
    """Return the content of an object, None if it is gone; raises `BadPicture`."""
    try:
        return read_object(path)[0]
    except BadPicture as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return None
        raise


def _read_lock(path: Path) -> _Lock | None:
    """Return what a lock says, None if it is gone or damaged; raises `BadPicture`."""
    with contextlib.suppress(ValueError, RecursionError):
        lock = json.loads(_read_object(path) or b"")
        if isinstance(lock, dict):
            host, pid, moment = str(lock.get("host")), lock.get("pid"), lock.get("time")
            match lock.get("span"):
                case [int(start), int(count)] if isinstance(pid, int) and isinstance(moment, int | float):
                    if abs(moment) < LATEST:
                        return _Lock(host, pid, moment, (start, count), lock.get("waits") is True)
    return None


def _is_alive(lock: _Lock) -> bool:
    """Return whether the run of a lock may still be at work: of this machine its process tells."""
    age = time.time() - lock.time
    if age > FRESH_SECONDS or age < -WRONG_SECONDS:
        return False
    if lock.host != platform.node() or not Path("/proc/self").exists():
        return True
    return os.path.exists(f"/proc/{lock.pid}")  # noqa: PTH110 - Path.exists raises for a number that is too long
