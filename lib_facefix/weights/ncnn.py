"""Real-ESRGAN's networks from ncnn files (.param names the layers, .bin has their weights), without ncnn.

Formats: https://github.com/Tencent/ncnn/wiki/param-and-model-file-structure. Only layers of these networks are read;
any other is refused, because the length of one layer in the .bin determines the start of the next.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from ..errors import BadModel

Weights = NDArray[np.float32]

MAGIC = "7767517"
HALF = 0x01306B47
"""Flag before 16-bit weights; 32-bit weights have the flag 0."""
MAX_LAYERS = 10_000
MAX_CHANNELS = 4096
_WEIGHTLESS = {"Input", "Split", "Concat", "Eltwise", "BinaryOp", "Interp", "PixelShuffle"}


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer with weights."""

    kind: str
    weight: Weights
    """Weights of a Convolution, (out, in, k, k), or of a PReLU, (channels,)."""
    bias: Weights | None = None


class _Numbers:
    """The .bin file, read from its beginning."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, kind: str, count: int) -> NDArray[np.generic]:
        found_at, size = self._at, np.dtype(kind).itemsize * count
        self._at += (size + 3) // 4 * 4  # each block fills whole words
        if self._at > len(self._data):
            raise BadModel("the .bin is too short for its .param. Download both again.")
        return np.frombuffer(self._data, kind, count, found_at)

    def take_floats(self, count: int, kind: str = "<f4") -> Weights:
        return self.take(kind, count).astype(np.float32)

    def take_flagged(self, count: int) -> Weights:
        flag = int(self.take("<u4", 1)[0])
        if flag not in (0, HALF):
            raise BadModel(f"the .bin uses a weight format that FaceFix does not support (flag {flag:#x})")
        return self.take_floats(count, "<f2" if flag else "<f4")

    def finish(self) -> None:
        if self._at != len(self._data):
            raise BadModel("the .bin is too long for its .param, so they are not a pair")


def read_layers(param: bytes, data: bytes) -> tuple[Layer, ...]:
    """Return the layers with weights, in order; raises `BadModel` for an unsupported file."""
    try:
        lines = [line.split() for line in param.decode("ascii").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise BadModel("the .param is not text, so it is not an ncnn file, or one in binary form") from error
    if len(lines) < 3 or lines[0] != [MAGIC]:
        raise BadModel("the .param does not begin like an ncnn file")
    if len(lines) - 2 > MAX_LAYERS or lines[1][0] != str(len(lines) - 2):
        raise BadModel("the number of layers in the .param is wrong. Download it again.")
    numbers = _Numbers(data)
    layers = tuple(_read(lines[2:], numbers))
    numbers.finish()
    return layers


def _read(lines: Sequence[Sequence[str]], numbers: _Numbers) -> Iterator[Layer]:
    for number, line in enumerate(lines, 1):
        kind, fields = line[0], dict(part.split("=", 1) for part in line if "=" in part)
        if kind == "Convolution":
            channels, side, count = (_whole(fields, key, number) for key in ("0", "1", "6"))
            if side > 15 or count % (channels * side * side):
                raise BadModel(f"layer {number} of the .param is a convolution of impossible size")
            weight = numbers.take_flagged(count).reshape(channels, -1, side, side)
            yield Layer(kind, weight, numbers.take_floats(channels) if fields.get("5") == "1" else None)
        elif kind == "PReLU":
            yield Layer(kind, numbers.take_floats(_whole(fields, "0", number)))
        elif kind not in _WEIGHTLESS:
            raise BadModel(f"layer {number} of the .param is {kind[:40]!r}, which no known network has")


def _whole(fields: Mapping[str, str], key: str, number: int) -> int:
    text = fields.get(key, "")
    most = MAX_CHANNELS**2 * 9 if key == "6" else MAX_CHANNELS
    if not (text.isascii() and text.isdigit() and len(text) < 12 and 0 < int(text) <= most):
        raise BadModel(f"layer {number} of the .param has an invalid number at {key}: {text[:20]!r}")
    return int(text)


def state_of(layers: Sequence[Layer]) -> dict[str, Weights]:
    """Return the weights by their names in the networks' PyTorch code; raises `BadModel`.

    RRDBNet (Wang et al., ESRGAN, 2018): conv_first; blocks of 3 x 5 convolutions; conv_body, two conv_up, conv_hr,
    conv_last. SRVGGNetCompact (Wang et al., Real-ESRGAN, 2021): convolutions and PReLUs in turn, under `body`.
    """
    names = _compact(layers) if any(layer.kind == "PReLU" for layer in layers) else _rrdb(layers)
    state = {}
    for name, layer in zip(names, layers, strict=True):
        state[f"{name}.weight"] = layer.weight
        if layer.bias is not None:
            state[f"{name}.bias"] = layer.bias
    return state


def _rrdb(layers: Sequence[Layer]) -> list[str]:
    blocks, rest = divmod(len(layers) - 6, 15)
    if blocks < 1 or rest or any(layer.bias is None for layer in layers):
        raise BadModel("the network is neither an RRDBNet nor an SRVGGNetCompact")
    features, growth = layers[0].weight.shape[0], layers[1].weight.shape[0]
    expected = {"conv_first": (features, 3)}  # channels out and in
    for block, dense, place in product(range(blocks), (1, 2, 3), (1, 2, 3, 4, 5)):
        channels = (growth if place < 5 else features, features + (place - 1) * growth)
        expected[f"body.{block}.rdb{dense}.conv{place}"] = channels
    expected |= dict.fromkeys(("conv_body", "conv_up1", "conv_up2", "conv_hr"), (features, features))
    expected["conv_last"] = (3, features)
    for (name, channels), layer in zip(expected.items(), layers, strict=True):
        if layer.weight.shape != (*channels, 3, 3):
            raise BadModel(f"the network is not an RRDBNet for RGB: {name} has the shape {layer.weight.shape}")
    return list(expected)


def _compact(layers: Sequence[Layer]) -> list[str]:
    features, last = layers[0].weight.shape[0], len(layers) - 1
    for place, layer in enumerate(layers):
        gives = layer.weight.shape[0] if place == last else features
        shape = (features,) if place % 2 else (gives, features if place else 3, 3, 3)
        kind = "PReLU" if place % 2 else "Convolution"
        if layer.kind != kind or layer.weight.shape != shape or (kind == "Convolution") != (layer.bias is not None):
            raise BadModel("the network is not an SRVGGNetCompact")
    if last % 2 or layers[last].weight.shape[0] not in (3, 12, 27, 48):
        raise BadModel("the SRVGGNetCompact has a scale factor other than 1, 2, 3 or 4")
    return [f"body.{place}" for place in range(len(layers))]
