"""Working on several images at once in one process: one is read, one is fixed, and one is written."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from PIL.Image import Image as Pillow

from ..protocols import Progress
from .batch_runner import STOPPED, Batch
from .item import Item
from .memory import Room
from .preview import Preview
from .report import new_record

AHEAD = 2
"""Number of images that are read or being read, at most. As many are being written."""


class Job(NamedTuple):
    """One image to fix."""

    source: Path
    target: Path


class Done(NamedTuple):
    """One image that is finished, whether it has failed or not."""

    lines: list[str]
    """What to tell the person."""
    record: dict[str, Any]
    """As written by `--report`."""
    strips: Sequence[Pillow] = ()
    """Its part of a before/after sheet, if there is one."""
    preview: Preview | None = None
    """Its small pictures for a gallery, if there is one."""


class Source(Protocol):
    """Gives jobs, one after another."""

    def is_ready(self) -> bool:
        """Return whether `take` would return at once."""

    def take(self) -> Job | None:
        """Return the next job, or None if there will be no more; waits for it."""

    def release(self, source: Path) -> None:
        """Take note that an image is finished, and its memory free."""


class Listed:
    """A `Source` of jobs that are all known."""

    def __init__(self, jobs: Sequence[Job], room: Room | None = None) -> None:
        """room: memory of the images; none: without a limit."""
        self._jobs, self._room = iter(jobs), room or Room()
        self._next = next(self._jobs, None)

    def is_ready(self) -> bool:
        """Return whether there is memory for the next image, or no image is left."""
        return self._next is None or self._room.admit(self._next.source)

    def take(self) -> Job | None:
        """Return the next job, or None. If it is not ready, nothing else is at work, and it is let in."""
        job, self._next = self._next, next(self._jobs, None)
        if job:
            self._room.admit(job.source)
        return job

    def release(self, source: Path) -> None:
        """Give back the memory of an image."""
        self._room.release(source)


def fix_one(batch: Batch, job: Job, progress: Progress, put: Callable[[Done], None]) -> None:
    """Fix one image in this thread."""
    item = Item(*job, new_record(job.source))
    try:
        lines = batch.finish(batch.make(batch.open(item), progress))
        put(Done(lines, item.record, batch.strips, item.preview))
    except KeyboardInterrupt:
        _put_stopped(item, put)
        raise


def fix_overlapped(
    batch: Batch, source: Source, progress_of: Callable[[Path], Progress], put: Callable[[Done], None]
) -> None:
    """Fix images, and call `put` for each when it is finished, in the order of the jobs.

    The next image is read, and the last one written, in threads of their own while one is fixed, so that the processor
    does not wait for the disk. Memory holds a few images, whatever the number of jobs. If the user stops the work, an
    image that is being written is finished, the one that is being fixed is put with the error `STOPPED`, and
    KeyboardInterrupt is passed on.
    """
    coming: deque[Future[Item]] = deque()
    going: deque[tuple[Path, Future[Done]]] = deque()
    item: Item | None = None
    stopped: Item | None = None
    ended = False

    def put_first() -> None:
        path, future = going.popleft()
        done = future.result()
        source.release(path)
        put(done)

    with ThreadPoolExecutor(1, "facefix-read") as reader, ThreadPoolExecutor(1, "facefix-write") as writer:
        try:
            while not ended or coming or going:
                while not ended and len(coming) < AHEAD and (source.is_ready() or not (coming or going)):
                    job = source.take()
                    ended = job is None
                    if job:
                        coming.append(reader.submit(batch.open, Item(*job, new_record(job.source))))
                if coming:
                    item = coming.popleft().result()
                    item = batch.make(item, progress_of(item.path))
                    if coming or not ended:
                        going.append((item.path, writer.submit(_finish, batch, item)))
                        item = None
                while going and (going[0][1].done() or len(going) >= AHEAD or not coming):
                    put_first()
                if item:  # the last one: nothing is left to do meanwhile, and here it can be stopped
                    done, item = _finish(batch, item), None
                    put(done)
        except KeyboardInterrupt:
            stopped = item
            raise
        finally:
            for future in coming:
                future.cancel()
            while going:
                put_first()
            if stopped:
                _put_stopped(stopped, put)


def _finish(batch: Batch, item: Item) -> Done:
    lines = batch.finish(item)
    strips, batch.strips = batch.strips, []
    return Done(lines, item.record, strips, item.preview)


def _put_stopped(item: Item, put: Callable[[Done], None]) -> None:
    item.record["error"] = STOPPED
    put(Done([], item.record))
