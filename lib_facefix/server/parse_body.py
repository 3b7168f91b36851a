"""Turning the bytes of a request into values: JSON or a form, bounded before and while they are parsed.

The image is cut out of the body before anything is decoded: it is by far the largest part, and everything else is
small. Nothing here waits, so that it can run in another thread than the one that answers everybody.
"""

from __future__ import annotations

import binascii
import json
import re
import string
from collections.abc import Iterator
from typing import Any

from .errors import TOO_LARGE, UNREADABLE, Refusal, refuse
from .fields import IMAGE

FORM, JSON = "multipart/form-data", "application/json"
MOST_TEXT = 16 << 20
"""Bytes of a body without its image: a plan of a thousand faces has about 3 MiB."""
MOST_VALUES = 500_000
"""Commas and brackets in a body; each may become an object in memory."""
MOST_NESTED = 32
"""Lists and objects inside one another."""
MOST_PARTS = 32
"""Parts of a form."""
MOST_HEAD = 4096
"""Bytes before the content of a part of a form."""
SHORT = 1 << 16
"""An image of fewer characters need not be cut out."""
_KEY, _OPENING = b'"image"', re.compile(rb'[ \t\r\n]{0,64}:[ \t\r\n]{0,64}"')
MOST_KEYS = 8
"""Places that look like the image's key at which it is looked for."""
_ALPHABET = (string.ascii_letters + string.digits + "+/").encode()
_CHUNK = 1 << 20
"""Characters of base64 that are decoded at once; between two, other threads have their turn."""
_DATA = re.compile(rb"data:[^,]{0,200},")
_HALF = re.compile("[\ud800-\udfff]")
"""Half a letter: JSON can spell it, but nothing can be written or answered with it."""
_NAME = re.compile(rb';[ \t]*name="?([^";\r\n]*)"?', re.IGNORECASE)
_FILE = re.compile(rb";[ \t]*filename\*?=", re.IGNORECASE)
_BOUNDARY = re.compile(r'boundary="?([^";,]{1,200})"?', re.IGNORECASE)


