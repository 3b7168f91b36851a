"""Settings -> ready parts: the library's front door."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from typing import Any

import numpy as np

from .analysis.detector_factory import make_detector, try_detector
from .analysis.reference_person import compare_faces
from .errors import BadPicture, BadPlan, FaceFixError, MissingDiffuser
from .fixers.rediffuse import MAX_FACES_PER_RUN, Rediffuse
from .maskers.combined import Combined
from .models.store import ModelStore
from .pipeline.run import SetupProgress, fix_faces, masks_of
from .pipeline.threads import one_thread
from .planning.needs import Needs
from .planning.plan import FaceJob, FixPlan, FixResult
from .planning.planner import make_plan, plan_again
from .protocols import Diffuser, EngineInfo, Enlarged, FaceFixer, Fetch, Landmarker, Masker, Progress, Upscaler
from .registry import (
    FIRST,
    GUESSERS,
    LANDMARKERS,
    MASKERS,
    OCCLUDERS,
    PARSERS,
    RESTORERS,
    UPSCALERS,
    Registry,
)
from .settings.face_prompt import GenerationParams
from .settings.face_settings import FaceSettings
from .settings.mask_expression import Area, BinaryOp, MaskTerm, mask_terms, parse_mask
from .settings.runtime import Runtime
from .settings.treatment import Overrides, Treatment
from .types import Face, Image, Mask

SMALL = 1024
"""Longer side in pixels up to which a picture is searched on one thread: fewer than ten looks are not worth more."""
MOST_FACES = 2000
"""Faces of a picture that are looked at, the surest ones; a detector that finds more has lost its way."""
BUILT_IN = "facemesh"
"""The landmarker that is always asked, as masks are made of its mesh."""
GUESSER = "genderage"
"""What guesses gender and age."""
NO_DIFFUSER = "re-diffusing needs Stable Diffusion, and there is none here; choose the method 'restore'"


class FaceFix:
    """Finds and fixes faces. Models are loaded when first needed and stay loaded; any thread may call.

    >>> results = FaceFix().fix([picture], FaceSettings(method="restore", fidelity=0.5))
    """

    def __init__(self, runtime: Runtime | None = None, *, models: ModelStore | None = None) -> None:
        """runtime: what runs the models, where they lie, how many stay loaded; or `models` that are loaded already."""
        self.models = models or ModelStore(runtime or Runtime())
        self._diffusing: FaceFixer | None = None

    def with_diffuser(self, diffuser: Diffuser, most: int = MAX_FACES_PER_RUN) -> FaceFix:
        """Return one like this, of the same loaded models, that re-diffuses; most: faces in one sampling run."""
        other = FaceFix(models=self.models)
        other._diffusing = Rediffuse(diffuser, most)
        return other

    def describe(self) -> EngineInfo:
        """Return what can be done on this machine."""
        return EngineInfo("this machine", rediffuses=self._diffusing is not None, loads_models=True)

    def prepare(self, needs: Needs, fetch: Fetch | None = None) -> None:
        """Refuse what cannot be done on this machine; with `fetch`, get and load all models. See `Engine.prepare`."""
        if needs.rediffuses and not self._diffusing:
            raise MissingDiffuser(NO_DIFFUSER)
        wanted: list[tuple[Registry[object], str]] = [(RESTORERS, name) for name in sorted(needs.restorers)]
        wanted += [(UPSCALERS, name) for name in sorted(needs.upscalers)]
        for registry, name in wanted:
            self.models.check(registry, name, may_fetch=True)
        if fetch is None:
            return
        networks = [network for treatment in needs.treatments for network in self.mask_networks(treatment)]
        for missing in self.models.missing([*wanted, *networks]):
            fetch(missing, self.models.paths)
        for text in needs.detectors:
            try_detector(self.models, text)
        for registry, name in wanted:
            self.models.load(registry, name)
        for treatment in needs.treatments:
            self.masker_of(treatment)

    def fix(
        self,
        images: Sequence[Any],
        settings: FaceSettings | None = None,
        *,
        overrides: Overrides | None = None,
        progress: Progress | None = None,
    ) -> list[FixResult]:
        """Find, plan and fix the faces of all pictures.

        images: RGB uint8 (H, W, 3) arrays, grey (H, W) ones, or PIL pictures; they are not changed.
        overrides: settings of single faces by number, the same in every picture.
        Raises `BadPicture` and `BadSetting`; a single face that fails is reported in its `Outcome`.
        """
        arrays = _as_list(images)
        plans = [self.plan(array, settings, overrides=overrides) for array in arrays]
        return self.run(arrays, plans, progress=progress)

    def detect(self, image: Any, settings: FaceSettings | None = None) -> tuple[Face, ...]:
        """Return the faces of one picture, best first, with all that the settings want to know of them.

        That is landmarks, a mesh where it is sure, and what criteria go by. Raises a `FaceFixError`.
        """
        return self._detect(as_rgb(image), settings or FaceSettings())

    def _detect(self, array: Image, settings: FaceSettings) -> tuple[Face, ...]:
        detector = make_detector(self.models, settings.detector, settings.angles)
        landmarkers = [self._landmarker]
        if settings.landmarker != BUILT_IN:
            landmarkers.append(self.models.load(LANDMARKERS, settings.landmarker))
        with one_thread() if max(array.shape) <= SMALL else nullcontext():
            faces = detector.detect(array, settings.min_score)[:MOST_FACES]
            for landmarker in landmarkers:
                faces = tuple(landmarker.locate(array, face) for face in faces)
        if settings.guesses:
            guesser = self.models.load(GUESSERS, GUESSER)
            faces = tuple(guesser.guess(array, face) for face in faces)
        if not settings.person:
            return faces
        alone = replace(settings, person="", gender="any", min_age=0, max_age=0)
        seen_by = tuple(alone.finding.items())
        return compare_faces(
            self.models, array, faces, settings.person, lambda photo: self.detect(photo, alone), seen_by
        )

    def plan(
        self,
        image: Any,
        settings: FaceSettings | None = None,
        *,
        overrides: Overrides | None = None,
        origin: GenerationParams | None = None,
    ) -> FixPlan:
        """Return what would be done to each face of one picture, and why.

        origin: what the picture was made from, so that faces are re-diffused by its own prompt and seed.
        """
        settings = settings or FaceSettings()
        array = as_rgb(image)
        faces = self._detect(array, settings)
        with one_thread():
            return make_plan(array, faces, settings, overrides, origin if self._diffusing else None)

    def replan(
        self,
        plan: FixPlan,
        settings: FaceSettings | None = None,
        *,
        overrides: Overrides | None = None,
        origin: GenerationParams | None = None,
    ) -> FixPlan:
        """Return the plan for the same faces with other settings, without the picture; see `Engine.replan`."""
        return plan_again(plan, settings or FaceSettings(), overrides, origin if self._diffusing else None)

    def run(
        self, images: Sequence[Any], plans: Sequence[FixPlan], *, progress: Progress | None = None
    ) -> list[FixResult]:
        """Carry out plans, perhaps read from a file and edited, one for each picture."""
        arrays = _as_list(images, plans)
        pairs = list(zip(arrays, plans, strict=True))
        meshed = [self._with_meshes(array, plan) if plan.lacks_meshes else plan for array, plan in pairs]
        enlarged = [self._enlarge(array, plan, progress) if plan.upscaled else None for array, plan in pairs]
        onto = [larger.image if larger else array for array, larger in zip(arrays, enlarged, strict=True)]
        results = fix_faces(arrays, meshed, self, progress, onto)
        return [
            replace(result, upscaler=plan.upscaler, upscaler_engine=larger.engine) if larger else result
            for result, plan, larger in zip(results, plans, enlarged, strict=True)
        ]

    def mask(self, image: Any, plan: FixPlan) -> Mask:
        """Return where carrying out the plan may change the picture, (H, W), 0..1: to be shown, or saved."""
        [array] = _as_list([image], [plan])
        return masks_of(array, self._with_meshes(array, plan), self)

    def fixer(self, job: FaceJob) -> FaceFixer:
        """Return what does the job; raises `MissingDiffuser` for re-diffusing where there is nothing that does it."""
        if job.decision == "re-diffuse":
            if self._diffusing:
                return self._diffusing
            raise MissingDiffuser(NO_DIFFUSER)
        return self.models.load(RESTORERS, job.treatment.restorer)

    def masker(self, job: FaceJob) -> Masker:
        """Return what makes the job's mask; raises a `FaceFixError` where a model for it is missing."""
        return self._masker(parse_mask(job.treatment.mask), job.treatment)

    def masker_of(self, treatment: Treatment) -> Masker:
        """Return what makes masks as the treatment says, loaded; raises a `FaceFixError` where a model is missing."""
        return self._masker(parse_mask(treatment.mask), treatment)

    def mask_networks(self, treatment: Treatment) -> list[tuple[Registry[object], str]]:
        """Return by registry and name the networks that the treatment's mask is made with, here or not."""
        needed = (self._required_network(part, treatment) for part in mask_terms(parse_mask(treatment.mask)))
        return [network for network in needed if network]

    def upscaler(self, name: str) -> Upscaler:
        """Return what enlarges whole pictures."""
        return self.models.load(UPSCALERS, name)

    def unload(self) -> None:
        """Let go of all its models, and of no other's; the next call loads what it needs again."""
        self.models.unload()

    def _masker(self, area: Area, treatment: Treatment) -> Masker:
        if isinstance(area, BinaryOp):
            return Combined(self._masker(area.first, treatment), area.sign, self._masker(area.second, treatment))
        if needed := self._required_network(area, treatment):
            network = self.models.load(*needed)
            return MASKERS[area.name].load()(network, *([area.classes] if area.classes else []))
        return self.models.load(MASKERS, area.name)

    def _required_network(self, part: MaskTerm, treatment: Treatment) -> tuple[Registry[object], str] | None:
        """Return the network that a mask is made with, None where it needs none of the user's.

        Without one that sees just what is in front of a face, the face parser is asked.
        """
        if part.name == "occluders":
            available = self.models.available
            alone = treatment.occluder == FIRST and not available(OCCLUDERS) and available(PARSERS)
            return (PARSERS, treatment.parser) if alone else (OCCLUDERS, treatment.occluder)
        return (PARSERS, treatment.parser) if part.name == "parsing" else None

    def _enlarge(self, image: Image, plan: FixPlan, progress: Progress | None) -> Enlarged | None:
        """Return the picture to paste onto, and what ran that; None where the person said stop."""
        assert plan.upscaled
        told = SetupProgress(progress, sum(job.decision != "leave" for job in plan.jobs)) if progress else None
        return self.upscaler(plan.upscaler).enlarge(image, plan.upscaled, told)

    def _with_meshes(self, image: Image, plan: FixPlan) -> FixPlan:
        """Return the plan with the meshes that its JSON does not hold; all else stays as the plan says."""
        jobs = list(plan.jobs)
        for place, job in enumerate(jobs):
            if job.decision != "leave" and job.face.mesh is None:
                with suppress(FaceFixError):  # a box edited beyond use: what is done without a mesh the pipeline says
                    mesh = self._landmarker.locate(image, job.face).mesh
                    jobs[place] = replace(job, face=replace(job.face, mesh=mesh))
        return replace(plan, jobs=tuple(jobs))

    @property
    def _landmarker(self) -> Landmarker:
        return self.models.load(LANDMARKERS, BUILT_IN)


