"""The one `FaceFix` of the WebUI: its models stay loaded from picture to picture."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from threading import Lock

from ...facefix import FaceFix
from ...settings.runtime import Runtime
from .options import read_options

WEIGHT_FOLDER_FLAGS = ("gfpgan_models_path", "codeformer_models_path", "esrgan_models_path", "realesrgan_models_path")
"""The host's own flags for folders of weights that we can use."""
ADETAILER_OPTION = "ad_extra_models_dir"
"""ADetailer's own setting for further folders of YOLO models, with bars between them."""

_lock = Lock()


def get_engine() -> FaceFix:
    """Return the host's `FaceFix`: made when first asked for, and anew when flags or settings have changed."""
    from modules import shared

    if getattr(shared.cmd_opts, "facefix_offline", False):
        os.environ["FACEFIX_OFFLINE"] = "1"  # what `weights.fetch` looks at
    with _lock:
        return _make_engine(read_runtime())


def unload() -> None:
    """Let go of all models; the next picture loads what it needs again."""
    get_engine().unload()


def read_runtime() -> Runtime:
    """Return what the flags and the settings page say now.

    Weights are looked for in a folder of our own, in those of the host's flags, and in its models folder; YOLO models
    in those of ADetailer's setting, too.
    """
    from modules import shared
    from modules.paths_internal import models_path

    flags, page = shared.cmd_opts, read_options()
    own = getattr(flags, "facefix_models_dir", None) or Path(models_path) / "facefix"
    also = (getattr(flags, name, None) for name in WEIGHT_FOLDER_FLAGS)
    return Runtime(
        engine=page.engine,
        precision=page.precision,
        device="cpu" if _on_cpu() else "auto",
        models=os.pathsep.join(str(folder) for folder in (own, *also) if folder),
        webui=str(models_path),
        yolo=os.pathsep.join(_of_adetailer()),
        keep=page.keep,
    )


def _of_adetailer() -> list[str]:
    """Return the folders that ADetailer's setting names; none where ADetailer is not installed."""
    from modules import shared

    if ADETAILER_OPTION not in shared.opts.data_labels:
        return []
    named = shared.opts.data.get(ADETAILER_OPTION) or ""
    return [folder.strip() for folder in named.split("|") if folder.strip()]


def _on_cpu() -> bool:
    """Return whether the graphics processor is to be left alone: by our flag, or because the host leaves it alone."""
    from modules import devices, shared

    if getattr(shared.cmd_opts, "facefix_device", "auto") == "cpu":
        return True
    return bool(devices.get_device_for("gfpgan").type == "cpu")


@lru_cache(maxsize=1)
def _make_engine(wanted: Runtime) -> FaceFix:
    return FaceFix(wanted)
