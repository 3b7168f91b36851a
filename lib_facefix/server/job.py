"""A job: one piece of work of the server, with its progress, its outcome, and the ways to end it early."""

import json
import logging
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from ..errors import FaceFixError, Stopped
from .errors import Refusal, refusal_of, refuse

State = Literal["waiting", "running", "done", "failed", "stopped"]
VERSION = 1
"""Version of the API's response format."""
PAUSED = "continues as soon as the server runs again"
_LOG = logging.getLogger(__name__)


class Paused(Exception):
    """Raised by work that stops because the server does, and that the next process of the server will continue."""


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


class Listener(Protocol):
    """Is told what becomes of jobs, just before their clients are."""

    def note_image(self, record: dict[str, Any]) -> None:
        """Note one finished image of a folder. record: as in a report."""

    def note_end(self, job: "Job", state: State, outcome: Answer | Refusal) -> None:
        """Note the end of a job."""


@dataclass(slots=True, eq=False)
class Job:
    """A waiting, running, or finished piece of work. It is also the `Progress` of its work."""

    do: "Callable[[Job], Answer] | None"
    size: int
    """Memory reserved for the request while it waits, in bytes."""
    kind: str = ""
    """Name of the API call."""
    resumes: bool = False
    """True if the next process of the server continues the job, so that this one may leave it."""
    alone: bool = False
    """True for a job that does not run beside another one with this flag, such as a folder job."""
    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    state: State = "waiting"
    done: int = 0
    total: int = 0
    doing: str = ""
    weight: int = 0
    """Approximate memory use of the answer, in bytes."""
    began: float = 0.0
    """Time when the work began, as `time.monotonic()`; 0 before."""
    future: Future[Answer] = field(default_factory=Future)
    """Outcome of the job: an `Answer`, or a `Refusal` as its exception."""
    listeners: Sequence[Listener] = ()
    _stop: threading.Event = field(default_factory=threading.Event)
    _pause: threading.Event = field(default_factory=threading.Event)
    _abandon: threading.Event = field(default_factory=threading.Event)
    _settling: threading.Lock = field(default_factory=threading.Lock)
    _settled: bool = False

    def step(self, done: int, total: int, doing: str) -> None:
        """Store the progress."""
        self.done, self.total, self.doing = done, total, doing

    def should_stop(self) -> bool:
        """Return whether the work has to end between two batches of faces. The finished part is kept."""
        return self._stop.is_set() or self._abandon.is_set()

    def should_pause(self) -> bool:
        """Return whether work that another process will continue has to end before the next image."""
        return self._pause.is_set()

    def is_abandoned(self) -> bool:
        """Return whether there is no time to finish the current image, so that nothing of it must be kept."""
        return self._abandon.is_set()

    def stop(self) -> None:
        """Ask the job to stop."""
        self._stop.set()

    def pause(self) -> None:
        """Tell the job that the server is about to stop. It may finish what it has begun."""
        self._pause.set()

    def abandon(self) -> None:
        """Ask the job to stop at once, without a result, as another process will continue it."""
        self._pause.set()
        self._abandon.set()

    def run(self) -> None:
        """Run the work, and store its answer or error."""
        work, self.do = self.do, None  # it references the image
        if work is None or self.should_stop():
            self.settle("stopped", _to_refusal(Stopped("stopped before it began")))
            return
        self.state, self.began = "running", time.monotonic()
        try:
            answer = work(self)
        except Paused:
            self.state, self.doing = "waiting", PAUSED
        except Exception as error:  # noqa: BLE001 the queue must continue with the next job
            self.settle("stopped" if isinstance(error, Stopped) else "failed", _to_refusal(error))
        else:
            self.settle("stopped" if self.should_stop() else "done", answer)

    def settle(self, state: State, outcome: Answer | Refusal) -> None:
        """End the job with its outcome, unless it has ended."""
        with self._settling:  # the server may tell the client that it stops, while the work ends
            if self._settled:
                return
            self._settled = True
        if isinstance(outcome, Answer):
            self.weight = outcome.weight
        for listener in self.listeners:
            listener.note_end(self, state, outcome)
        self.state = state
        if isinstance(outcome, Answer):
            self.future.set_result(outcome)
        else:
            self.future.set_exception(outcome)

    @property
    def answer(self) -> Answer | None:
        """The answer, or None before the job has finished and if it failed."""
        return self.future.result() if self.future.done() and not self.future.exception() else None

    @property
    def refusal(self) -> Refusal | None:
        """The error, or None if the job has not failed."""
        error = self.future.exception() if self.future.done() else None
        return error if isinstance(error, Refusal) else None


Work = Callable[[Job], Answer]


def _to_refusal(error: Exception) -> Refusal:
    if isinstance(error, Refusal):
        return error
    if isinstance(error, FaceFixError | MemoryError):
        return refusal_of(error)
    _LOG.error("a call failed with an unexpected error", exc_info=error)
    return refuse(500, f"unexpected {type(error).__name__}: {error}. This is a bug in FaceFix; please report it")
