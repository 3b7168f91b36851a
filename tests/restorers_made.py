"""Face restorers as ONNX files in the layout of published ones, made with the package onnx, with no trained weights.

A test that imports this is skipped where onnx or ONNX Runtime is missing.
"""

import numpy as np
import pytest

pytest.importorskip("onnxruntime")
onnx = pytest.importorskip("onnx")
TensorProto, helper, numpy_helper = onnx.TensorProto, onnx.helper, onnx.numpy_helper


def restorer(*nodes, side=512, restored=None, dtype="float32", count=1, weights=(), inputs=(), outputs=(), domain=""):
    """Return the file of a net from "input" to "output", (count, 3, side, side); by default it changes nothing.

    nodes: made by `node`. side, count: a number, or a name for any. weights: pairs of a name and an array.
    inputs, outputs: further ones, made by `value`. domain: another one of operators than ONNX's.
    """
    graph = helper.make_graph(
        nodes or [node("Identity", ["input"])],
        "made by a test",
        [value("input", [count, 3, side, side], dtype), *inputs],
        [value("output", [count, 3, restored or side, restored or side], dtype), *outputs],
        [numpy_helper.from_array(array, name) for name, array in weights],
    )
    opsets = [helper.make_opsetid("", 17), *([helper.make_opsetid(domain, 1)] if domain else [])]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    return made.SerializeToString()


def node(kind, inputs, output="output", **attributes):
    return helper.make_node(kind, inputs, [output], **attributes)


def value(name, shape, dtype="float32"):
    return helper.make_tensor_value_info(name, onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), shape)


def number(name, array, dtype="float32"):
    return name, np.asarray(array, dtype)


def codeformer(side=512, shape=(1,), dtype="float64"):
    """Return a net with CodeFormer's fidelity w as a second input: it gives back w times the image."""
    return restorer(
        node("Cast", ["weight"], "w", to=TensorProto.FLOAT),
        node("Mul", ["input", "w"]),
        side=side,
        inputs=[value("weight", list(shape), dtype)],
    )


def clipped(low, high, **shape):
    """Return a net that was made for values from `low` to `high` alone: others are lost."""
    limits = [number("low", low), number("high", high)]
    return restorer(node("Clip", ["input", "low", "high"]), weights=limits, **shape)


def times(factor, dtype="float32", **shape):
    weights = [number("factor", factor, dtype)]
    return restorer(node("Mul", ["input", "factor"]), weights=weights, dtype=dtype, **shape)


def flipped(**shape):
    """Return a net that gives back the mirror image."""
    limits = zip(("start", "end", "axis", "step"), (-1, -(1 << 31), 3, -1), strict=True)
    weights = [number(name, [limit], "int64") for name, limit in limits]
    return restorer(node("Slice", ["input", *(name for name, _ in weights)]), weights=weights, **shape)


def enlarging(factor, side="side", **shape):
    """Return a net that enlarges by a whole factor, and repeats pixels."""
    scales = number("scales", [1, 1, factor, factor])
    resize = node("Resize", ["input", "", "scales"], mode="nearest", nearest_mode="floor",
                  coordinate_transformation_mode="asymmetric")  # fmt: skip
    return restorer(resize, side=side, weights=[scales], **shape)
