"""The settings of one pass in the WebUI: all that the library has, and what only a WebUI knows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import BadSetting
from ...settings.face_settings import FaceSettings
from ...settings.options import Option, option, options

INPAINT = ("all", "inside", "outside")
ELSEWHERE = {
    "upscale": "the WebUI enlarges pictures itself (Hires fix, extras)",
    "upscaler": "the WebUI enlarges pictures itself (Hires fix, extras)",
}
"""Settings of the library that a pass does not have, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassSettings(FaceSettings):
    """One pass over the faces of a picture."""

    active: bool = option(True, "Active", group="pass", help="Whether this pass is done.")
    inpaint: str = option(
        "all", "Faces of an inpainted picture", choices=lambda: INPAINT, group="mask",
        help="Inpainting in img2img: all faces, those inside the inpainted area, or those outside it.",
    )  # fmt: skip
    skip_img2img: bool = option(
        False, "Fix only, skip img2img", group="pass",
        help="img2img: the picture stays as it was put in, only its faces are fixed.",
    )  # fmt: skip

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> PassSettings:
        """Make a pass from names and values; raises `BadSetting` for what is unknown or out of range."""
        known = [field.name for field, _ in OFFERED]
        for name in values:
            if name in ELSEWHERE:
                raise BadSetting(f"{name!r} is no setting of a pass: {ELSEWHERE[name]}")
            if name not in known:
                raise BadSetting(f"unknown setting {name!r}; on offer: {', '.join(known)}")
        return cls(**values)


OFFERED: tuple[tuple[dataclasses.Field[Any], Option], ...] = tuple(
    (field, known) for field, known in options(PassSettings) if field.name not in ELSEWHERE
)
"""What a pass has, in the order in which it is shown, sent and recorded."""
