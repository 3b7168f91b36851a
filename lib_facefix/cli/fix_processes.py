"""How many processes `facefix fix` uses, with how many threads, and how much memory they may take."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from ..batch import Done, Job, Journal, Room, WorkerPool, count_free_memory, estimate_cost, limit_threads
from ..batch.memory import PROCESS_BYTES, SHARE
from ..settings.output_size import read_upscale
from .fix_work import make_worker_batch
from .flags import read_settings
from .terminal import print_lines


def count_processes(arguments: argparse.Namespace) -> int:
    """Return the number of processes, as many as --jobs says and memory allows; tell the person if it is fewer."""
    wanted, free = arguments.jobs or _count_cores(), count_free_memory()
    count = min(wanted, max(1, int(free * SHARE) // PROCESS_BYTES)) if free else wanted
    if count < wanted:
        _note(
            f"{count} of {wanted} processes are started, as {free / 1e9:.1f} GB of memory are free, and each takes "
            f"about {PROCESS_BYTES / 1e9:.1f} GB"
        )
    return count


def make_room(arguments: argparse.Namespace, processes: int) -> Room:
    """Return the memory that the images of so many processes share."""
    free, upscale = count_free_memory(), None if arguments.plan else read_upscale(read_settings(arguments).upscale)
    limit = max(1, int(free * SHARE) - processes * PROCESS_BYTES) if free else sys.maxsize
    return Room(limit, lambda source: estimate_cost(source, upscale))


def fix_in_processes(
    journal: Journal | None,
    jobs: Sequence[Job],
    count: int,
    put: Callable[[Done], None],
    arguments: argparse.Namespace,
) -> None:
    """Fix images in several processes. Ctrl-C is passed on."""
    given = (journal.folders, journal.config, journal.run) if journal else ((), "", "")
    threads, room = limit_threads(count, _count_cores()), make_room(arguments, count)
    WorkerPool(count, make_worker_batch, arguments, *given, threads=threads, note=_note, room=room).fix(jobs, put)


def _note(line: str) -> None:
    print_lines([f"facefix: {line}"], error=True)


def _count_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
