"""GFPGAN rewritten: the same images, but with constant weights and for any number of faces at once.

GFPGAN is Wang et al., CVPR 2021; its decoder is StyleGAN2's, whose convolution has other weights for each face:
conv(x, W s d), where s (a factor for each channel in) is made from the face and d (one for each channel out) brings
the weights back to length 1 (Karras et al., CVPR 2020, section 2.2). Both factors can stand outside:

    conv(x, W s d) = d conv(s x, W)        d = 1 / sqrt(sum over channels in of s^2 (sum over k of W^2) + 1e-8)

so W is a constant that a backend can prepare once. Other savings, equal except for rounding: s is applied before the
features are enlarged, the 1x1 convolution of a skip too, halving is a mean over 2 x 2, and StyleGAN2's sqrt(2) is
part of d.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

_SLOPE = 0.2
_EPSILON = 1e-8


class Gfpgan(nn.Module):
    """GFPGAN with the weights of its authors' net; (N, 3, 512, 512) in -1..1 to the same."""

    def __init__(self, net: Any) -> None:
        """net: a `GFPGANv1Clean` with different codes for each layer and an unmodified style."""
        super().__init__()
        self.first = net.conv_body_first
        self.down = net.conv_body_down
        self.turn = net.final_conv
        self.style = net.final_linear
        self.up = net.conv_body_up
        self.scale = net.condition_scale
        self.shift = net.condition_shift

        decoder = net.stylegan_decoder
        noises = [getattr(decoder.noises, f"noise{layer}") for layer in range(decoder.num_layers)]
        layers = [decoder.style_conv1, *decoder.style_convs]
        self.start: Tensor
        self.register_buffer("start", decoder.constant_input.weight.detach())
        self.layers = nn.ModuleList(StyleLayer(layer, noise) for layer, noise in zip(layers, noises, strict=True))
        self.to_rgb = nn.ModuleList(StyleRgb(layer) for layer in (decoder.to_rgb1, *decoder.to_rgbs))
        self.requires_grad_(requires_grad=False)

    def forward(self, picture: Tensor) -> Tensor:
        """Return the restored faces."""
        feature = _activate(self.first(picture))
        seen = []
        for block in self.down:
            feature = _shrink(block, feature)
            seen.append(feature)
        feature = _activate(self.turn(feature))
        codes = self.style(feature.flatten(1)).unflatten(1, (len(self.layers) + 1, -1))

        painted = self.layers[0](self.start, codes[:, 0])
        image: Tensor = self.to_rgb[0](painted, codes[:, 1])
        for level, block in enumerate(self.up):
            feature = _enlarge(block, feature + seen[-1 - level])
            at = 2 * level + 1
            painted = self.layers[at](painted, codes[:, at])
            kept, moved = painted.chunk(2, dim=1)
            painted = torch.cat((kept, moved * self.scale[level](feature) + self.shift[level](feature)), dim=1)
            painted = self.layers[at + 1](painted, codes[:, at + 1])
            image = self.to_rgb[level + 1](painted, codes[:, at + 2]) + _twice(image)
        return image


class StyleLayer(nn.Module):
    """One of StyleGAN2's convolutions, with its noise, bias and activation."""

    def __init__(self, layer: Any, noise: Tensor) -> None:
        """layer: a `StyleConv`; noise: (1, 1, S, S), where S is the side of the output."""
        super().__init__()
        convolution = layer.modulated_conv
        self.modulation = convolution.modulation
        self.doubles: bool = convolution.sample_mode == "upsample"
        self.lengths: Tensor
        self.noise: Tensor
        self.bias: Tensor
        self.convolution = _convolution(convolution.weight.detach()[0])
        squares = convolution.weight.detach()[0].square().sum((2, 3)).t()
        self.register_buffer("lengths", squares.contiguous() / 2)  # / 2: gives sqrt(2) d
        self.register_buffer("noise", (layer.weight * noise).detach())
        self.register_buffer("bias", layer.bias.detach())

    def forward(self, feature: Tensor, code: Tensor) -> Tensor:
        """Return (N, C', S, S), or twice the side, from features (N, C, S, S) and codes (N, 512)."""
        style = self.modulation(code)
        length = torch.rsqrt(style.square() @ self.lengths + _EPSILON / 2)
        scaled = feature * style[:, :, None, None]
        if self.doubles:
            scaled = _twice(scaled)
        drawn: Tensor = self.convolution(scaled)
        return _activate(drawn.mul_(length[:, :, None, None]).add_(self.noise).add_(self.bias))


class StyleRgb(nn.Module):
    """StyleGAN2's layer from features to RGB."""

    def __init__(self, layer: Any) -> None:
        """layer: a `ToRGB`, of which the upsampling is not used."""
        super().__init__()
        self.modulation = layer.modulated_conv.modulation
        self.weight: Tensor
        self.bias: Tensor
        self.register_buffer("weight", layer.modulated_conv.weight.detach()[0])
        self.register_buffer("bias", layer.bias.detach().flatten())

    def forward(self, feature: Tensor, code: Tensor) -> Tensor:
        """Return (N, 3, S, S) from features (N, C, S, S) and codes (N, 512)."""
        return functional.conv2d(feature * self.modulation(code)[:, :, None, None], self.weight, self.bias)


def _convolution(weight: Tensor) -> nn.Conv2d:
    """Return a 3 x 3 convolution module with these weights, (C', C, 3, 3), which backends may replace by a faster."""
    wide, deep = weight.shape[:2]
    layer = nn.Conv2d(deep, wide, 3, padding=1, bias=False, device="meta")
    layer.weight = nn.Parameter(weight, requires_grad=False)
    return layer


def _shrink(block: Any, feature: Tensor) -> Tensor:
    """Apply GFPGAN's residual block that halves the side."""
    inner = functional.avg_pool2d(_activate(block.conv1(feature)), 2)
    skip: Tensor = block.skip(functional.avg_pool2d(feature, 2))
    return _activate(block.conv2(inner)) + skip


def _enlarge(block: Any, feature: Tensor) -> Tensor:
    """Apply GFPGAN's residual block that doubles the side."""
    inner = _twice(_activate(block.conv1(feature)))
    return _activate(block.conv2(inner)) + _twice(block.skip(feature))


def _activate(feature: Tensor) -> Tensor:
    """Apply the activation in place, to the fresh output of a layer."""
    return functional.leaky_relu(feature, _SLOPE, inplace=True)


def _twice(feature: Tensor) -> Tensor:
    return functional.interpolate(feature, scale_factor=2.0, mode="bilinear", align_corners=False)
