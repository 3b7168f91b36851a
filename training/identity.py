"""Write the built-in embedding: dlib's face recognition net (CC0), as face-api packs it (MIT), as an ONNX file.

    python -m training.identity face_recognition_model lib_facefix/assets/identity.onnx

In face-api's file each weight is a byte. It stays one: the graph begins with what makes floats of them, which engines
do once, while they load. Needs PyTorch, onnx and onnxruntime.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

from .embedding import CHIP, FaceEmbedding, read_weights

OPSET = 13
LEVELS, HALF = 255, 128
"""Bytes are stored with a sign: OpenCV's classic engine reads others as such."""
FEW = 64
"""Tensors of fewer numbers stay floats."""
TOLERANCE = 1e-3
"""Largest difference between engines in a coordinate, where two people are about 0.8 apart."""


def write_floats(net: FaceEmbedding, path: Path) -> None:
    """Export as it is; input `chips` (N, 3, 150, 150), 0..1, output `points` (N, 128)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracing exporter is old, but writes what OpenCV 4.8 reads
        torch.onnx.export(
            net,
            (torch.zeros(1, 3, CHIP, CHIP),),
            path,
            input_names=["chips"],
            output_names=["points"],
            opset_version=OPSET,
            dynamo=False,
        )


def pack_weights(model: onnx.ModelProto) -> None:
    """Store every weight that takes at most 256 values as bytes, followed by what makes floats of them."""
    nodes: list[Any] = []
    for node in [node for node in model.graph.node if node.op_type == "Constant"]:
        values = numpy_helper.to_array(node.attribute[0].t)
        if values.size < FEW or values.dtype != np.float32:
            continue
        least, levels = values.min(), np.unique(values)
        steps = np.rint((levels[-1] - least) / np.diff(levels).min())
        step = np.float32((levels[-1] - least) / steps) if steps <= LEVELS else np.float32(0)
        packed = (np.rint((values - least) / (step or 1)) - HALF).astype(np.int8)
        least += HALF * step
        if not step or np.abs(packed * step + least - values).max() > step / 100:
            continue  # a few are floats in face-api's file, too
        name = node.output[0]
        model.graph.node.remove(node)
        for suffix, part in (("bytes", packed), ("step", np.float32(step)), ("least", np.float32(least))):
            model.graph.initializer.append(numpy_helper.from_array(np.asarray(part), f"{name}/{suffix}"))
        nodes.append(helper.make_node("Cast", [f"{name}/bytes"], [f"{name}/floats"], to=TensorProto.FLOAT))
        nodes.append(helper.make_node("Mul", [f"{name}/floats", f"{name}/step"], [f"{name}/scaled"]))
        nodes.append(helper.make_node("Add", [f"{name}/scaled", f"{name}/least"], [name]))
    nodes += model.graph.node
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def check(path: Path, net: FaceEmbedding) -> None:
    """Compare the file in every engine at hand with the net itself; ends the program where they differ."""
    chips = np.random.default_rng(1).random((1, 3, CHIP, CHIP), np.float32)
    wanted = net(torch.from_numpy(chips)).numpy()
    classic = (cv2.dnn.ENGINE_CLASSIC,) if hasattr(cv2.dnn, "ENGINE_CLASSIC") else ()
    plain = cv2.dnn.readNetFromONNX(str(path), *classic)
    plain.setInput(chips)
    [quick] = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"chips": chips})
    for engine, found in (("OpenCV", plain.forward()), ("ONNX Runtime", quick)):
        away = float(np.abs(found - wanted).max())
        print(f"{engine}: {away:.2g} from PyTorch")  # noqa: T201 a command prints
        if away > TOLERANCE:
            raise SystemExit(f"{path} differs in {engine}")


def main() -> None:
    """Carry it out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stem", type=Path, help="face-api's file without its ending: face_recognition_model")
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    net = FaceEmbedding(read_weights(arguments.stem)).eval()
    write_floats(net, arguments.output)
    model = onnx.load(arguments.output)
    pack_weights(model)
    onnx.checker.check_model(model)
    onnx.save(model, arguments.output)
    check(arguments.output, net)


if __name__ == "__main__":
    main()
