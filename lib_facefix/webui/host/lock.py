"""Having the host to oneself: for buttons and endpoints of ours, which the host does not queue by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from modules import shared
from modules.call_queue import queue_lock

JOB = "FaceFix"


@contextmanager
def exclusive() -> Iterator[None]:
    """Wait for what the host is doing, and keep it from beginning anything else; "Interrupt" works meanwhile."""
    with queue_lock:
        shared.state.begin(job=JOB)
        try:
            yield
        finally:
            shared.state.end()
