"""What the extras tab hands on: the settings of all faces, and what is set for single ones.

Values come by the names that the accordion gives its components. One that is None has its default: so the host's own
API calls the scripts of the tab that it knows nothing of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from ...protocols import Engine
from ...settings.face_settings import FaceSettings
from ..passes.arguments import SETTING_TYPES, fit_type
from ..passes.settings import ELSEWHERE, PassSettings
from .face_overrides import FACE_SETTINGS, FIX, FaceOverrides

ENABLE, IS_SINGLE, TUNING = "enable", "single", "tuning"
SHARED_SETTINGS = tuple(field.name for field in fields(FaceSettings) if field.name not in ELSEWHERE)
"""Settings of all faces, those of a pass that are not about img2img."""
FACE_CONTROLS = {name: f"face_{name}" for name in (FIX, *FACE_SETTINGS)}
"""The names of the controls of the face that is shown."""
EVENT_INPUTS = (TUNING, *FACE_CONTROLS.values(), *SHARED_SETTINGS)
"""What every event of the accordion is given."""


@dataclass(frozen=True, slots=True)
class ExtrasInput:
    """What a person has set when something happens."""

    engine: Engine
    settings: PassSettings
    tuning: FaceOverrides | None
    """With what was changed last in the controls of the face that is shown; None where no faces were found."""


def read_input(values: Mapping[str, Any], engine: Engine) -> ExtrasInput:
    """Return what is set; raises `BadSetting`. engine: what plans the faces again."""
    settings = PassSettings.from_json(_fit_values({name: values.get(name) for name in SHARED_SETTINGS}))
    text = values.get(TUNING)
    if not text:
        return ExtrasInput(engine, settings, None)
    tuning = FaceOverrides.from_text(text, engine)
    shown = _fit_values({name: values.get(control) for name, control in FACE_CONTROLS.items()})
    return ExtrasInput(engine, settings, tuning.edit({**tuning.filled, **shown}, settings))


def _fit_values(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: fit_type(value, SETTING_TYPES.get(name)) for name, value in values.items() if value is not None}
