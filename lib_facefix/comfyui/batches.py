"""Detected faces and plans of a batch of images, as they travel between nodes. Needs no ComfyUI."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..errors import BadPlan, BadSetting, FaceFixError
from ..settings.detector_expression import split_classes
from ..settings.face_settings import SENT_PHOTO, FaceSettings
from .controls import Files, find_path

if TYPE_CHECKING:
    from ..facefix import FaceFix
    from ..planning.plan import FaceJob, FixPlan, FixResult
    from ..settings.face_prompt import GenerationParams
    from ..types import Face, Image

Size = tuple[int, int]
Classes = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """The faces that were found in each image of a batch."""

    size: Size
    """Width and height of the images, in pixels."""
    faces: tuple[tuple[Face, ...], ...]
    """Faces by image, from left to right; if they have classes, those of the first class come first."""
    compared: bool = False
    """Whether the faces were compared with a reference photo."""
    classes: Classes = ()
    """By image, the place of each face's class; empty if classes are not fixed one after another."""

    @property
    def count(self) -> int:
        """Number of faces in all images."""
        return sum(len(faces) for faces in self.faces)


@dataclass(frozen=True, slots=True, eq=False)
class PlannedBatch:
    """The plan of each image of a batch, and what it was made from."""

    plans: tuple[FixPlan, ...]
    settings: FaceSettings
    overrides: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    classes: Classes = ()
    """As in `Detection`."""

    def plan_for_sampling(self, native: int, origin: GenerationParams) -> PlannedBatch:
        """Return the batch planned again, now that faces can be re-diffused.

        native: side of the model's native size, in pixels. Unless the settings say a size, all crops get this one, so
        that all faces of the batch fit into one sampling run. origin: the sampling settings of Detail Faces.
        """
        from ..planning.planner import replan_faces

        settings = self.settings
        if not (settings.width or settings.height):
            settings = replace(settings, width=native, height=native)
        plans = (replan_faces(plan, settings, self.overrides, origin) for plan in self.plans)
        return replace(self, plans=sort_by_class(tuple(plans), self.classes))


def detect_faces(
    engine: FaceFix,
    images: Sequence[Image],
    settings: FaceSettings,
    reference: Image | None = None,
    *,
    each_class: bool = False,
) -> Detection:
    """Find the faces of all images.

    reference: RGB (H, W, 3), a photo of a person to compare them with. each_class: whether each class of the detector
    is to be fixed in the result of the one before. Raises `BadSetting` if the detector is not a single model file.
    """
    alone = [detector for _, detector in split_classes(settings.detector)] if each_class else []
    if not alone:
        faces = tuple(_find(engine, image, settings, reference) for image in images)
        return Detection(_size_of(images), faces, reference is not None)
    asked = [replace(settings, detector=detector) for detector in alone]
    found = [[_find(engine, image, one, reference) for one in asked] for image in images]
    faces = tuple(tuple(face for faces in of_image for face in faces) for of_image in found)
    classes = tuple(tuple(place for place, faces in enumerate(of_image) for _ in faces) for of_image in found)
    return Detection(_size_of(images), faces, reference is not None, classes)


def _find(engine: FaceFix, image: Image, settings: FaceSettings, reference: Image | None) -> tuple[Face, ...]:
    """Return the faces of one image from left to right."""
    if reference is None and not settings.person:
        faces = engine.detect(image, settings)
    else:
        faces = tuple(job.face for job in engine.plan(image, settings, reference=reference).jobs)
    return tuple(sorted(faces, key=lambda face: face.box.centre))


