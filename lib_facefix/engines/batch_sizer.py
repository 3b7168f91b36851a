"""Choosing the number of faces in one pass of a net."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import torch

MEMORY_SHARE = 0.8
"""Share of an accelerator's free memory that one pass may take."""
MAX_BATCH = 64
"""Largest number of faces in a pass; more gain no speed."""

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class CudaMemoryMeter:
    """The memory of a CUDA device, in bytes."""

    def __init__(self, device: str = "cuda") -> None:
        """device: as PyTorch names it, such as "cuda:1"."""
        self._device = torch.device(device)

    def free(self) -> int:
        """Return the memory that another pass could use: unallocated memory, and PyTorch's cache."""
        unused, _ = torch.cuda.mem_get_info(self._device)
        return unused + torch.cuda.memory_reserved(self._device) - torch.cuda.memory_allocated(self._device)

    def start(self) -> None:
        """Begin a measurement."""
        torch.cuda.reset_peak_memory_stats(self._device)
        self._before = torch.cuda.memory_allocated(self._device)

    def taken(self) -> int:
        """Return the peak memory use since `start`, beyond the use at that time."""
        return torch.cuda.max_memory_allocated(self._device) - self._before


class BatchSizer:
    """Splits a list of faces into passes that fit into memory.

    With a meter, the first face is measured, and each later pass takes as many as fit. Without one, each pass takes
    `at_once`: one on a processor, where larger passes save no time. If a pass does not fit, its size is halved.
    """

    def __init__(self, meter: CudaMemoryMeter | None, at_once: int = 1) -> None:
        self._meter, self._at_once = meter, at_once
        self._each = 0
        """Memory for one face, in bytes; 0 until measured."""
        self._limit = MAX_BATCH

    def run(
        self, items: Sequence[Item], work: Callable[[Sequence[Item]], Sequence[Answer]], alone: Callable[[Item], Answer]
    ) -> Iterator[Answer]:
        """Yield the results in order. `work` processes several items; `alone` one item that did not fit."""
        at = 0
        while at < len(items):
            now = items[at : at + self._fitting()]
            try:
                answers = self._measured(now, work)
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                if torch.cuda.is_available():
                    torch.cuda.empty_cache()
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
        return max(1, min(self._limit, int(MEMORY_SHARE * self._meter.free() / self._each)))

    def _measured(self, items: Sequence[Item], work: Callable[[Sequence[Item]], Sequence[Answer]]) -> Sequence[Answer]:
        if self._meter is None or self._each:
            return work(items)
        self._meter.start()
        answers = work(items)
        self._each = max(1, self._meter.taken() // len(items))
        return answers


def is_out_of_memory(error: Exception) -> bool:
    """Return whether the error means that an accelerator's memory is full. Only CUDA's has a class of its own."""
    words = str(error).lower()
    return isinstance(error, torch.cuda.OutOfMemoryError) or "out of memory" in words or "failed to allocate" in words
