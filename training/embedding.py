"""The 128-d face embedding of dlib (CC0), as face-api ports it (MIT), in torch so that a loss can use it.

Layer names, mean colour and pooling are those of face-api's `faceRecognitionNet`; the weights are its file
`model/face_recognition_model.bin`, whose bytes the manifest beside it describes.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

CHIP = 150
CHIP_BOX = (79, 127, 438, 487)
"""Left, top, right, bottom of dlib's chip (padding 0.25) in the 512-pixel FFHQ crop, by the eyes of both."""
MEAN_COLOUR = (122.782, 117.001, 104.298)
DTYPES: dict[str, np.dtype[Any]] = {
    "uint8": np.dtype("u1"),
    "float16": np.dtype("<f2"),
    "float32": np.dtype("<f4"),
}


def read_weights(stem: Path) -> dict[str, Tensor]:
    """Read `stem`.bin by `stem`-weights_manifest.json: name to values."""
    groups = json.loads(stem.with_name(f"{stem.name}-weights_manifest.json").read_text())
    raw = stem.with_name(f"{stem.name}.bin").read_bytes()
    weights: dict[str, Tensor] = {}
    offset = 0
    for entry in (entry for group in groups for entry in group["weights"]):
        packing = entry.get("quantization", {"dtype": entry["dtype"]})
        values = np.frombuffer(raw, DTYPES[packing["dtype"]], math.prod(entry["shape"]), offset)
        offset += values.nbytes
        floats = values.astype(np.float32) * packing.get("scale", 1.0) + packing.get("min", 0.0)
        weights[entry["name"]] = torch.from_numpy(floats.astype(np.float32).reshape(entry["shape"]))
    if offset != len(raw):
        raise ValueError(f"{stem}.bin has {len(raw)} bytes, its manifest describes {offset}")
    return weights


class FaceEmbedding(nn.Module):
    """Chips to points in a space where the same person lies close (Euclidean distance below about 0.5)."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        super().__init__()
        self._weights = {
            name: values.permute(3, 2, 0, 1).contiguous() if values.ndim == 4 else values
            for name, values in weights.items()
        }

    def _convolve(self, x: Tensor, name: str, stride: int = 1, padding: int | None = None) -> Tensor:
        filters = self._weights[f"{name}/conv/filters"]
        padding = filters.shape[-1] // 2 if padding is None else padding
        x = functional.conv2d(x, filters, self._weights[f"{name}/conv/bias"], stride, padding)
        scale, shift = (self._weights[f"{name}/scale/{part}"] for part in ("weights", "biases"))
        return x * scale.view(1, -1, 1, 1) + shift.view(1, -1, 1, 1)

    def _block(self, x: Tensor, name: str) -> Tensor:
        inner = self._convolve(torch.relu(self._convolve(x, f"{name}/conv1")), f"{name}/conv2")
        return torch.relu(inner + x)

    def _reducing_block(self, x: Tensor, name: str) -> Tensor:
        inner = torch.relu(self._convolve(x, f"{name}/conv1", stride=2, padding=0))
        inner = self._convolve(inner, f"{name}/conv2")
        pooled = functional.avg_pool2d(x, 2, 2)
        missing = [int(inner.shape[side]) - int(pooled.shape[side]) for side in (3, 2, 1)]  # int: not traced
        inner = functional.pad(inner, (0, max(0, -missing[0]), 0, max(0, -missing[1])))
        pooled = functional.pad(pooled, (0, max(0, missing[0]), 0, max(0, missing[1]), 0, max(0, missing[2])))
        return torch.relu(pooled + inner)

    def forward(self, chips: Tensor) -> Tensor:
        """chips: (N, 3, 150, 150) RGB, 0..1. Returns (N, 128)."""
        mean = torch.tensor(MEAN_COLOUR).view(1, 3, 1, 1)
        x = torch.relu(self._convolve((chips * 255 - mean) / 255, "conv32_down", stride=2, padding=0))
        x = functional.max_pool2d(x, 3, 2)
        for width, blocks in ((32, 3), (64, 3), (128, 2), (256, 2)):
            if width > 32:
                x = self._reducing_block(x, f"conv{width}_down")
            for number in range(1, blocks + 1):
                x = self._block(x, f"conv{width}_{number}")
        x = self._reducing_block(x, "conv256_down_out")
        return x.mean((2, 3)) @ self._weights["fc"]


def chips_from_crops(crops: Tensor, left: int = 0, top: int = 0) -> Tensor:
    """Cut dlib chips out of FFHQ crops, or out of windows of them that begin at (left, top).

    crops: (N, 3, H, W), 0..1. Returns (N, 3, 150, 150).
    """
    x0, y0, x1, y1 = CHIP_BOX
    chip = crops[..., y0 - top : y1 - top, x0 - left : x1 - left]
    return functional.interpolate(chip, (CHIP, CHIP), mode="bilinear", antialias=True, align_corners=False)
