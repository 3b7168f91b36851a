"""What an ONNX file says of itself, read without any package: its metadata, its inputs, its outputs.

ONNX is protobuf (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto). Of its wire format only what is needed is
read: fields of variable length and numbers. Weights are skipped, not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path

from ..errors import BadModel

_GRAPH, _METADATA = 7, 14  # of a model
_INPUT, _OUTPUT, _INITIALIZER, _NODE = 11, 12, 5, 1  # of a graph
_NAME = 3  # of a node
_OF_INITIALIZER = 8  # its name
FIRST = 8
"""Of how many nodes it is told what they are called."""
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
"""Wire types."""

Shape = tuple[int, ...]
"""Of an input or output; -1 for a side that may be any."""


@dataclass(frozen=True, slots=True)
class OnnxFile:
    """What a file says of itself."""

    metadata: dict[str, str]
    inputs: dict[str, Shape]
    """By name; weights are not among them."""
    outputs: dict[str, Shape]
    nodes: tuple[str, ...] = ()
    """What its first nodes are called; blank where one has no name."""


def read_onnx(path: Path) -> OnnxFile:
    """Return what the file says of itself; raises `BadModel` where it is no ONNX file."""
    try:
        with path.open("rb") as file:
            return _model(memoryview(mmap(file.fileno(), 0, access=ACCESS_READ)))
    except OSError as error:
        raise BadModel(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, IndexError) as error:
        raise BadModel(f"{path} is no ONNX file, or cut short. Get it again.") from error


def _model(content: memoryview) -> OnnxFile:
    metadata, graph = {}, None
    for field, value in _fields(content):
        if field == _METADATA:
            entry = dict(_fields(_bytes(value)))
            metadata[_text(entry[1])] = _text(entry.get(2, memoryview(b"")))
        elif field == _GRAPH:
            graph = _bytes(value)
    if graph is None:
        raise ValueError("no graph")
    named: dict[int, dict[str, Shape]] = {_INPUT: {}, _OUTPUT: {}}
    weights, nodes = set(), list[str]()
    for field, value in _fields(graph):
        if field in named:
            name, shape = _value(_bytes(value))
            named[field][name] = shape
        elif field == _INITIALIZER:
            weights.add(_first_text(value, _OF_INITIALIZER))
        elif field == _NODE and len(nodes) < FIRST:
            nodes.append(_first_text(value, _NAME))
    inputs = {name: shape for name, shape in named[_INPUT].items() if name not in weights}
    return OnnxFile(metadata, inputs, named[_OUTPUT], tuple(nodes))


def _value(content: memoryview) -> tuple[str, Shape]:
    """Return name and shape of a ValueInfoProto: type (2) > tensor (1) > shape (2) > dimensions (1) > size (1)."""
    parts = dict(_fields(content))
    tensor = dict(_fields(_bytes(dict(_fields(_bytes(parts[2]))).get(1, memoryview(b"")))))
    sides = []
    for _, dimension in _fields(_bytes(tensor.get(2, memoryview(b"")))):
        size = dict(_fields(_bytes(dimension))).get(1, -1)
        sides.append(size if isinstance(size, int) else -1)
    return _text(parts[1]), tuple(sides)


def _fields(content: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield number and value of each field of a message; raises ValueError or IndexError for what is none."""
    at = 0
    while at < len(content):
        key, at = _varint(content, at)
        kind = key & 7
        value: int | memoryview
        if kind == _VARINT:
            value, at = _varint(content, at)
        elif kind in (_EIGHT, _BYTES, _FOUR):
            length, at = _varint(content, at) if kind == _BYTES else (8 if kind == _EIGHT else 4, at)
            if at + length > len(content):
                raise ValueError("cut short")
            value, at = content[at : at + length], at + length
        else:
            raise ValueError(f"wire type {kind}")
        yield key >> 3, value


def _first_text(message: int | memoryview, field: int) -> str:
    """Return the text that a message has in a field; blank where it has none."""
    return next((_text(value) for number, value in _fields(_bytes(message)) if number == field), "")


def _varint(content: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise ValueError("a number of more than 64 bits")


def _bytes(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number where a message should be")  # noqa: TRY004 the file's fault, not the caller's
    return value


def _text(value: int | memoryview) -> str:
    return bytes(_bytes(value)).decode("utf-8")
