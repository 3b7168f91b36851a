"""A YOLO net that finds what it is told to, whatever it sees, as an ONNX file, made without any package.

https://github.com/onnx/onnx/blob/main/onnx/onnx.proto: numbers of its fields stand in the calls.
"""

import struct

SIDE = 640
"""Of its input, pixels."""
FLOAT, INT64, INTS = 1, 7, 7


def yolo_onnx(size, boxes, *, score=0.9, names="{0: 'face'}", kinds=None):
    """Return the file of a net in YOLOv8's layout; size: (width, height) of the picture that it will see.

    boxes: (left, top, right, bottom) in that picture. names: of its classes, as the file tells them; "" for a file that
    does not. kinds: number of the class of each box, of as many as the highest says; else all are of the only one.
    """
    kinds = kinds or [0] * len(boxes)
    classes = max(kinds, default=0) + 1
    rows = [
        [*_centred(size, box), *(score * (number == kind) for number in range(classes))]
        for box, kind in zip(boxes, kinds, strict=True)
    ] or [[0.0] * (4 + classes)]
    count, long = len(rows), 4 + classes
    columns = [row[i] for i in range(long) for row in rows]
    graph = [
        _node("GlobalAveragePool", ["picture"], "mean"),
        _node("Conv", ["mean", "nothing", "rows"], "flat", kernel_shape=[1, 1]),
        _node("Reshape", ["flat", "shape"], "table"),
        (2, b"made by a test"),
        (5, _tensor("nothing", FLOAT, [long * count, 3, 1, 1], bytes(4 * 3 * long * count))),
        (5, _tensor("rows", FLOAT, [long * count], struct.pack(f"<{long * count}f", *columns))),
        (5, _tensor("shape", INT64, [3], struct.pack("<3q", 1, long, count))),
        (11, _value("picture", [1, 3, SIDE, SIDE])),
        (12, _value("table", [1, long, count])),
    ]
    said = [(14, _message((1, b"names"), (2, names.encode())))] if names else []
    return _message((1, 8), (8, _message((1, b""), (2, 13))), (7, _message(*graph)), *said)


def _centred(size, box):
    """Return centre and size of the box where the net sees it: the picture stands in the middle of a square."""
    scale = SIDE / max(size)
    across, down = ((SIDE - side * scale) / 2 for side in size)
    left, top, right, bottom = (edge * scale for edge in box)
    return (left + right) / 2 + across, (top + bottom) / 2 + down, right - left, bottom - top


def _node(what, given, made, **facts):
    told = [
        (5, _message((1, name.encode()), *((8, number) for number in fact), (20, INTS))) for name, fact in facts.items()
    ]
    return 1, _message(*((1, name.encode()) for name in given), (2, made.encode()), (4, what.encode()), *told)


def _tensor(name, kind, sides, content):
    return _message(*((1, side) for side in sides), (2, kind), (8, name.encode()), (9, content))


def _value(name, sides):
    shape = _message(*((1, _message((1, side))) for side in sides))
    return _message((1, name.encode()), (2, _message((1, _message((1, FLOAT), (2, shape))))))


def _message(*fields):
    """Return fields, by their numbers, as protobuf has them: numbers, or bytes of some length."""
    parts = []
    for number, value in fields:
        length = isinstance(value, bytes)
        parts += [varint(number << 3 | (2 if length else 0)), varint(len(value) if length else value)]
        parts += [value] if length else []
    return b"".join(parts)


def varint(number):
    parts = []
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])
