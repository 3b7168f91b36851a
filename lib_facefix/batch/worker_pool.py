"""Working on many images in several processes. One that dies takes only its own images with it, for a second try."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

from ..errors import FaceFixError
from .batch_runner import Batch
from .memory import Room
from .one_file import Silent
from .overlap import AHEAD, Done, Job, fix_overlapped
from .report import new_record

WINDOW = AHEAD + 2
"""Images that a process has been given and not finished, at most: read ahead, being fixed, and being written."""
MAX_FAILED_STARTS = 3
"""Processes that may die one after another before any of them has finished an image."""
STOP_SECONDS = 20.0
"""Time that a process has to finish what it is writing, after it was told to stop."""
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")
"""Environment variables by which libraries choose how many threads they start."""


class WorkerFailed(FaceFixError):
    """The processes that fix images cannot work."""


@dataclass(slots=True)
class _Worker:
    process: SpawnProcess
    connection: Connection
    jobs: deque[tuple[Job, int]] = field(default_factory=deque)
    """What it works on, with the number of earlier tries, in the order in which it finishes."""


def limit_threads(processes: int, cores: int, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return environment variables that give each process its share of the cores, or less if the user says so."""
    share = max(1, cores // processes)
    given = environ.get("OMP_NUM_THREADS", "")
    return dict.fromkeys(THREAD_VARIABLES, str(min(share, int(given)) if given.isdecimal() and int(given) else share))


class WorkerPool:
    """Processes that each have their own models. They start new, share no memory, and end with this process."""

    def __init__(
        self,
        count: int,
        make_batch: Callable[..., Batch],
        *given: Any,
        threads: Mapping[str, str],
        note: Callable[[str], None],
        room: Room | None = None,
    ) -> None:
        """make_batch: called with `given` in each process; a function of a module, as it is named to the process.

        threads: environment variables of the processes, see `limit_threads`. note: is told, in a sentence for people,
        that a process has died, or has nothing to do. room: memory of the images.
        """
        self._count, self._make_batch, self._given, self._threads = count, make_batch, given, threads
        self._workers: list[_Worker] = []
        self._failed_starts = 0
        self._note = note
        self._room = room or Room()
        self._has_told_memory = False

    def fix(self, jobs: Sequence[Job], put: Callable[[Done], None]) -> None:
        """Fix images, and call `put` for each when it is finished, in no certain order.

        Raises `WorkerFailed` if no process can work.

        If a process dies, its images are tried once more, one at a time; then they fail.
        """
        fresh, again = deque((job, 0) for job in jobs), deque[tuple[Job, int]]()
        try:
            self._workers = [self._start() for _ in range(min(self._count, len(fresh)))]
            while fresh or again or any(worker.jobs for worker in self._workers):
                while any(self._give(worker, fresh, again) for worker in sorted(self._workers, key=_count_jobs)):
                    pass
                busy = {worker.connection: worker for worker in self._workers if worker.jobs}
                for connection in wait(list(busy)):
                    worker = busy[connection]  # type: ignore[index]  # only what was given is returned
                    try:
                        done_job, done = worker.jobs[0][0], _receive(worker)
                    except (EOFError, OSError):
                        self._replace(worker, again, put)
                        continue
                    self._failed_starts = 0
                    self._room.release(done_job.source)
                    put(done)
            for worker in self._workers:
                worker.connection.send(None)
        except BaseException:
            for worker in self._workers:
                worker.process.terminate()  # SIGTERM: what is being written is finished
            for worker in self._workers:
                _put_rest(worker, put)
            raise
        finally:
            self._end()

    def _start(self) -> _Worker:
        context = get_context("spawn")  # fork would copy locks that threads of OpenCV hold
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, self._make_batch, self._given), daemon=True)
        before = {name: os.environ.get(name) for name in self._threads}
        os.environ.update(self._threads)  # read when the libraries are loaded: too late inside the process
        try:
            process.start()
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
        theirs.close()
        return _Worker(process, ours)

    def _give(self, worker: _Worker, fresh: deque[tuple[Job, int]], again: deque[tuple[Job, int]]) -> bool:
        """Send a job to a process, if it may have one more; one that is tried again is alone with its process."""
        waiting = again or fresh
        full = len(worker.jobs) >= (1 if again or any(tries for _, tries in worker.jobs) else WINDOW)
        if full or not waiting:
            return False
        if not self._room.admit(waiting[0][0].source):
            if not worker.jobs:
                self._tell_memory(waiting[0][0])
            return False
        job = waiting.popleft()
        worker.jobs.append(job)
        with contextlib.suppress(OSError):  # it is dead: reading from it will tell
            worker.connection.send(job[0])
        return True

    def _tell_memory(self, job: Job) -> None:
        """Say once that processes wait for memory."""
        if not self._has_told_memory:
            self._has_told_memory = True
            busy = sum(bool(worker.jobs) for worker in self._workers)
            self._note(
                f"memory is short: {busy} of {len(self._workers)} processes work while large images such as "
                f"{job.source.name} are fixed. It takes about {self._room.cost(job.source) / 1e9:.1f} GB, and "
                f"{self._room.limit / 1e9:.1f} GB are there for all"
            )

    def _replace(self, worker: _Worker, again: deque[tuple[Job, int]], put: Callable[[Done], None]) -> None:
        """Start another process for one that died; its images are tried again, or fail."""
        worker.process.join()
        why = _explain_end(worker.process.exitcode)
        self._failed_starts += 1
        if self._failed_starts > MAX_FAILED_STARTS + len(self._workers):
            raise WorkerFailed(f"The processes that fix images end at once ({why}). Try again with --jobs 1")
        for job, _ in worker.jobs:
            self._room.release(job.source)
        retried = [(job, tries + 1) for job, tries in worker.jobs if not tries]
        for job, tries in worker.jobs:
            if tries:
                record = new_record(job.source)
                record["error"] = f"{job.source}: the process that worked on this image {why}, twice"
                put(Done([f"{job.source}: failed: {record['error']}"], record))
        if retried:
            names = ", ".join(job.source.name for job, _ in retried)
            self._note(f"a process {why}; its images are tried once more, one at a time: {names}")
        again.extend(retried)
        worker.connection.close()
        self._workers[self._workers.index(worker)] = self._start()

    def _end(self) -> None:
        for worker in self._workers:
            worker.process.join(STOP_SECONDS)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.connection.close()
        self._workers = []


