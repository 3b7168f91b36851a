"""Which images the processes of a Ray cluster are working on, so that one that ends them is not tried for ever.

Ray starts another process for one that died, and gives it the same images, without a limit. An image is therefore
entered here before it is worked on, and struck out afterwards. One that stands here already has ended a process.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import Any

from .worker_pool import MAX_FAILED_STARTS, WorkerFailed

MAX_ENDED = 2
"""Processes that an image may end before it is reported as failed."""


class _Book:
    """What the ledger holds. It lives in a process of its own, beside the one that was started by the person."""

    def __init__(self) -> None:
        self._begun: Counter[str] = Counter()
        self._starts = 0
        self._finished = False

    def start(self) -> int:
        """Note that a process has started; return how many have, as long as no image was finished, otherwise 0."""
        self._starts += 1
        return 0 if self._finished else self._starts

    def begin(self, name: str) -> int:
        """Note that a process begins with an image; return how many were ended by it before."""
        ended = self._begun[name]
        self._begun[name] += 1
        return ended

    def finish(self, name: str) -> None:
        """Note that the image has not ended its process."""
        self._finished = True
        del self._begun[name]


class Ledger:
    """The ledger as the processes see it. While it cannot be reached, images are tried without a limit."""

    def __init__(self, actors: int) -> None:
        """Start it on this machine. Needs a connection to the cluster. actors: number of processes that will work."""
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
        remote: Any = ray.remote(_Book)
        self._book = remote.options(num_cpus=0, max_restarts=-1, scheduling_strategy=here).remote()
        self._actors = actors

    def start(self) -> None:
        """Note that a process has started; raises `WorkerFailed` if they only end."""
        if self._ask("start") > (1 + MAX_FAILED_STARTS) * self._actors:
            raise WorkerFailed("The processes that fix images end at once, perhaps because memory is short")

    def begin(self, name: str) -> bool:
        """Note that a process begins with an image; return whether it may, as it has not ended too many."""
        return self._ask("begin", name) < MAX_ENDED

    def finish(self, name: str) -> None:
        """Note that the image has not ended its process."""
        self._ask("finish", name)

    def _ask(self, what: str, *given: str) -> int:
        import ray

        with contextlib.suppress(ray.exceptions.RayActorError):
            return ray.get(getattr(self._book, what).remote(*given)) or 0
        return 0
