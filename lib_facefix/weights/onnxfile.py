"""Reading the metadata, inputs and outputs of an ONNX file without any package.

ONNX is protobuf (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto). Only the required part of its wire format is
read: fields of variable length and numbers. Weights are skipped. The file is not mapped into memory, because a mapped
file that shrinks would end the process.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import SEEK_END
from pathlib import Path
from typing import BinaryIO

from ..errors import MAX_QUOTED, BadModel

_GRAPH, _METADATA = 7, 14  # of a model
_INPUT, _OUTPUT, _INITIALIZER, _NODE = 11, 12, 5, 1  # of a graph
_NAME = 3  # of a node
_OF_INITIALIZER = 8  # its name
NAMED_NODES = 8
"""Number of nodes whose names are read."""
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
"""Wire types of protobuf fields."""
MAX_FIELDS = 1 << 18
"""Largest number of fields in a message: more than any model needs, so that random files are rejected soon."""
MAX_TEXT_BYTES = 1 << 24
"""Longest text, in bytes."""
MAX_READ = 1 << 22
"""Largest number of fields in all messages of a file that is checked."""
_EXTERNAL, _LOCATION = 13, 14  # of a tensor: where its values are stored, and whether that is another file
_DIMS = 1  # of a tensor
MAX_VALUES_PER_BYTE = 8
"""Largest number of values in a tensor for each byte of its file: the smallest values have 1 bit."""
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
"""Messages that can contain a tensor or a node, by the number of the field that holds them."""
_OPERATOR, _DOMAIN = 4, 7  # of a node
LOOPS = ("Loop",)
"""Operators that may never end."""
KNOWN_DOMAINS = ("", "ai.onnx", "com.microsoft")
"""Names by which a node says that its operator is part of ONNX, or of ONNX Runtime."""
_DANGER = "{} cannot be used: it {}. Choose another model."
MANY_FIELDS = f"has more than {MAX_READ} fields"

Shape = tuple[int, ...]
"""Shape of an input or output; -1 for a variable side."""


@dataclass(frozen=True, slots=True)
class OnnxFile:
    """Description of an ONNX file, without its weights."""

    metadata: dict[str, str]
    inputs: dict[str, Shape]
    """Shapes of the inputs by name; weights are not included."""
    outputs: dict[str, Shape]
    types: dict[str, int] = field(default_factory=dict)
    """Types of the values of inputs and outputs by name, as numbers of ONNX: 1 is float32, 10 float16, 11 float64."""
    nodes: tuple[str, ...] = ()
    """Names of the first nodes; blank for a node without a name."""


def read_onnx(path: Path) -> OnnxFile:
    """Return the description of an ONNX file; raises `BadModel` for any other file."""
    try:
        with path.open("rb") as file:
            return _model(_Part(file, 0, file.seek(0, SEEK_END)))
    except OSError as error:
        raise BadModel(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, LookupError) as error:
        raise BadModel(f"{path} is not an ONNX file, or incomplete. Copy or download it again.") from error


def check_onnx(path: Path, *, plain: bool = False) -> None:
    """Raise `BadModel` if an `.onnx` file could make an engine open other files, or run without end.

    Not every engine refuses such files: some open any file that a model names. Other kinds of files are not checked.
    plain: also refuse everything that a net for images does not need: custom operators, functions, subgraphs, sparse
    tensors, and tensors that declare more values than the file can hold.
    """
    if path.suffix.lower() != ".onnx":
        return
    left, reason = MAX_READ, ""
    try:
        with path.open("rb") as file:
            whole = _Part(file, 0, file.seek(0, SEEK_END))
            waiting = [("model", whole)]
            while waiting and not reason:
                kind, message = waiting.pop()
                for number, value in _fields(message):
                    left -= 1
                    reason = _judge_field(kind, number, value, plain) if left >= 0 else MANY_FIELDS
                    if reason:
                        break
                    if number in _WITHIN[kind]:
                        waiting.append((_WITHIN[kind][number], _part(value)))
                else:
                    if plain and kind == _TENSOR and not _fits(message, MAX_VALUES_PER_BYTE * whole.end):
                        reason = "declares a tensor with more values than the file can hold"
    except OSError as error:
        raise BadModel(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, LookupError) as error:
        raise BadModel(f"{path} is not an ONNX file, or incomplete. Copy or download it again.") from error
    if reason:
        raise BadModel(_DANGER.format(path, reason))


@dataclass(frozen=True, slots=True)
class _Part:
    """A message or text in the file that is not read yet: its first byte, and the byte after its last."""

    file: BinaryIO
    start: int
    end: int

    def text(self) -> str:
        """Return the content as text; raises ValueError."""
        length = self.end - self.start
        self.file.seek(self.start)
        content = self.file.read(min(length, MAX_TEXT_BYTES))
        if len(content) < length:
            raise ValueError("too long, or incomplete")
        return content.decode("utf-8")


def _judge_field(kind: str, number: int, value: int | _Part, plain: bool) -> str:
    """Return why a file with this field is refused, as the rest of a sentence; blank for a harmless field."""
    if kind == _TENSOR and (number == _EXTERNAL or (number == _LOCATION and value)):
        return "stores weights in other files (external data)"
    if kind == "node" and number == _OPERATOR and _part(value).text() in LOOPS:
        return "contains a loop, which may never end"
    return _judge_plain(kind, number, value) if plain else ""


def _judge_plain(kind: str, number: int, value: int | _Part) -> str:
    """Return why a field does not belong into a net for images, or blank."""
    if kind == "node" and number == _DOMAIN and (domain := _part(value).text()) not in KNOWN_DOMAINS:
        return f"uses operators that are part of neither ONNX nor ONNX Runtime ({domain[:MAX_QUOTED]})"
    return {
        "function": "defines operators of its own (functions)",
        "graph": "" if kind == "model" else "contains a subgraph (If, Loop, or Scan)",
        "sparse": "contains sparse tensors",
    }.get(_WITHIN[kind].get(number, ""), "")


def _fits(tensor: _Part, most: int) -> bool:
    """Return whether a tensor declares at most so many values: the product of its sides."""
    count = 1
    for number, value in _fields(tensor):
        if number == _DIMS:
            for side in [value] if isinstance(value, int) else _unpack_numbers(value):
                count *= side
                if count > most:
                    return False
    return True


def _model(whole: _Part) -> OnnxFile:
    metadata, graph = {}, None
    for number, value in _fields(whole):
        if number == _METADATA:
            entry = dict(_fields(_part(value)))
            metadata[_part(entry[1]).text()] = _part(entry[2]).text() if 2 in entry else ""
        elif number == _GRAPH:
            graph = _part(value)
    if graph is None:
        raise ValueError("no graph")
    named: dict[int, dict[str, Shape]] = {_INPUT: {}, _OUTPUT: {}}
    weights, nodes, types = set(), list[str](), dict[str, int]()
    for number, value in _fields(graph):
        if number in named:
            name, shape, kind = _value(_part(value))
            named[number][name], types[name] = shape, kind
        elif number == _INITIALIZER:
            weights.add(_first_text(value, _OF_INITIALIZER))
        elif number == _NODE and len(nodes) < NAMED_NODES:
            nodes.append(_first_text(value, _NAME))
    inputs = {name: shape for name, shape in named[_INPUT].items() if name not in weights}
    return OnnxFile(metadata, inputs, named[_OUTPUT], types, tuple(nodes))


def _value(info: _Part) -> tuple[str, Shape, int]:
    """Return name, shape, and type of the values of a ValueInfoProto.

    Fields: type (2) > tensor (1) > type of values (1), shape (2) > dimensions (1) > size (1).
    """
    parts = dict(_fields(info))
    tensors = dict(_fields(_part(parts[2])))
    shapes = dict(_fields(_part(tensors[1]))) if 1 in tensors else {}
    sides = []
    for _, dimension in _fields(_part(shapes[2])) if 2 in shapes else ():
        size = dict(_fields(_part(dimension))).get(1, -1)
        sides.append(size if isinstance(size, int) else -1)
    kind = shapes.get(1, 0)
    return _part(parts[1]).text(), tuple(sides), kind if isinstance(kind, int) else 0


def _fields(message: _Part) -> Iterator[tuple[int, int | _Part]]:
    """Yield number and value of each field of a message; raises ValueError for an invalid field."""
    file, at = message.file, message.start
    for _ in range(MAX_FIELDS):
        if at == message.end:
            return
        file.seek(at)  # the caller may have read the last value since
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
            raise ValueError("not a field, or incomplete")
        yield number, value
    raise ValueError(f"more than {MAX_FIELDS} fields")


def _first_text(message: int | _Part, wanted: int) -> str:
    """Return the text of a message's field; blank if it has no such field."""
    return next((_part(value).text() for number, value in _fields(_part(message)) if number == wanted), "")


def _unpack_numbers(packed: _Part) -> Iterator[int]:
    """Yield numbers that are stored one after another in one field."""
    file, at = packed.file, packed.start
    while at < packed.end:
        file.seek(at)
        yield _varint(file)
        at = file.tell()


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
        raise ValueError("a number instead of a message")  # noqa: TRY004 the file's fault, not the caller's
    return value
