"""Face parsers in PyTorch: ParseNet and BiSeNet, as facexlib publishes them.

Chen et al., Progressive Semantic-Aware Style Transformation for Blind Face Restoration (CVPR 2021) for the first, Yu
et al., BiSeNet (ECCV 2018), on a ResNet-18, for the second. Parts that only training needs (ParseNet's image,
BiSeNet's two coarser heads) are omitted. Attributes have the names of the weights in the files.
"""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from ..errors import BadModel
from .loader import weights_of

Blob = NDArray[np.float32]

CLASSES = 19


def load_parser(path: Path, device: str = "cpu") -> tuple[str, Callable[[Blob], Blob]]:
    """Return the architecture, and a function from a (1, 3, 512, 512) face to its (1, 19, 512, 512) scores.

    Raises `BadModel` if the file contains neither net.
    """
    weights = weights_of(path)
    name = next((name for name, (mark, _) in KNOWN.items() if mark in weights), None)
    if name is None:
        raise BadModel(f"{path} is not a supported face parser (ParseNet or BiSeNet). Choose another file.")
    net = KNOWN[name][1]()
    wanted = {key: value for key, value in net.state_dict().items() if not key.endswith("num_batches_tracked")}
    for key, value in wanted.items():
        if key not in weights or weights[key].shape != value.shape:
            raise BadModel(f"{path}: {key} is missing or has another shape than in {name}. Download it again.")
    net.load_state_dict({key: weights[key] for key in wanted}, strict=False)
    net = net.eval().requires_grad_(requires_grad=False).to(device)

    def run(blob: Blob) -> Blob:
        with torch.inference_mode():
            scores: Blob = net(torch.from_numpy(blob).to(device)).float().cpu().numpy()
        return scores

    return name, run


class _Conv(nn.Module):
    """ParseNet's convolution with mirrored edges, and optional scaling, normalisation and activation."""

    def __init__(self, wide: int, out: int, scale: str = "", *, normed: bool = False, active: bool = False) -> None:
        super().__init__()
        self.conv2d = nn.Conv2d(wide, out, 3, 2 if scale == "down" else 1, bias=not normed)
        self.norm = nn.ModuleDict({"norm": nn.BatchNorm2d(out)}) if normed else None
        self.up, self.active = scale == "up", active

    def forward(self, x: Tensor) -> Tensor:
        x = functional.interpolate(x, scale_factor=2.0, mode="nearest") if self.up else x
        x = self.conv2d(functional.pad(x, (1, 1, 1, 1), mode="reflect"))
        x = self.norm["norm"](x) if self.norm else x
        activated: Tensor = functional.leaky_relu(x, 0.2) if self.active else x
        return activated


class _Residual(nn.Module):
    """ParseNet's residual block: two convolutions beside a shortcut."""

    def __init__(self, wide: int, out: int, scale: str = "") -> None:
        super().__init__()
        before, behind = ("up", "") if scale == "up" else ("", scale)
        self.shortcut_func = _Conv(wide, out, scale) if scale or wide != out else nn.Identity()
        self.conv1 = _Conv(wide, out, before, normed=True, active=True)
        self.conv2 = _Conv(out, out, behind, normed=True)

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = self.shortcut_func(x) + self.conv2(self.conv1(x))
        return answer


