"""Receives request bodies, up to a size limit and a time limit."""

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

WINDOW, MIN_BYTES = 10.0, 1 << 16
"""Seconds within which so many bytes of a body must arrive, or all of it."""
MAX_SECONDS = 600.0
"""Most seconds that a whole body may take to arrive."""
TICK = 0.5
"""Seconds between two checks of the limits while a body arrives."""


class GoneError(Exception):
    """The client disconnected before its request had arrived."""


@asynccontextmanager
async def receive_body(
    request: Request, kind: type[Body], most: int, line: JobQueue
) -> AsyncIterator[tuple[Body, Upload]]:
    """Yield the body of a request, parsed and checked in another thread, and the memory reserved for it.

    most: maximum size in bytes. Raises `Refusal` if the body is too large, too slow, invalid, or does not fit into
    memory, and `GoneError` if the client disconnects.
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
        if arrived >= MIN_BYTES:
            since, arrived = monotonic(), 0
        more = message.get("more_body", False)
        if more:
            _check_pace(since, began, upload, line)
    return content


def _too_large(most: int) -> Exception:
    return refuse(TOO_LARGE, f"the request is larger than {most >> 20} MiB; send a smaller image")


def _check_pace(since: float, began: float, upload: Upload, line: JobQueue) -> None:
    """Raise `Refusal` if a body must stop arriving. since: time when its latest `MIN_BYTES` bytes had arrived."""
    now = monotonic()
    refusal = None
    if line.ended:
        refusal = refuse(FULL, STOPPING)
    elif upload.cut:
        refusal = refuse(FULL, CUT_OFF)
    elif now - since > WINDOW or now - began > MAX_SECONDS:
        pace = f"less than {MIN_BYTES >> 10} KiB in {WINDOW:.0f} s"
        refusal = refuse(TIMED_OUT, f"the request arrives too slowly: {pace}")
    if refusal:
        refusal.closes = True
        raise refusal
