"""Making plans: deciding which faces to fix, how, and why. Uses no model and changes no pixels."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import BadSetting, quote_value
from ..imaging.damage.measure import measure_damage
from ..imaging.quality import pose
from ..settings.face_prompt import GenerationParams, read_negative_prompt, read_numbers, read_prompt
from ..settings.face_settings import FaceSettings
from ..settings.output_size import read_upscale
from ..settings.treatment import Overrides, Treatment
from ..types import Damage, Face, Image, Pose
from .plan import Decision, FaceJob, FixPlan
from .prompts import resolve_prompts
from .visible_damage import describe_blur, is_large_in_effect, list_flaws, rate_sharpness

KEPT = {
    "size": "largest",
    "confidence": "most confident",
    "centre": "most central",
    "left": "leftmost",
    "right": "rightmost",
}
"""Words of the reason why a face was not kept, by the values of the setting `keep_by`."""


def make_plan(
    image: Image,
    faces: Sequence[Face],
    settings: FaceSettings,
    overrides: Overrides | None = None,
    origin: GenerationParams | None = None,
) -> FixPlan:
    """Decide how to fix every face of an image, with the reason for each decision.

    image: RGB (H, W, 3), uint8, in which the faces were found. origin: the image's generation parameters if Stable
    Diffusion is available; without them, auto re-diffuses no face. Faces with an override of the method bypass the
    criteria and do not count towards `at_most`. Overrides of faces that do not exist are ignored. Raises `BadSetting`
    for an unknown or invalid override, and for a result that would be too large.
    """
    height, width = image.shape[:2]
    seen = [_see_face(image, face) for face in sorted(faces, key=lambda face: face.box.centre)]
    return _plan_faces(seen, (width, height), settings, overrides, origin)


def replan_faces(
    plan: FixPlan, settings: FaceSettings, overrides: Overrides | None = None, origin: GenerationParams | None = None
) -> FixPlan:
    """Return a plan for the same faces with other settings, without the image; see `make_plan`.

    Raises `BadSetting`, also if the plan lacks a face attribute that the settings use as a criterion.
    """
    _check_known([job.face for job in plan.jobs], settings)
    jobs = sorted(plan.jobs, key=lambda job: job.number)
    seen = [Seen(job.face, job.pose, job.sharpness, job.damage) for job in jobs]
    return _plan_faces(seen, plan.size, settings, overrides, origin)


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A face with the measurements that decisions are based on."""

    face: Face
    pose: Pose
    sharpness: float
    """Sharpness of the face, 0 (blurred) to 1 (crisp)."""
    damage: Damage | None
    """What is wrong with the face; None in plans without these measurements."""


def _see_face(image: Image, face: Face) -> Seen:
    damage = measure_damage(image, face)
    return Seen(face, pose(face), rate_sharpness(damage, face.box.width), damage)


def _plan_faces(
    seen: Sequence[Seen],
    size: tuple[int, int],
    settings: FaceSettings,
    overrides: Overrides | None,
    origin: GenerationParams | None,
) -> FixPlan:
    """Decide about faces given from left to right. size: width and height of the image, in pixels."""
    everyone, overrides = settings.face_treatment(), overrides or {}
    own = {number: _treatment(number, everyone, changes) for number, changes in overrides.items()}
    upscale = read_upscale(settings.upscale)
    upscaled = upscale.result_size(*size) if upscale else None
    numbered = dict(enumerate(seen, start=1))
    counted = {number: item.face for number, item in numbered.items() if "method" not in overrides.get(number, {})}
    excluded = _find_excluded(counted, settings, size)
    redraw_below = 0 if origin is None else settings.redraw_below
    jobs = [
        _make_job(number, item, settings, own.get(number, everyone), excluded.get(number), redraw_below)
        for number, item in numbered.items()
    ]
    jobs.sort(key=lambda job: _rank(job, settings.order, *size))
    jobs = resolve_prompts(jobs, everyone, size, origin)
    return FixPlan(size, tuple(jobs), upscaled, settings.upscaler)


def _check_known(faces: Sequence[Face], settings: FaceSettings) -> None:
    """Raise `BadSetting` if the settings use a face attribute that was not computed when the faces were found."""
    if settings.uses_attributes and any(face.age is None for face in faces):
        raise BadSetting("the plan has no gender and age of these faces. Detect the faces again")
    aligned = [face for face in faces if face.landmarks is not None]
    if settings.person and aligned and all(face.distance is None for face in aligned):
        raise BadSetting("these faces were not compared with the reference photo. Detect the faces again")


def read_override(text: str) -> tuple[int, dict[str, Any]]:
    """Parse "3:fidelity=0.9" -> (3, {"fidelity": 0.9}); raises `BadSetting`."""
    found = re.fullmatch(r"\s*(\d{1,4})\s*:\s*([a-z_]+)\s*=(.*)", text, re.DOTALL)
    if not found:
        raise BadSetting(f'settings of one face must look like "3:fidelity=0.9", not {quote_value(text)}')
    name, value = found[2], found[3].strip()
    kinds = {field: type(default) for field, default in Treatment().to_json().items()}
    kind = kinds.get(name, str)
    if kind is bool:
        return int(found[1]), {name: {"true": True, "false": False}.get(value.lower(), value)}
    try:
        return int(found[1]), {name: kind(value)}
    except ValueError:
        return int(found[1]), {name: value}  # the setting itself reports what it accepts


def _rank(job: FaceJob, order: str, width: int, height: int) -> tuple[float, int]:
    """Return the sort key of a face in processing order."""
    by = {
        "left to right": float(job.number),
        "size": -job.face.box.size,
        "confidence": -job.face.score,
        "centre": _from_centre(job.face, width, height),
    }[order]
    return by, job.number


