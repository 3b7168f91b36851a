"""What is decided for each face before any work is done, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from ..errors import BadPlan, FaceFixError, shown
from ..settings.output_size import MOST_PIXELS
from ..settings.treatment import Treatment
from ..types import Box, Face, Image, Pose
from .validation import MOST, float_array, is_size, number_in, require

VERSION = 1
"""Of the JSON that plans, reports and `facefix detect` share."""


Decision = Literal["restore", "re-diffuse", "leave"]
Verdict = Literal["fixed", "left", "failed"]


@dataclass(frozen=True, slots=True, eq=False)
class FaceJob:
    """One face and all that is decided for it."""

    number: int
    """From 1, left to right over all faces found in the picture, whatever was chosen."""
    face: Face
    decision: Decision
    reason: str
    """A sentence's worth of words: why this was decided."""
    treatment: Treatment
    pose: Pose
    sharpness: float
    """0 (nothing but blur) .. 1 (crisp), see `imaging.quality`."""

    def to_json(self) -> dict[str, Any]:
        """The face, the decision and every parameter, as plain data."""
        return {
            **face_to_json(self.number, self.face, self.pose),
            "sharpness": self.sharpness,
            "decision": self.decision,
            "reason": self.reason,
            "parameters": {name: value for name, value in self.treatment.to_json().items() if name != "method"},
        }

    @classmethod
    def from_json(cls, entry: Any) -> FaceJob:
        """Read what `to_json` wrote, perhaps edited by a person; raises `BadPlan` or `BadSetting`."""
        number = require(entry, "number", "a face")
        if type(number) is not int or not 1 <= number <= MOST:
            raise BadPlan(f"a face: number must be a whole number from 1 on, not {shown(number)}")
        where = f"face {number}"
        decision = require(entry, "decision", where)
        if decision not in get_args(Decision):
            raise BadPlan(f"{where}: decision must be one of {', '.join(get_args(Decision))}; not {shown(decision)}")
        parameters = require(entry, "parameters", where)
        if not isinstance(parameters, Mapping):
            raise BadPlan(f"{where}: parameters must be an object of settings, not {shown(parameters)}")
        if "method" in parameters:
            raise BadPlan(f"{where}: a plan says what is to be done in 'decision', not in parameters.method")
        try:
            treatment = Treatment().but(parameters)
        except FaceFixError as error:
            raise BadPlan(f"{where}: {error}") from error
        return cls(
            number=number,
            face=_face_from_json(entry, where),
            decision=decision,
            reason=str(entry.get("reason", "")),
            treatment=treatment,
            pose=Pose(*(number_in(require(entry, "pose", where), axis, where) for axis in Pose.__slots__)),
            sharpness=number_in(entry, "sharpness", where),
        )


@dataclass(frozen=True, slots=True, eq=False)
class FixPlan:
    """Every face found in one picture and what is to be done to it."""

    size: tuple[int, int]
    """Width and height of the picture it was made for, pixels."""
    jobs: tuple[FaceJob, ...]
    """In the order in which they are to be done."""
    upscaled: tuple[int, int] | None = None
    """Width and height of the result, pixels; None: those of the picture, and nothing enlarges it."""
    upscaler: str = "lanczos"
    """What enlarges it, where anything does."""

    @property
    def lacks_meshes(self) -> bool:
        """Whether a face that is to be fixed has no mesh, as none does that was read from JSON."""
        return any(job.decision != "leave" and job.face.mesh is None for job in self.jobs)

    def to_json(self) -> dict[str, Any]:
        """The plan as plain data; the caller adds version and path."""
        upscale = {"size": list(self.upscaled), "upscaler": self.upscaler} if self.upscaled else None
        return {"size": list(self.size), "upscale": upscale, "faces": [job.to_json() for job in self.jobs]}

    @classmethod
    def from_json(cls, entry: Any) -> FixPlan:
        """Read what `to_json` wrote; raises `BadPlan` saying where it is wrong."""
        size, faces = (require(entry, key, "a plan") for key in ("size", "faces"))
        if not is_size(size):
            raise BadPlan(f"size must be [width, height] in pixels, not {shown(size)}")
        upscaled, upscaler = _upscale_from_json(entry.get("upscale"))
        if not isinstance(faces, list):
            raise BadPlan(f"faces must be a list, not {shown(faces)}")
        jobs = tuple(FaceJob.from_json(face) for face in faces)
        numbers = [job.number for job in jobs]
        if len(set(numbers)) < len(numbers):
            raise BadPlan(f"two faces have the same number: {shown(sorted(numbers))}")
        return cls((size[0], size[1]), jobs, upscaled, upscaler)


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What became of one face. Where `verdict` is not "fixed" the picture keeps its exact bytes."""

    job: FaceJob
    verdict: Verdict
    error: FaceFixError | None = None
    """Why it failed."""
    seconds: float = 0.0
    """Wall time spent on this face alone: fixing, masking, pasting."""
    engine: str = ""
    """What ran the fixer and in which precision; empty where it did not come to that."""
    note: str = ""
    """In words, what was done otherwise than asked: another mask, or nothing, as the mask is empty."""

    def to_json(self) -> dict[str, Any]:
        """The job as plain data, with what came of it."""
        return {
            **self.job.to_json(),
            "outcome": self.verdict,
            "error": None if self.error is None else str(self.error),
            "seconds": round(self.seconds, 4),
            "engine": self.engine,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True, eq=False)
class FixResult:
    """The fixed picture, and what became of each face in it."""

    image: Image
    outcomes: tuple[Outcome, ...]
    size: tuple[int, int] | None = None
    """Width and height of the picture that the faces' positions are in; None: those of `image`."""
    upscaler: str = ""
    """What enlarged it; empty where nothing did."""
    upscaler_engine: str = ""
    """What ran that and in which precision."""

    @property
    def result_size(self) -> tuple[int, int]:
        """Width and height of `image`."""
        height, width = self.image.shape[:2]
        return width, height

    @property
    def changed(self) -> bool:
        """True if any face was fixed."""
        return any(outcome.verdict == "fixed" for outcome in self.outcomes)

    def to_json(self) -> dict[str, Any]:
        """Sizes and faces as plain data."""
        now = list(self.result_size)
        upscale = {"size": now, "upscaler": self.upscaler, "engine": self.upscaler_engine} if self.upscaler else None
        return {
            "size": list(self.size or self.result_size),
            "upscale": upscale,
            "result_size": now,
            "faces": [outcome.to_json() for outcome in self.outcomes],
        }


