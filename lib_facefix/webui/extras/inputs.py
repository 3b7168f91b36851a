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
from ..passes.arguments import KINDS, fit_type
from ..passes.paths import check_paths
from ..passes.settings import ELSEWHERE, PassSettings
from .face_overrides import FIX, SINGLE, FaceOverrides

ENABLE, ONE, TUNING = "enable", "single", "tuning"
COMMON = tuple(field.name for field in fields(FaceSettings) if field.name not in ELSEWHERE)
"""Settings of all faces, those of a pass that are not about img2img."""
FACE = {name: f"face_{name}" for name in (FIX, *SINGLE)}
"""The names of the controls of the face that is shown."""
HANDED_ON = (TUNING, *FACE.values(), *COMMON)
"""What every event of the accordion is given."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a person has set when something happens."""

    engine: Engine
    settings: PassSettings
    tuning: FaceOverrides | None
    """With what was changed last in the controls of the face that is shown; None where no faces were found."""


def read_given(values: Mapping[str, Any], engine: Engine) -> Given:
    """Return what is set; raises `BadSetting`. engine: what plans the faces again."""
    settings = PassSettings.from_json(_fit_values({name: values.get(name) for name in COMMON}))
    check_paths([("", settings.to_json())], is_api=False)
    text = values.get(TUNING)
    if not text:
        return Given(engine, settings, None)
    tuning = FaceOverrides.from_text(text, engine)
    check_paths(((f"face {number}: ", own) for number, own in tuning.overrides.items()), is_api=False)
    shown = _fit_values({name: values.get(control) for name, control in FACE.items()})
    return Given(engine, settings, tuning.edit({**tuning.filled, **shown}, settings))


def _fit_values(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: fit_type(value, KINDS.get(name)) for name, value in values.items() if value is not None}
