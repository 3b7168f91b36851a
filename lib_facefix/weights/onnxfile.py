"""What an ONNX file says of itself, read without any package: its metadata, its inputs, its outputs.

ONNX is protobuf (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto). Of its wire format only what is needed is
read: fields of variable length and numbers. Weights are skipped, not read; nothing is mapped into memory, where a file
that shrinks would end the process.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import SEEK_END
from pathlib import Path
from typing import BinaryIO

from ..errors import BadModel

_GRAPH, _METADATA = 7, 14  # of a model
_INPUT, _OUTPUT, _INITIALIZER, _NODE = 11, 12, 5, 1  # of a graph
_NAME = 3  # of a node
_OF_INITIALIZER = 8  # its name
FIRST = 8
"""Of how many nodes it is told what they are called."""
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
"""Wire types."""
MOST_FIELDS = 1 << 18
"""Of one message: more than any model's nodes and weights. Of a file that only happens to read as fields, no more."""
MOST_TEXT = 1 << 24
"""Bytes of one text."""
MOST_READ = 1 << 22
"""Fields of all messages of a file that is checked."""
_EXTERNAL, _LOCATION = 13, 14  # of a tensor: where its numbers lie, and whether that is another file
_TENSOR = "tensor"
_WITHIN: dict[str, dict[int, str]] = {
    "model": {_GRAPH: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {_NODE: "node", _INITIALIZER: _TENSOR, 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: _TENSOR, 6: "graph", 10: _TENSOR, 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: _TENSOR, 2: _TENSOR},
    _TENSOR: {},
}
"""Messages in which a tensor or a node may be, by the number of the field that holds them."""
_OPERATOR = 4  # of a node
LOOPS = ("Loop",)
"""Operators that may never end."""

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
            return _model(_Part(file, 0, file.seek(0, SEEK_END)))
    except OSError as error:
        raise BadModel(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, LookupError) as error:
        raise BadModel(f"{path} is no ONNX file, or cut short. Get it again.") from error


def check_onnx(path: Path) -> None:
    """Raise `BadModel` where a file would make its reader open other files, or may never end.

    Engines differ in what they allow, and some read any file that a model names.
    """
    try:
        with path.open("rb") as file:
            why = _find_danger(_Part(file, 0, file.seek(0, SEEK_END)))
    except OSError as error:
        raise BadModel(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, LookupError) as error:
        raise BadModel(f"{path} is no ONNX file, or cut short. Get it again.") from error
    if why:
        raise BadModel(f"{path} is not used: {why}. Choose another model.")


def _find_danger(whole: _Part) -> str:
    waiting, left = [("model", whole)], MOST_READ
    while waiting:
        kind, message = waiting.pop()
        for field, value in _fields(message):
            left -= 1
            if left < 0:
                raise ValueError(f"more than {MOST_READ} fields")
            if kind == _TENSOR and (field == _EXTERNAL or (field == _LOCATION and value)):
                return "its numbers lie in other files (external data), which could be any files of this machine"
            if kind == "node" and field == _OPERATOR and _part(value).text() in LOOPS:
                return "it has a loop, which may never end"
            if field in _WITHIN[kind]:
                waiting.append((_WITHIN[kind][field], _part(value)))
    return ""


@dataclass(frozen=True, slots=True)
class _Part:
    """A message or a text in the file, not read yet: where it begins, and where what follows it begins."""

    file: BinaryIO
    start: int
    end: int

    def text(self) -> str:
        """Read it as a text; raises ValueError."""
        length = self.end - self.start
        if length > MOST_TEXT:
            raise ValueError(f"a text of {length} bytes")
        self.file.seek(self.start)
        content = self.file.read(length)
        if len(content) < length:
            raise ValueError("cut short")
        return content.decode("utf-8")


def _model(whole: _Part) -> OnnxFile:
    metadata, graph = {}, None
    for field, value in _fields(whole):
        if field == _METADATA:
            entry = dict(_fields(_part(value)))
            metadata[_part(entry[1]).text()] = _part(entry[2]).text() if 2 in entry else ""
        elif field == _GRAPH:
            graph = _part(value)
    if graph is None:
        raise ValueError("no graph")
    named: dict[int, dict[str, Shape]] = {_INPUT: {}, _OUTPUT: {}}
    weights, nodes = set(), list[str]()
    for field, value in _fields(graph):
        if field in named:
            name, shape = _value(_part(value))
            named[field][name] = shape
        elif field == _INITIALIZER:
            weights.add(_first_text(value, _OF_INITIALIZER))
        elif field == _NODE and len(nodes) < FIRST:
            nodes.append(_first_text(value, _NAME))
    inputs = {name: shape for name, shape in named[_INPUT].items() if name not in weights}
    return OnnxFile(metadata, inputs, named[_OUTPUT], tuple(nodes))


def _value(info: _Part) -> tuple[str, Shape]:
    """Return name and shape of a ValueInfoProto: type (2) > tensor (1) > shape (2) > dimensions (1) > size (1)."""
    parts = dict(_fields(info))
    tensors = dict(_fields(_part(parts[2])))
    shapes = dict(_fields(_part(tensors[1]))) if 1 in tensors else {}
    sides = []
    for _, dimension in _fields(_part(shapes[2])) if 2 in shapes else ():
        size = dict(_fields(_part(dimension))).get(1, -1)
        sides.append(size if isinstance(size, int) else -1)
    return _part(parts[1]).text(), tuple(sides)


def _fields(message: _Part) -> Iterator[tuple[int, int | _Part]]:
    """Yield number and value of each field of a message; raises ValueError for what is none."""
    file, at = message.file, message.start
    for _ in range(MOST_FIELDS):
        if at == message.end:
            return
        file.seek(at)  # what was yielded may have been read since
        number, kind = divmod(_varint(file), 8)
        value: int | _Part
        if kind == _VARINT:
            value, at = _varint(file), file.tell()
        elif kind in (_EIGHT, _BYTES, _FOUR):
            length = _varint(file) if kind == _BYTES else 8 if kind == _EIGHT else 4
            value = _Part(file, file.tell(), file.tell() + length)
            at = value.end
        else:
            raise ValueError(f"wire type {kind}")
        if not number or at > message.end:
            raise ValueError("no field, or cut short")
        yield number, value
    raise ValueError(f"more than {MOST_FIELDS} fields")


def _first_text(message: int | _Part, field: int) -> str:
    """Return the text that a message has in a field; blank where it has none."""
    return next((_part(value).text() for number, value in _fields(_part(message)) if number == field), "")


def _varint(file: BinaryIO) -> int:
    value = 0
    for shift in range(0, 70, 7):
        [byte] = file.read(1)  # ValueError at the end of the file
        value |= (byte & 127) << shift
        if byte < 128:
            return value
    raise ValueError("a number of more than 64 bits")


def _part(value: int | _Part) -> _Part:
    if isinstance(value, int):
        raise ValueError("a number where a message should be")  # noqa: TRY004 the file's fault, not the caller's
    return value
