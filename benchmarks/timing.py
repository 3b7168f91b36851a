"""Processor time of calls, taken in turns, so that a busy machine slows all of them alike."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping


def cpu_seconds(calls: Mapping[str, Callable[[], object]], repeats: int, *, warm: bool = True) -> dict[str, float]:
    """Return the median CPU seconds of each call, all threads together.

    warm: first call each once unmeasured, which loads what it needs. Then all are called in turn, `repeats` times.
    """
    if warm:
        for call in calls.values():
            call()
    seen: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            seen[name].append(once(call))
    return {name: statistics.median(seconds) for name, seconds in seen.items()}


def once(call: Callable[[], object]) -> float:
    """Return the CPU seconds of one call; what lies about is cleared away before."""
    gc.collect()
    started = time.process_time()
    call()
    return time.process_time() - started
