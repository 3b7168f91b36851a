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
RGB = 3
"""Channels of an image."""
ANY = -1
"""Side or number in a `Shape` that the file leaves open."""


@dataclass(frozen=True, slots=True)
class RestorerLayout:
    """Inputs and output of a face restorer."""

    image: str
    """Name of the input for the image, (N, 3, side, side)."""
    restored: str
    """Name of the output for the restored image, (N, 3, restored_side, restored_side)."""
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


def read_restorer(path: Path, *, published: bool = False) -> RestorerLayout:
    """Return the layout of a face restorer; raises `BadModel` with the reason for any other or dangerous file.

    published: whether its hash is known to be that of a published file, which may have more outputs and operators.
    """
    check_onnx(path, plain=not published)
    file = read_onnx(path)
    if path.stat().st_size > MAX_FILE_BYTES:
        raise BadModel(f"{path} cannot be used as a restorer: it is larger than 1 GB. Choose another file.")
    images, results = _list_images(file), _list_results(file)
    if published:
        results = results[:1]
    if reason := _judge_inputs(file, images) or _judge_outputs(file, results) or _judge_sides(file, images, results):
        raise BadModel(f"{path} cannot be used as a restorer: it {reason}. Choose another file.")
    image, restored = images[0], results[0]
    fidelity = next((name for name in file.inputs if name != image), "")
    count, _, height, width = file.inputs[image]
    return RestorerLayout(
        image,
        restored,
        TYPES[file.types[image]],
        max(height, width, 0),
        max(*file.outputs[restored][2:], 0),
        count == ANY,
        fidelity,
        TYPES.get(file.types.get(fidelity, 0), ""),
        tuple(1 for _ in file.inputs.get(fidelity, ())),
    )


def _list_images(file: OnnxFile) -> list[str]:
    return [name for name, shape in file.inputs.items() if len(shape) == 4]


def _list_results(file: OnnxFile) -> list[str]:
    """Return the outputs that are RGB images; without any, those that may be images as far as the file says.

    CodeFormer may also return its codes and features, which have no side of 3.
    """
    shapes = {name: shape for name, shape in file.outputs.items() if len(shape) == 4}
    return [name for name, shape in shapes.items() if shape[1] == RGB] or [
        name for name, shape in shapes.items() if shape[1] == ANY
    ]


def _judge_inputs(file: OnnxFile, images: list[str]) -> str:
    """Return what is wrong with the inputs, as the rest of a sentence; blank if nothing is."""
    if len(images) != 1:
        return f"takes {len(images)} images instead of one"
    others = [name for name in file.inputs if name not in images]
    if len(others) > 1 or not all(_is_number(file, name) for name in others):
        return f"needs the inputs {', '.join(others)}, but FaceFix has only an image and a fidelity to give"
    return _judge_image("takes", file.inputs[images[0]], file.types[images[0]])


def _is_number(file: OnnxFile, name: str) -> bool:
    return prod(abs(side) for side in file.inputs[name]) == 1 and file.types[name] in TYPES


def _judge_outputs(file: OnnxFile, results: list[str]) -> str:
    if len(results) != 1:
        return f"returns {len(results) or 'no'} images instead of one"
    return _judge_image("returns", file.outputs[results[0]], file.types[results[0]])


def _judge_image(verb: str, sides: Shape, kind: int) -> str:
    """Return what is wrong with an input or output that has to be an image. kind: ONNX's number of its type."""
    if TYPES.get(kind) not in IMAGE_TYPES:
        return f"{verb} images of another type than {' or '.join(IMAGE_TYPES)}"
    if sides[1] not in (RGB, ANY):
        return f"{verb} {_show(sides)} instead of RGB images, (N, 3, side, side)"
    if sides[0] not in (1, ANY):
        return f"{verb} {sides[0]} images at once; supported are 1, or any number"
    if ANY not in sides[2:] and sides[2] != sides[3]:
        return f"{verb} images of {sides[3]} x {sides[2]} px instead of squares"
    return ""


def _judge_sides(file: OnnxFile, images: list[str], results: list[str]) -> str:
    taken, returned = max(file.inputs[images[0]][2:]), max(file.outputs[results[0]][2:])
    lowest = MIN_INPUT_SIDE if returned > taken else MIN_SIDE
    for verb, side, least in (("takes", taken, lowest), ("returns", returned, MIN_SIDE)):
        if side != ANY and not least <= side <= MAX_SIDE:
            return f"{verb} images of {side} px; supported are {least} to {MAX_SIDE} px"
    return ""


def _show(shape: Shape) -> str:
    return f"({', '.join('any' if side == ANY else str(side) for side in shape)})"
