"""The lines of a journal: which result was written for which image."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..pictures.objects import is_remote, stamp_object

IN_PLACE, BESIDE, AWAY = "in place", "beside", "away"
"""Where a result is, seen from its image: it replaces it, is in the same folder, or in another one."""
_CHUNK = 1 << 20
_LINE_START = re.compile(rb"[0-9a-f]{8} \{")


class Stamp(NamedTuple):
    """How a file is told from an earlier state of it."""

    size: int
    time: int
    """Modification time, in nanoseconds."""
    node: int = 0
    """Inode, 0 if unknown."""

    @classmethod
    def of(cls, path: str | Path) -> Stamp | None:
        """Return the stamp of the file or the object, None if there is none."""
        if is_remote(path):
            stamp = stamp_object(Path(path))
            return cls(*stamp) if stamp else None
        try:
            state = Path(path).stat()
        except OSError:
            return None
        return cls(state.st_size, state.st_mtime_ns, state.st_ino)


class Entry(NamedTuple):
    """One finished image."""

    source: str
    """File name of the image, without its folder."""
    read: tuple[int, int]
    """Size and time of the image when it was read."""
    written: Stamp
    """The result."""
    digest: str
    """BLAKE2 of the result, 32 hexadecimal digits."""
    config: str
    """Digest of the settings and models."""
    changed: bool
    """Whether a face was fixed, or the image enlarged."""
    in_place: bool
    """Whether the result took the place of its image, and so is the only file of it."""


def pack_line(line: Mapping[str, Any]) -> bytes:
    """Return a line with its checksum."""
    text = json.dumps(line, separators=(",", ":"), default=str).encode("ascii")
    return b"%08x %s\n" % (zlib.crc32(text), text)


def digest_file(path: Path) -> str:
    """Return the BLAKE2 digest of a file, 32 hexadecimal digits."""
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def list_lines(raw: bytes) -> tuple[list[dict[str, Any]], bool]:
    """Return the contents of a line, and whether it is sound.

    One that was cut off by a full disk has the next one behind it, which is found by its checksum.
    """
    raw = raw.rstrip(b"\r\n")
    line = _read_line(raw)
    if line is not None or not raw:
        return ([] if line is None else [line]), True
    inside = (_read_line(raw[found.start() :]) for found in _LINE_START.finditer(raw))
    return [line for line in inside if line is not None], False


def _read_line(raw: bytes) -> dict[str, Any] | None:
    checksum, _, text = raw.partition(b" ")
    with contextlib.suppress(ValueError):
        if int(checksum, 16) == zlib.crc32(text):
            line = json.loads(text)
            return line if isinstance(line, dict) else None
    return None


def read_entry(line: Mapping[str, Any]) -> Entry:
    """Return what a line of a result says."""
    size, moment = line["read"]
    read, written, is_in_place = (size, moment), Stamp(*line["written"]), line.get("where") == IN_PLACE
    return Entry(line["source"], read, written, line["digest"], line["config"], line["changed"], is_in_place)
