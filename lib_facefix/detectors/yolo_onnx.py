"""YOLO networks from ONNX files, on OpenCV or ONNX Runtime, without ultralytics."""

from collections.abc import Sequence
from pathlib import Path

from ..errors import BadModel
from ..inference import EXACT, load_as_made
from ..settings.devices import CPU, Device
from ..weights import read_onnx
from ..weights.class_names import MAX_TEXT, parse_class_names, parse_literal
from .yolo import SIDE, Yolo, YoloNet

MAX_SIDE = 4096
"""Largest side of a network's input, in pixels. YOLO has 320 to 1,280."""


def from_onnx(weights: Path, classes: Sequence[str] = (), precision: str = EXACT, device: Device = CPU) -> Yolo:
    """Return the `Detector` of an ONNX file; raises `BadModel`, and `BadSetting` for an unknown class."""
    described = read_onnx(weights)
    shape = next(iter(described.inputs.values()), ())
    if len(shape) != 4:
        raise BadModel(f"{weights} does not take images, so it is not a YOLO model. Choose another file.")
    side = _side(described.metadata.get("imgsz", ""))
    if max(*shape[2:], side) > MAX_SIDE:
        raise BadModel(
            f"{weights} takes images of {max(*shape[2:], side)} px; the limit is {MAX_SIDE} px. Choose another file."
        )
    if any(len(text) > MAX_TEXT for text in described.metadata.values()):
        raise BadModel(f"{weights} has more than {MAX_TEXT} characters of metadata. Choose another file.")
    net = YoloNet(
        weights.name,
        load_as_made(weights, precision, device),
        parse_class_names(described.metadata.get("names", "")),
        _points(described.metadata.get("kpt_shape", "")),
        (shape[3], shape[2]) if min(shape[2:]) > 0 else None,
        side,
    )
    return Yolo(net, classes)


def _points(text: str) -> tuple[int, int] | None:
    read = parse_literal(text)
    if isinstance(read, list | tuple) and len(read) == 2 and all(isinstance(number, int) for number in read):
        return read[0], read[1]
    return None


def _side(text: str) -> int:
    read = parse_literal(text)
    sides = [side for side in read if isinstance(side, int) and side > 0] if isinstance(read, list | tuple) else []
    return max(sides, default=SIDE)
