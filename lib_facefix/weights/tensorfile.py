"""Safetensors files without PyTorch: writing one, and reading what one says of itself.

safetensors' own reader checks every file. Its writer is not used: it stores the metadata in another order each time,
and knows bfloat16 only with PyTorch; files converted twice are to have the same bytes. Layout: a little-endian 64-bit
length, that many bytes of JSON, the data (https://github.com/huggingface/safetensors#format).
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import BadModel, CannotWrite
from ..fsio import atomic_write, is_filled

CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Raw:
    """A tensor as bytes."""

    kind: str
    """Type name in the format: F32, BF16, I64, ..."""
    shape: tuple[int, ...]
    data: memoryview
    """Little-endian values in row order, as single bytes."""


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


def read_header(path: Path) -> tuple[dict[str, Any], int]:
    """Return the header of a safetensors and the offset of its data in bytes; raises `BadModel`.

    Every tensor's bytes are inside of the file, one after the other, and as many as its type and shape say.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np"), path.open("rb") as file:
            length = struct.unpack("<Q", file.read(8))[0]
            return json.loads(file.read(length)), 8 + length
    except OSError as error:
        raise BadModel(f"{path} cannot be read: {error.strerror or error}.") from error
    except (SafetensorError, ValueError, RecursionError) as error:
        raise BadModel(f"{path} is no safetensors file, or cut short: {error}. Get it again.") from error


def read_origin(path: Path) -> dict[str, str]:
    """Return what a converted file says it was made from (source, sha256, bytes, content); of another, nothing."""
    try:
        header, _ = read_header(path)
    except BadModel:
        return {}
    return dict(header.get("__metadata__") or {})


def is_from(path: Path, sha256: str) -> bool:
    """Return whether a converted file lies there that says it was made from the source of that SHA-256."""
    return is_filled(path) and read_origin(path).get("sha256") == sha256


def is_converted(target: Path, sha256: str) -> bool:
    """Return whether the target was made from that source before; raises `CannotWrite` for a file of another origin."""
    if not target.exists():
        return False
    if is_from(target, sha256):
        return True
    raise CannotWrite(f"{target} is of another origin, so it was not overwritten. Move it, and try again.")


def content_of(path: Path) -> str:
    """Return the SHA-256 of what a safetensors holds: names, types, shapes and values, whatever else it says."""
    header, data = read_header(path)
    header.pop("__metadata__", None)
    try:
        with path.open("rb") as file:
            return _digest(
                (name, one["dtype"], one["shape"], _read_chunks(file, *(data + at for at in one["data_offsets"])))
                for name, one in sorted(header.items())
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


def _read_chunks(file: BinaryIO, begin: int, end: int) -> Iterator[bytes]:
    file.seek(begin)
    for at in range(begin, end, CHUNK):
        yield file.read(min(CHUNK, end - at))
