"""What the pack takes from ComfyUI: its model folders, its progress bar, and its button to interrupt."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import folder_paths
import latent_preview
from comfy import model_management
from comfy.utils import ProgressBar

from ..errors import MissingPackage
from ..settings.face_settings import FaceSettings
from ..settings.options import options
from ..settings.runtime import Runtime

if TYPE_CHECKING:
    from ..facefix import FaceFix
    from ..planning.redraw import Redraw

OWN_FOLDER = "facefix"
"""Sub-folder of ComfyUI's models folder for FaceFix's own models."""
FILE_FOLDERS: Mapping[str, tuple[str, ...]] = {
    "restorer": (
        *("facerestore_models", "facefusion", "facerestore", "GFPGAN", "Codeformer", "RestoreFormer", "GPEN", "onnx"),
        OWN_FOLDER,
    ),
    "upscaler": ("upscale_models", OWN_FOLDER),
    "parser": ("facedetection", "faceparsing", OWN_FOLDER),
    "occluder": ("facefusion", "facedetection", OWN_FOLDER),
}
"""Folders whose files are listed in the menu of a setting: names that ComfyUI knows, or sub-folders of its models."""
YOLO_FOLDERS = ("ultralytics", "ultralytics_bbox", "ultralytics_segm", "yolo", "adetailer")
"""Folders of YOLO models, in the same way."""
INSTALL_OPENCV = (
    f'Install OpenCV with: "{sys.executable}" -m pip install opencv-python-headless and start ComfyUI again.'
)
STEPS = 100
"""Parts of a face on the progress bar."""
PREVIEW_SIDE = 512
"""Longer side of a preview, in pixels."""

_lock = Lock()


def get_engine() -> FaceFix:
    """Return the pack's `FaceFix`, whose models stay loaded; raises `MissingPackage` without OpenCV."""
    if importlib.util.find_spec("cv2") is None:
        raise MissingPackage("FaceFix", "cv2", INSTALL_OPENCV)
    with _lock:
        return _make_engine(read_runtime())


def explain_missing_opencv() -> str:
    """Return a sentence on what is missing and how to install it; blank if OpenCV is there. Imports nothing."""
    return "" if importlib.util.find_spec("cv2") else str(MissingPackage("FaceFix", "cv2", INSTALL_OPENCV))


@lru_cache(maxsize=1)
def _make_engine(runtime: Runtime) -> FaceFix:
    from ..facefix import FaceFix

    return FaceFix(runtime)


def read_runtime() -> Runtime:
    """Return the folders and the device that ComfyUI uses."""
    own = [Path(folder_paths.models_dir) / OWN_FOLDER]
    weights = [*own, *(folder for names in FILE_FOLDERS.values() for name in names for folder in list_folders(name))]
    yolo = [folder for name in YOLO_FOLDERS for folder in list_folders(name)]
    return Runtime(
        device="cpu" if model_management.get_torch_device().type == "cpu" else "auto",
        models=os.pathsep.join(dict.fromkeys(map(str, weights))),
        webui=folder_paths.models_dir,
        yolo=os.pathsep.join(dict.fromkeys(map(str, yolo))),
    )


def list_folders(name: str) -> list[Path]:
    """Return the existing folders of a kind of models, also those of `extra_model_paths.yaml`."""
    registered = folder_paths.folder_names_and_paths.get(name, ((), ()))[0]
    folders = [Path(folder) for folder in (*registered, os.path.join(folder_paths.models_dir, name))]  # noqa: PTH118 joins what may be blank
    return [folder for folder in dict.fromkeys(folders) if folder.is_dir()]


def list_files() -> dict[str, dict[str, str]]:
    """Return the paths of local model files by setting and by name; of two with one name, the first. Reads folders.

    Published files are left out, as they have names of their own. Of .onnx files, only restorers are listed as such.
    """
    from ..models.restorer_files import is_restorer
    from ..models.yolo_files import yolo_files
    from ..settings.detector_expression import quote_name
    from ..weights import locate_models, split_paths

    suffixes = {field.name: option.suffixes for field, option in options(FaceSettings)}
    found: dict[str, dict[str, str]] = {}
    for setting, names in FILE_FOLDERS.items():
        listed = found.setdefault(setting, {})
        for folder in (folder for name in names for folder in list_folders(name)):
            for path in sorted(folder.rglob("*")):
                if not path.name.lower().endswith(suffixes[setting]) or not path.is_file() or is_published(path):
                    continue
                if setting != "restorer" or path.suffix.lower() != ".onnx" or is_restorer(path):
                    listed.setdefault(path.relative_to(folder).as_posix(), str(path))
    runtime = read_runtime()
    folders = (split_paths(text) for text in (runtime.models, runtime.webui, runtime.yolo))
    models, hosts, yolo = folders
    nets = yolo_files(locate_models(models, hosts, yolo=yolo))
    found["detector"] = {quote_name(path.name): str(path) for path in nets}
    return found


def is_published(path: Path) -> bool:
    """Return whether a file is named like published weights.

    An .onnx file of another size is not: several programs publish different files of one name.
    """
    from ..weights import PUBLISHED

    sizes = {name: one.bytes for one in PUBLISHED.values() for name in one.names}
    return path.name in sizes and (path.suffix.lower() != ".onnx" or path.stat().st_size == sizes[path.name])


class HostProgress:
    """A `Progress` on ComfyUI's progress bar. If the user interrupts, ComfyUI's own exception ends the node."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._done = self._total = 0

    def expect(self, total: int) -> None:
        """Show how many faces there are to fix."""
        self.step(0, total, "")

    def step(self, done: int, total: int, doing: str) -> None:  # noqa: ARG002 the bar shows no text
        """Show how many faces are done."""
        self._done, self._total = done, total
        self._show(done * STEPS)

    def should_stop(self) -> bool:
        """Raise ComfyUI's exception if the user has interrupted; return False otherwise."""
        model_management.throw_exception_if_processing_interrupted()
        return False

    def start_run(self, model: Any, items: Sequence[Redraw]) -> Callable[..., None]:
        """Return a callback for the steps of one sampling run. model: a MODEL."""
        previewer = latent_preview.get_previewer(model.load_device, model.model.latent_format)

        def show_step(step: int, denoised: Any, latent: Any, total: int) -> None:  # noqa: ARG001 the samplers' form
            preview = previewer.decode_latent_to_preview_image("JPEG", denoised) if previewer else None
            self._show(int((self._done + len(items) * (step + 1) / total) * STEPS), preview)

        return show_step

    def _show(self, value: int, preview: Any = None) -> None:
        self.should_stop()
        total = max(self._total, 1) * STEPS
        if self._bar is None:
            self._bar = ProgressBar(total)
        self._bar.update_absolute(min(value, total), total, preview)


def file_versions(values: Mapping[str, Any], files: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, int, int]]:
    """Yield path, time in ns, and size of each local model file that these values name."""
    for name, known in files.items():
        path = known.get(str(values.get(name, "")), "")
        if path and os.path.isfile(path):  # noqa: PTH113 a plain test of a text
            status = os.stat(path)  # noqa: PTH116
            yield path, status.st_mtime_ns, status.st_size
