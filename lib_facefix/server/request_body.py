"""Reads request bodies, as JSON or as a form, up to a size limit."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from .errors import TOO_LARGE, UNREADABLE, refuse
from .job_queue import JobQueue
from .schemas import from_form

FORM, JSON = "multipart/form-data", "application/json"
_HALF = re.compile("[\ud800-\udfff]")
"""Matches an unpaired surrogate. JSON can contain one, but no file name or response can."""


@asynccontextmanager
async def read_request(request: Request, most: int, line: JobQueue) -> AsyncIterator[tuple[Any, Held]]:
    """Yield the values in a request's body, and the memory reserved for it.

    most: maximum size in bytes. Raises `Refusal` if the body is too large, invalid, or does not fit into memory.
    """
    held = Held(line)
    try:
        body = await _body(request, most, held)
        values = await _form(request, body) if _kind(request) == FORM else _json(request, body)
        _check_text(values)
        yield values, held
    finally:
        held.free()


class Held:
    """Memory that a request has reserved in the queue."""

    def __init__(self, line: JobQueue) -> None:
        self._line, self.size = line, 0

    def more(self, size: int) -> None:
        """Reserve more bytes. Raises `Refusal`."""
        self._line.hold(size)
        self.size += size

    def hand_over(self) -> int:
        """Pass the reservation to the job. Return its size in bytes."""
        size, self.size = self.size, 0
        return size

    def free(self) -> None:
        """Release the reservation."""
        self._line.free(self.hand_over())


async def _body(request: Request, most: int, held: Held) -> bytes:
    parts = []
    async for part in request.stream():
        if held.size + len(part) > most:
            raise refuse(TOO_LARGE, f"the request is larger than {most >> 20} MiB; send a smaller image")
        held.more(len(part))
        parts.append(part)
    return b"".join(parts)


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _json(request: Request, body: bytes) -> Any:
    if _kind(request) != JSON:
        raise refuse(UNREADABLE, f"the content type must be {JSON} or {FORM}, not {_kind(request) or 'missing'}")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise refuse(UNREADABLE, f"the body is not valid JSON: {error}") from error


async def _form(request: Request, body: bytes) -> dict[str, Any]:
    async def whole() -> AsyncGenerator[bytes, None]:
        yield body

    values: dict[str, Any] = {}
    try:
        form = await _InMemory(request.headers, whole()).parse()
        for name, value in form.multi_items():
            values[name] = from_form(name, await value.read() if isinstance(value, UploadFile) else value)
        await form.close()
    except (MultiPartException, KeyError, ValueError) as error:  # the last two: damaged headers
        raise refuse(UNREADABLE, f"the form is invalid: {error}") from error
    return values


class _InMemory(MultiPartParser):
    """Keeps files in memory, where they already are, instead of writing large ones to the temporary folder."""

    spool_max_size = max_file_size = sys.maxsize  # names in new and old versions of starlette


def _check_text(values: Any) -> None:
    try:
        halves = any(not text.isascii() and _HALF.search(text) for text in _texts(values))
    except RecursionError as error:
        raise refuse(UNREADABLE, "the body is nested too deeply") from error
    if halves:
        raise refuse(UNREADABLE, "the body contains an unpaired surrogate such as \\ud800")


def _texts(values: Any) -> Iterator[str]:
    if isinstance(values, str):
        yield values
    elif isinstance(values, dict):
        for name, value in values.items():
            yield name
            yield from _texts(value)
    elif isinstance(values, list):
        for value in values:
            yield from _texts(value)