def face_to_json(number: int, face: Face, pose: Pose) -> dict[str, Any]:
    """One face as plain data; floats are exact, so that what is read back gives the same picture."""
    box = face.box
    return {
        "number": number,
        "box": [box.left, box.top, box.right, box.bottom],
        "score": face.score,
        "landmarks": None if face.landmarks is None else face.landmarks.tolist(),
        **({} if face.outline is None else {"outline": face.outline.tolist()}),
        **({} if face.distance is None else {"distance": face.distance}),
        **({} if face.age is None else {"gender": face.gender, "age": face.age}),
        "tilt": face.tilt,
        "pose": {axis: getattr(pose, axis) for axis in Pose.__slots__},
        "size": box.size,
    }


def _face_from_json(entry: Any, where: str) -> Face:
    box = float_array(require(entry, "box", where), (4,), f"{where}: box", "[left, top, right, bottom]")
    if not (box[0] < box[2] and box[1] < box[3]):
        raise BadPlan(f"{where}: box must run from left to right and top to bottom, not {box.tolist()}")
    landmarks = require(entry, "landmarks", where)
    if landmarks is not None:
        landmarks = float_array(landmarks, (5, 2), f"{where}: landmarks", "five [x, y] pairs")
    tilt = number_in(entry, "tilt", where) if "tilt" in entry else 0.0
    outline = entry.get("outline")
    if outline is not None:
        corners = len(outline) if isinstance(outline, list) else 0
        outline = float_array(outline, (max(3, corners), 2), f"{where}: outline", "three or more [x, y] pairs")
    distance = number_in(entry, "distance", where) if "distance" in entry else None
    gender, age = _looks_from_json(entry, where)
    return Face(
        Box(*box.tolist()),
        number_in(entry, "score", where),
        landmarks,
        tilt,
        outline=outline,
        distance=distance,
        gender=gender,
        age=age,
    )


def _looks_from_json(entry: Any, where: str) -> tuple[str, int | None]:
    """Return gender and age, as a model guessed them; of a face that no model saw, neither."""
    if "age" not in entry:
        return "", None
    gender, age = require(entry, "gender", where), number_in(entry, "age", where)
    if not isinstance(gender, str):
        raise BadPlan(f"{where}: gender must be a text, not {shown(gender)}")
    return gender, round(age)


def _upscale_from_json(upscale: Any) -> tuple[tuple[int, int] | None, str]:
    """Return size and upscaler; without an upscale, no size."""
    if upscale is None:
        return None, "lanczos"
    size, upscaler = (require(upscale, key, "upscale") for key in ("size", "upscaler"))
    if not is_size(size):
        raise BadPlan(f"upscale: size must be [width, height] in pixels, not {shown(size)}")
    if size[0] * size[1] > MOST_PIXELS:
        raise BadPlan(f"upscale: {size[0]}x{size[1]} px are more than {MOST_PIXELS // 10**6} million")
    if not (isinstance(upscaler, str) and upscaler):
        raise BadPlan(f"upscale: upscaler must be the name of one, not {shown(upscaler)}")
    return (size[0], size[1]), upscaler
