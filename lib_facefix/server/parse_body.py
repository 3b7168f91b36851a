"""Parses request bodies, as JSON or as a form, with limits that are checked before and during parsing.

The image is cut out of the body before anything is decoded, because it is by far the largest part. The functions do
not wait for anything, so they can run in a thread beside the event loop.
"""

import binascii
import json
import re
import string
from collections.abc import Iterator
from typing import Any

from .errors import TOO_LARGE, UNREADABLE, Refusal, refuse
from .fields import IMAGE

FORM, JSON = "multipart/form-data", "application/json"
MAX_TEXT = 16 << 20
"""Largest size of a body without its image, in bytes. A plan of a thousand faces has about 3 MiB."""
MAX_VALUES = 500_000
"""Largest number of commas, colons and brackets in a body. Each may become an object in memory."""
MAX_NESTED = 32
"""Deepest nesting of lists and objects."""
MAX_PARTS = 32
"""Largest number of parts of a form."""
MAX_HEAD = 4096
"""Largest size of the headers of a part of a form, in bytes."""
SHORT = 1 << 16
"""Length in characters below which an image is parsed with the rest of the body."""
_KEY, _OPENING = b'"image"', re.compile(rb'[ \t\r\n]{0,64}:[ \t\r\n]{0,64}"')
MAX_KEYS = 8
"""Largest number of places in a body that are tried as the key of the image."""
_ALPHABET = (string.ascii_letters + string.digits + "+/").encode()
_CHUNK = 1 << 20
"""Number of base64 characters that are decoded at once. Other threads can run between two chunks."""
_DATA = re.compile(rb"data:[^,]{0,200},")
_HALF = re.compile("[\ud800-\udfff]")
"""Matches an unpaired surrogate. JSON can contain one, but no file name or response can."""
_NAME = re.compile(rb';[ \t]*name="?([^";\r\n]*)"?', re.IGNORECASE)
_FILE = re.compile(rb";[ \t]*filename\*?=", re.IGNORECASE)
_BOUNDARY = re.compile(r'boundary="?([^";,]{1,200})"?', re.IGNORECASE)


def parse_body(content: bytearray, content_type: str) -> Any:
    """Return the values of a body, with the image decoded to bytes. Raises `Refusal` for an invalid body."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == FORM:
        values: Any = _parse_form(content, content_type)
    elif kind == JSON:
        values = _parse_json(content)
    else:
        raise refuse(UNREADABLE, f"the content type must be {JSON} or {FORM}, not {kind[:60] or 'missing'}")
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
            raise refuse(UNREADABLE, "a large image must be in the field `image` at the top level of the body", "body")
        values[IMAGE] = decode_image(view[start:end])
    return values


def _find_image(content: bytearray) -> tuple[int, int]:
    """Return the first and the last index, exclusive, of the image's text; (0, 0) if there is none."""
    at = 0
    for _ in range(MAX_KEYS):
        at = content.find(_KEY, at)
        if at < 0:
            break
        opening = _OPENING.match(content, at + len(_KEY))
        if opening and content[at - 1 : at] != b"\\":
            return opening.end(), max(content.find(b'"', opening.end()), opening.end())
        at += len(_KEY)
    return 0, 0


def decode_image(coded: memoryview) -> bytes:
    """Decode a base64 text, with or without `data:...;base64,` before it. Raises `Refusal`."""
    start = _DATA.match(coded[:256])
    coded = coded[start.end() :] if start else coded
    if not start and b"://" in bytes(coded[:16]):
        raise refuse(UNREADABLE, "the image must be a base64 text; URLs are not accepted", "body", IMAGE)
    try:
        return b"".join(_decode(coded))
    except binascii.Error as error:
        raise refuse(UNREADABLE, f"the image is not valid base64: {error}", "body", IMAGE) from error


def _decode(coded: memoryview) -> Iterator[bytes]:
    waiting = b""
    for at in range(0, len(coded), _CHUNK):
        piece = waiting + bytes(coded[at : at + _CHUNK])
        other = piece.translate(None, _ALPHABET)
        if other.startswith(b"\\"):  # some programs escape slashes in JSON
            piece = piece.replace(b"\\/", b"/")
            other = piece.translate(None, _ALPHABET)
        last = at + _CHUNK >= len(coded)
        if other and not (piece.endswith(other) and other in ((b"=", b"==") if last else (b"\\",))):
            raise binascii.Error(f"it contains {other[:1]!r}")
        whole = len(piece) if last else (len(piece) - len(other)) // 4 * 4
        waiting = piece[whole:]
        yield binascii.a2b_base64(piece[:whole])


def _bounded(text: memoryview) -> memoryview:
    if len(text) > MAX_TEXT:
        raise refuse(TOO_LARGE, f"the request has more than {MAX_TEXT >> 20} MiB besides its image")
    return text


def _loads(text: bytes) -> Any:
    if sum(map(text.count, (b",", b"[", b"{", b":"))) > MAX_VALUES:
        raise refuse(TOO_LARGE, f"the request has more than {MAX_VALUES} values")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise refuse(UNREADABLE, f"the body is not valid JSON: {error}") from error


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
            values[name] = text.decode("utf-8", "replace")  # a text that is not JSON is used as it is
    return values


def _parts(content: bytearray, content_type: str) -> Iterator[tuple[str, bool, memoryview]]:
    """Yield the name of each part of a form, whether it is a file, and its content. Raises `Refusal`."""
    boundary = _BOUNDARY.search(content_type)
    edge = b"--" + boundary[1].encode("latin-1", "replace") if boundary else b""
    if not edge or not content.startswith(edge):
        raise refuse(UNREADABLE, "the form is invalid: it does not begin with its boundary")
    view, at, rest = memoryview(content), len(edge), 0
    for _ in range(MAX_PARTS):
        if content.startswith(b"--", at):
            return
        head_end = content.find(b"\r\n\r\n", at, at + MAX_HEAD)
        end = content.find(b"\r\n" + edge, head_end)
        if head_end < 0 or end < head_end:
            raise refuse(UNREADABLE, "the form is invalid: one of its parts is incomplete, or has too long headers")
        head = bytes(view[at:head_end])
        name = _NAME.search(head)
        if not name:
            raise refuse(UNREADABLE, "the form is invalid: one of its parts has no name")
        part = view[head_end + 4 : max(end, head_end + 4)]
        is_file = bool(_FILE.search(head))
        if not (is_file and name[1] == IMAGE.encode()):
            rest += len(part)
        if rest > MAX_TEXT and name[1] != IMAGE.encode():
            raise refuse(TOO_LARGE, f"the request has more than {MAX_TEXT >> 20} MiB besides its image")
        yield name[1].decode("utf-8", "replace"), is_file, part
        at = end + 2 + len(edge)
    raise refuse(UNREADABLE, f"the form is invalid: it has more than {MAX_PARTS} parts")


def _check(values: Any) -> None:
    """Raise `Refusal` for values that are nested too deeply, or contain an unpaired surrogate."""
    level, depth = [values], 0
    while level:
        if depth > MAX_NESTED:
            raise refuse(UNREADABLE, "the body is nested too deeply")
        below: list[Any] = []
        for value in level:
            if isinstance(value, str):
                if not value.isascii() and _HALF.search(value):
                    raise refuse(UNREADABLE, "the body contains an unpaired surrogate such as \\ud800")
            elif isinstance(value, dict):
                below += value.keys()
                below += value.values()
            elif isinstance(value, list):
                below += value
        level, depth = below, depth + 1
