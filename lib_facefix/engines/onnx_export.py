"""A part of a net as an ONNX file, made once and kept in the cache folder under the hash of the net's weights."""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import time
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import BadModel, MissingPackage, briefly
from ..fsio import atomic_write
from ..nets import Stage

OPSET = 17
LEFT_BEHIND = 24 * 3600
"""Age, in seconds, after which an unfinished file counts as abandoned."""
EDITION = 1
"""Version of the exported files; a new version exports them again."""


def export_stage(stage: Stage, examples: tuple[Tensor, ...], sha256: str, folder: Path) -> tuple[Path, bool]:
    """Return the stage as an ONNX file, and whether it was exported just now; it takes any number of faces.

    examples: inputs of `stage`, in order. sha256: of the net's weights. folder: made when missing.
    Raises `BadModel` where PyTorch cannot export the net, `CannotWrite` where the file cannot be kept,
    `MissingPackage` without the package onnx.
    """
    path = folder / f"{sha256}-{stage.name}-{EDITION}.onnx"
    if path.is_file():
        return path, False
    if importlib.util.find_spec("onnx") is None:
        raise MissingPackage("making this net ready for another engine", "onnx")
    _sweep(folder)
    atomic_write(path, lambda file: _export(stage, examples, file.name))  # of two processes the later one wins
    return path, True


def _sweep(folder: Path) -> None:
    """Delete what a crash left half-written long ago; what cannot be deleted stays."""
    for partial in folder.glob("*.part"):
        with contextlib.suppress(OSError):
            if time.time() - partial.stat().st_mtime > LEFT_BEHIND:
                partial.unlink()


_BY_TRACING: dict[str, Any] = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
"""Keyword that selects the tracing exporter; older PyTorch versions have no other and no such keyword."""


def _export(stage: Stage, examples: tuple[Tensor, ...], path: str) -> None:
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # the exporter warns of itself, and of every shape that it takes as fixed
        try:
            torch.onnx.export(
                stage.module,
                examples,
                path,
                opset_version=OPSET,
                **_BY_TRACING,
                input_names=list(stage.inputs),
                output_names=list(stage.outputs),
                dynamic_axes=_free_axes(stage),
            )
        except OSError:
            raise
        except Exception as error:  # the exporter raises whatever the net's own code and its own passes do
            raise BadModel(f"this net cannot be exported ({briefly(error)}); choose the engine 'torch'") from error


def _free_axes(stage: Stage) -> dict[str, dict[int, str]]:
    sides = {2: "height", 3: "width"} if stage.flexible else {}
    named = {name: {0: "faces", **sides} for name in (*stage.inputs, *stage.outputs) if name != "w"}
    if stage.flexible:
        named.update({name: {0: "faces", 2: "tall", 3: "wide"} for name in stage.outputs})
    return named
