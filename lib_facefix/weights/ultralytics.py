"""YOLO checkpoints (.pt): recognising them, reading them with ultralytics' restricted reader, exporting to ONNX.

Only this module uses ultralytics. A .pt contains pickled classes, and ultralytics' usual reader runs any code in it.
The restricted reader (8.4.100 and newer, on PyTorch 2.6 and newer) only builds known layers. On an older PyTorch it
silently falls back to the usual reader, so this module refuses that before it opens the file.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from ..errors import BadModel, CannotWrite, MissingPackage, briefly
from ..fsio import TEMP_PREFIX, atomic_write
from ..optional_imports import disable_telemetry, version_numbers
from .checkpoints import find_globals

PACKAGE = "ultralytics"
MIN_VERSION = (8, 4, 100)
"""First version with a reliable restricted reader."""
INSTALL = (
    "Install it with `pip install 'ultralytics>=8.4.100'`, or convert the file on a machine that has it: `facefix "
    "models convert` makes an .onnx, which does not need the package."
)
"""How to proceed if ultralytics is missing."""
POISONED = ("8.3.41", "8.3.42", "8.3.45", "8.3.46")
"""Releases of December 2024 that contain a coin miner."""
EXPORT_TIMEOUT = 600
"""Time limit for an export to ONNX, in seconds."""


def is_yolo(path: Path) -> bool:
    """Return whether a .pt refers to YOLO classes, without running anything in it."""
    try:
        return any(module.startswith(("ultralytics.", "models.yolo")) for module, _ in find_globals(path))
    except BadModel:
        return False


def load_yolo(path: Path) -> Any:
    """Return the torch module of a YOLO checkpoint in float32, its layers fused, with outputs like an ONNX file's.

    Raises `MissingPackage`, and `BadModel` if the file cannot be read safely or is not a YOLO checkpoint.
    """
    if not path.is_file():
        raise BadModel(f"{path} does not exist. Give the path of a model file.")
    check_package(path)
    import torch
    from ultralytics.nn import tasks

    try:
        checkpoint, _ = tasks.torch_safe_load(str(path), safe_only=True)
    except Exception as error:  # the reader's errors have no common base
        raise BadModel(
            f"ultralytics' safe reader refused {path}: it is damaged, not a YOLO model, or contains more than a model "
            f"needs. ({briefly(error)}) Download it again from a source you trust."
        ) from error
    model: Any = (checkpoint.get("ema") or checkpoint.get("model")) if isinstance(checkpoint, dict) else None
    if not isinstance(model, torch.nn.Module):
        raise BadModel(f"{path} contains no YOLO model.")
    model = model.float().eval()
    if hasattr(model, "fuse"):
        model = model.fuse(verbose=False)
    for layer in model.modules():
        if hasattr(layer, "inplace"):
            layer.inplace = False
    head = model.model[-1]
    head.export, head.format = True, "onnx"
    return model.requires_grad_(requires_grad=False)


def convert_yolo(path: Path) -> Path:
    """Export a YOLO checkpoint to an ONNX file beside it, in a separate process; needs ultralytics and onnx.

    Raises `BadModel`, `MissingPackage`, or `CannotWrite` if the ONNX file exists.
    """
    target = path.with_suffix(".onnx")
    if target.exists():
        raise CannotWrite(f"{target} already exists. Move or delete it, and convert again.")
    check_package(path)
    if not _version("onnx"):
        raise MissingPackage(f"converting {path.name}", "onnx")
    with tempfile.TemporaryDirectory(prefix=TEMP_PREFIX) as folder:
        copy = Path(folder) / path.name
        shutil.copyfile(path, copy)
        _export(copy, path)
        made = copy.with_suffix(".onnx")
        if not made.is_file():
            raise BadModel(f"{path} could not be exported to ONNX: ultralytics wrote no file.")
        atomic_write(target, lambda file: file.write(made.read_bytes()))
    return target


NETWORK_USE = {
    "what": "runs the package ultralytics in another process to convert a YOLO .pt file",
    "when": "you select a .pt file as detector, or run `facefix models convert`",
    "with": "nobody: its downloads and reports are turned off",
    "files": ("weights/ultralytics.py",),
}
"""What this code uses the network for, for `facefix doctor`."""


def check_package(path: Path) -> None:
    """Raise `MissingPackage` or `BadModel` unless the installed ultralytics can read the file without running it."""
    installed = _version(PACKAGE)
    if installed is None:
        raise MissingPackage(f"{path.name}, or exporting it to .onnx,", PACKAGE, INSTALL)
    if installed in POISONED:
        raise BadModel(
            f"ultralytics {installed} contains malware (a release of December 2024), so FaceFix did not import it. "
            "Remove it with `pip uninstall ultralytics`, and change your passwords."
        )
    if version_numbers(installed) < MIN_VERSION:
        raise BadModel(
            f"{path} is a pickle, and ultralytics {installed} would run any code in it. Install ultralytics "
            f"{'.'.join(map(str, MIN_VERSION))} or newer, or convert the file on a machine that has it: `facefix "
            f"models convert {path.name}` makes an .onnx, which does not need ultralytics."
        )
    disable_telemetry(PACKAGE)
    import torch

    if not hasattr(torch.serialization, "get_unsafe_globals_in_checkpoint"):
        raise BadModel(
            f"{path} is a pickle, and reading it safely requires PyTorch 2.6 or newer; this is {torch.__version__}. "
            f"Convert it on a machine that has it: `facefix models convert {path.name}` makes an .onnx."
        )


def _export(copy: Path, path: Path) -> None:
    """Export the copy with ultralytics in another process, which is forced to read safely."""
    any_size = bool(_version("onnxruntime"))  # OpenCV requires one fixed, square size, a third of which is padding
    code = (
        "import sys; sys.modules['openvino_telemetry'] = None; from ultralytics import YOLO; "
        f"YOLO(sys.argv[1]).export(format='onnx', simplify=False, dynamic={any_size})"
    )
    quiet = {"ULTRALYTICS_SAFE_LOAD": "true", "YOLO_CONFIG_DIR": str(copy.parent), "YOLO_VERBOSE": "false"}
    command = [sys.executable, "-c", code, str(copy)]
    try:
        subprocess.run(
            command,
            cwd=copy.parent,
            env={**os.environ, **quiet},
            capture_output=True,
            check=True,
            timeout=EXPORT_TIMEOUT,
        )
    except subprocess.CalledProcessError as error:
        lines = error.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason given"]
        raise BadModel(f"{path} could not be exported to ONNX: {lines[-1]}") from error
    except subprocess.TimeoutExpired as error:
        raise BadModel(f"{path} could not be exported to ONNX within {EXPORT_TIMEOUT} s.") from error


def _version(package: str) -> str | None:
    from importlib import metadata  # here, as it takes a while to import

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
