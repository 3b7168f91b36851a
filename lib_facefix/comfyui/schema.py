"""Parts of node schemas: types, inputs made from settings, and the base class of the nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from comfy_api.latest import io

from ..settings.face_settings import FaceSettings
from .controls import Control, make_controls, read_values
from .host import file_versions, list_files

CATEGORY = "FaceFix"
SETTINGS_CATEGORY = "FaceFix/settings"
EXCHANGE_CATEGORY = "FaceFix/exchange"
"""Categories of ComfyUI's menu."""

Faces = io.Custom("FACEFIX_FACES")
"""A `Detection`."""
Plan = io.Custom("FACEFIX_PLAN")
"""A `PlannedBatch`."""
Settings = io.Custom("FACEFIX_SETTINGS")
"""Settings by name."""
Segs = io.Custom("SEGS")
"""Segments of Impact Pack."""
BboxDetector = io.Custom("BBOX_DETECTOR")
"""A detector of Impact Pack."""
BoundingBoxes = io.Custom("BOUNDING_BOX")
"""Bounding boxes of ComfyUI itself."""
Record = io.Custom("FACEFIX_RECORD")
"""A `Record` of what was done to each image."""


class FaceNode(io.ComfyNode):  # type: ignore[misc]
    """A node that runs again if a model file that it names has changed."""

    @classmethod
    def fingerprint_inputs(cls, **values: Any) -> Any:
        """Return the versions of the named files."""
        return [list(version) for version in file_versions(values, list_files())]


def image_input(name: str = "image", **facts: Any) -> Any:
    """Return an IMAGE input."""
    return io.Image.Input(name, **{"tooltip": "Images, 0 to 1. All images of the batch are handled together.", **facts})


def setting_inputs(names: Sequence[str], files: Mapping[str, Mapping[str, str]] | None = None) -> list[Any]:
    """Return the inputs of these settings. files: see `host.list_files`, which is called by default."""
    return [_make_input(control) for control in make_controls(names, list_files() if files is None else files)]


def classes_input() -> Any:
    """Return the input with the classes that a YOLO model is to detect; see `controls.read_classes`."""
    return io.String.Input(
        "classes", display_name="Classes", default="",
        tooltip="Names or numbers of the classes of a YOLO model to detect, such as: face, hand. Blank: all.",
    )  # fmt: skip


def read_settings(values: Mapping[str, Any], connected: Mapping[str, Any] | None = None) -> FaceSettings:
    """Return the settings of a node's widgets and of the settings connected to it; raises `BadSetting`."""
    return FaceSettings.from_json({**(connected or {}), **read_values(values, list_files())})


def _make_input(control: Control) -> Any:
    facts: dict[str, Any] = {"display_name": control.label, "default": control.default, "tooltip": control.help}
    if control.kind == "BOOLEAN":
        return io.Boolean.Input(control.name, **facts)
    if control.kind == "STRING":
        return io.String.Input(control.name, multiline=control.multiline, **facts)
    if control.kind == "COMBO":
        return io.Combo.Input(control.name, options=list(control.choices), **facts)
    limits = {"min": control.low, "max": control.high, "step": control.step}
    if control.kind == "INT":
        return io.Int.Input(control.name, **facts, **{name: int(value or 0) for name, value in limits.items()})
    return io.Float.Input(control.name, **facts, **limits)
