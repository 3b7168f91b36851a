"""Exporting a stage of a net to an ONNX file, once, into the cache folder under the hash of the net's weights."""

import importlib.util
import inspect
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import BadModel, MissingPackage, briefly
from ..fsio import atomic_write, sweep
from ..nets import Stage

OPSET = 17
EXPORT_VERSION = 1
"""Version of the exported files; a new version exports them again."""


def export_stage(stage: Stage, examples: tuple[Tensor, ...], sha256: str, folder: Path) -> tuple[Path, bool]:
    """Return the path of the stage's ONNX file, and whether it is new; the exported stage takes any number of faces.

    examples: inputs of `stage`, in order. sha256: hash of the net's weights. folder: created if missing.
    Raises `BadModel` if PyTorch cannot export the net, `CannotWrite`, or `MissingPackage` without the package onnx.
    """
    path = folder / f"{sha256}-{stage.name}-{EXPORT_VERSION}.onnx"
    if path.is_file():
        return path, False
    if importlib.util.find_spec("onnx") is None:
        raise MissingPackage("exporting this net for another engine", "onnx")
    sweep(folder)  # what a crash has left half written
    atomic_write(path, lambda file: _export(stage, examples, file.name))  # of two processes the later one wins
    return path, True


_BY_TRACING: dict[str, Any] = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
"""Keyword that selects the tracing exporter; older PyTorch versions have no other and no such keyword."""


def _export(stage: Stage, examples: tuple[Tensor, ...], path: str) -> None:
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # the exporter warns of its deprecation, and of every fixed shape
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
        except Exception as error:  # errors of the net's code and of the exporter have no common base
            raise BadModel(f"This net cannot be exported ({briefly(error)}). Choose the engine 'torch'.") from error


def _free_axes(stage: Stage) -> dict[str, dict[int, str]]:
    sides = {2: "height", 3: "width"} if stage.flexible else {}
    named = {name: {0: "faces", **sides} for name in (*stage.inputs, *stage.outputs) if name != "w"}
    if stage.flexible:
        named.update({name: {0: "faces", 2: "tall", 3: "wide"} for name in stage.outputs})
    return named
