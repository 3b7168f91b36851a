"""The waiting line: one piece of work at a time, the others wait or are refused; each can be watched and stopped."""

from __future__ import annotations

import atexit
import json
import logging
import secrets
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from ..errors import FaceFixError, Stopped
from ..protocols import Progress
from .errors import FULL, UNKNOWN, Refusal, refusal_of, refuse
from .room import Room

State = Literal["waiting", "running", "done", "failed", "stopped"]
VERSION = 1
"""Of what the API answers."""
LAST = 5.0
"""Seconds that the end of the process waits for what is being done: cutting native code off aborts it."""
GRACE = 3.0
"""Seconds after which even the client whose work is being done is told that the server stops."""
STOPPING = "this server is being stopped; send it again when it is back"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a call answers."""

    report: dict[str, Any]
    picture: bytes | None = None
    """A picture file."""
    kind: str = ""
    """Of the file, as "image/png"."""

    @property
    def weight(self) -> int:
        """How much it takes to keep, bytes, roughly."""
        return len(self.picture or b"") + len(json.dumps(self.report)) + 1024


Work = Callable[[Progress], Answer]


@dataclass(slots=True, eq=False)
class Job:
    """A piece of work: waiting, being done, or done. It is the `Progress` of what does it."""

    do: Work | None
    size: int
    """Bytes that it holds while it waits."""
    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    state: State = "waiting"
    done: int = 0
    total: int = 0
    doing: str = ""
    weight: int = 0
    """Of the answer, bytes."""
    future: Future[Answer] = field(default_factory=Future)
    """What became of it: an `Answer`, or the `Refusal` it ended with."""
    _stop: threading.Event = field(default_factory=threading.Event)

    def step(self, done: int, total: int, doing: str) -> None:
        """Keep how far it is."""
        self.done, self.total, self.doing = done, total, doing

    def should_stop(self) -> bool:
        """Return whether somebody wants it to end; what is done by then is kept."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Ask for its end."""
        self._stop.set()

    def run(self) -> None:
        """Do it; whatever it fails with is kept for who waits."""
        try:
            answer = self._run()
        except Exception as error:  # noqa: BLE001 an edge: the next in the line must have its turn
            self.fail(_to_refusal(error), "stopped" if isinstance(error, Stopped) else "failed")
        else:
            self.weight = answer.weight
            self.state = "stopped" if self.should_stop() else "done"
            with suppress(InvalidStateError):  # whoever waited was told meanwhile that the server stops
                self.future.set_result(answer)
        finally:
            self.do = None  # it holds the picture

    def fail(self, refusal: Refusal, state: State = "stopped") -> None:
        """Let it end with a refusal, unless it has ended."""
        if not self.future.done():
            self.state = state
            with suppress(InvalidStateError):
                self.future.set_exception(refusal)

    def _run(self) -> Answer:
        if self.do is None or self.should_stop():
            raise Stopped("stopped before it began")
        self.state = "running"
        return self.do(self)

    @property
    def answer(self) -> Answer | None:
        """What came of it, None where nothing has yet."""
        return self.future.result() if self.future.done() and not self.future.exception() else None

    @property
    def refusal(self) -> Refusal | None:
        """What it failed with, None where it has not."""
        error = self.future.exception() if self.future.done() else None
        return error if isinstance(error, Refusal) else None


def _to_refusal(error: Exception) -> Refusal:
    if isinstance(error, Refusal):
        return error
    if isinstance(error, FaceFixError | MemoryError):
        return refusal_of(error)
    _LOG.error("a call failed in a way that was not foreseen", exc_info=error)
    return refuse(500, f"unexpected {type(error).__name__}: {error}. This is a fault of FaceFix: please report it")


class JobQueue:
    """Takes work, does it in the order it came, and keeps for a while what came of what nobody waits for."""

    def __init__(self, most: int, most_bytes: int) -> None:
        """most: pieces that may wait; most_bytes: that they may hold, and likewise of results that are kept."""
        self.room = Room(most_bytes)
        self._most, self._most_bytes = most, most_bytes
        self._waiting: deque[Job] = deque()
        self._kept: OrderedDict[str, Job] = OrderedDict()
        self._changed = threading.Condition()
        self._worker: threading.Thread | None = None
        self._at_work: Job | None = None
        self.ended = False
        """Whether nothing more is taken."""

    def add(self, do: Work, size: int, *, keep: bool) -> Job:
        """Take a piece of work whose `size` bytes were held; the line frees them. Raises `Refusal` if it is full.

        keep: whether it can be found by its id.
        """
        job = Job(do, size)
        with self._changed:
            if self.ended:
                raise refuse(FULL, STOPPING)
            if len(self._waiting) >= self._most:
                raise refuse(FULL, f"{self._most} calls are waiting here already; send it again in a few seconds")
            self._waiting.append(job)
            if keep:
                self._kept[job.id] = job
                self._forget()
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="facefix", daemon=True)
                self._worker.start()
                atexit.register(self.end)
            self._changed.notify()
        return job

    def find(self, id: str) -> Job:  # noqa: A002 as the API calls it
        """Return a kept job; raises `Refusal`."""
        with self._changed:
            if id not in self._kept:
                raise refuse(UNKNOWN, "there is no such job; what came of old ones is forgotten", "path", "id")
            return self._kept[id]

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self.ended)
                if self.ended:
                    return
                job = self._at_work = self._waiting.popleft()
            job.run()
            self.room.free(job.size)
            with self._changed:
                self._at_work = None
                self._forget()

    def close(self) -> None:
        """Take nothing more, stop what is being done, and refuse what waits; return at once."""
        with self._changed:
            if self.ended:
                return
            self.ended = True
            waiting, at_work = list(self._waiting), self._at_work
            self._waiting.clear()
            self._changed.notify()
        for job in waiting:
            job.fail(refuse(FULL, STOPPING))
        if at_work:
            at_work.stop()
            last = threading.Timer(GRACE, at_work.fail, (refuse(FULL, STOPPING),))
            last.daemon = True
            last.start()

    def end(self) -> bool:
        """Close, and wait a little for what is being done; return whether it has ended."""
        self.close()
        if self._worker:
            self._worker.join(LAST)
        return not (self._worker and self._worker.is_alive())

    def _forget(self) -> None:
        """Let go of the oldest results, until the others are few and small enough; the newest stays."""
        ended = [job for job in self._kept.values() if job.future.done()]
        weight = sum(job.weight for job in ended)
        while len(ended) > 1 and (len(ended) > self._most or weight > self._most_bytes):
            oldest = ended.pop(0)
            weight -= oldest.weight
            del self._kept[oldest.id]
