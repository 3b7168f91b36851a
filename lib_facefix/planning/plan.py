"""Plans and results: the decision for each face, and its outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args

from ..errors import BadPlan, FaceFixError, quote_value
from ..settings.output_size import MAX_PIXELS
from ..settings.treatment import AUTO_RESTORER, Treatment
from ..types import Box, Damage, Face, Image, Mask, Pose
from .identity import IdentityCheck
from .validation import MAX_NUMBER, float_array, is_size, number_in, require

VERSION = 1
"""Version of the JSON of plans, reports and `facefix detect`."""

Decision = Literal["restore", "re-diffuse", "leave"]
Verdict = Literal["fixed", "left", "failed"]


@dataclass(frozen=True, slots=True, eq=False)
class FaceJob:
    """One face and the decision about it."""

    number: int
    """Number of the face, counted from 1 and from left to right over all faces found in the image."""
    face: Face
    decision: Decision
    reason: str
    """Reason for the decision, as a phrase for people."""
    treatment: Treatment
    pose: Pose
    sharpness: float
    """Sharpness of the face, 0 (blurred) to 1 (crisp); see `visible_damage.rate_sharpness`."""
    damage: Damage | None = None
    """What is wrong with the face, as measured; None if a plan does not say."""

    def to_json(self) -> dict[str, Any]:
        """Return the face, the decision and every parameter as JSON data."""
        return {
            **face_to_json(self.number, self.face, self.pose),
            "sharpness": self.sharpness,
            "damage": asdict(self.damage) if self.damage else None,
            "decision": self.decision,
            "reason": self.reason,
            "parameters": {name: value for name, value in self.treatment.to_json().items() if name != "method"},
        }

    @classmethod
    def from_json(cls, entry: Any) -> FaceJob:
        """Read the data of `to_json`, which people may have edited; raises `BadPlan` for invalid data."""
        number = require(entry, "number", "a face")
        if type(number) is not int or not 1 <= number <= MAX_NUMBER:
            raise BadPlan(f"a face: number must be a whole number of at least 1, not {quote_value(number)}")
        where = f"face {number}"
        decision = require(entry, "decision", where)
        if decision not in get_args(Decision):
            raise BadPlan(
                f"{where}: decision must be one of {', '.join(get_args(Decision))}; not {quote_value(decision)}"
            )
        parameters = require(entry, "parameters", where)
        if not isinstance(parameters, Mapping):
            raise BadPlan(f"{where}: parameters must be an object of settings, not {quote_value(parameters)}")
        if "method" in parameters:
            raise BadPlan(f"{where}: set the method in 'decision', not in parameters.method")
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
            damage=_damage_from_json(entry.get("damage"), where),
        )


@dataclass(frozen=True, slots=True, eq=False)
class FixPlan:
    """Every face found in one image, and the decision about it."""

    size: tuple[int, int]
    """Width and height of the planned image, in pixels."""
    jobs: tuple[FaceJob, ...]
    """Jobs in processing order."""
    upscaled: tuple[int, int] | None = None
    """Width and height of the result, in pixels, or None without upscaling."""
    upscaler: str = "lanczos"
    """Name or file path of the upscaler; used only if `upscaled` is set."""

    @property
    def lacks_meshes(self) -> bool:
        """True if a face to fix has no mesh, as in all plans read from JSON."""
        return any(job.decision != "leave" and job.face.mesh is None for job in self.jobs)

    def with_restorer(self, choose: Callable[[], str]) -> FixPlan:
        """Return the plan with a restorer in place of "auto". choose: returns its name, and is called at most once."""
        if all(job.treatment.restorer != AUTO_RESTORER for job in self.jobs):
            return self
        name = choose()
        jobs = (
            replace(job, treatment=job.treatment.but({"restorer": name}))
            if job.treatment.restorer == AUTO_RESTORER
            else job
            for job in self.jobs
        )
        return replace(self, jobs=tuple(jobs))

    def to_json(self) -> dict[str, Any]:
        """Return the plan as JSON data, without version and path."""
        upscale = {"size": list(self.upscaled), "upscaler": self.upscaler} if self.upscaled else None
        return {"size": list(self.size), "upscale": upscale, "faces": [job.to_json() for job in self.jobs]}

    @classmethod
    def from_json(cls, entry: Any) -> FixPlan:
        """Read the data of `to_json`; raises `BadPlan` with the place of the error."""
        size, faces = (require(entry, key, "a plan") for key in ("size", "faces"))
        if not is_size(size):
            raise BadPlan(f"size must be [width, height] in pixels, not {quote_value(size)}")
        upscaled, upscaler = _upscale_from_json(entry.get("upscale"))
        if not isinstance(faces, list):
            raise BadPlan(f"faces must be a list, not {quote_value(faces)}")
        jobs = tuple(FaceJob.from_json(face) for face in faces)
        numbers = [job.number for job in jobs]
        if len(set(numbers)) < len(numbers):
            raise BadPlan(f"two faces have the same number: {quote_value(sorted(numbers))}")
        return cls((size[0], size[1]), jobs, upscaled, upscaler)


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """Outcome of one face. Unless `verdict` is "fixed", its pixels are unchanged."""

    job: FaceJob
    verdict: Verdict
    error: FaceFixError | None = None
    """Reason for a failure."""
    seconds: float = 0.0
    """Wall time for fixing, masking and pasting this face, in seconds."""
    engine: str = ""
    """Backend and precision that the fixer used; empty if it did not run."""
    note: str = ""
    """How the result differs from the settings, for people: a different mask, a milder change to keep the identity, or
    no change."""
    identity: IdentityCheck | None = None
    """Finding of the identity guard; None if it is off, or if nothing was to change."""

    def to_json(self) -> dict[str, Any]:
        """Return the job and its outcome as JSON data."""
        return {
            **self.job.to_json(),
            "outcome": self.verdict,
            "error": None if self.error is None else str(self.error),
            "seconds": round(self.seconds, 4),
            "engine": self.engine,
            "note": self.note,
            "identity": None if self.identity is None else self.identity.to_json(),
        }


@dataclass(frozen=True, slots=True, eq=False)
class LoneFace:
    """A face that was fixed as if it were the only one of its image."""

    outcome: Outcome
    """Outcome of the face."""
    left: int
    """Column of the image in which `pixels` begin."""
    top: int
    """Row of the image in which `pixels` begin."""
    pixels: Image
    """Smallest part of the image that contains all changed pixels, (h, w, 3), RGB; (0, 0, 3) if none has changed."""


@dataclass(frozen=True, slots=True, eq=False)
class FixResult:
    """The fixed image, and the outcome of each face."""

    image: Image
    outcomes: tuple[Outcome, ...]
    size: tuple[int, int] | None = None
    """Width and height, in pixels, of the image that face positions refer to; None means those of `image`."""
    upscaler: str = ""
    """Name of the upscaler used; empty without upscaling."""
    upscaler_engine: str = ""
    """Backend and precision that the upscaler used."""
    mask: Mask | None = None
    """Where the faces could change, (H, W) of the image they were found in, 0 to 1; None if not kept."""

    @property
    def result_size(self) -> tuple[int, int]:
        """Width and height of `image`, in pixels."""
        height, width = self.image.shape[:2]
        return width, height

    @property
    def changed(self) -> bool:
        """True if any face was fixed."""
        return any(outcome.verdict == "fixed" for outcome in self.outcomes)

    def to_json(self) -> dict[str, Any]:
        """Sizes and faces as plain data."""
        now = list(self.image.shape[1::-1])
        upscale = {"size": now, "upscaler": self.upscaler, "engine": self.upscaler_engine} if self.upscaler else None
        return {
            "size": list(self.size or now),
            "upscale": upscale,
            "result_size": now,
            "faces": [outcome.to_json() for outcome in self.outcomes],
        }


def face_to_json(number: int, face: Face, pose: Pose) -> dict[str, Any]:
    """Return a face as JSON data. Floats are exact, so a plan read from JSON gives the same result."""
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
        raise BadPlan(f"{where}: box must have left < right and top < bottom, not {box.tolist()}")
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
    """Return the estimated gender and age, or "" and None if the face has none."""
    if "age" not in entry:
        return "", None
    gender, age = require(entry, "gender", where), number_in(entry, "age", where)
    if not isinstance(gender, str):
        raise BadPlan(f"{where}: gender must be text, not {quote_value(gender)}")
    return gender, round(age)


def _damage_from_json(entry: Any, where: str) -> Damage | None:
    if entry is None:
        return None
    return Damage(**{field.name: number_in(entry, field.name, f"{where}, damage") for field in fields(Damage)})


def _upscale_from_json(upscale: Any) -> tuple[tuple[int, int] | None, str]:
    """Return size and upscaler; the size is None without upscaling."""
    if upscale is None:
        return None, "lanczos"
    size, upscaler = (require(upscale, key, "upscale") for key in ("size", "upscaler"))
    if not is_size(size):
        raise BadPlan(f"upscale: size must be [width, height] in pixels, not {quote_value(size)}")
    if size[0] * size[1] > MAX_PIXELS:
        raise BadPlan(f"upscale: {size[0]}x{size[1]} px is more than {MAX_PIXELS // 10**6} million pixels")
    if not (isinstance(upscaler, str) and upscaler):
        raise BadPlan(f"upscale: upscaler must be the name of an upscaler, not {quote_value(upscaler)}")
    return (size[0], size[1]), upscaler
