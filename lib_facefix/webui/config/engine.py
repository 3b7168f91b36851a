"""The WebUI's single `FaceFix`, whose models stay loaded between images."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from ...settings.devices import AUTO
from ...settings.runtime import Runtime
from .options import read_options

if TYPE_CHECKING:  # the rest is imported when it is used, to save time at the start of the WebUI
    from ...facefix import FaceFix
    from ...models.store import ModelStore
    from ...weights import ModelPaths

WEIGHT_FOLDER_FLAGS = ("gfpgan_models_path", "codeformer_models_path", "esrgan_models_path", "realesrgan_models_path")
"""Flags of the host for folders with usable weights."""
ADETAILER_OPTION = "ad_extra_models_dir"
"""Option of ADetailer for more folders of YOLO models, separated by "|"."""

_lock = Lock()


def get_engine() -> FaceFix:
    """Return the `FaceFix` for the current flags and settings; a new one only if they have changed."""
    from modules import shared

    if getattr(shared.cmd_opts, "facefix_offline", False):
        os.environ["FACEFIX_OFFLINE"] = "1"  # read by `weights.fetch`
    with _lock:
        return _make_engine(read_runtime())


def find_model_paths() -> ModelPaths:
    """Return the folders of that `FaceFix`, which is not made, as this takes time at the start of the WebUI."""
    with _lock:
        return _make_store(read_runtime()).paths


def read_runtime() -> Runtime:
    """Return the current flags and page settings.

    Weights come from FaceFix's own folder, those of the host's flags, and the host's models folder. YOLO models can
    also come from the folders of ADetailer's option.
    """
    from modules import devices, shared
    from modules.paths_internal import models_path

    flags, page = shared.cmd_opts, read_options()
    own = getattr(flags, "facefix_models_dir", None) or Path(models_path) / "facefix"
    also = (getattr(flags, name, None) for name in WEIGHT_FOLDER_FLAGS)
    has_adetailer = ADETAILER_OPTION in shared.opts.data_labels
    yolo = (shared.opts.data.get(ADETAILER_OPTION) or "").split("|") if has_adetailer else []
    return Runtime(
        engine=page.engine,
        precision=page.precision,
        device=_choose_device(page.device, getattr(flags, "facefix_device", "auto"), devices.get_device_for("gfpgan")),
        models=os.pathsep.join(str(folder) for folder in (own, *also) if folder),
        webui=str(models_path),
        yolo=os.pathsep.join(folder.strip() for folder in yolo if folder.strip()),
        keep=page.keep,
        accept_licences=", ".join(page.accept_licences),
    )


def _choose_device(chosen: str, flag: str, host: Any) -> str:
    """Return the device of FaceFix's models: of the settings page, of the flag, or the host's.

    host: the host's torch.device for face restorers. Of a GPU only its number counts: FaceFix chooses the library.
    """
    if chosen != AUTO or flag != AUTO:
        return chosen if chosen != AUTO else flag
    number = getattr(host, "index", None)
    return "cpu" if host.type == "cpu" else f"{AUTO}:{number}" if number else AUTO


@lru_cache(maxsize=1)
def _make_store(runtime: Runtime) -> ModelStore:
    from ...models.store import ModelStore

    return ModelStore(runtime)


@lru_cache(maxsize=1)
def _make_engine(runtime: Runtime) -> FaceFix:
    from ...facefix import FaceFix

    return FaceFix(models=_make_store(runtime))
