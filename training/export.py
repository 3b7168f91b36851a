"""Write the trained network as the ONNX file that ships, and check it in every engine at hand.

    python -m training.export build/training/checkpoint.pt lib_facefix/assets/lite.onnx

Weights are stored as float16 with a cast to float32 in front of each convolution, which halves the file; all
engines fold the casts while loading and compute in float32. Needs PyTorch, onnx and onnxruntime.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from training.network import TwoHeads

SIDE = 512
OPSET = 13
LARGEST = 10_000_000
"""Bytes that the file may have."""
TOLERANCE = 1e-4
"""Largest difference between engines, on a scale where white is 1."""

OUTPUTS = ("faithful", "vivid")
"""Names of the two residuals in the file."""

Blob = npt.NDArray[np.float32]


class Heads(nn.Module):
    """What ships of the network: whole crops in, both residuals out."""

    def __init__(self, net: TwoHeads) -> None:
        super().__init__()
        self.net = net

    def forward(self, crop: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 3, 512, 512) to the faithful and the vivid residual, of the same shape."""
        found = self.net(crop)
        return found.faithful, found.vivid


def load_averaged(checkpoint: Path) -> TwoHeads:
    """The network with the averaged weights, rounded to what float16 can hold."""
    net = TwoHeads()
    state = torch.load(checkpoint, weights_only=True)["averaged"]
    net.load_state_dict({name: value.half().float() for name, value in state.items()})
    return net.eval()


def write_float32(net: TwoHeads, path: Path) -> None:
    """Export as it is; input `crop`, outputs `faithful` and `vivid`, all (1, 3, 512, 512)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracing exporter is old, but writes what OpenCV 4.8 reads
        torch.onnx.export(
            Heads(net),
            (torch.zeros(1, 3, SIDE, SIDE),),
            path,
            input_names=["crop"],
            output_names=list(OUTPUTS),
            opset_version=OPSET,
            dynamo=False,
        )


def halve_weights(model: onnx.ModelProto) -> None:
    """Store every weight of the graph as float16, followed by a cast back to float32."""
    casts = []
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32:
            continue
        wanted, stored = weight.name, f"{weight.name}.half"
        weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), stored))
        to = onnx.TensorProto.FLOAT
        casts.append(onnx.helper.make_node("Cast", [stored], [wanted], name=f"{wanted}.cast", to=to))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def describe(model: onnx.ModelProto) -> None:
    """Say inside the file what it is and whose work it builds on."""
    model.producer_name = "FaceFix training"
    model.doc_string = (
        "FaceFix's built-in restorer: two residuals of an FFHQ-aligned face crop. Trained by the project; begun from "
        "Real-ESRGAN's realesr-animevideov3 (BSD-3-Clause, Copyright (c) 2021, Xintao Wang)."
    )


def run_everywhere(path: Path, net: TwoHeads, crop: Blob) -> dict[str, Blob]:
    """Both residuals of one crop, (2, 1, 3, 512, 512), by PyTorch, ONNX Runtime and this OpenCV's engines."""
    results: dict[str, Blob] = {}
    with torch.inference_mode():
        results["PyTorch"] = np.stack([found.numpy() for found in Heads(net)(torch.from_numpy(crop))])
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    results[f"ONNX Runtime {onnxruntime.__version__}"] = np.stack(session.run(OUTPUTS, {"crop": crop}))
    for engine in ("ENGINE_CLASSIC", "ENGINE_AUTO") if hasattr(cv2.dnn, "ENGINE_CLASSIC") else (None,):
        arguments = (str(path),) if engine is None else (str(path), getattr(cv2.dnn, engine))
        reader = cv2.dnn.readNetFromONNX(*arguments)
        reader.setInput(crop, "crop")
        results[f"OpenCV {cv2.__version__} {engine or ''}".strip()] = np.stack(reader.forward(OUTPUTS))
    return results


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("onnx", type=Path)
    options = parser.parse_args()
    net = load_averaged(options.checkpoint)
    write_float32(net, options.onnx)
    model = onnx.load(options.onnx)
    halve_weights(model)
    describe(model)
    onnx.checker.check_model(model)
    options.onnx.write_bytes(model.SerializeToString())

    crop = np.random.default_rng(0).random((1, 3, SIDE, SIDE), np.float32)
    results = run_everywhere(options.onnx, net, crop)
    truth = results.pop("PyTorch")
    differences = {name: float(np.abs(result - truth).max()) for name, result in results.items()}
    parameters = sum(value.numel() for value in net.parameters())
    size = options.onnx.stat().st_size
    print(f"{options.onnx}: {size} bytes, {parameters} parameters")  # noqa: T201 a command prints
    for name, difference in differences.items():
        print(f"  {name}: differs from PyTorch by {difference:.1e} at most")  # noqa: T201
    if max(differences.values()) > TOLERANCE or size > LARGEST:
        raise SystemExit("the engines differ, or the file is too large")


if __name__ == "__main__":
    main()
