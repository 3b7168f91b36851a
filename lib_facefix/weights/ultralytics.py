"""YOLO checkpoints (.pt): told from other files, read by ultralytics' restricted reader, made into ONNX.

The only file that knows ultralytics. A .pt holds pickled classes; ultralytics' usual way of reading one runs whatever
it holds. Its restricted reader (8.4.100 and newer, on PyTorch 2.6 and newer) builds known layers and nothing else; on
an older PyTorch it quietly falls back to the usual way, so that is refused here before the file is opened.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from ..errors import BadModel, CannotWrite, MissingPackage, briefly
from ..fsio import atomic_write
from ..optional_imports import disable_telemetry, version_numbers
from .torch_zip import find_globals

PACKAGE = "ultralytics"
LEAST = (8, 4, 100)
"""The first version whose restricted reader is to be relied on."""
INSTALL = (
    "Install it with `pip install 'ultralytics>=8.4.100'`, or convert the file where it is installed: `facefix models "
    "convert` makes an .onnx, which needs no such package."
)
POISONED = ("8.3.41", "8.3.42", "8.3.45", "8.3.46")
"""Releases of December 2024 into which somebody had put a program that mines coins."""
PATIENCE = 600
"""Seconds that making an ONNX file may take."""


def is_yolo(path: Path) -> bool:
    """Return whether a .pt names classes of YOLO's; the file is looked through, nothing in it is run."""
    try:
        return any(module.startswith(("ultralytics.", "models.yolo")) for module, _ in find_globals(path))
    except BadModel:
        return False


def load_yolo(path: Path) -> Any:
    """Return the torch module of a YOLO checkpoint, in float32 and ready to be asked, its head as ONNX files have it.

    Raises `MissingPackage`, and `BadModel` where it cannot be read safely, or is no such checkpoint.
    """
    if not path.is_file():
        raise BadModel(f"{path} is not there; give the path of a model file.")
    check_package(path)
    import torch
    from ultralytics.nn import tasks

    try:
        checkpoint, _ = tasks.torch_safe_load(str(path), safe_only=True)
    except Exception as error:  # it raises what it comes across
        raise BadModel(
            f"{path} was refused by ultralytics' safe reader: it is damaged, no YOLO model, or asks for more than a "
            f"model needs. ({briefly(error)}) Get it again from a place you trust."
        ) from error
    model = (checkpoint.get("ema") or checkpoint.get("model")) if isinstance(checkpoint, dict) else None
    if not isinstance(model, torch.nn.Module):
        raise BadModel(f"{path} holds no YOLO model.")
    return _ready(model)


def convert_yolo(path: Path) -> Path:
    """Return the ONNX file beside a YOLO checkpoint, made by a process of its own; needs ultralytics and onnx.

    Raises `BadModel`, `MissingPackage`, or `CannotWrite` where a file is there already.
    """
    target = path.with_suffix(".onnx")
    if target.exists():
        raise CannotWrite(f"{target} is there already, so it was not overwritten. Move it, and convert again.")
    check_package(path)
    if not _version("onnx"):
        raise MissingPackage(f"converting {path.name}", "onnx")
    with tempfile.TemporaryDirectory(prefix="facefix-") as folder:
        copy = Path(folder) / path.name
        shutil.copyfile(path, copy)
        _export(copy, path)
        made = copy.with_suffix(".onnx")
        if not made.is_file():
            raise BadModel(f"{path} could not be made into an ONNX file: ultralytics wrote none.")
        atomic_write(target, lambda file: file.write(made.read_bytes()))
    return target


def check_package(path: Path) -> None:
    """Raise `MissingPackage` or `BadModel` unless an ultralytics is here that reads the file without running it."""
    installed = _version(PACKAGE)
    if installed is None:
        raise MissingPackage(f"{path.name}, or making an .onnx of it,", PACKAGE, INSTALL)
    if installed in POISONED:
        raise BadModel(
            f"ultralytics {installed} holds malware (a release of December 2024); it was not imported. Remove it with "
            f"`pip uninstall ultralytics`, and change your passwords."
        )
    if version_numbers(installed) < LEAST:
        raise BadModel(
            f"{path} is a pickle, and ultralytics {installed} would run whatever it holds. Install ultralytics "
            f"{'.'.join(map(str, LEAST))} or newer, or convert the file where one is: `facefix models convert "
            f"{path.name}` makes an .onnx, which needs no ultralytics."
        )
    disable_telemetry(PACKAGE)
    import torch

    if not hasattr(torch.serialization, "get_unsafe_globals_in_checkpoint"):
        raise BadModel(
            f"{path} is a pickle, and reading it safely takes PyTorch 2.6 or newer; this is {torch.__version__}. "
            f"Convert it where there is one: `facefix models convert {path.name}` makes an .onnx."
        )


def _ready(model: Any) -> Any:
    """Return the model with its layers fused, its head answering as in an ONNX file."""
    model = model.float().eval()
    if hasattr(model, "fuse"):
        model = model.fuse(verbose=False)
    for layer in model.modules():
        if hasattr(layer, "inplace"):
            layer.inplace = False
    head = model.model[-1]
    head.export, head.format = True, "onnx"
    return model.requires_grad_(requires_grad=False)


def _export(copy: Path, path: Path) -> None:
    """Let ultralytics make the ONNX file in another process, which reads safely or not at all."""
    any_size = bool(_version("onnxruntime"))  # OpenCV wants one size, and a square, of which a third is grey
    code = (
        "import sys; sys.modules['openvino_telemetry'] = None; from ultralytics import YOLO; "
        f"YOLO(sys.argv[1]).export(format='onnx', simplify=False, dynamic={any_size})"
    )
    quiet = {"ULTRALYTICS_SAFE_LOAD": "true", "YOLO_CONFIG_DIR": str(copy.parent), "YOLO_VERBOSE": "false"}
    command = [sys.executable, "-c", code, str(copy)]
    try:
        subprocess.run(
            command, cwd=copy.parent, env={**os.environ, **quiet}, capture_output=True, check=True, timeout=PATIENCE
        )
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode("utf-8", "replace").strip().splitlines()
        raise BadModel(
            f"{path} could not be made into an ONNX file: {said[-1] if said else 'no reason given'}"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise BadModel(f"{path} could not be made into an ONNX file within {PATIENCE} s.") from error


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
