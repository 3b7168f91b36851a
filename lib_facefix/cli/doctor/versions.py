"""Versions of Python and its packages, and the devices of this machine. Only required packages are imported."""

import os
import platform
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ... import __version__
from ...optional_imports import version_numbers
from .problems import Problem

REQUIRED = {
    "numpy": "numpy>=1.23.5",
    "PIL": "pillow>=9.5",
    "cv2": "opencv-python-headless>=4.8.1",
    "safetensors": "safetensors>=0.4.2",
    "tqdm": "tqdm>=4.65",
}
"""Requirements of FaceFix by import name, as in pyproject.toml."""
OPENCVS = ("opencv-python-headless", "opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless")
"""Packages that install the same module cv2 and overwrite one another's files."""
ONNXRUNTIMES = (
    *("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino"),
    *("onnxruntime-rocm", "onnxruntime-migraphx", "onnxruntime-qnn"),
)
"""Packages that install the same module onnxruntime, for different devices, and overwrite one another's files."""
OPTIONAL = {
    "torch": ("torch",),
    "spandrel": ("spandrel",),
    "spandrel_extra_arches": ("spandrel_extra_arches",),
    "onnxruntime": ONNXRUNTIMES,
    "openvino": ("openvino",),
    "mediapipe": ("mediapipe",),
    "ultralytics": ("ultralytics",),
    "insightface": ("insightface",),
    "fastapi": ("fastapi",),
    "uvicorn": ("uvicorn",),
}
"""Packages on PyPI that provide an optional module, by import name."""
MEDIAPIPE_REPORTS = (0, 10, 35)
"""First version of mediapipe that contacts its maker."""


def read_versions(problems: list[Problem]) -> dict[str, str | None]:
    """Return the versions of FaceFix, Python, and all packages; None for one that is not installed.

    problems: receives what is wrong with them.
    """
    found: dict[str, str | None] = {"facefix": __version__, "python": platform.python_version()}
    for module, requirement in REQUIRED.items():
        found[module] = _read_required(module, requirement, problems)
    for module, packages in OPTIONAL.items():
        found[module] = next(_list_versions(packages), "unknown version" if find_spec(module) else None)
    opencvs = [name for name in OPENCVS if next(_list_versions([name]), None)]
    if len(opencvs) > 1:
        todo = f"If images or models fail to load, run: pip uninstall {' '.join(opencvs)}; pip install {opencvs[0]}"
        problems.append(Problem("warning", f"{' and '.join(opencvs)} overwrite each other's files.", todo))
    runtimes = [name for name in ONNXRUNTIMES if next(_list_versions([name]), None)]
    if len(runtimes) > 1:
        todo = f"Run: pip uninstall {' '.join(runtimes)}; then install only the one for your device."
        problems.append(Problem("warning", f"{' and '.join(runtimes)} overwrite each other's files.", todo))
    if found["mediapipe"] and version_numbers(found["mediapipe"]) >= MEDIAPIPE_REPORTS:
        what = f"mediapipe {found['mediapipe']} contacts its maker when one of its detectors is used."
        problems.append(Problem("warning", what, "Run: pip install 'mediapipe>=0.10.33,<0.10.35'"))
    return found


def read_system() -> dict[str, Any]:
    """Return the operating system, the kind of Python environment, and the FACEFIX_ variables that are set."""
    from ...models.environment import find_environment

    return {
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": sys.executable,
        "environment": find_environment().kind,
        "variables": {name: _show_variable(name) for name in sorted(os.environ) if name.startswith("FACEFIX_")},
    }


def list_devices() -> list[dict[str, Any]]:
    """Return the processor and the NVIDIA GPUs, as the operating system names them."""
    processor: dict[str, Any] = {"kind": "cpu", "name": _name_processor(), "cores": count_cores()}
    if memory := _count_memory():
        processor["memory_gb"] = round(memory / 1e9, 1)
    gpus = (_read_field(path, "Model") for path in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")))
    return [processor, *({"kind": "gpu", "name": name} for name in gpus if name)]


def count_cores() -> int:
    """Return the number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def probe_engines(problems: list[Problem]) -> dict[str, Any]:
    """Import the engines that are installed, which takes seconds, and return the abilities of this machine.

    problems: receives the engines that cannot be imported.
    """
    from ...errors import FaceFixError
    from ...optional_imports import import_optional
    from .devices import probe_devices

    loaded = {}
    for name in ("torch", "onnxruntime", "openvino"):
        if find_spec(name):
            try:
                loaded[name] = import_optional(name)
            except FaceFixError as error:
                problems.append(Problem("error", str(error), f"Run: pip install --force-reinstall {name}"))
    if "torch" not in loaded:
        return {"accelerator": None, "devices": probe_devices(problems)}
    from ...engines import this_machine

    machine = this_machine()
    probed: dict[str, Any] = {"accelerator": machine.accelerator or None}
    probed |= {"bf16": machine.bf16, "winograd": machine.winograd}
    if machine.accelerator == "cuda":
        probed["gpu"] = loaded["torch"].cuda.get_device_name()
    return {**probed, "devices": probe_devices(problems, machine.accelerator)}


def _read_required(module: str, requirement: str, problems: list[Problem]) -> str | None:
    package, _, least = requirement.partition(">=")
    try:
        version = str(import_module(module).__version__)
    except ModuleNotFoundError:
        problems.append(Problem("error", f"The Python package {package} is not installed.", _advise(requirement)))
        return None
    except (ImportError, OSError, AttributeError) as error:
        what = f"The Python package {package} cannot be imported: {error}."
        problems.append(Problem("error", what, f"Run: pip install --force-reinstall '{requirement}'"))
        return None
    if version_numbers(version) < version_numbers(least):
        what = f"{package} {version} is too old. FaceFix needs version {least} or newer."
        problems.append(Problem("error", what, _advise(requirement)))
    return version


def _advise(requirement: str) -> str:
    return f"Run: {sys.executable} -m pip install '{requirement}'"


def _list_versions(packages: Sequence[str]) -> Iterator[str]:
    for package in packages:
        try:
            yield metadata.version(package)
        except metadata.PackageNotFoundError:
            continue


def _show_variable(name: str) -> str:
    secret = any(word in name for word in ("TOKEN", "USER", "PASSWORD", "KEY"))
    return "(set, not shown)" if secret else os.environ[name]


def _name_processor() -> str:
    return _read_field(Path("/proc/cpuinfo"), "model name") or platform.machine()


def _read_field(path: Path, name: str) -> str:
    """Return the value of the first "name: value" line of a file of the kernel; blank if there is none."""
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    fields = (line.partition(":") for line in lines)
    return next((value.strip() for field, _, value in fields if field.strip() == name), "")


def _count_memory() -> int:
    """Return the main memory in bytes; 0 if the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 0
