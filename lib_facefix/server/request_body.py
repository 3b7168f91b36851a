"""Receiving the body of a request: never more of it than is allowed, and never for longer than it may take."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from .errors import FULL, TIMED_OUT, TOO_LARGE, refuse
from .job_queue import STOPPING, JobQueue
from .parse_body import parse_body
from .room import CUT_OFF, Upload
from .schemas import read_body

Body = TypeVar("Body")

WINDOW, LEAST = 10.0, 1 << 16
"""Seconds within which at least so many bytes of a body must arrive, or all of it."""
LONGEST = 600.0
"""Seconds that a body may take in all."""
TICK = 0.5
"""Seconds between two looks at whether a body still may arrive."""


class GoneError(Exception):
    """The client went away before its request had arrived."""


@asynccontextmanager
async def receive_body(
    request: Request, kind: type[Body], most: int, line: JobQueue
) -> AsyncIterator[tuple[Body, Upload]]:
    """Give the body of a request, read and checked in another thread, and the room that it takes while it waits.

    most: bytes of the whole body. Raises `Refusal` where there are more, or no room for them, or they take too long,
    or cannot be read; `GoneError` where the client goes away.
    """
    upload = line.room.begin()
    try:
        yield await _read(request, kind, most, upload, line), upload
    finally:
        upload.free()


async def _read(request: Request, kind: type[Body], most: int, upload: Upload, line: JobQueue) -> Body:
    content = await _receive(request, most, upload, line)
    content_type = request.headers.get("content-type", "")
    return await run_in_threadpool(lambda: read_body(kind, parse_body(content, content_type)))


async def _receive(request: Request, most: int, upload: Upload, line: JobQueue) -> bytearray:
    content = bytearray()
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and len(declared) < 20 and int(declared) > most:
        raise _too_large(most)
    began = since = monotonic()
    arrived = 0
    more = True
    while more:
        coming = asyncio.ensure_future(request.receive())
        try:
            while not coming.done():
                await asyncio.wait({coming}, timeout=TICK)
                _check_pace(since, began, upload, line)
        finally:
            coming.cancel()
        message = coming.result()
        if message["type"] == "http.disconnect":
            raise GoneError
        part = message.get("body", b"")
        if len(content) + len(part) > most:
            raise _too_large(most)
        upload.grow(len(part))
        content += part
        arrived += len(part)
        if arrived >= LEAST:
            since, arrived = monotonic(), 0
        more = message.get("more_body", False)
        if more:
            _check_pace(since, began, upload, line)
    return content


def _too_large(most: int) -> Exception:
    return refuse(TOO_LARGE, f"the request is larger than {most >> 20} MiB; send a smaller picture")


def _check_pace(since: float, began: float, upload: Upload, line: JobQueue) -> None:
    """Raise `Refusal` where a body must not arrive any more. since: when its latest `LEAST` bytes had arrived."""
    now = monotonic()
    refusal = None
    if line.ended:
        refusal = refuse(FULL, STOPPING)
    elif upload.cut:
        refusal = refuse(FULL, CUT_OFF)
    elif now - since > WINDOW or now - began > LONGEST:
        refusal = refuse(TIMED_OUT, f"the request arrives too slowly: less than {LEAST >> 10} KiB in {WINDOW:.0f} s")
    if refusal:
        refusal.closes = True
        raise refusal
