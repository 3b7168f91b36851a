"""Nodes that hold settings for Detect Faces and Plan Faces."""

from __future__ import annotations

from typing import Any, ClassVar

from comfy_api.latest import io

from . import controls
from .controls import read_values
from .host import list_files
from .schema import SETTINGS_CATEGORY, FaceNode, Settings, setting_inputs


class SettingsNode(FaceNode):
    """A node whose output is the connected settings and its own."""

    NODE_ID: ClassVar[str]
    TITLE: ClassVar[str]
    ABOUT: ClassVar[str]
    NAMES: ClassVar[tuple[str, ...]]

    @classmethod
    def define_schema(cls) -> Any:
        """Return the inputs of the settings in NAMES."""
        chained = Settings.Input(
            "settings", optional=True, tooltip="Settings of another node, to which these are added."
        )
        return io.Schema(
            node_id=cls.NODE_ID,
            display_name=cls.TITLE,
            category=SETTINGS_CATEGORY,
            description=cls.ABOUT,
            inputs=[*setting_inputs(cls.NAMES), chained],
            outputs=[Settings.Output("all_settings", display_name="settings")],
        )

    @classmethod
    def execute(cls, settings: dict[str, Any] | None = None, **values: Any) -> Any:
        """Return all settings by name; they are checked where they are used."""
        return io.NodeOutput({**(settings or {}), **read_values(values, list_files())})


class ChooseFaces(SettingsNode):
    """Settings that select faces."""

    NODE_ID, TITLE, NAMES = "FaceFixChooseFaces", "Choose Faces (FaceFix)", controls.CHOOSE
    ABOUT = (
        "Selects the faces to fix. Connect it to Plan Faces, and for gender and age also to Detect Faces. Faces are "
        "numbered from left to right."
    )


class MaskSettings(SettingsNode):
    """Settings of the masks."""

    NODE_ID, TITLE, NAMES = "FaceFixMaskSettings", "Mask Settings (FaceFix)", controls.MASK
    ABOUT = "Selects the part of each face that may change. Connect it to Plan Faces."


class SamplingSettings(SettingsNode):
    """Settings of the crops that are re-diffused."""

    NODE_ID, TITLE, NAMES = "FaceFixSamplingSettings", "Sampling Settings (FaceFix)", controls.SAMPLING
    ABOUT = "Selects how faces are cropped and re-diffused by Detail Faces. Connect it to Plan Faces."


class UpscaleSettings(SettingsNode):
    """Settings of the upscaler."""

    NODE_ID, TITLE, NAMES = "FaceFixUpscaleSettings", "Upscale Settings (FaceFix)", controls.UPSCALE
    ABOUT = "Enlarges the images, and restores faces from the pixels of the smaller ones. Connect it to Plan Faces."
