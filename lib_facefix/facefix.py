"""FaceFix, the engine on this machine: connects all other rooms of the library."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from typing import Any

import numpy as np

from .analysis.detector_factory import check_detector, make_detector
from .analysis.judges import load_judge
from .analysis.reference_person import check_photo, compare_faces
from .errors import BadPicture, BadPlan, FaceFixError, MissingDiffuser
from .fixers.rediffuse import MAX_FACES_PER_RUN, Rediffuse
from .models.masks import list_mask_networks, load_masker
from .models.store import ModelStore
from .pipeline.apart import fix_apart
from .pipeline.reporting import SetupProgress
from .pipeline.run import fix_faces, masks_of
from .pipeline.threads import one_thread
from .planning.needs import Needs
from .planning.plan import FaceJob, FixPlan, FixResult, LoneFace
from .planning.planner import make_plan, replan_faces
from .protocols import Diffuser, EngineInfo, Enlarged, FaceFixer, Fetch, Judge, Landmarker, Masker, Progress
from .registry import EMBEDDINGS, GUESSERS, LANDMARKERS, RESTORERS, UPSCALERS, Registry
from .settings.face_prompt import GenerationParams
from .settings.face_settings import MAX_DETECTIONS, SENT_PHOTO, FaceSettings
from .settings.mask_expression import parse_mask
from .settings.runtime import Runtime
from .settings.treatment import AUTO_RESTORER, Overrides
from .types import Face, Image, Mask

ONE_THREAD_SIDE = 1024
"""Longer side, in pixels, up to which one thread detects faces: few windows are not worth more threads."""
MESH_LANDMARKER = "facemesh"
"""Landmarker that always runs, because masks use its mesh."""
GUESSER = "genderage"
"""Model that estimates gender and age."""
NO_DIFFUSER = "re-diffusing needs Stable Diffusion (WebUI or diffusers). Choose the method 'restore' instead"


class FaceFix:
    """Finds and fixes faces. Loads models on first use and caches them. Calls are thread-safe.

    Example: `results = FaceFix().fix([picture], FaceSettings(method="restore", fidelity=0.5))`
    """

    def __init__(self, runtime: Runtime | None = None, *, models: ModelStore | None = None) -> None:
        """runtime: backend, model folders and cache size. models: an existing store to share, instead of `runtime`."""
        self.models = models or ModelStore(runtime or Runtime())
        self._diffusing: FaceFixer | None = None

    def with_diffuser(self, diffuser: Diffuser, most: int = MAX_FACES_PER_RUN) -> FaceFix:
        """Return a copy with the same models that can re-diffuse. most: maximum number of faces in one sampling run."""
        other = FaceFix(models=self.models)
        other._diffusing = Rediffuse(diffuser, most)
        return other

    def describe(self) -> EngineInfo:
        """Return the abilities of this machine."""
        chosen = self.models.choose_restorer()
        return EngineInfo(
            "this machine",
            rediffuses=self._diffusing is not None,
            loads_models=True,
            restorer=chosen.label,
            advice=chosen.advice,
            notes=self.models.notes,
        )

    def prepare(self, needs: Needs, fetch: Fetch | None = None) -> None:
        """Raise a `FaceFixError` if the requirements cannot be met; see `Engine.prepare`."""
        if needs.rediffuses and not self._diffusing:
            raise MissingDiffuser(NO_DIFFUSER)
        self.models.check_device()
        if AUTO_RESTORER in needs.restorers:
            self.models.choose_restorer()
        wanted: list[tuple[Registry[object], str]] = [(RESTORERS, name) for name in sorted(needs.restorers)]
        wanted += [(UPSCALERS, name) for name in sorted(needs.upscalers)]
        wanted += [(EMBEDDINGS, name) for name in sorted(needs.guard_models)]
        for registry, name in wanted:
            self.models.check(registry, name, may_fetch=registry is not EMBEDDINGS)
        for detector in sorted(needs.detectors):
            check_detector(self.models, detector)
        if fetch is None:
            return
        networks = [network for treatment in needs.treatments for network in list_mask_networks(self.models, treatment)]
        for missing in self.models.missing([*wanted, *networks]):
            fetch(missing, self.models.paths)
        for detector in sorted(needs.detectors):
            make_detector(self.models, detector, "off")
        for registry, name in wanted:
            self.models.load(registry, name)
        for treatment in needs.treatments:
            load_masker(self.models, parse_mask(treatment.mask), treatment)
        for name in sorted({MESH_LANDMARKER, *needs.landmarkers}):
            self.models.load(LANDMARKERS, name)
        if needs.guesses:
            self.models.load(GUESSERS, GUESSER)
        if needs.person:
            check_photo(needs.person)

    def fix(
        self,
        images: Sequence[Any],
        settings: FaceSettings | None = None,
        *,
        overrides: Overrides | None = None,
        progress: Progress | None = None,
    ) -> list[FixResult]:
        """Find, plan and fix the faces of all images.

        images: RGB (H, W, 3) or grey (H, W) arrays, uint8, or PIL images; they are not changed.
        overrides: settings of single faces by number, the same in every image.
        Raises `BadPicture` and `BadSetting`. A face that fails is reported in its `Outcome`.
        """
        arrays = _as_list(images)
        plans = [self.plan(array, settings, overrides=overrides) for array in arrays]
        return self.run(arrays, plans, progress=progress)

    def detect(self, image: Any, settings: FaceSettings | None = None) -> tuple[Face, ...]:
        """Return the faces of one image, best first, with landmarks, mesh, and attributes used as criteria.

        Raises a `FaceFixError`.
        """
        return self._detect(as_rgb(image), settings or FaceSettings())

    def _detect(self, array: Image, settings: FaceSettings, reference: Image | None = None) -> tuple[Face, ...]:
        detector = make_detector(self.models, settings.detector, settings.angles)
        landmarkers = [self._landmarker]
        if settings.landmarker != MESH_LANDMARKER:
            landmarkers.append(self.models.load(LANDMARKERS, settings.landmarker))
        with one_thread() if max(array.shape) <= ONE_THREAD_SIDE else nullcontext():
            faces = detector.detect(array, settings.min_score)[: settings.max_detections]
            for landmarker in landmarkers:
                faces = tuple(landmarker.locate(array, face) for face in faces)
        if settings.uses_attributes:
            guesser = self.models.load(GUESSERS, GUESSER)
            faces = tuple(guesser.guess(array, face) for face in faces)
        if not settings.person:
            return faces
        alone = replace(settings, person="", gender="any", min_age=0, max_age=0, max_detections=MAX_DETECTIONS)
        seen_by = tuple(alone.detection_settings.items())
        photo = settings.person if reference is None else reference
        return compare_faces(self.models, array, faces, photo, lambda other: self.detect(other, alone), seen_by)

    def plan(
        self,
        image: Any,
        settings: FaceSettings | None = None,
        *,
        overrides: Overrides | None = None,
        origin: GenerationParams | None = None,
        reference: Image | None = None,
    ) -> FixPlan:
        """Return a decision for each face; see `Engine.plan`. reference: RGB (H, W, 3), replaces `settings.person`."""
        settings = settings or FaceSettings()
        array = as_rgb(image)
        if reference is not None:
            settings = replace(settings, person=settings.person or SENT_PHOTO)
        faces = self._detect(array, settings, reference)
        with one_thread():
            plan = make_plan(array, faces, settings, overrides, origin if self._diffusing else None)
        return self._settle(plan)

    def replan(
        self,
        plan: FixPlan,
        settings: FaceSettings | None = None,
        *,
        overrides: Overrides | None = None,
        origin: GenerationParams | None = None,
    ) -> FixPlan:
        """Return the plan for the same faces with other settings, without the image; see `Engine.replan`."""
        again = replan_faces(plan, settings or FaceSettings(), overrides, origin if self._diffusing else None)
        return self._settle(again)

    def run(
        self,
        images: Sequence[Any],
        plans: Sequence[FixPlan],
        *,
        progress: Progress | None = None,
        keep_masks: bool = False,
    ) -> list[FixResult]:
        """Carry out one plan for each image; see `Engine.run`. Raises `BadPicture`, and `BadPlan` for a wrong size.

        keep_masks: whether each result holds the mask of its faces.
        """
        arrays, plans = _as_list(images, plans), [self._settle(plan) for plan in plans]
        pairs = list(zip(arrays, plans, strict=True))
        meshed = [self._with_meshes(array, plan) if plan.lacks_meshes else plan for array, plan in pairs]
        enlarged = [self._enlarge(array, plan, progress) if plan.upscaled else None for array, plan in pairs]
        onto = [larger.image if larger else array for array, larger in zip(arrays, enlarged, strict=True)]
        results = fix_faces(arrays, meshed, self, progress, onto, keep_masks=keep_masks)
        return [
            replace(result, upscaler=plan.upscaler, upscaler_engine=larger.engine) if larger else result
            for result, plan, larger in zip(results, plans, enlarged, strict=True)
        ]

    def mask(self, image: Any, plan: FixPlan) -> Mask:
        """Return a mask of all pixels that the plan may change, (H, W), 0..1."""
        [array] = _as_list([image], [plan])
        return masks_of(array, self._with_meshes(array, plan), self)

    def fix_apart(self, image: Any, plan: FixPlan, progress: Progress | None = None) -> list[LoneFace]:
        """Fix each face of the plan as if it were the only one, none of them skipped; see `pipeline.apart`."""
        [array] = _as_list([image], [plan])
        return fix_apart(array, self._settle(self._with_meshes(array, plan)).jobs, self, progress)

    def fixer(self, job: FaceJob) -> FaceFixer:
        """Return the fixer of the job; raises `MissingDiffuser` if it needs Stable Diffusion and there is none."""
        if job.decision == "re-diffuse":
            if self._diffusing:
                return self._diffusing
            raise MissingDiffuser(NO_DIFFUSER)
        return self.models.load(RESTORERS, job.treatment.restorer)

    def masker(self, job: FaceJob) -> Masker:
        """Return the masker of the job; raises a `FaceFixError` if a model is missing."""
        return load_masker(self.models, parse_mask(job.treatment.mask), job.treatment)

    def judge(self, job: FaceJob) -> Judge | None:
        """Return the judge of the job's identity, None if its guard is off; raises `BadModel`."""
        return load_judge(self.models, job.treatment)

    def unload(self) -> None:
        """Unload all models of this store; later calls load them again."""
        self.models.unload()

    def _settle(self, plan: FixPlan) -> FixPlan:
        """Return the plan with the restorer that "auto" stands for now, so that no face is decided by itself."""
        return plan.with_restorer(lambda: self.models.restorer.name)

    def _enlarge(self, image: Image, plan: FixPlan, progress: Progress | None) -> Enlarged | None:
        """Return the upscaled image to paste onto, or None if the user stopped the work."""
        assert plan.upscaled
        told = SetupProgress(progress, sum(job.decision != "leave" for job in plan.jobs)) if progress else None
        return self.models.load(UPSCALERS, plan.upscaler).enlarge(image, plan.upscaled, told)

    def _with_meshes(self, image: Image, plan: FixPlan) -> FixPlan:
        """Return the plan with meshes, which plans in JSON lack."""
        jobs = list(plan.jobs)
        for place, job in enumerate(jobs):
            if job.decision != "leave" and job.face.mesh is None:
                with suppress(FaceFixError):  # invalid edited box: the pipeline reports the missing mesh
                    mesh = self._landmarker.locate(image, job.face).mesh
                    jobs[place] = replace(job, face=replace(job.face, mesh=mesh))
        return replace(plan, jobs=tuple(jobs))

    @property
    def _landmarker(self) -> Landmarker:
        return self.models.load(LANDMARKERS, MESH_LANDMARKER)


