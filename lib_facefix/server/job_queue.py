"""The job queue. One job runs at a time, others wait or are rejected, and each can be monitored and stopped."""

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
"""Version of the API's response format."""
LAST = 5.0
"""Seconds that the exiting process waits for the running job, as killing native code would crash it."""
GRACE = 3.0
"""Seconds after which the client of the running job, too, is told that the server stops."""
STOPPING = "this server is stopping; retry when it is running again"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """The result of an API call."""

    report: dict[str, Any]
    picture: bytes | None = None
    """Image file, or None if the call returns no image."""
    kind: str = ""
    """Media type of the image file, such as "image/png"."""

    @property
    def weight(self) -> int:
        """Approximate memory use, in bytes."""
        return len(self.picture or b"") + len(json.dumps(self.report)) + 1024


Work = Callable[[Progress], Answer]


@dataclass(slots=True, eq=False)
class Job:
    """A waiting, running, or finished piece of work. It is also the `Progress` of its work."""

    do: Work | None
    size: int
    """Memory reserved for the request while it waits, in bytes."""
    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    state: State = "waiting"
    done: int = 0
    total: int = 0
    doing: str = ""
    weight: int = 0
    """Approximate memory use of the answer, in bytes."""
    future: Future[Answer] = field(default_factory=Future)
    """Outcome of the job: an `Answer`, or a `Refusal` as its exception."""
    _stop: threading.Event = field(default_factory=threading.Event)

    def step(self, done: int, total: int, doing: str) -> None:
        """Store the progress."""
        self.done, self.total, self.doing = done, total, doing

    def should_stop(self) -> bool:
        """Return whether the job has been asked to stop. The finished part is kept."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Ask the job to stop."""
        self._stop.set()

    def run(self) -> None:
        """Run the work, and store its answer or error."""
        work, self.do = self.do, None  # it references the image
        if work is None or self.should_stop():
            self.fail(_to_refusal(Stopped("stopped before it began")))
            return
        self.state = "running"
        try:
            answer = work(self)
        except Exception as error:  # noqa: BLE001 the queue must continue with the next job
            self.fail(_to_refusal(error), "stopped" if isinstance(error, Stopped) else "failed")
        else:
            self.weight = answer.weight
            self.state = "stopped" if self.should_stop() else "done"
            with suppress(InvalidStateError):  # the client was told meanwhile that the server stops
                self.future.set_result(answer)

    def fail(self, refusal: Refusal, state: State = "stopped") -> None:
        """End the job with an error, unless it has ended."""
        if not self.future.done():
            self.state = state
            with suppress(InvalidStateError):
                self.future.set_exception(refusal)

    @property
    def answer(self) -> Answer | None:
        """The answer, or None before the job has finished and if it failed."""
        return self.future.result() if self.future.done() and not self.future.exception() else None

    @property
    def refusal(self) -> Refusal | None:
        """The error, or None if the job has not failed."""
        error = self.future.exception() if self.future.done() else None
        return error if isinstance(error, Refusal) else None


def _to_refusal(error: Exception) -> Refusal:
    if isinstance(error, Refusal):
        return error
    if isinstance(error, FaceFixError | MemoryError):
        return refusal_of(error)
    _LOG.error("a call failed with an unexpected error", exc_info=error)
    return refuse(500, f"unexpected {type(error).__name__}: {error}. This is a bug in FaceFix; please report it")


class JobQueue:
    """Runs jobs in order of arrival, and stores the results of background jobs for a while."""

    def __init__(self, most: int, most_bytes: int) -> None:
        """most: maximum number of waiting jobs, and of stored results. most_bytes: maximum size of either, in bytes."""
        self.room = Room(most_bytes)
        """Memory that all requests share, in bytes."""
        self._most, self._most_bytes = most, most_bytes
        self._waiting: deque[Job] = deque()
        self._kept: OrderedDict[str, Job] = OrderedDict()
        self._changed = threading.Condition()
        self._worker: threading.Thread | None = None
        self._at_work: Job | None = None
        self.ended = False
        self.at_close: list[Callable[[], None]] = []
        """True once the queue accepts no more jobs."""

    def add(self, do: Work, size: int, *, keep: bool) -> Job:
        """Add a job for which `size` bytes are reserved. The queue frees them. Raises `Refusal` if the queue is full.

        keep: whether the job can be found by its id.
        """
        job = Job(do, size)
        with self._changed:
            if self.ended:
                raise refuse(FULL, STOPPING)
            if len(self._waiting) >= self._most:
                raise refuse(FULL, f"{self._most} calls are waiting in the queue; retry in a few seconds")
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
        """Return a stored job. Raises `Refusal`."""
        with self._changed:
            if id not in self._kept:
                raise refuse(UNKNOWN, "this job does not exist; old jobs are deleted", "path", "id")
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
        """Accept no more jobs, reject the waiting ones, and ask the running one to stop. Return at once."""
        with self._changed:
            if self.ended:
                return
            self.ended = True
            waiting, at_work = list(self._waiting), self._at_work
            self._waiting.clear()
            self._changed.notify()
        for forget in self.at_close:
            forget()
        for job in waiting:
            job.fail(refuse(FULL, STOPPING))
        if at_work:
            at_work.stop()
            last = threading.Timer(GRACE, at_work.fail, (refuse(FULL, STOPPING),))
            last.daemon = True
            last.start()

    def end(self) -> bool:
        """Close the queue, and wait `LAST` seconds for the running job. Return whether it has ended."""
        self.close()
        if self._worker:
            self._worker.join(LAST)
        return not (self._worker and self._worker.is_alive())

    def _forget(self) -> None:
        """Delete the oldest results until the others fit the limits. The newest one is always kept."""
        ended = [job for job in self._kept.values() if job.future.done()]
        weight = sum(job.weight for job in ended)
        while len(ended) > 1 and (len(ended) > self._most or weight > self._most_bytes):
            oldest = ended.pop(0)
            weight -= oldest.weight
            del self._kept[oldest.id]
