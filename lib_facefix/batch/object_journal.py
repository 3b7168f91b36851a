"""The journal of results in an object store, where no file can be added to, and none can be locked."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

from .. import __version__
from ..errors import BadSetting, FaceFixError
from ..pictures.objects import as_url, delete_object, list_objects, read_object, write_object
from .journal import Journal
from .journal_entries import FOLDER, VERSION, Entries
from .journal_lines import pack_line
from .shard import Shard

FLUSH_SECONDS = 2.0
"""Longest time that a line waits. The images of lines that a kill takes with it are done again, to the same bytes."""
FRESH_SECONDS = 60.0
"""Age of a lock after which its run has ended, if that cannot be found out otherwise."""
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


class ObjectJournal(Journal):
    """A `Journal` of many small objects: each holds the lines of a few seconds, and none is ever changed.

    A run announces its targets when it begins, so that results whose lines were lost are known to be ours.
    """

    def _prepare(self) -> None:
        self._waiting: list[bytes] = []
        self._number, self._guard, self._ended_run, self._locked = 0, Lock(), Event(), False
        self._objects = _Objects(self.folder, self.shard)

    def look(self, parents: Iterable[str] = ()) -> None:  # noqa: ARG002 - as in any journal
        """Read what earlier runs did; raises `BadSetting` if another run is at work, and `BadPicture`."""
        self._prepare()
        place = self.folder / FOLDER
        names = list(list_objects(self.folder))  # also the stamps of the results
        for path in names:
            if path.parent == place and path.name.startswith("lock"):
                self._refuse_other(path)
            elif path.parent == place and path.name.startswith("journal"):
                name, _, rest = path.name.rpartition(".")
                self._objects.run = rest.partition("-")[0]
                self._objects.read(name, read_object(path)[0].splitlines(keepends=True))

    def start(self, about: Mapping[str, Any]) -> bool:
        """Begin this run, as `Journal.start` does."""
        self._lock_object()
        self._locked = True
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
        return self.folder / FOLDER / f"lock{self.shard.suffix}"

    def _all(self) -> Sequence[Entries]:
        return (self._objects,)

    def _append(self, line: Mapping[str, Any], target: Path) -> None:
        whole = {**line, "target": self._objects.key(target)}
        self._add_line(whole)
        self._objects.keep(whole)

    def _add_line(self, line: Mapping[str, Any]) -> None:
        with self._guard:
            self._waiting.append(pack_line(line))

    def _lock_object(self) -> None:
        owner = {"run": self.run, "host": platform.node(), "pid": os.getpid(), "time": time.time()}
        write_object(self._lock_path, json.dumps({**owner, "span": self.shard.span}).encode())

    def _refuse_other(self, path: Path) -> None:
        lock: dict[str, Any] = {}
        with contextlib.suppress(ValueError):
            lock = json.loads(read_object(path)[0])
        (start, length), (first, count) = self.shard.span, lock.get("span", self.shard.span)
        apart = first + count <= start or start + length <= first
        if not apart and _is_alive(lock):
            raise BadSetting(
                f"another facefix is writing into {as_url(self.folder)}. Wait until it has ended, choose another "
                "folder, or divide the work with --shard"
            )

    def _beat(self) -> None:
        """Write waiting lines every few seconds, and show that the run is alive."""
        beaten = time.monotonic()
        while not self._ended_run.wait(FLUSH_SECONDS):
            with contextlib.suppress(FaceFixError):  # the store cannot be reached: the next image will tell
                self.flush()
                if self._locked and time.monotonic() - beaten > FRESH_SECONDS / 3:
                    self._lock_object()
                    beaten = time.monotonic()


def _is_alive(lock: Mapping[str, Any]) -> bool:
    """Return whether the run of a lock may still be at work: of this machine its process tells."""
    age = time.time() - lock.get("time", 0)
    if age > FRESH_SECONDS or age < -WRONG_SECONDS:
        return False
    if lock.get("host") != platform.node():
        return True
    processes = Path("/proc")
    return not (processes / "self").exists() or (processes / str(lock.get("pid"))).exists()
