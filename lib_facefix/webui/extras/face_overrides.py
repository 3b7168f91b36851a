"""Settings of the single faces of one image, as the page of the extras tab keeps them.

They travel with every event as text, so neither the server nor the host's options keep any of it:

    {"v":1,"picture":"640x512 9f86d08...","found":{...},"overrides":{"2":{"method":"leave"}},"shown":3,"plan":{...}}

"picture" is a fingerprint of the image, "origin" has its generation parameters (null: unknown), "found" has the
detection settings, "plan" is the plan in the format of `facefix plan`, "overrides" has the settings of single faces by
number, "shown" is the number of the face whose controls are on the page (0: none), and "filled" has the values that
those controls started with.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ...errors import BadSetting, FaceFixError
from ...settings.face_prompt import GenerationParams
from ...settings.face_settings import FaceSettings
from ...settings.treatment import Overrides, Treatment
from ..passes.paths import check_paths
from ..passes.settings import SETTING_TYPES, PassSettings, fit_type, parse_units

if TYPE_CHECKING:
    from ...planning.plan import FaceJob, FixPlan
    from ...protocols import Engine
    from ...types import Image

VERSION = 1
ENABLE, IS_SINGLE, TUNING = "enable", "single", "tuning"
FIX = "fix"
"""Name of the switch for fixing a face at all, beside the settings of a face."""
FACE_SETTINGS = ("method", "restorer", "visibility", "fidelity", "denoising_strength", "mask", "mask_grow",
                 "mask_feather", "prompt", "negative_prompt")  # fmt: skip
"""Settings that have their own control for the shown face."""
FACE_CONTROLS = {name: f"face_{name}" for name in (FIX, *FACE_SETTINGS)}
"""Component names of the controls for the shown face."""
SETTINGS = "passes"
"""Component name of the settings for all faces: the page's text of one pass, without settings for img2img only."""
START = PassSettings(guard=FaceSettings().guard)
"""Settings that the tab starts with. The user's own image shows a person to keep, unlike one just generated."""
EVENT_INPUTS = (TUNING, *FACE_CONTROLS.values(), SETTINGS)
"""Component names whose values every event of the accordion receives."""
FIND_AGAIN = "select Find faces again"


