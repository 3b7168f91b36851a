"""A YOLO net from its ONNX file, on OpenCV or ONNX Runtime; no ultralytics."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import BadModel
from ..inference import EXACT, load_as_made
from ..weights import read_onnx
from .yolo import SIDE, Yolo, YoloNet

MOST_SIDE = 4096
"""Pixels of a net's input; YOLO's have 320 to 1,280."""
MOST_TEXT = 1 << 17
"""Characters that a file says about its classes; reading a text takes 500 times its length."""


def from_onnx(weights: Path, classes: Sequence[str] = (), precision: str = EXACT) -> Yolo:
    """Return the `Detector` of an ONNX file; raises `BadModel`, and `BadSetting` for an unknown class."""
    said = read_onnx(weights)
    shape = next(iter(said.inputs.values()), ())
    if len(shape) != 4:
        raise BadModel(f"{weights} takes no pictures, so it is no YOLO model.")
    side = _side(said.metadata.get("imgsz", ""))
    if max(*shape[2:], side) > MOST_SIDE:
        raise BadModel(f"{weights} takes pictures of {max(*shape[2:], side)} px; at most {MOST_SIDE} px are used.")
    if any(len(text) > MOST_TEXT for text in said.metadata.values()):
        raise BadModel(f"{weights} says more than {MOST_TEXT} characters about its classes, so it is no YOLO model.")
    net = YoloNet(
        weights.name,
        load_as_made(weights, precision),
        _names(said.metadata.get("names", "")),
        _points(said.metadata.get("kpt_shape", "")),
        (shape[3], shape[2]) if min(shape[2:]) > 0 else None,
        side,
    )
    return Yolo(net, classes)


def _names(said: str) -> dict[int, str]:
    """Read "{0: 'face', 1: 'hand'}" or "['face', 'hand']", as the exporters write it; of anything else, nothing."""
    read = _literal(said)
    pairs = read.items() if isinstance(read, dict) else enumerate(read) if isinstance(read, list | tuple) else ()
    return {number: str(name) for number, name in pairs if isinstance(number, int)}


def _points(said: str) -> tuple[int, int] | None:
    read = _literal(said)
    if isinstance(read, list | tuple) and len(read) == 2 and all(isinstance(number, int) for number in read):
        return read[0], read[1]
    return None


def _side(said: str) -> int:
    read = _literal(said)
    sides = [side for side in read if isinstance(side, int) and side > 0] if isinstance(read, list | tuple) else []
    return max(sides, default=SIDE)


def _literal(said: str) -> Any:
    if len(said) > MOST_TEXT:
        return None
    try:
        return ast.literal_eval(said)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None