def _from_centre(face: Face, width: int, height: int) -> float:
    x, y = face.box.centre
    return float(np.hypot(x - width / 2, y - height / 2))


def _find_excluded(numbered: Mapping[int, Face], settings: FaceSettings, size: tuple[int, int]) -> dict[int, str]:
    """Return the reason for each face that the criteria exclude, by number."""
    wanted = read_numbers(settings.faces)
    reasons = {}
    for number, face in numbered.items():
        reason = _unfit(face, settings, size)
        if wanted and number not in wanted:
            reason = f"not in the selected face numbers ({settings.faces})"
        if reason:
            reasons[number] = reason
    left = [number for number in numbered if number not in reasons]
    if 0 < settings.at_most < len(left):
        best = {
            "size": lambda n: -numbered[n].box.size,
            "confidence": lambda n: -numbered[n].score,
            "centre": lambda n: _from_centre(numbered[n], *size),
            "left": lambda n: float(n),
            "right": lambda n: -float(n),
        }[settings.keep_by]
        how = KEPT[settings.keep_by]
        for number in sorted(left, key=best)[settings.at_most :]:
            reasons[number] = f"not one of the {settings.at_most} {how}"
    return reasons


def _unfit(face: Face, settings: FaceSettings, size: tuple[int, int]) -> str | None:
    """Return why the size, gender, age or person excludes a face, or None if nothing does."""
    pixels, share = face.box.size, face.box.area / (size[0] * size[1])
    if pixels < settings.min_size:
        return f"smaller than {settings.min_size} px ({pixels:.0f} px)"
    if settings.max_size and pixels > settings.max_size:
        return f"larger than {settings.max_size} px ({pixels:.0f} px)"
    if share < settings.min_share:
        return f"covers less than {settings.min_share:.1%} of the image ({share:.2%})"
    if share > settings.max_share:
        return f"covers more than {settings.max_share:.1%} of the image ({share:.2%})"
    looks = _looks_otherwise(face, settings) if settings.uses_attributes else None
    return looks or (_of_someone_else(face, settings) if settings.person else None)


def _looks_otherwise(face: Face, settings: FaceSettings) -> str | None:
    """Return why the estimated gender or age excludes a face, or None if it does not."""
    if face.age is None:
        return "gender and age are unknown"
    if settings.gender not in ("any", face.gender):
        return f"looks {face.gender}"
    if face.age < settings.min_age:
        return f"looks younger than {settings.min_age} ({face.age})"
    if settings.max_age and face.age > settings.max_age:
        return f"looks older than {settings.max_age} ({face.age})"
    return None


def _of_someone_else(face: Face, settings: FaceSettings) -> str | None:
    """Return why the comparison with the reference photo excludes a face, or None if it does not."""
    only = settings.person_means == "only"
    if face.distance is None:
        return "cannot be compared with the reference photo" if only else None
    if only and face.distance > settings.person_within:
        return f"not the person in the reference photo ({face.distance:.2f})"
    if not only and face.distance <= settings.person_within:
        return f"the person in the reference photo ({face.distance:.2f})"
    return None


def _treatment(number: int, everyone: Treatment, changes: Mapping[str, Any]) -> Treatment:
    """Return the treatment of one face with its overrides; raises `BadSetting` with the face number."""
    try:
        treatment = everyone.but(changes)
        read_prompt(treatment.prompt)
        read_negative_prompt(treatment.negative_prompt)
    except BadSetting as error:
        raise BadSetting(f"face {number}: {error}") from error
    return treatment


def _make_job(
    number: int, seen: Seen, settings: FaceSettings, treatment: Treatment, excluded: str | None, redraw_below: int
) -> FaceJob:
    """Decide about one face.

    excluded: why the criteria exclude it. redraw_below: size in pixels below which auto re-diffuses; 0 never does.
    """
    decision, reason = _decide(seen, treatment, settings, redraw_below)
    if excluded:
        decision, reason = "leave", excluded
    return FaceJob(number, seen.face, decision, reason, treatment, seen.pose, seen.sharpness, seen.damage)


def _decide(seen: Seen, treatment: Treatment, settings: FaceSettings, redraw_below: int) -> tuple[Decision, str]:
    """Return the decision for a face that meets the criteria, and the reason."""
    if treatment.method == "restore":
        return "restore", "chosen by you"
    if treatment.method == "re-diffuse":
        return "re-diffuse", "chosen by you"
    if treatment.method == "leave":
        return "leave", "your choice"
    pixels = seen.face.box.size
    flaws = _list_flaws(seen, settings)
    if not flaws:
        detail = f" ({seen.damage.detail:.0f} px of detail)" if seen.damage else ""
        return "leave", f"already sharp, large, and clean{detail}"
    return "re-diffuse" if pixels < redraw_below else "restore", ", ".join(flaws)


def _list_flaws(seen: Seen, settings: FaceSettings) -> list[str]:
    """Return what speaks against leaving a face alone, as phrases for people."""
    pixels, width, damage = seen.face.box.size, seen.face.box.width, seen.damage
    flaws = [f"small ({pixels:.0f} px)"] if pixels < settings.large_above else []
    if not settings.sharp_above:
        return flaws
    if damage is None:
        blurred = f"not sharp ({seen.sharpness:.2f} < {settings.sharp_above:.2f})"
        return flaws + [blurred] * (seen.sharpness < settings.sharp_above)
    if seen.sharpness < settings.sharp_above or not (flaws or is_large_in_effect(damage, settings.large_above)):
        flaws.append(describe_blur(damage, width))
    return flaws + list_flaws(damage)
