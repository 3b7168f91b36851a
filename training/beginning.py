"""The weights that training begins with: those of the built-in restorer as it is, an ONNX file.

The first of these files began with Real-ESRGAN's "animevideov3" network (BSD-3-Clause, Xintao Wang), which enlarges
four times and whose chain of convolutions knows edges, noise and JPEG.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from training.network import TwoHeads

OLD_NAMES = {"lower.before.": "lower.before.0.", "lower.after.": "lower.after.0."}
"""Blocks that stood alone in the network with one head."""


def read_weights(path: Path) -> tuple[dict[str, Tensor], list[Tensor], list[Tensor]]:
    """Read an exported network: weights by name, and, in order, what loses its name: PReLUs' slopes, maps of places."""
    named: dict[str, Tensor] = {}
    slopes: list[Tensor] = []
    maps: list[Tensor] = []
    for item in onnx.load(path).graph.initializer:
        values = torch.from_numpy(np.asarray(numpy_helper.to_array(item), np.float32).copy())
        name = item.name.removeprefix("net.").removesuffix(".half")
        if name.startswith("onnx::PRelu"):
            slopes.append(values.reshape(-1))
        elif name.startswith("onnx::Add"):
            maps.append(values)
        else:
            named[name] = values
    return named, slopes, maps


@torch.no_grad()
def begin(net: TwoHeads, path: Path) -> None:
    """Fill the network from the ONNX file of this one, or of the one before it, which had one head.

    Blocks that the file lacks keep their beginning, close to the identity; a missing vivid head copies the other.
    Raises ValueError if the file is of another network.
    """
    named, slopes, maps = read_weights(path)
    for old, new in OLD_NAMES.items():
        if not any(name.startswith(new) for name in named):
            named = {name.replace(old, new): values for name, values in named.items()}
    if "exit.0.weight" not in named:
        raise ValueError(f"{path} is not of this network: it has no exit")
    for part in ("weight", "bias"):
        named.setdefault(f"vivid_exit.0.{part}", named[f"exit.0.{part}"])
    wanted = net.state_dict()
    slope_names = [name for name, values in wanted.items() if values.ndim == 1 and name.endswith("weight")]
    named |= dict(zip(slope_names, slopes, strict=True))
    if maps:
        named |= dict(zip([name for name in wanted if name.endswith("places.map")], maps, strict=True))
    strangers = named.keys() - wanted.keys()
    if strangers:
        raise ValueError(f"{path} is not of this network: it has {sorted(strangers)[:3]}")
    net.load_state_dict(wanted | named)
