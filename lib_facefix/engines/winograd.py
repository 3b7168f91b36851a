"""Faster convolutions and fewer passes over the features of a net, for float32 on a processor.

A 3 x 3 convolution takes 9 multiplications per pixel and channel; Winograd's algorithm (Lavin and Gray, "Fast
algorithms for convolutional neural networks", CVPR 2016), on tiles of 6 x 6 pixels, takes 1.8. PyTorch includes an
implementation, NNPACK, but prefers oneDNN, which has none for float32. Results differ in the fifth digit.
"""

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

MIN_CHANNELS = 16
"""Smallest number of channels for which tiling saves more than it costs."""


def with_winograd(module: nn.Module) -> nn.Module:
    """Return a copy of the module that shares its weights and uses the faster layers wherever possible."""
    if isinstance(module, nn.Conv2d):
        if _supports_winograd(module):
            return Winograd(module)
        shape = module.kernel_size, module.stride, module.padding, module.groups
        return Pointwise(module) if shape == ((1, 1), (1, 1), (0, 0), 1) else module
    twin = copy.copy(module)
    twin._modules = {name: None if child is None else with_winograd(child) for name, child in module._modules.items()}
    is_residual = type(module).__name__ in ("ResBlock", "ResnetBlock")  # spandrel's two names of VQGAN's block
    return Residual(twin) if is_residual and hasattr(module, "norm1") and hasattr(module, "conv2") else twin


class Winograd(nn.Module):
    """A 3 x 3 convolution of stride 1 that keeps the size."""

    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__()
        self.weight, self.bias = layer.weight, layer.bias

    def forward(self, feature: Tensor) -> Tensor:
        """Return (N, C', H, W) for (N, C, H, W)."""
        answer: Tensor = torch._nnpack_spatial_convolution(feature, self.weight, self.bias, (1, 1), (1, 1))
        return answer


class Pointwise(nn.Module):
    """A 1 x 1 convolution, computed as a matrix product."""

    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__()
        self.weight, self.bias = layer.weight, layer.bias

    def forward(self, feature: Tensor) -> Tensor:
        """Return (N, C', H, W) for (N, C, H, W)."""
        faces, _, height, width = feature.shape
        answer = torch.matmul(self.weight.flatten(1), feature.flatten(2))
        if self.bias is not None:
            answer += self.bias[:, None]
        return answer.view(faces, -1, height, width)


class Residual(nn.Module):
    """The residual block of VQGAN (CodeFormer, RestoreFormer): x * sigmoid(x) in one pass instead of three."""

    def __init__(self, block: Any) -> None:
        """block: has norm1, conv1, norm2, conv2, and a shortcut if the number of channels changes."""
        super().__init__()
        self.norm1, self.conv1, self.norm2, self.conv2 = block.norm1, block.conv1, block.norm2, block.conv2
        self.shortcut = _shortcut(block)

    def forward(self, feature: Tensor, _: None = None) -> Tensor:
        """Return (N, C', H, W) for (N, C, H, W); RestoreFormer passes None as a second input."""
        inner: Tensor = self.conv1(functional.silu(self.norm1(feature), inplace=True))
        inner = self.conv2(functional.silu(self.norm2(inner), inplace=True))
        inner += feature if self.shortcut is None else self.shortcut(feature)
        return inner


def _supports_winograd(layer: nn.Conv2d) -> bool:
    shape = layer.kernel_size, layer.stride, layer.padding, layer.dilation, layer.groups, layer.padding_mode
    wide = min(layer.in_channels, layer.out_channels) >= MIN_CHANNELS
    return wide and shape == ((3, 3), (1, 1), (1, 1), (1, 1), 1, "zeros")


def _shortcut(block: Any) -> nn.Module | None:
    if block.in_channels == block.out_channels:
        return None
    names = ("conv_out", "conv_shortcut", "nin_shortcut")
    found: nn.Module = next(getattr(block, name) for name in names if hasattr(block, name))
    return found