@dataclass(frozen=True, slots=True)
class FaceOverrides:
    """The detected faces of one image, and the settings of each."""

    engine: Engine
    """Engine that plans the faces again when a setting changes; not part of the text on the page."""
    picture: str
    """Fingerprint of the image, from `fingerprint`."""
    found: Mapping[str, Any]
    plan: FixPlan
    origin: GenerationParams | None = None
    """Generation parameters of the image; None: unknown, then auto re-diffuses nothing."""
    overrides: Overrides = field(default_factory=dict)
    shown: int = 0
    filled: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def start(
        cls, engine: Engine, image: Image, settings: FaceSettings, plan: FixPlan, origin: GenerationParams | None = None
    ) -> FaceOverrides:
        """Return the overrides of an image whose faces were just detected: none."""
        return cls(engine, fingerprint(image), settings.detection_settings, plan, origin)

    def to_text(self) -> str:
        """Return it as JSON."""
        facts = {name: getattr(self, name) for name in ("picture", "found", "overrides", "shown", "filled")}
        origin = self.origin and asdict(self.origin)
        return json.dumps({"v": VERSION, **facts, "origin": origin, "plan": self.plan.to_json()}, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str, engine: Engine) -> FaceOverrides:
        """Read what `to_text` wrote; raises `BadSetting` for anything else."""
        from ...planning.plan import FixPlan

        try:
            facts = json.loads(text)
            if (version := facts["v"]) == VERSION:
                return cls(
                    engine,
                    picture=str(facts["picture"]),
                    found=dict(facts["found"]),
                    plan=FixPlan.from_json(facts["plan"]),
                    origin=facts["origin"] and GenerationParams(**facts["origin"]),
                    overrides={int(number): dict(changes) for number, changes in facts["overrides"].items()},
                    shown=int(facts["shown"]),
                    filled=dict(facts["filled"]),
                )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, FaceFixError) as error:
            raise BadSetting(f"the face settings on this page are damaged ({error}); {FIND_AGAIN}") from error
        raise BadSetting(f"the face settings on this page have version {version!r}, not {VERSION}; {FIND_AGAIN}")

    def plan_for(self, settings: FaceSettings) -> FixPlan:
        """Return the current plan; raises `BadSetting`."""
        return self.engine.replan(self.plan, settings, overrides=self.overrides, origin=self.origin)

    def explain_mismatch(self, picture: str, settings: FaceSettings) -> str:
        """Return why the faces do not match this image and these settings; blank if they do."""
        if self.picture != picture:
            return "the faces were found in a different image"
        if not settings.detection_settings.items() <= self.found.items():
            return "the detection settings have changed since the faces were found"
        return ""

    def show_face(self, number: int, settings: FaceSettings) -> FaceOverrides:
        """Return a copy that shows the controls of one face."""
        shown = replace(self, shown=number)
        return replace(shown, filled=shown.control_values(settings))

    def control_values(self, settings: FaceSettings) -> dict[str, Any]:
        """Return the values for the controls of the shown face, by the names of FACE_SETTINGS and FIX."""
        job, treatment = self.shown_job(settings), self._requested_treatment(settings)
        method = next(method for method in (treatment.method, settings.method, "auto") if method != "leave")
        return {
            FIX: job.decision != "leave",
            **{name: getattr(treatment, name) for name in FACE_SETTINGS},
            "method": method,
        }

    def shown_job(self, settings: FaceSettings) -> FaceJob:
        """Return the job of the shown face."""
        return next(job for job in self.plan_for(settings).jobs if job.number == self.shown)

    def edit(self, values: Mapping[str, Any], settings: FaceSettings) -> FaceOverrides:
        """Return a copy with the changed controls of the shown face as its overrides.

        values: current values by the names of FACE_SETTINGS and FIX. Raises `BadSetting` for one that is not allowed.
        """
        if not self.shown:
            return self
        changes = {name: values[name] for name in FACE_SETTINGS if values[name] != self.filled.get(name)}
        if values[FIX] != self.filled.get(FIX):
            # auto might skip a face that the person wants fixed
            method = "restore" if values["method"] == "auto" else values["method"]
            changes["method"] = method if values[FIX] else "leave"
        if not changes:
            return self
        own = {**self.overrides.get(self.shown, {}), **changes}
        return replace(self, overrides={**self.overrides, self.shown: own}).show_face(self.shown, settings)

    def apply_to_all(self, settings: FaceSettings) -> FaceOverrides:
        """Return a copy in which every face has the overrides of the shown one."""
        own = self.overrides.get(self.shown, {})
        everyone = {job.number: own for job in self.plan.jobs} if own else {}
        return replace(self, overrides=everyone).show_face(self.shown, settings)

    def _requested_treatment(self, settings: FaceSettings) -> Treatment:
        try:
            return settings.face_treatment().but(self.overrides.get(self.shown, {}))
        except BadSetting as error:
            raise BadSetting(f"face {self.shown}: {error}") from error


def fingerprint(image: Image) -> str:
    """Return the size of an image (H, W, 3) and a hash of its pixels."""
    height, width = image.shape[:2]
    return f"{width}x{height} {hashlib.blake2b(image.tobytes(), digest_size=16).hexdigest()}"


@dataclass(frozen=True, slots=True)
class ExtrasInput:
    """The settings on the page when an event happens."""

    engine: Engine
    settings: PassSettings
    tuning: FaceOverrides | None
    """Overrides that include the latest changes to the shown face; None: no faces were found."""


def read_input(values: Mapping[str, Any], engine: Engine) -> ExtrasInput:
    """Return the settings from values by component name; raises `BadSetting`. engine: plans the faces again.

    None means the default, because the host's own API passes no values for scripts it does not know.
    """
    given = _fit_values(parse_units(values.get(SETTINGS))[0])
    settings = PassSettings.from_json({"guard": START.guard, **given})
    check_paths([("", settings.to_json())], is_api=False)
    text = values.get(TUNING)
    if not text:
        return ExtrasInput(engine, settings, None)
    tuning = FaceOverrides.from_text(text, engine)
    check_paths(((f"face {number}: ", own) for number, own in tuning.overrides.items()), is_api=False)
    shown = _fit_values({name: values.get(control) for name, control in FACE_CONTROLS.items()})
    return ExtrasInput(engine, settings, tuning.edit({**tuning.filled, **shown}, settings))


def _fit_values(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: fit_type(value, SETTING_TYPES.get(name)) for name, value in values.items() if value is not None}