def plan_batch(
    engine: FaceFix,
    images: Sequence[Image],
    settings: FaceSettings,
    overrides: Mapping[int, Mapping[str, Any]] | None = None,
    detected: Detection | None = None,
) -> PlannedBatch:
    """Return the plan of each image; without `detected`, its faces are found first.

    Raises `BadPlan` if the faces were found in other images, and `BadSetting` if they lack what the settings ask for.
    """
    from ..planning.planner import make_plan, replan_faces  # here, as they import OpenCV

    if detected is None:
        detected = detect_faces(engine, images, settings)
    check_images(detected.size, len(detected.faces), images, "the faces were found")
    if settings.uses_attributes and any(face.age is None for faces in detected.faces for face in faces):
        raise BadSetting("gender and age of the faces are unknown. Connect Choose Faces to Detect Faces too")
    if detected.compared:
        settings = replace(settings, person=SENT_PHOTO)
    pairs = zip(images, detected.faces, strict=True)
    if not detected.classes:
        plans = tuple(make_plan(image, faces, settings, overrides) for image, faces in pairs)
        return PlannedBatch(plans, settings, overrides or {})
    numbered = (_number(make_plan(image, faces, settings), faces) for image, faces in pairs)
    plans = tuple(replan_faces(plan, settings, overrides) for plan in numbered)
    return PlannedBatch(sort_by_class(plans, detected.classes), settings, overrides or {}, detected.classes)


def sort_by_class(plans: tuple[FixPlan, ...], classes: Classes) -> tuple[FixPlan, ...]:
    """Return plans that fix the faces of one class after those of another. classes: empty changes nothing.

    Faces that overlap are fixed in this order, each in the result of the one before; all others can still share a run.
    """
    if not classes:
        return plans
    sort = (sorted(plan.jobs, key=lambda job: of[job.number - 1]) for plan, of in zip(plans, classes, strict=True))
    return tuple(replace(plan, jobs=tuple(jobs)) for plan, jobs in zip(plans, sort, strict=True))


def _number(plan: FixPlan, faces: Sequence[Face]) -> FixPlan:
    """Return the plan with its faces numbered in the order of `faces`, of which it was made."""
    numbers = {id(face): number for number, face in enumerate(faces, start=1)}
    return replace(plan, jobs=tuple(replace(job, number=numbers[id(job.face)]) for job in plan.jobs))


def check_images(size: Size, count: int, images: Sequence[Image], what: str) -> None:
    """Raise `BadPlan` unless there are `count` images of this size. what: start of the message."""
    if (size, count) != (_size_of(images), len(images)):
        wanted, given = (
            f"{number} image{'' if number == 1 else 's'} of {width}x{height} px"
            for number, (width, height) in ((count, size), (len(images), _size_of(images)))
        )
        raise BadPlan(f"{what} in {wanted}, but this node has {given}. Connect the same images to both nodes")


def check_plans(batch: PlannedBatch, images: Sequence[Image]) -> None:
    """Raise `BadPlan` if the plans were made for other images."""
    size = batch.plans[0].size if batch.plans else (0, 0)
    check_images(size, len(batch.plans), images, "the plan was made for faces")


def read_overrides(text: str, files: Files) -> dict[int, dict[str, Any]]:
    """Parse settings of single faces, one in each line, such as "2: fidelity=0.9"; raises `BadSetting`.

    Blank lines, and lines that begin with #, are ignored. files: paths of the local model files that may be named.
    """
    from ..planning.planner import read_override

    overrides: dict[int, dict[str, Any]] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        if not line.startswith("#"):
            number, changes = read_override(line)
            found = {name: find_path(name, value, files) for name, value in changes.items()}
            overrides.setdefault(number, {}).update(found)
    return overrides


def list_jobs(plans: Iterable[FixPlan], *decisions: str) -> list[FaceJob]:
    """Return the faces of all plans with one of these decisions."""
    return [job for plan in plans for job in plan.jobs if job.decision in decisions]


def raise_if_all_failed(results: Sequence[FixResult]) -> None:
    """Raise the error of the first face that failed, if no face was fixed."""
    outcomes = [outcome for result in results for outcome in result.outcomes]
    errors = [(outcome.job.number, outcome.error) for outcome in outcomes if outcome.error]
    if errors and not any(outcome.verdict == "fixed" for outcome in outcomes):
        number, error = errors[0]
        raise FaceFixError(f"face {number} was not fixed: {error}") from error


def _size_of(images: Sequence[Image]) -> Size:
    """Return width and height of the images of a batch, which all have one size."""
    if not len(images):
        return 0, 0
    height, width = images[0].shape[:2]
    return width, height