class ParseNet(nn.Module):
    """ParseNet: RGB, -1..1, to scores of 19 classes."""

    def __init__(self) -> None:
        super().__init__()
        down, up = (64, 128, 256, 256, 256), (256, 256, 256, 128, 64)
        self.encoder = nn.Sequential(_Conv(3, 64), *(_Residual(*pair, "down") for pair in pairwise(down)))
        self.body = nn.Sequential(*(_Residual(256, 256) for _ in range(10)))
        self.decoder = nn.Sequential(*(_Residual(*pair, "up") for pair in pairwise(up)))
        self.out_mask_conv = _Conv(64, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, 19, H, W) for (N, 3, H, W)."""
        seen = self.encoder(x)
        scores: Tensor = self.out_mask_conv(self.decoder(seen + self.body(seen)))
        return scores


class _Normed(nn.Module):
    """BiSeNet's convolution with normalisation and activation."""

    def __init__(self, wide: int, out: int, side: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(wide, out, side, padding=side // 2, bias=False)
        self.bn = nn.BatchNorm2d(out)

    def forward(self, x: Tensor) -> Tensor:
        activated: Tensor = functional.relu(self.bn(self.conv(x)))
        return activated


class _Step(nn.Module):
    """Two convolutions of a ResNet beside a shortcut."""

    def __init__(self, wide: int, out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(wide, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        other = wide != out or stride != 1
        shortcut = nn.Sequential(nn.Conv2d(wide, out, 1, stride, bias=False), nn.BatchNorm2d(out))
        self.downsample = shortcut if other else None

    def forward(self, x: Tensor) -> Tensor:
        inner = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        return functional.relu(inner + (x if self.downsample is None else self.downsample(x)))


class _ResNet18(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        for number, (wide, out) in enumerate(pairwise((64, 64, 128, 256, 512)), start=1):
            steps = nn.Sequential(_Step(wide, out, 1 if number == 1 else 2), _Step(out, out, 1))
            setattr(self, f"layer{number}", steps)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the features at 1/8, 1/16 and 1/32 of the size."""
        net: Any = self
        x = functional.max_pool2d(functional.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        eighth = net.layer2(net.layer1(x))
        sixteenth = net.layer3(eighth)
        return eighth, sixteenth, net.layer4(sixteenth)


class _Refined(nn.Module):
    """BiSeNet's attention refinement."""

    def __init__(self, wide: int) -> None:
        super().__init__()
        self.conv = _Normed(wide, 128)
        self.conv_atten = nn.Conv2d(128, 128, 1, bias=False)
        self.bn_atten = nn.BatchNorm2d(128)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        share = torch.sigmoid(self.bn_atten(self.conv_atten(x.mean((2, 3), keepdim=True))))
        return x * share


class _Context(nn.Module):
    """BiSeNet's context path."""

    def __init__(self) -> None:
        super().__init__()
        self.resnet = _ResNet18()
        self.arm16, self.arm32 = _Refined(256), _Refined(512)
        self.conv_head32, self.conv_head16 = _Normed(128, 128), _Normed(128, 128)
        self.conv_avg = _Normed(512, 128, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        eighth, sixteenth, last = self.resnet(x)
        whole = self.conv_avg(last.mean((2, 3), keepdim=True))
        coarse = self.conv_head32(_as_large(self.arm32(last) + whole, sixteenth))
        return eighth, self.conv_head16(_as_large(self.arm16(sixteenth) + coarse, eighth))


def _as_large(x: Tensor, other: Tensor) -> Tensor:
    return functional.interpolate(x, other.shape[2:], mode="nearest")


class _Fused(nn.Module):
    """BiSeNet's feature fusion."""

    def __init__(self) -> None:
        super().__init__()
        self.convblk = _Normed(256, 256, 1)
        self.conv1 = nn.Conv2d(256, 64, 1, bias=False)
        self.conv2 = nn.Conv2d(64, 256, 1, bias=False)

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        x = self.convblk(torch.cat([fine, coarse], 1))
        share = torch.sigmoid(self.conv2(functional.relu(self.conv1(x.mean((2, 3), keepdim=True)))))
        answer: Tensor = x * share + x
        return answer


class _Head(nn.Module):
    """BiSeNet's output head: features to scores."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = _Normed(256, 256)
        self.conv_out = nn.Conv2d(256, CLASSES, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv_out(self.conv(x))  # type: ignore[no-any-return]


class BiSeNet(nn.Module):
    """BiSeNet: RGB, normalised like ImageNet, to scores of 19 classes."""

    def __init__(self) -> None:
        super().__init__()
        self.cp, self.ffm, self.conv_out = _Context(), _Fused(), _Head()

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, 19, H, W) for (N, 3, H, W)."""
        scores = self.conv_out(self.ffm(*self.cp(x)))
        enlarged: Tensor = functional.interpolate(scores, x.shape[2:], mode="bilinear", align_corners=True)
        return enlarged


KNOWN: dict[str, tuple[str, type[nn.Module]]] = {
    "ParseNet": ("out_mask_conv.conv2d.weight", ParseNet),
    "BiSeNet": ("cp.resnet.conv1.weight", BiSeNet),
}
"""Class of each architecture, with a weight name that only this architecture has."""