def _count_jobs(worker: _Worker) -> int:
    return len(worker.jobs)


def _receive(worker: _Worker) -> Done:
    """Return the next image that a process has finished. Raises `WorkerFailed`, and EOFError or OSError if it died."""
    answer: Done | str = worker.connection.recv()
    if isinstance(answer, str):
        raise WorkerFailed(answer)
    worker.jobs.popleft()
    return answer


def _put_rest(worker: _Worker, put: Callable[[Done], None]) -> None:
    """Put what a process that was told to stop has finished."""
    until = time.monotonic() + STOP_SECONDS
    with contextlib.suppress(EOFError, OSError, WorkerFailed):
        while worker.connection.poll(max(0.0, until - time.monotonic())):
            put(_receive(worker))


def _explain_end(code: int | None) -> str:
    if code == -9:  # SIGKILL
        return "was killed, perhaps because memory was short"
    if code is not None and code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with code {code}"


class _Piped:
    """A `Source` of jobs from another process. If that process is gone, this one ends at once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        Thread(target=self._listen, daemon=True).start()

    def is_ready(self) -> bool:
        """Return whether a job, or the end of all, has arrived."""
        return not self._jobs.empty()

    def take(self) -> Job | None:
        """Return the next job, or None if there will be no more."""
        return self._jobs.get()

    def release(self, source: Path) -> None:
        """Do nothing: the other process holds the memory."""

    def _listen(self) -> None:
        try:
            while (job := self._connection.recv()) is not None:
                self._jobs.put(job)
        except (EOFError, OSError):
            os._exit(1)  # at once, as if it was killed, too: the next run may be waiting for our lock
        self._jobs.put(None)


def _work(connection: Connection, make_batch: Callable[..., Batch], given: tuple[Any, ...]) -> None:
    """Do jobs in a process of the pool, until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes: the first one decides
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    progress = Silent()

    def progress_of(_: Path) -> Silent:
        return progress

    try:
        batch = make_batch(*given)
        with batch.journal or contextlib.nullcontext():
            fix_overlapped(batch, _Piped(connection), progress_of, connection.send)
    except FaceFixError as error:
        connection.send(str(error))
    except (KeyboardInterrupt, BrokenPipeError):
        return
