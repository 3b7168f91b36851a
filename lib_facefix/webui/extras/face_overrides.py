"""What a person has set for the single faces of one picture, as the page of the extras tab keeps it.

It travels with every event as a text, so that nothing of it is kept on the server, nor in the host's options:

    {"v":1,"picture":"640x512 9f86d08...","found":{...},"overrides":{"2":{"method":"leave"}},"shown":3,"plan":{...}}

"picture" tells the picture apart from all others, "origin" is what it was made from, where that is known, "found" has
the settings that its faces were found with, "plan" is the plan as `facefix plan` writes it, "overrides" has the
settings of single faces by number, "shown" is the number of the face whose controls are on the page, 0 for none, and
"filled" what they were filled with.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ...errors import BadSetting, FaceFixError
from ...planning.plan import FaceJob, FixPlan
from ...protocols import Engine
from ...settings.face_prompt import GenerationParams
from ...settings.face_settings import FaceSettings
from ...settings.treatment import Overrides, Treatment
from ...types import Image

VERSION = 1
FIX = "fix"
"""Beside the settings of a face: whether it is fixed at all."""
SINGLE = ("method", "restorer", "visibility", "fidelity", "denoising_strength", "mask", "mask_grow", "mask_feather",
          "prompt", "negative_prompt")  # fmt: skip
"""Settings that have a control of their own for the face that is shown."""
FIND_AGAIN = "press Find faces again"


@dataclass(frozen=True, slots=True)
class FaceOverrides:
    """The faces that were found in one picture, and what a person wants of each."""

    engine: Engine
    """Plans them again when a setting changes; the page does not keep it."""
    picture: str
    """As `fingerprint` gives it."""
    found: Mapping[str, Any]
    plan: FixPlan
    origin: GenerationParams | None = None
    """What the picture was made from, where that is known; without it, auto re-diffuses nothing."""
    overrides: Overrides = field(default_factory=dict)
    shown: int = 0
    filled: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def start(
        cls, engine: Engine, image: Image, settings: FaceSettings, plan: FixPlan, origin: GenerationParams | None = None
    ) -> FaceOverrides:
        """Return that of a picture whose faces were just found; nothing is set for any of them."""
        return cls(engine, fingerprint(image), settings.detection_settings, plan, origin)

    def to_text(self) -> str:
        """Return it as JSON."""
        told = {
            "v": VERSION,
            "picture": self.picture,
            "origin": self.origin and asdict(self.origin),
            "found": self.found,
            "overrides": self.overrides,
            "shown": self.shown,
            "filled": self.filled,
            "plan": self.plan.to_json(),
        }
        return json.dumps(told, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str, engine: Engine) -> FaceOverrides:
        """Read what `to_text` wrote; raises `BadSetting` for anything else."""
        try:
            told = json.loads(text)
            version = told["v"]
            known = cls._from_json(told, engine) if version == VERSION else None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, FaceFixError) as error:
            raise BadSetting(f"what this page says of the faces is damaged ({error}); {FIND_AGAIN}") from error
        if known is None:
            raise BadSetting(f"the faces on this page are of version {version!r}, not {VERSION}; {FIND_AGAIN}")
        return known

    @classmethod
    def _from_json(cls, told: Mapping[str, Any], engine: Engine) -> FaceOverrides:
        return cls(
            engine,
            picture=str(told["picture"]),
            found=dict(told["found"]),
            plan=FixPlan.from_json(told["plan"]),
            origin=told["origin"] and GenerationParams(**told["origin"]),
            overrides={int(number): dict(changes) for number, changes in told["overrides"].items()},
            shown=int(told["shown"]),
            filled=dict(told["filled"]),
        )

    def plan_for(self, settings: FaceSettings) -> FixPlan:
        """Return what is to be done now; raises `BadSetting`."""
        return self.engine.replan(self.plan, settings, overrides=self.overrides, origin=self.origin)

    def why_not_for(self, picture: str, settings: FaceSettings) -> str:
        """Return why the faces are not those of this picture under these settings; blank where they are."""
        if self.picture != picture:
            return "this is another picture than the one whose faces were set"
        if not settings.detection_settings.items() <= self.found.items():
            return "the settings for finding faces have changed since they were found"
        return ""

    def showing(self, number: int, settings: FaceSettings) -> FaceOverrides:
        """Return this with the controls of one face on the page."""
        shown = replace(self, shown=number)
        return replace(shown, filled=shown.values(settings))

    def values(self, settings: FaceSettings) -> dict[str, Any]:
        """Return what the controls of the shown face are to show, by the names of SINGLE and FIX."""
        job, asked = self.job(settings), self._requested_treatment(settings)
        method = next(method for method in (asked.method, settings.method, "auto") if method != "leave")
        return {FIX: job.decision != "leave", **{name: getattr(asked, name) for name in SINGLE}, "method": method}

    def job(self, settings: FaceSettings) -> FaceJob:
        """Return what is to be done with the shown face."""
        return next(job for job in self.plan_for(settings).jobs if job.number == self.shown)

    def edit(self, values: Mapping[str, Any], settings: FaceSettings) -> FaceOverrides:
        """Return this with what a person changed in the controls of the shown face.

        values: what they show now, by the names of SINGLE and FIX. Raises `BadSetting` for one that is not allowed.
        """
        if not self.shown:
            return self
        changes = {name: values[name] for name in SINGLE if values[name] != self.filled.get(name)}
        if values[FIX] != self.filled.get(FIX):
            changes["method"] = _sure(values["method"]) if values[FIX] else "leave"
        if not changes:
            return self
        own = {**self.overrides.get(self.shown, {}), **changes}
        return replace(self, overrides={**self.overrides, self.shown: own}).showing(self.shown, settings)

    def alike(self, settings: FaceSettings) -> FaceOverrides:
        """Return this with every face set as the shown one is."""
        own = self.overrides.get(self.shown, {})
        everyone = {job.number: own for job in self.plan.jobs} if own else {}
        return replace(self, overrides=everyone).showing(self.shown, settings)

    def _requested_treatment(self, settings: FaceSettings) -> Treatment:
        try:
            return settings.face_treatment().but(self.overrides.get(self.shown, {}))
        except BadSetting as error:
            raise BadSetting(f"face {self.shown}: {error}") from error


def fingerprint(image: Image) -> str:
    """Return the size of a picture and a hash of its pixels, (H, W, 3)."""
    height, width = image.shape[:2]
    return f"{width}x{height} {hashlib.blake2b(image.tobytes(), digest_size=16).hexdigest()}"


def _sure(method: str) -> str:
    """Return the method for a face that is to be fixed in any case: auto might leave it."""
    return "restore" if method == "auto" else method