def as_rgb(image: Any) -> Image:
    """Return the picture as an RGB uint8 (H, W, 3) array; raises `BadPicture` for anything else.

    A PIL picture is turned as its EXIF orientation says.
    """
    if hasattr(image, "convert"):  # a PIL picture
        if image.mode.startswith(("I", "F")):
            raise BadPicture(f"a picture of mode {image.mode} has more than 8 bits; make it 8 bits deep first")
        image = _upright(image)
    array = np.asarray(image)
    if array.dtype != np.uint8:
        raise BadPicture(f"a picture must be of type uint8 with values 0..255, not {array.dtype}")
    if array.ndim == 2:
        array = np.repeat(array[..., None], 3, axis=2)
    if array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape:
        raise BadPicture(f"a picture must be (height, width, 3) RGB, not {array.shape}")
    return np.ascontiguousarray(array)


def _upright(image: Any) -> Any:
    from PIL import ImageOps

    try:
        return ImageOps.exif_transpose(image).convert("RGB")
    except (OSError, SyntaxError, ValueError) as error:
        raise BadPicture(f"this picture cannot be read: {error}") from error


def _as_list(images: Sequence[Any], plans: Sequence[FixPlan] | None = None) -> list[Image]:
    """Return the pictures as RGB arrays; raises `BadPicture`, and `BadPlan` for a plan of another size."""
    if hasattr(images, "convert") or (isinstance(images, np.ndarray) and images.ndim < 4):
        raise BadPicture("give a list of pictures, also for one: fix([picture])")
    arrays = [as_rgb(image) for image in images]
    for array, plan in zip(arrays, plans or (), strict=plans is not None):
        height, width = array.shape[:2]
        if plan.size != (width, height):
            sizes = "{}x{} px, this one has {}x{}".format(*plan.size, width, height)
            raise BadPlan(f"the plan is for a picture of {sizes}; make a plan for this one")
    return arrays
