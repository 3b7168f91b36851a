"""Writing safetensors files, and reading their headers, without PyTorch.

safetensors' own reader checks every file. Its writer is not used, because files converted twice must have the same
bytes: it orders the metadata at random, and supports bfloat16 only with PyTorch. Layout: a little-endian 64-bit
length, that many bytes of JSON, the data (https://github.com/huggingface/safetensors#format).
"""

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
    """A tensor with its values as bytes."""

    kind: str
    """Type name in the format: F32, BF16, I64, ..."""
    shape: tuple[int, ...]
    data: memoryview
    """Little-endian values in row order, as single bytes."""


@dataclass(frozen=True, slots=True)
class Source:
    """The original of a converted file."""

    name: str
    sha256: str
    bytes: int


def write_tensors(path: Path, tensors: Mapping[str, Raw], source: Source) -> None:
    """Write a safetensors file that names its source, atomically; raises `CannotWrite`."""
    content = _digest((name, raw.kind, raw.shape, [raw.data]) for name, raw in sorted(tensors.items()))
    origin = {"format": "pt", "source": source.name, "sha256": source.sha256, "bytes": str(source.bytes)}
    header: dict[str, Any] = {"__metadata__": {**origin, "content": content}}
    # the widest types come first, so that all data are aligned
    ordered = sorted(tensors, key=lambda name: (-int(tensors[name].kind.lstrip("BFIUOL") or 8), name))
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


def read_header(path: Path) -> tuple[dict[str, Any], int]:
    """Return the header of a safetensors file and the offset of its data in bytes; raises `BadModel`.

    safetensors checks that every tensor's bytes are inside the file and match its type and shape.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np"), path.open("rb") as file:
            length = struct.unpack("<Q", file.read(8))[0]
            return json.loads(file.read(length)), 8 + length
    except OSError as error:
        raise BadModel(f"{path} cannot be read: {error.strerror or error}.") from error
    except (SafetensorError, ValueError, RecursionError) as error:
        raise BadModel(f"{path} is not a safetensors file, or incomplete: {error}. Download it again.") from error


def read_origin(path: Path) -> dict[str, str]:
    """Return the origin of a converted file (source, sha256, bytes, content); nothing for any other file."""
    try:
        header, _ = read_header(path)
    except BadModel:
        return {}
    return dict(header.get("__metadata__") or {})


def is_from(path: Path, sha256: str) -> bool:
    """Return whether `path` is a file that was converted from the source with this SHA-256."""
    return is_filled(path) and read_origin(path).get("sha256") == sha256


def is_converted(target: Path, sha256: str) -> bool:
    """Return whether the target was already made from this source; raises `CannotWrite` for another file."""
    if target.exists() and not is_from(target, sha256):
        raise CannotWrite(f"{target} already exists and has another source. Move or delete it, and try again.")
    return target.exists()


def content_of(path: Path) -> str:
    """Return the SHA-256 of a safetensors file's names, types, shapes and values, without its metadata."""
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