def as_rgb(image: Any) -> Image:
    """Return the image as an RGB uint8 (H, W, 3) array; raises `BadPicture` for unsupported input.

    PIL images are rotated according to their EXIF orientation.
    """
    if hasattr(image, "convert"):  # a PIL image
        if image.mode.startswith(("I", "F")):
            raise BadPicture(
                f"images of mode {image.mode} are not supported. Convert the image to 8 bits per channel first"
            )
        image = _upright(image)
    array = np.asarray(image)
    if array.dtype != np.uint8:
        raise BadPicture(f"images must have the type uint8 (0..255), not {array.dtype}")
    if array.ndim == 2:
        array = np.repeat(array[..., None], 3, axis=2)
    if array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape:
        raise BadPicture(f"images must have the shape (height, width, 3), not {array.shape}")
    return np.ascontiguousarray(array)


def _upright(image: Any) -> Any:
    from PIL import ImageOps

    try:
        return ImageOps.exif_transpose(image).convert("RGB")
    except (OSError, SyntaxError, ValueError) as error:
        raise BadPicture(f"cannot read the image: {error}") from error


def _as_list(images: Sequence[Any], plans: Sequence[FixPlan] | None = None) -> list[Image]:
    """Return the images as RGB arrays; raises `BadPicture`, and `BadPlan` for a plan of another size."""
    if hasattr(images, "convert") or (isinstance(images, np.ndarray) and images.ndim < 4):
        raise BadPicture("pass a list of images, even for one image: fix([image])")
    arrays = [as_rgb(image) for image in images]
    for array, plan in zip(arrays, plans or (), strict=plans is not None):
        height, width = array.shape[:2]
        if plan.size != (width, height):
            sizes = "{}x{} px, but this one has {}x{} px".format(*plan.size, width, height)
            raise BadPlan(f"the plan is for an image of {sizes}. Create a new plan")
    return arrays
