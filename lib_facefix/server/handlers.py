"""Carries out each API call, independent of HTTP and of the host."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Hashable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from PIL import Image as Pil

from ..errors import BadPlan, FaceFixError
from ..facefix import FaceFix
from ..models.identity import identify_detection
from ..pictures import Metadata, Picture, check_size, encode, format_for, media_type, read_picture
from ..pictures.formats import format_named
from ..planning.plan import VERSION, FixPlan, FixResult, face_to_json
from ..protocols import Progress
from ..provenance import Edits, Recorder, describe_edits, list_edits, read_edits
from ..settings.face_prompt import GenerationParams
from ..settings.face_settings import MAX_DETECTIONS, SENT_PHOTO, FaceSettings
from ..settings.generation_info import parse_generation_info
from ..settings.options import schema
from ..settings.treatment import Overrides
from ..types import Image
from ..visualize import draw_boxes, tint_mask
from .allowed_paths import check_paths, inside
from .batch import Folder, fix_folder
from .errors import FORBIDDEN, refusal_of, refuse
from .fields import FORMATS
from .found_faces import Found, FoundFaces
from .job import Answer, Job
from .layers import make_layers
from .model_list import list_models
from .schemas import BatchBody, DetectBody, FixBody, LayersBody, PlanBody, PreviewBody, ReplanBody

if TYPE_CHECKING:
    from .folder_jobs import Notes

MAX_PARAMETERS = 1 << 16
"""Longest generation parameters, in characters, of an image whose faces are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Upper limits for requests and for the queue."""

    body: int = 64 << 20
    """Largest accepted request body, in bytes."""
    pixels: int = 50_000_000
    """Largest accepted number of pixels of an image."""
    faces: int = MAX_DETECTIONS
    """Largest accepted number of faces in a plan, and the most that one found here has."""
    waiting: int = 128
    """Largest number of waiting calls, and of stored results."""
    held: int = 512 << 20
    """Largest total size of all waiting calls, and of all stored results, in bytes."""


ImageBody = DetectBody | PlanBody | FixBody | LayersBody | PreviewBody
"""Bodies with an image."""


class Host(Protocol):
    """The program that runs the API: `facefix serve` or a WebUI."""

    def working(self, origin: GenerationParams | None, progress: Progress) -> AbstractContextManager[FaceFix]:
        """Return the engine for one piece of work, holding the lock that the host requires.

        origin: generation parameters of the image, or None if they are unknown or nothing will be re-diffused.
        """
        ...

    def engine_for_queries(self) -> FaceFix:
        """Return an engine for queries that run no model. It needs no lock."""
        ...

    @property
    def folders(self) -> tuple[Path, ...]:
        """Folders on the server that clients may use. By default there are none."""
        ...

    @property
    def limits(self) -> Limits:
        """Upper limits for requests and for the queue."""
        ...


class Service:
    """The API calls for one host. Each raises `FaceFixError` or `Refusal`."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.faces = FoundFaces()

    def models(self) -> dict[str, Any]:
        """Return all methods and models, and whether each can be used."""
        return list_models(self.host.engine_for_queries())

    def settings(self) -> dict[str, Any]:
        """Return the JSON schema of the settings."""
        return schema(FaceSettings)

    def detect(self, body: DetectBody, progress: Progress) -> Answer:
        """Return the faces in an image."""
        settings = body.settings or FaceSettings()
        check_paths(self.host.engine_for_queries(), self.host.folders, settings=settings)
        plan, _ = self._plan(body, settings, None, None, progress)
        faces = [face_to_json(job.number, job.face, job.pose) for job in plan.jobs]
        return Answer({"version": VERSION, "size": list(plan.size), "faces": faces})

    def plan(self, body: PlanBody, progress: Progress) -> Answer:
        """Return the plan for an image."""
        settings = self._check_settings(body, self.host.engine_for_queries())
        if body.reference is None:
            plan, before = self._plan(body, settings, body.overrides, body.origin, progress)
        else:  # compared with this person once, so the faces are not kept
            with self._at_work(body, body.origin, progress) as (sent, engine, origin):
                person = self._read_reference(body.reference)
                plan = engine.plan(sent.image, settings, overrides=body.overrides, origin=origin, reference=person)
                before = describe_edits(read_edits(sent.metadata))
        return Answer({"version": VERSION, **plan.to_json(), **({"fixed_before": before} if before else {})})

    def replan(self, body: ReplanBody) -> dict[str, Any]:
        """Return a new plan for the same faces with other settings, equal to the one that `plan` would return."""
        engine = self.host.engine_for_queries()
        try:
            self._check_plan(body.plan, engine)
            check_paths(engine, self.host.folders, settings=body.settings, overrides=body.overrides)
            settings = replace(body.settings, person=SENT_PHOTO) if body.compared else body.settings
            plan = engine.replan(body.plan, settings, overrides=body.overrides, origin=body.origin)
        except FaceFixError as error:
            raise refusal_of(error, ("body", "plan") if isinstance(error, BadPlan) else ("body",)) from error
        return {"version": VERSION, **plan.to_json()}

    def fix(self, body: FixBody, progress: Progress) -> Answer:
        """Fix the faces. Return the image and the outcome for each face."""
        recorder = Recorder(body.mark, body.again)
        with self._at_work(body, body.origin, progress) as (sent, engine, origin):
            settings, own = self._check_settings(body, engine), body.overrides
            if before := recorder.find_earlier(sent.metadata):
                return _answer(body, (sent, FixResult(sent.image, ())), recorder, before)
            plan = body.plan
            if not plan:
                key = _make_key(body, settings, engine)
                if found := self.faces.get(key):
                    plan = engine.replan(found.plan, settings, overrides=own, origin=origin)
                else:
                    plan = engine.plan(sent.image, settings, overrides=own, origin=origin)
                    self._keep_faces(key, engine, plan, sent.metadata)
            self._check_plan(plan, engine)
            if plan.upscaled:
                if before := recorder.find_earlier(sent.metadata, enlarges=True):
                    return _answer(body, (sent, FixResult(sent.image, ())), recorder, before)
                check_size("the result", sent, plan.upscaled)
            [result] = engine.run([sent.image], [plan], progress=progress)
            return _answer(body, (sent, result), recorder)

    def layers(self, body: LayersBody, progress: Progress) -> Answer:
        """Return each face at full strength as a layer over the image, with the opacity that its settings give it."""
        with self._at_work(body, None, progress) as (sent, engine, _):
            self._check_plan(body.plan, engine)
            made = make_layers(engine, sent.image, body.plan, progress)
        return Answer({"version": VERSION, "faces": [layer.to_json(sent.metadata.icc) for layer in made]})

    def preview(self, body: PreviewBody, progress: Progress) -> Answer:
        """Return the image with numbered boxes and the masks of the plan."""
        with self._at_work(body, None, progress) as (sent, engine, _):
            self._check_plan(body.plan, engine)
            tinted = tint_mask(sent.image, engine.mask(sent.image, body.plan))
            faces = [(job.number, job.face) for job in body.plan.jobs]
            drawn = draw_boxes(tinted, faces) if body.numbers else tinted
        file = io.BytesIO()
        Pil.fromarray(drawn).save(file, "PNG", compress_level=1)
        return Answer({"version": VERSION}, file.getvalue(), "image/png")

    def resolve_folders(self, body: BatchBody) -> Folder:
        """Return what is to be done with a folder. Raises `Refusal` unless all paths are allowed, and both differ."""
        engine = self.host.engine_for_queries()
        check_paths(engine, self.host.folders, settings=body.settings, overrides=body.overrides)
        source, output = (inside(path, self.host.folders, name) for name, path in
                          (("folder", body.folder), ("output", body.output)))  # fmt: skip
        if not source.is_dir():
            raise refuse(FORBIDDEN, f"{body.folder} is not a folder on this server", "body", "folder")
        if source == output:
            raise refuse(FORBIDDEN, "the results would overwrite the images; use another folder", "body", "output")
        return Folder(body, source, output, self.host.folders)

    def batch(self, folder: Folder, job: Job, notes: Notes) -> Answer:
        """Fix all images in a folder. Return the outcome for each."""
        with self.host.working(None, job) as engine:
            return Answer(fix_folder(engine, folder, job, notes))

    def _plan(
        self,
        body: DetectBody | PlanBody,
        settings: FaceSettings,
        overrides: Overrides | None,
        origin: GenerationParams | None,
        progress: Progress,
    ) -> tuple[FixPlan, str]:
        """Return the plan for an image, and what FaceFix did to the image before.

        If its faces were found before, the image is not even decoded.
        """
        engine = self.host.engine_for_queries()
        key = _make_key(body, settings, engine)
        if found := self.faces.get(key):
            plan = engine.replan(found.plan, settings, overrides=overrides, origin=origin or found.origin)
            return plan, found.fixed_before
        with self._at_work(body, origin, progress) as (sent, engine, origin):
            plan = engine.plan(sent.image, settings, overrides=overrides, origin=origin)
            self._keep_faces(key, engine, plan, sent.metadata)
            return plan, describe_edits(read_edits(sent.metadata))

    def _keep_faces(self, key: Hashable, engine: FaceFix, plan: FixPlan, said: Metadata) -> None:
        """Keep the faces of an image for later requests. said: metadata of the image."""
        if len(said.parameters) <= MAX_PARAMETERS:
            without_prompts = engine.replan(plan)
            before = describe_edits(read_edits(said))
            self.faces.add(key, Found(without_prompts, parse_generation_info(said.parameters), before))

    @contextmanager
    def _at_work(
        self, body: ImageBody, origin: GenerationParams | None, progress: Progress
    ) -> Iterator[tuple[Picture, FaceFix, GenerationParams | None]]:
        try:
            most = self.host.limits.pixels
            picture = read_picture(io.BytesIO(body.image), max_pixels=most, salvage=body.salvage)
            origin = origin or parse_generation_info(picture.metadata.parameters)
            with self.host.working(origin, progress) as engine:
                yield picture, engine, origin
        except BadPlan as error:
            raise refusal_of(error, ("body", "plan")) from error

    def _read_reference(self, sent: bytes) -> Image:
        """Return the reference photo; raises `Refusal` if it cannot be read."""
        try:
            return read_picture(io.BytesIO(sent), max_pixels=self.host.limits.pixels).image
        except FaceFixError as error:
            raise refusal_of(error, ("body", "reference")) from error

    def _check_settings(self, body: PlanBody | FixBody, engine: FaceFix) -> FaceSettings:
        """Return the settings of a request, with which no plan has more faces than the server takes back.

        Raises `Refusal` for a file outside the allowed folders.
        """
        settings = body.settings or FaceSettings()
        if settings.max_detections > self.host.limits.faces > 0:
            settings = replace(settings, max_detections=self.host.limits.faces)
        check_paths(engine, self.host.folders, settings=settings, overrides=body.overrides)
        return settings

    def _check_plan(self, plan: FixPlan, engine: FaceFix) -> None:
        if len(plan.jobs) > self.host.limits.faces:
            raise BadPlan(f"the plan has {len(plan.jobs)} faces; this server accepts at most {self.host.limits.faces}")
        check_paths(engine, self.host.folders, plan=plan)


