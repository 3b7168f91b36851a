"""OpenCV on one thread for small work: its other threads would spin while they wait, for a third more CPU time."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import cv2

_lock = Lock()
_before: list[int] = []
"""Number of OpenCV's threads that the first block found, once for each block that is entered."""


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep OpenCV to one thread inside the block.

    OpenCV has one number for the whole process: the first block to enter sets it, and the last to leave restores it.
    Other threads that use OpenCV meanwhile are slower, not wrong.
    """
    with _lock:
        _before.append(_before[0] if _before else cv2.getNumThreads())
        if len(_before) == 1 and _before[0] != 1:
            cv2.setNumThreads(1)
    try:
        yield
    finally:
        with _lock:
            number = _before.pop()
            if not _before and number != 1:
                cv2.setNumThreads(number)