def parse_body(content: bytearray, content_type: str) -> Any:
    """Return the values of a body; the image is bytes, decoded. Raises `Refusal` for what cannot be read."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == FORM:
        values: Any = _parse_form(content, content_type)
    elif kind == JSON:
        values = _parse_json(content)
    else:
        raise refuse(UNREADABLE, f"the body must be {JSON} or {FORM}, not {kind[:60] or 'of no type'}")
    _check(values)
    return values


def _parse_json(content: bytearray) -> Any:
    start, end = _find_image(content)
    if end - start < SHORT:
        return _loads(bytes(_bounded(memoryview(content))))
    with memoryview(content) as view:
        rest = b"".join((view[:start], _bounded(view[end:])))
        values = _loads(bytes(_bounded(memoryview(rest))))
        if not isinstance(values, dict) or values.get(IMAGE) != "":
            raise refuse(UNREADABLE, "a large image must be the field image of the body itself", "body")
        values[IMAGE] = decode_image(view[start:end])
    return values


def _find_image(content: bytearray) -> tuple[int, int]:
    """Return where the text of the image begins and ends, (0, 0) where there is none; a search of bytes is fast."""
    at = 0
    for _ in range(MOST_KEYS):
        at = content.find(_KEY, at)
        if at < 0:
            break
        opening = _OPENING.match(content, at + len(_KEY))
        if opening and content[at - 1 : at] != b"\\":
            return opening.end(), max(content.find(b'"', opening.end()), opening.end())
        at += len(_KEY)
    return 0, 0


def decode_image(coded: memoryview) -> bytes:
    """Return the file that a base64 text holds, with `data:...;base64,` before it or not; raises `Refusal`."""
    start = _DATA.match(coded[:256])
    coded = coded[start.end() :] if start else coded
    if not start and b"://" in bytes(coded[:16]):
        raise refuse(UNREADABLE, "a picture is sent as base64; addresses are not fetched", "body", IMAGE)
    try:
        return b"".join(_decode(coded))
    except binascii.Error as error:
        raise refuse(UNREADABLE, f"the picture is no base64: {error}", "body", IMAGE) from error


def _decode(coded: memoryview) -> Iterator[bytes]:
    waiting = b""
    for at in range(0, len(coded), _CHUNK):
        piece = waiting + bytes(coded[at : at + _CHUNK])
        other = piece.translate(None, _ALPHABET)
        if other.startswith(b"\\"):  # so some programs write a slash in JSON
            piece = piece.replace(b"\\/", b"/")
            other = piece.translate(None, _ALPHABET)
        last = at + _CHUNK >= len(coded)
        if other and not (piece.endswith(other) and other in ((b"=", b"==") if last else (b"\\",))):
            raise binascii.Error(f"it holds {other[:1]!r}")
        whole = len(piece) if last else (len(piece) - len(other)) // 4 * 4
        waiting = piece[whole:]
        yield binascii.a2b_base64(piece[:whole])


def _bounded(text: memoryview) -> memoryview:
    if len(text) > MOST_TEXT:
        raise refuse(TOO_LARGE, f"the request has more than {MOST_TEXT >> 20} MiB beside its image")
    return text


def _loads(text: bytes) -> Any:
    if sum(map(text.count, (b",", b"[", b"{", b":"))) > MOST_VALUES:
        raise refuse(TOO_LARGE, f"the request has more than {MOST_VALUES} values")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise refuse(UNREADABLE, f"the body is no JSON: {error}") from error


def _parse_form(content: bytearray, content_type: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, is_file, part in _parts(content, content_type):
        if name == IMAGE:
            values[name] = bytes(part) if is_file else decode_image(part)
            continue
        text = bytes(_bounded(part))
        try:
            values[name] = _loads(text)
        except Refusal as refusal:
            if refusal.status != UNREADABLE:
                raise
            values[name] = text.decode("utf-8", "replace")  # a text that is not written as JSON is itself
    return values


def _parts(content: bytearray, content_type: str) -> Iterator[tuple[str, bool, memoryview]]:
    """Yield the name of each part of a form, whether it is a file, and its content; raises `Refusal`."""
    boundary = _BOUNDARY.search(content_type)
    edge = b"--" + boundary[1].encode("latin-1", "replace") if boundary else b""
    if not edge or not content.startswith(edge):
        raise refuse(UNREADABLE, "the form cannot be read: it does not begin with its boundary")
    view, at, rest = memoryview(content), len(edge), 0
    for _ in range(MOST_PARTS):
        if content.startswith(b"--", at):
            return
        head_end = content.find(b"\r\n\r\n", at, at + MOST_HEAD)
        end = content.find(b"\r\n" + edge, head_end)
        if head_end < 0 or end < head_end:
            raise refuse(UNREADABLE, "the form cannot be read: a part of it is cut short, or its head is too long")
        head = bytes(view[at:head_end])
        name = _NAME.search(head)
        if not name:
            raise refuse(UNREADABLE, "the form cannot be read: a part of it has no name")
        part = view[head_end + 4 : max(end, head_end + 4)]
        is_file = bool(_FILE.search(head))
        if not (is_file and name[1] == IMAGE.encode()):
            rest += len(part)
        if rest > MOST_TEXT and name[1] != IMAGE.encode():
            raise refuse(TOO_LARGE, f"the request has more than {MOST_TEXT >> 20} MiB beside its image")
        yield name[1].decode("utf-8", "replace"), is_file, part
        at = end + 2 + len(edge)
    raise refuse(UNREADABLE, f"the form cannot be read: it has more than {MOST_PARTS} parts")


def _check(values: Any) -> None:
    """Raise `Refusal` for values that are nested too deep, or hold half a letter."""
    level, depth = [values], 0
    while level:
        if depth > MOST_NESTED:
            raise refuse(UNREADABLE, "the body is nested too deep")
        below: list[Any] = []
        for value in level:
            if isinstance(value, str):
                if not value.isascii() and _HALF.search(value):
                    raise refuse(UNREADABLE, "the body holds half a letter, such as \\ud800 without the other half")
            elif isinstance(value, dict):
                below += value.keys()
                below += value.values()
            elif isinstance(value, list):
                below += value
        level, depth = below, depth + 1