def _answer(body: FixBody, done: tuple[Picture, FixResult], recorder: Recorder, before: str = "") -> Answer:
    """Return a result as a file, with its report. before: what an earlier run did, so that this one did nothing."""
    sent, result = done
    suffix = FORMATS.get(body.format, "")
    kind = format_for(Path(f"x{suffix}")) if suffix else format_named(sent.format)
    edits: Edits = ()
    if not np.array_equal(sent.image, result.image):
        sizes = zip(result.result_size, result.size or result.result_size, strict=True)
        edits = list_edits(result.outcomes, result.upscaler, [now / was for now, was in sizes])
    said, unmarked = recorder.mark_metadata(sent.metadata, edits, kind)
    packed = replace(sent, metadata=said)
    if body.quality:
        packed = replace(packed, coding=replace(sent.coding, quality=body.quality))
    file = io.BytesIO()
    notes = [*encode(packed, result.image, file, suffix=suffix), *unmarked]
    if before:
        notes.append(f'The image is unchanged, as it is fixed already ({before}). Send "again": true to fix it again.')
    earlier = before or describe_edits(read_edits(sent.metadata)) or None
    report = {"version": VERSION, **result.to_json(), "notes": notes, "fixed_before": earlier}
    return Answer(report, file.getvalue(), media_type(kind.name))


def _make_key(body: DetectBody | PlanBody | FixBody, settings: FaceSettings, engine: FaceFix) -> Hashable:
    """Return the key of the faces in an image: its content, and all that their detection depends on."""
    return hashlib.sha256(body.image).digest(), body.salvage, identify_detection(engine.models, settings)
