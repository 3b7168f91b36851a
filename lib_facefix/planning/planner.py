"""Faces + settings -> a plan: who is fixed, how, and why not. No model, no pixels changed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import BadSetting, shown
from ..imaging.quality import pose, sharpness
from ..settings.face_prompt import GenerationParams, read_negative_prompt, read_prompt
from ..settings.face_settings import FaceSettings
from ..settings.number_ranges import read_numbers
from ..settings.output_size import read_upscale
from ..settings.treatment import Overrides, Treatment
from ..types import Face, Image, Pose
from .plan import Decision, FaceJob, FixPlan
from .prompts import drawn_up

KEPT = {
    "size": "largest",
    "confidence": "surest",
    "centre": "most central",
    "left": "furthest to the left",
    "right": "furthest to the right",
}
"""By `keep_by`: which faces are fixed when there are more."""


def make_plan(
    image: Image,
    faces: Sequence[Face],
    settings: FaceSettings,
    overrides: Overrides | None = None,
    origin: GenerationParams | None = None,
) -> FixPlan:
    """Decide for every face of the picture what is to be done, and say why.

    image: the picture the faces were found in, RGB (H, W, 3). origin: what it was made from, where Stable Diffusion is
    at hand; without it, auto re-diffuses nothing. A face with a method of its own is not held to the
    criteria, nor counted by `at_most`. An override for a number that the picture lacks does
    nothing; one that names no setting, or a value out of range, raises `BadSetting`, and so does upscaling to what
    is too large.
    """
    height, width = image.shape[:2]
    seen = [Seen(face, pose(face), sharpness(image, face)) for face in sorted(faces, key=_left_to_right)]
    return _plan_faces(seen, (width, height), settings, overrides, origin)


def plan_again(
    plan: FixPlan, settings: FaceSettings, overrides: Overrides | None = None, origin: GenerationParams | None = None
) -> FixPlan:
    """Return a plan for the same faces of the same picture with other settings; see `make_plan`.

    The picture is not needed: what was seen of each face stands in the plan. Raises `BadSetting`, also where the faces
    were not looked at for a criterion of the settings when they were found.
    """
    _check_known([job.face for job in plan.jobs], settings)
    jobs = sorted(plan.jobs, key=lambda job: job.number)
    return _plan_faces(
        [Seen(job.face, job.pose, job.sharpness) for job in jobs], plan.size, settings, overrides, origin
    )


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What can be said of a face before anything is decided about it."""

    face: Face
    pose: Pose
    sharpness: float
    """0..1."""


def _plan_faces(
    seen: Sequence[Seen],
    size: tuple[int, int],
    settings: FaceSettings,
    overrides: Overrides | None,
    origin: GenerationParams | None,
) -> FixPlan:
    """Decide about the faces of a picture, given from left to right. size: its width and height."""
    everyone = settings.of_one_face()
    own = {number: _treatment(number, everyone, changes) for number, changes in (overrides or {}).items()}
    asked = {number for number, changes in (overrides or {}).items() if "method" in changes}
    upscale = read_upscale(settings.upscale)
    upscaled = upscale.of(*size) if upscale else None
    numbered = dict(enumerate(seen, start=1))
    counted = {number: one.face for number, one in numbered.items() if number not in asked}
    excluded = _find_excluded(counted, settings, size)
    jobs = [
        _job(number, one, settings, own.get(number, everyone), excluded.get(number), redraws=origin is not None)
        for number, one in numbered.items()
    ]
    jobs.sort(key=lambda job: _rank(job, settings.order, *size))
    jobs = drawn_up(jobs, everyone, size, origin)
    return FixPlan(size, tuple(jobs), upscaled, settings.upscaler)


def _check_known(faces: Sequence[Face], settings: FaceSettings) -> None:
    """Raise `BadSetting` where a criterion goes by what nobody looked at when the faces were found."""
    if settings.guesses and any(face.age is None for face in faces):
        raise BadSetting("gender and age were not looked at when these faces were found; find the faces again")
    aligned = [face for face in faces if face.landmarks is not None]
    if settings.person and aligned and all(face.distance is None for face in aligned):
        raise BadSetting("these faces were found without the reference photo; find the faces again")


