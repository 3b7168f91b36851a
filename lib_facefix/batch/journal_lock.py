"""The lock of a folder of results: two runs exclude each other, unless they are shards without a common image."""

from __future__ import annotations

import time
from pathlib import Path

from ..errors import BadSetting
from ..fsio import RangeLock
from .journal_entries import FOLDER
from .shard import SPAN, Shard

LOCK_SECONDS = 10.0
"""Longest time to wait for the worker processes of a run that was killed to end."""


class FolderLock:
    """Holds a folder for this process. The lock ends with the process, however it ends.

    Its file stands for 2 x `SPAN` places: those of the images, held by runs, and those of their worker processes.
    """

    def __init__(self, folder: Path) -> None:
        """Hold nothing yet; the folder must have one for journals. Raises OSError."""
        self._folder = folder
        self._lock = RangeLock(folder / FOLDER / "lock")

    def hold(self, shard: Shard) -> None:
        """Hold the images of a shard; raises `BadSetting` if another run is at work on one of them."""
        start, length = shard.span
        if not self._lock.acquire(start, length):
            raise self._refuse()
        self._await_workers(start, length)

    def share(self) -> None:
        """Keep others from beginning in this folder, but not those that share it, too.

        Raises `BadSetting` if one is at work in it.
        """
        if not self._lock.acquire(0, SPAN, shared=True):
            raise self._refuse()
        self._await_workers(0, SPAN)

    def join(self, shard: Shard) -> None:
        """Be a worker process of a run: while one lives, nobody else may start."""
        start, length = shard.span
        self._lock.acquire(SPAN + start, length, shared=True)

    def close(self) -> None:
        """Let others begin."""
        self._lock.close()

    def _await_workers(self, start: int, length: int) -> None:
        until = time.monotonic() + LOCK_SECONDS
        while not self._lock.acquire(SPAN + start, length):  # held by the workers of a run that was killed
            if time.monotonic() > until:
                raise BadSetting(f"processes of a killed run are still writing into {self._folder}. End them first")
            time.sleep(0.05)
        self._lock.release(SPAN + start, length)

    def _refuse(self) -> BadSetting:
        self.close()
        return BadSetting(
            f"another facefix is writing into {self._folder}. Wait until it has ended, choose another folder, or "
            "divide the work with --shard"
        )
