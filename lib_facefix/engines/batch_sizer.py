"""How many faces go through a net at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import torch

SHARE = 0.8
"""Share of an accelerator's free memory that one pass may take."""
MAX_BATCH = 64
"""Largest number of faces in a pass; more gain no speed."""

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class CudaMemoryMeter:
    """The memory of a CUDA device, in bytes."""

    def free(self) -> int:
        """What one more pass could take: what nobody has, and what PyTorch holds back for reuse."""
        unused, _ = torch.cuda.mem_get_info()
        return unused + torch.cuda.memory_reserved() - torch.cuda.memory_allocated()

    def start(self) -> None:
        """Begin to watch."""
        torch.cuda.reset_peak_memory_stats()
        self._before = torch.cuda.memory_allocated()

    def taken(self) -> int:
        """Return the most that was in use at once since `start`, beyond what was in use then."""
        return torch.cuda.max_memory_allocated() - self._before


class BatchSizer:
    """Cuts a list of faces into passes that fit.

    With a meter, the first face is measured, and then as many go together as fit. Without one, always `at_once`: on a
    processor one, as a larger pass takes memory there and saves no time. Where that is too many, half as many.
    """

    def __init__(self, meter: CudaMemoryMeter | None, at_once: int = 1) -> None:
        self._meter, self._at_once = meter, at_once
        self._each = 0
        """Memory for one face, in bytes; 0 until measured."""
        self._limit = MAX_BATCH

    def run(
        self,
        items: Sequence[Item],
        work: Callable[[Sequence[Item]], Sequence[Answer]],
        alone: Callable[[Item], Answer],
    ) -> Iterator[Answer]:
        """Yield the answers in order. `work` does several; `alone` does one that even by itself did not fit."""
        at = 0
        while at < len(items):
            now = items[at : at + self._fitting()]
            try:
                answers = self._measured(now, work)
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                _give_back()
                if len(now) > 1:
                    self._limit = len(now) // 2
                    continue
                answers = [alone(now[0])]
            yield from answers
            at += len(now)

    def _fitting(self) -> int:
        if self._meter is None:
            return min(self._limit, self._at_once)
        if not self._each:
            return 1
        return max(1, min(self._limit, int(SHARE * self._meter.free() / self._each)))

    def _measured(self, items: Sequence[Item], work: Callable[[Sequence[Item]], Sequence[Answer]]) -> Sequence[Answer]:
        if self._meter is None or self._each:
            return work(items)
        self._meter.start()
        answers = work(items)
        self._each = max(1, self._meter.taken() // len(items))
        return answers


def is_out_of_memory(error: RuntimeError) -> bool:
    """Tell an accelerator that is full; MPS says it only in words."""
    return isinstance(error, torch.cuda.OutOfMemoryError) or "out of memory" in str(error).lower()


def _give_back() -> None:
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