def read_override(text: str) -> tuple[int, dict[str, Any]]:
    """Read one "3:fidelity=0.9" -> (3, {"fidelity": 0.9}); raises `BadSetting`."""
    found = re.fullmatch(r"\s*(\d{1,4})\s*:\s*([a-z_]+)\s*=(.*)", text, re.DOTALL)
    if not found:
        raise BadSetting(f'settings of one face are written like "3:fidelity=0.9", not {shown(text)}')
    name, value = found[2], found[3].strip()
    kinds = {field: type(default) for field, default in Treatment().to_json().items()}
    kind = kinds.get(name, str)
    if kind is bool:
        return int(found[1]), {name: {"true": True, "false": False}.get(value.lower(), value)}
    try:
        return int(found[1]), {name: kind(value)}
    except ValueError:
        return int(found[1]), {name: value}  # the setting itself says what it wants


def _left_to_right(face: Face) -> tuple[float, float]:
    return face.box.centre


def _rank(job: FaceJob, order: str, width: int, height: int) -> tuple[float, int]:
    """Return what to sort by, so that the first to be fixed comes first."""
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
    """Return for each face that the criteria rule out why they do."""
    wanted = read_numbers(settings.faces)
    reasons = {}
    for number, face in numbered.items():
        reason = _unfit(face, settings, size)
        if wanted and number not in wanted:
            reason = f"not among the chosen numbers ({settings.faces})"
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
    """Return why the face's size, its looks, or whose it is, rule it out, if anything does."""
    pixels, share = face.box.size, face.box.area / (size[0] * size[1])
    if pixels < settings.min_size:
        return f"smaller than {settings.min_size} px ({pixels:.0f} px)"
    if settings.max_size and pixels > settings.max_size:
        return f"larger than {settings.max_size} px ({pixels:.0f} px)"
    if share < settings.min_share:
        return f"covers less than {settings.min_share:.1%} of the picture ({share:.2%})"
    if share > settings.max_share:
        return f"covers more than {settings.max_share:.1%} of the picture ({share:.2%})"
    looks = _looks_otherwise(face, settings) if settings.guesses else None
    return looks or (_of_someone_else(face, settings) if settings.person else None)


def _looks_otherwise(face: Face, settings: FaceSettings) -> str | None:
    """Return why gender or age, as a model guesses them, rule a face out, if they do."""
    if face.age is None:
        return "gender and age are not known"
    if settings.gender not in ("any", face.gender):
        return f"looks {face.gender}"
    if face.age < settings.min_age:
        return f"looks younger than {settings.min_age} ({face.age})"
    if settings.max_age and face.age > settings.max_age:
        return f"looks older than {settings.max_age} ({face.age})"
    return None


def _of_someone_else(face: Face, settings: FaceSettings) -> str | None:
    """Return why a face is not the one that the reference photo asks for, if it is not."""
    only = settings.person_means == "only"
    if face.distance is None:
        return "cannot be compared with the reference photo" if only else None
    if only and face.distance > settings.person_within:
        return f"not the person of the reference photo ({face.distance:.2f})"
    if not only and face.distance <= settings.person_within:
        return f"the person of the reference photo ({face.distance:.2f})"
    return None


def _treatment(number: int, everyone: Treatment, changes: Mapping[str, Any]) -> Treatment:
    """Return how this face in particular is to be fixed."""
    try:
        treatment = everyone.but(changes)
        read_prompt(treatment.prompt)
        read_negative_prompt(treatment.negative_prompt)
    except BadSetting as error:
        raise BadSetting(f"face {number}: {error}") from error
    return treatment


def _job(
    number: int, seen: Seen, settings: FaceSettings, treatment: Treatment, excluded: str | None, *, redraws: bool
) -> FaceJob:
    """Decide about one face. excluded: why the criteria rule it out; redraws: whether auto may re-diffuse."""
    if excluded:
        decision: Decision = "leave"
        reason = excluded
    else:
        decision, reason = _decide(
            seen.face, seen.sharpness, treatment, settings, settings.redraw_below if redraws else 0
        )
    return FaceJob(number, seen.face, decision, reason, treatment, seen.pose, seen.sharpness)


def _decide(
    face: Face,
    sharp: float,
    treatment: Treatment,
    settings: FaceSettings,
    redraw_below: int,
) -> tuple[Decision, str]:
    """Return what is to be done with a face that the criteria let through, and why."""
    if treatment.method == "restore":
        return "restore", "asked for"
    if treatment.method == "re-diffuse":
        return "re-diffuse", "asked for"
    if treatment.method == "leave":
        return "leave", "asked to be left"
    size = f"{face.box.size:.0f} px"
    fix: Decision = "re-diffuse" if face.box.size < redraw_below else "restore"
    if sharp < settings.sharp_above:
        return fix, f"not sharp ({sharp:.2f}), {size}"
    if face.box.size < settings.large_above:
        return fix, f"small ({size})"
    return "leave", f"already sharp ({sharp:.2f}) and large ({size})"
