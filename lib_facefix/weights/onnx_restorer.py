"""The layout of a face restorer in an ONNX file, read from the graph alone: no engine opens the file.

Most published files have one input for an image, (1, 3, S, S), and one output of the same shape. CodeFormer has a
second input with one number, its fidelity.
"""

from dataclasses import dataclass
from math import prod
from pathlib import Path

from ..errors import BadModel
from .onnxfile import OnnxFile, Shape, check_onnx, read_onnx

MIN_SIDE, MAX_SIDE = 256, 2048
"""Smallest and largest side of a restored face, in pixels."""
MAX_FILE_BYTES = 1 << 30
"""Largest file, in bytes; restorers have up to 400 MB."""
MIN_INPUT_SIDE = 64
"""Smallest side of the image that a net which enlarges takes, in pixels."""
TYPES = {1: "float32", 10: "float16", 11: "float64"}
"""Types of values by ONNX's number; an image has one of the first two, a fidelity any."""
IMAGE_TYPES = ("float32", "float16")
ANY = -1
"""Side or number in a `Shape` that the file leaves open."""


@dataclass(frozen=True, slots=True)
class RestorerLayout:
    """Inputs and output of a face restorer."""

    image: str
    """Name of the input for the image, (N, 3, side, side)."""
    dtype: str
    """Type of the image's values: "float32" or "float16"."""
    side: int
    """Side of the input, in pixels; 0 for any."""
    restored_side: int
    """Side of the output, in pixels; 0 if the file leaves it open."""
    batches: bool
    """Whether the input takes any number of images at once; otherwise it takes one."""
    fidelity: str = ""
    """Name of the input for CodeFormer's fidelity; blank for a net that has none."""
    fidelity_dtype: str = ""
    fidelity_shape: Shape = ()
    """Shape of the fidelity: () or some ones."""


def read_restorer(path: Path) -> RestorerLayout:
    """Return the layout of a face restorer; raises `BadModel` with the reason for any other or dangerous file."""
    check_onnx(path, plain=True)
    file = read_onnx(path)
    if path.stat().st_size > MAX_FILE_BYTES:
        raise BadModel(f"{path} cannot be used as a restorer: it is larger than 1 GB. Choose another file.")
    if reason := _judge_names(file) or _judge_shapes(file):
        raise BadModel(f"{path} cannot be used as a restorer: it {reason}. Choose another file.")
    [image] = _list_images(file)
    [output] = file.outputs.values()
    fidelity = next((name for name in file.inputs if name != image), "")
    count, _, height, width = file.inputs[image]
    return RestorerLayout(
        image,
        TYPES[file.types[image]],
        max(height, width, 0),
        max(*output[2:], 0) if output else 0,
        count == ANY,
        fidelity,
        TYPES.get(file.types.get(fidelity, 0), ""),
        tuple(1 for _ in file.inputs.get(fidelity, ())),
    )


def _list_images(file: OnnxFile) -> list[str]:
    return [name for name, shape in file.inputs.items() if len(shape) == 4]


def _judge_names(file: OnnxFile) -> str:
    """Return what is wrong with the number of inputs and outputs, as the rest of a sentence; blank if nothing is."""
    images = _list_images(file)
    others = [name for name in file.inputs if name not in images]
    if len(images) != 1:
        return f"takes {len(images)} images instead of one"
    if len(others) > 1 or not all(_is_number(file, name) for name in others):
        return f"needs the inputs {', '.join(others)}, but FaceFix has only an image and a fidelity to give"
    if len(file.outputs) != 1:
        return f"returns {len(file.outputs)} values instead of one image"
    return ""


def _is_number(file: OnnxFile, name: str) -> bool:
    return prod(abs(side) for side in file.inputs[name]) == 1 and file.types[name] in TYPES


def _judge_shapes(file: OnnxFile) -> str:
    """Return what is wrong with the image and its restored form, as the rest of a sentence; blank if nothing is."""
    [image] = _list_images(file)
    [(output, restored)] = file.outputs.items()
    shape = file.inputs[image]
    for name in (image, output):
        if TYPES.get(file.types[name]) not in IMAGE_TYPES:
            return f"has images of another type than {' or '.join(IMAGE_TYPES)}"
    if restored and len(restored) != 4:
        return f"returns {_show(restored)} instead of images"
    for verb, sides in (("takes", shape), ("returns", restored or shape)):
        if sides[1] not in (3, ANY):
            return f"{verb} {_show(sides)} instead of RGB images, (N, 3, side, side)"
        if sides[0] not in (1, ANY):
            return f"{verb} {sides[0]} images at once; supported are 1, or any number"
        if ANY not in sides[2:] and sides[2] != sides[3]:
            return f"{verb} images of {sides[3]} x {sides[2]} px instead of squares"
    lowest = MIN_INPUT_SIDE if restored and max(restored[2:]) > max(shape[2:]) else MIN_SIDE
    for verb, side, least in (("takes", max(shape[2:]), lowest), ("returns", max((restored or shape)[2:]), MIN_SIDE)):
        if side != ANY and not least <= side <= MAX_SIDE:
            return f"{verb} images of {side} px; supported are {least} to {MAX_SIDE} px"
    return ""


def _show(shape: Shape) -> str:
    return f"({', '.join('any' if side == ANY else str(side) for side in shape)})"
