"""Reading the body of a request, of JSON or of a form, and never more of it than is allowed."""

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
"""Half a letter: JSON can spell it, but nothing can be written or answered with it."""


@asynccontextmanager
async def read_request(request: Request, most: int, line: JobQueue) -> AsyncIterator[tuple[Any, Held]]:
    """Give the values of a request's body, and the room that it takes while it waits.

    most: bytes of the whole body. Raises `Refusal` where there are more, or no room for them, or they cannot be read.
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
    """Room in the line that a request has taken so far."""

    def __init__(self, line: JobQueue) -> None:
        self._line, self.size = line, 0

    def more(self, size: int) -> None:
        """Take more; raises `Refusal`."""
        self._line.hold(size)
        self.size += size

    def hand_over(self) -> int:
        """Leave it to whoever takes the work; return how much it is."""
        size, self.size = self.size, 0
        return size

    def free(self) -> None:
        """Give it back."""
        self._line.free(self.hand_over())


async def _body(request: Request, most: int, held: Held) -> bytes:
    parts = []
    async for part in request.stream():
        if held.size + len(part) > most:
            raise refuse(TOO_LARGE, f"the request is larger than {most >> 20} MiB; send a smaller picture")
        held.more(len(part))
        parts.append(part)
    return b"".join(parts)


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _json(request: Request, body: bytes) -> Any:
    if _kind(request) != JSON:
        raise refuse(UNREADABLE, f"the body must be {JSON} or {FORM}, not {_kind(request) or 'of no type'}")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise refuse(UNREADABLE, f"the body is no JSON: {error}") from error


async def _form(request: Request, body: bytes) -> dict[str, Any]:
    async def whole() -> AsyncGenerator[bytes, None]:
        yield body

    values: dict[str, Any] = {}
    try:
        form = await _InMemory(request.headers, whole()).parse()
        for name, value in form.multi_items():
            values[name] = from_form(name, await value.read() if isinstance(value, UploadFile) else value)
        await form.close()
    except (MultiPartException, KeyError, ValueError) as error:  # the last two: a damaged head
        raise refuse(UNREADABLE, f"the form cannot be read: {error}") from error
    return values


class _InMemory(MultiPartParser):
    """Keeps files out of the temporary folder, however large they are: they are in memory already."""

    spool_max_size = max_file_size = sys.maxsize  # what new and old versions of starlette call it


def _check_text(values: Any) -> None:
    try:
        halves = any(not text.isascii() and _HALF.search(text) for text in _texts(values))
    except RecursionError as error:
        raise refuse(UNREADABLE, "the body is nested too deep") from error
    if halves:
        raise refuse(UNREADABLE, "the body holds half a letter, such as \\ud800 without the other half")


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
