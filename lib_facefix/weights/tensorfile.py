"""The safetensors format, as far as it can be had without PyTorch: what a file says, and writing one.

Layout: a little-endian 64-bit length, that many bytes of JSON, the data
(https://github.com/huggingface/safetensors#format).
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import BadModel
from ..fsio import atomic_write, filled

MOST_HEADER = 64 << 20
"""No network needs a header of more bytes."""
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Raw:
    """A tensor as bytes."""

    kind: str
    """As the format names it: F32, BF16, I64, ..."""
    shape: tuple[int, ...]
    data: memoryview
    """Little-endian, row by row, as single bytes."""


@dataclass(frozen=True, slots=True)
class Source:
    """What a file was converted from."""

    name: str
    sha256: str
    bytes: int


def write_tensors(path: Path, tensors: Mapping[str, Raw], source: Source) -> None:
    """Write a safetensors whole or not at all, which says what it was made from; raises `CannotWrite`."""
    content = _digest((name, raw.kind, raw.shape, [raw.data]) for name, raw in sorted(tensors.items()))
    said = {"format": "pt", "source": source.name, "sha256": source.sha256, "bytes": str(source.bytes)}
    header: dict[str, Any] = {"__metadata__": {**said, "content": content}}
    ordered = sorted(tensors, key=lambda name: (-_width(tensors[name]), name))  # wide ones first: all lie aligned
    at = 0
    for name in ordered:
        raw = tensors[name]
        header[name] = {"dtype": raw.kind, "shape": raw.shape, "data_offsets": (at, at + raw.data.nbytes)}
        at += raw.data.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)

    def write(file: BinaryIO) -> None:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in ordered:
            file.write(tensors[name].data)

    atomic_write(path, write)


def _width(raw: Raw) -> int:
    return int(raw.kind.lstrip("BFIUOL") or 8)  # bits: F32, BF16, I64, U8, BOOL


def header_of(path: Path) -> tuple[dict[str, Any], int]:
    """Return the header of a safetensors and where its data begins, in bytes; raises `BadModel`."""
    try:
        with path.open("rb") as file:
            start = file.read(8)
            length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
            if not 2 <= length <= min(MOST_HEADER, path.stat().st_size):
                raise BadModel(f"{path} is no safetensors file, or cut short. Get it again.")
            header = json.loads(file.read(length))
    except OSError as error:
        raise BadModel(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise BadModel(f"{path} is no safetensors file: its header is no JSON. Get it again.") from error
    if not isinstance(header, dict):
        raise BadModel(f"{path} is no safetensors file: its header is no table. Get it again.")
    return header, 8 + length


def origin(path: Path) -> dict[str, str]:
    """Return what a converted file says it was made from (source, sha256, bytes, content); of another, nothing."""
    try:
        header, _ = header_of(path)
    except BadModel:
        return {}
    said = header.get("__metadata__")
    return {str(key): str(value) for key, value in said.items()} if isinstance(said, dict) else {}


def is_from(path: Path, sha256: str) -> bool:
    """Return whether a converted file lies there that says it was made from the source of that SHA-256."""
    return filled(path) and origin(path).get("sha256") == sha256


def content_of(path: Path) -> str:
    """Return the SHA-256 of what a safetensors holds: names, types, shapes and values, whatever else it says."""
    try:
        with path.open("rb") as file:
            return _digest(
                (name, kind, shape, _chunks(file, begin, end)) for name, kind, shape, begin, end in _stretches(path)
            )
    except OSError as error:
        raise BadModel(f"{path} cannot be read: {error.strerror or error}.") from error


def _digest(tensors: Iterator[tuple[str, str, Sequence[int], Any]]) -> str:
    digest = hashlib.sha256()
    for name, kind, shape, chunks in tensors:
        label = json.dumps([name, kind, list(shape)]).encode()
        digest.update(struct.pack("<Q", len(label)) + label)
        for chunk in chunks:
            digest.update(chunk)
    return digest.hexdigest()


def _chunks(file: BinaryIO, begin: int, end: int) -> Iterator[bytes]:
    file.seek(begin)
    for at in range(begin, end, CHUNK):
        yield file.read(min(CHUNK, end - at))


def _stretches(path: Path) -> Iterator[tuple[str, str, list[int], int, int]]:
    """Yield name, kind, shape, begin and end (bytes in the file) of each tensor, sorted by name."""
    header, data = header_of(path)
    size = path.stat().st_size
    for name in sorted(header.keys() - {"__metadata__"}):
        try:
            entry = header[name]
            begin, end = (data + int(offset) for offset in entry["data_offsets"])
            kind, shape = str(entry["dtype"]), [int(side) for side in entry["shape"]]
        except (TypeError, KeyError, ValueError) as error:
            raise BadModel(f"{path} is no safetensors file: {name!r} has no place in it. Get it again.") from error
        if not data <= begin <= end <= size:
            raise BadModel(f"{path} is cut short: {name!r} lies outside of it. Get it again.")
        yield name, kind, shape, begin, end
