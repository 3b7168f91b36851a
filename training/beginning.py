"""The weights that training begins with: Real-ESRGAN's "animevideov3" network (BSD-3-Clause, Xintao Wang).

It enlarges four times; its chain of convolutions knows edges, noise and JPEG. The packaged file is ncnn's:
for each convolution a flag, the weights and the bias, for each PReLU the slopes, in the order of the layers.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from training.network import Lite

HALF_PRECISION = 0x01306B47
"""ncnn's flag for float16 weights."""
QUIET = 0.3
"""The exit begins weaker than it was: the network adds to the crop instead of making a picture of its own."""


class NcnnReader:
    """Reads tensors one after the other from an ncnn `.bin` file."""

    def __init__(self, path: Path) -> None:
        self._raw = path.read_bytes()
        self._offset = 0

    def floats(self, shape: tuple[int, ...], dtype: str = "<f4") -> Tensor:
        """The next values, as float32 of this shape."""
        values = np.frombuffer(self._raw, dtype, math.prod(shape), self._offset)
        self._offset += math.ceil(values.nbytes / 4) * 4
        return torch.from_numpy(values.astype(np.float32).reshape(shape))

    def filters(self, shape: tuple[int, ...]) -> Tensor:
        """The next convolution's weights, (out, in, height, width)."""
        flag = int.from_bytes(self._raw[self._offset : self._offset + 4], "little")
        self._offset += 4
        if flag not in (0, HALF_PRECISION):
            raise ValueError(f"unknown weight format {flag:#x}")
        return self.floats(shape, "<f2" if flag else "<f4")

    def finished(self) -> bool:
        """True when every byte has been read."""
        return self._offset == len(self._raw)


@torch.no_grad()
def begin(net: Lite, path: Path) -> None:
    """Fill the network's entry, chain and exit from the ncnn file; the levels below begin near 0."""
    reader = NcnnReader(path)
    chain = [*net.entry, *net.first_half, *net.second_half, *net.exit]
    for layer in chain:
        if isinstance(layer, nn.Conv2d) and layer.bias is not None:
            at_entry = layer.in_channels == 48  # the crop's 4x4 pixels instead of one: begin with their mean
            filters = reader.filters((layer.out_channels, 3 if at_entry else layer.in_channels, 3, 3))
            layer.weight.copy_(filters.repeat_interleave(16, dim=1) / 16 if at_entry else filters)
            layer.bias.copy_(reader.floats((layer.out_channels,)))
        elif isinstance(layer, nn.PReLU):
            layer.weight.copy_(reader.floats((layer.num_parameters,)))
    if not reader.finished():
        raise ValueError(f"{path} holds more than this network")
    for convolution, factor in ((net.exit[0], QUIET), (net.lower.from_middle[0], 0.1)):
        for values in convolution.parameters():
            values.mul_(factor)
