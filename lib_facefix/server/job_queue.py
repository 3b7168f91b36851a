"""The job queue. One job or a few run at a time, others wait or are rejected, and each can be watched and stopped."""

import atexit
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import NamedTuple

from .errors import FULL, UNKNOWN, refuse
from .job import PAUSED, Job, Listener, Work
from .room import Room

LAST = 3.0
"""Seconds that the exiting process waits for the running jobs, as killing native code would crash it."""
GRACE = 1.0
"""Seconds between the request to stop the running job and the answer to its client, if the job goes on."""
STOPPING = "this server is stopping; retry when it is running again"


class Load(NamedTuple):
    """How busy a queue is."""

    waiting: int
    """Number of waiting jobs."""
    running: int
    """Number of running jobs."""
    held: int
    """Memory that arriving and waiting requests have reserved, in bytes."""


class JobQueue:
    """Runs jobs in order of arrival, and stores the results of background jobs for a while."""

    def __init__(self, most: int, most_bytes: int, at_once: int = 1) -> None:
        """most: maximum number of waiting jobs, and of stored results. most_bytes: maximum size of either, in bytes.

        at_once: number of jobs that may run at a time.
        """
        self.room = Room(most_bytes)
        """Memory that all requests share, in bytes."""
        self.most, self.most_bytes = most, most_bytes
        self._waiting: deque[Job] = deque()
        self._kept: OrderedDict[str, Job] = OrderedDict()
        self._changed = threading.Condition()
        self._workers = [threading.Thread(target=self._work, name="facefix", daemon=True) for _ in range(at_once)]
        self._at_work: list[Job] = []
        self._is_started = self._closed = False
        self.ended = False
        """True once the queue accepts no more jobs."""
        self.at_close: list[Callable[[], None]] = []
        """Called when the running job is asked to stop."""
        self.listeners: list[Listener] = []
        """Told what becomes of the jobs."""
        self.beside: list[JobQueue] = []
        """Queues of other work, such as downloads, which is not waited for."""

    def add(self, do: Work, size: int, *, keep: bool, kind: str = "") -> Job:
        """Add a job for which `size` bytes are reserved. The queue frees them. Raises `Refusal` if the queue is full.

        keep: whether the job can be found by its id. kind: name of the API call.
        """
        return self.enter(Job(do, size, kind), keep=keep)

    def enter(self, job: Job, *, keep: bool, accepted: bool = False) -> Job:
        """Add a job, as `add` does. accepted: an earlier process has accepted it, so that it finds room here, too."""
        with self._changed:
            if self.ended:
                raise refuse(FULL, STOPPING)
            if len(self._waiting) >= self.most and not accepted:
                raise refuse(FULL, f"{self.most} calls are waiting in the queue; retry in a few seconds")
            job.listeners = self.listeners
            self._waiting.append(job)
            if keep:
                self._kept[job.id] = job
                self._forget()
            if not self._is_started:
                self._is_started = True
                for worker in self._workers:
                    worker.start()
                atexit.register(self.end)
            self._changed.notify_all()
        return job

    def find(self, id: str) -> Job:  # noqa: A002 as the API calls it
        """Return a stored job. Raises `Refusal`."""
        with self._changed:
            if id not in self._kept:
                raise refuse(UNKNOWN, "this job does not exist; old jobs are deleted", "path", "id")
            return self._kept[id]

    @property
    def load(self) -> Load:
        """How busy the queue is now."""
        with self._changed:
            return Load(len(self._waiting), len(self._at_work), self.room.held)

    @property
    def is_alive(self) -> bool:
        """False if a thread that runs the jobs has died, which no job should be able to cause."""
        return not self._is_started or all(worker.is_alive() for worker in self._workers) or self.ended

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._find_next() or self.ended)
                job = self._find_next()
                if self.ended or job is None:
                    return
                self._waiting.remove(job)
                self._at_work.append(job)
            job.run()
            self.room.free(job.size)
            with self._changed:
                self._at_work.remove(job)
                self._forget()
                self._changed.notify_all()  # another one may have waited for this one's end

    def _find_next(self) -> Job | None:
        """Return the first waiting job that may run now."""
        is_taken = any(job.alone for job in self._at_work)
        return next((job for job in self._waiting if not (job.alone and is_taken)), None)

    def drain(self) -> None:
        """Accept no more jobs, and let the running ones continue. Return at once.

        Waiting jobs are rejected, except those that the next process of the server continues.
        """
        with self._changed:
            self.ended = True
            waiting, at_work = list(self._waiting), list(self._at_work)
            self._waiting.clear()
            self._changed.notify_all()
        for job in waiting:
            if job.resumes:
                job.doing = PAUSED
            else:
                job.settle("stopped", refuse(FULL, STOPPING))
        for job in at_work:
            job.pause()

    def close(self) -> None:
        """Accept no more jobs, reject the waiting ones, and ask the running ones to stop. Return at once."""
        self.drain()
        with self._changed:
            at_work, was_closed, self._closed = list(self._at_work), self._closed, True
        if was_closed:
            return
        for forget in self.at_close:
            forget()
        for job in at_work:
            if job.resumes:
                job.abandon()
                continue
            job.stop()
            last = threading.Timer(GRACE, job.settle, ("stopped", refuse(FULL, STOPPING)))
            last.daemon = True
            last.start()

    def end(self) -> bool:
        """Close the queue, and wait `LAST` seconds for the running jobs. Return whether they have ended."""
        self.close()
        until = time.monotonic() + LAST
        for worker in self._workers if self._is_started else ():
            worker.join(max(0.0, until - time.monotonic()))
        return not any(worker.is_alive() for worker in self._workers)

    def _forget(self) -> None:
        """Delete the oldest results until the others fit the limits. The newest one is always kept."""
        ended = [job for job in self._kept.values() if job.future.done()]
        weight = sum(job.weight for job in ended)
        while len(ended) > 1 and (len(ended) > self.most or weight > self.most_bytes):
            oldest = ended.pop(0)
            weight -= oldest.weight
            del self._kept[oldest.id]
