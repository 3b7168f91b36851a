"""Carries out each API call, independent of HTTP and of the host."""

import hashlib
import io
from collections.abc import Hashable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from PIL import Image as Pil

from .. import __version__, registry
from ..errors import BadModel, BadPlan, FaceFixError, MissingPackage
from ..facefix import NO_DIFFUSER, FaceFix
from ..models.identity import identify_detection
from ..models.yolo_files import yolo_files
from ..pictures import Picture, check_size, encode, media_type, read_picture
from ..planning.plan import VERSION, FixPlan, face_to_json
from ..protocols import Progress
from ..registry import ModelInfo, Registry
from ..settings.detector_expression import quote_name
from ..settings.face_prompt import GenerationParams
from ..settings.face_settings import MAX_DETECTIONS, SENT_PHOTO, FaceSettings
from ..settings.generation_info import parse_generation_info
from ..settings.options import schema
from ..settings.treatment import METHOD_LABELS, Overrides
from ..types import Image
from ..visualize import draw_boxes, tint_mask
from ..weights import PUBLISHED
from .allowed_paths import check_paths, inside
from .batch import fix_folder
from .errors import FORBIDDEN, refusal_of, refuse
from .fields import FORMATS
from .found_faces import Found, FoundFaces
from .job_queue import Answer
from .layers import make_layers
from .schemas import BatchBody, DetectBody, FixBody, LayersBody, PlanBody, PreviewBody, ReplanBody

LISTED: dict[str, Registry[object]] = {
    "detectors": registry.DETECTORS,
    "landmarkers": registry.LANDMARKERS,
    "guessers": registry.GUESSERS,
    "maskers": registry.MASKERS,
    "parsers": registry.PARSERS,
    "occluders": registry.OCCLUDERS,
    "restorers": registry.RESTORERS,
    "upscalers": registry.UPSCALERS,
}
"""Registries that GET models lists, besides the methods."""

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
        engine = self.host.engine_for_queries()
        lists = {kind: [_describe_model(models, info, engine) for info in models] for kind, models in LISTED.items()}
        lists["detectors"] += [
            _make_entry(quote_name(path.name), path.name) for path in yolo_files(engine.models.paths)
        ]
        lacking = {} if engine.describe().rediffuses else {"re-diffuse": NO_DIFFUSER}
        methods = [_make_entry(name, label, note=lacking.get(name, "")) for name, label in METHOD_LABELS.items()]
        return {"version": VERSION, "facefix": __version__, "methods": methods, **lists}

    def settings(self) -> dict[str, Any]:
        """Return the JSON schema of the settings."""
        return schema(FaceSettings)

    def detect(self, body: DetectBody, progress: Progress) -> Answer:
        """Return the faces in an image."""
        settings = body.settings or FaceSettings()
        check_paths(self.host.engine_for_queries(), self.host.folders, settings=settings)
        plan = self._plan(body, settings, None, None, progress)
        faces = [face_to_json(job.number, job.face, job.pose) for job in plan.jobs]
        return Answer({"version": VERSION, "size": list(plan.size), "faces": faces})

    def plan(self, body: PlanBody, progress: Progress) -> Answer:
        """Return the plan for an image."""
        settings = self._check_settings(body, self.host.engine_for_queries())
        if body.reference is None:
            plan = self._plan(body, settings, body.overrides, body.origin, progress)
        else:  # compared with this person once, so the faces are not kept
            with self._at_work(body, body.origin, progress) as (sent, engine, origin):
                person = self._read_reference(body.reference)
                plan = engine.plan(sent.image, settings, overrides=body.overrides, origin=origin, reference=person)
        return Answer({"version": VERSION, **plan.to_json()})

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
        with self._at_work(body, body.origin, progress) as (sent, engine, origin):
            settings, own = self._check_settings(body, engine), body.overrides
            plan = body.plan
            if not plan:
                key = _make_key(body, settings, engine)
                if found := self.faces.get(key):
                    plan = engine.replan(found.plan, settings, overrides=own, origin=origin)
                else:
                    plan = engine.plan(sent.image, settings, overrides=own, origin=origin)
                    self._keep_faces(key, engine, plan, sent.metadata.parameters)
            self._check_plan(plan, engine)
            if plan.upscaled:
                check_size("the result", sent, plan.upscaled)
            [result] = engine.run([sent.image], [plan], progress=progress)
            file = io.BytesIO()
            suffix = FORMATS.get(body.format, "")
            packed = replace(sent, coding=replace(sent.coding, quality=body.quality)) if body.quality else sent
            notes = encode(packed, result.image, file, suffix=suffix)
            report = {"version": VERSION, **result.to_json(), "notes": list(notes)}
            return Answer(report, file.getvalue(), media_type(body.format.upper() or sent.format))

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

    def resolve_folders(self, body: BatchBody) -> tuple[Path, Path]:
        """Return the folders of a batch. Raises `Refusal` unless all paths in it are allowed, and both differ."""
        engine = self.host.engine_for_queries()
        check_paths(engine, self.host.folders, settings=body.settings, overrides=body.overrides)
        source, output = (inside(path, self.host.folders, name) for name, path in
                          (("folder", body.folder), ("output", body.output)))  # fmt: skip
        if not source.is_dir():
            raise refuse(FORBIDDEN, f"{body.folder} is not a folder on this server", "body", "folder")
        if source == output:
            raise refuse(FORBIDDEN, "the results would overwrite the images; use another folder", "body", "output")
        return source, output

    def batch(self, body: BatchBody, source: Path, output: Path, progress: Progress) -> Answer:
        """Fix all images in a folder. Return the outcome for each."""
        with self.host.working(None, progress) as engine:
            return Answer(fix_folder(engine, body, source, output, self.host.folders, progress))

    def _plan(
        self,
        body: DetectBody | PlanBody,
        settings: FaceSettings,
        overrides: Overrides | None,
        origin: GenerationParams | None,
        progress: Progress,
    ) -> FixPlan:
        """Return the plan for an image. If its faces were found before, the image is not even decoded."""
        engine = self.host.engine_for_queries()
        key = _make_key(body, settings, engine)
        if found := self.faces.get(key):
            return engine.replan(found.plan, settings, overrides=overrides, origin=origin or found.origin)
        with self._at_work(body, origin, progress) as (sent, engine, origin):
            plan = engine.plan(sent.image, settings, overrides=overrides, origin=origin)
            self._keep_faces(key, engine, plan, sent.metadata.parameters)
            return plan

    def _keep_faces(self, key: Hashable, engine: FaceFix, plan: FixPlan, text: str) -> None:
        """Keep the faces of an image for later requests. text: the generation parameters stored in the image."""
        if len(text) <= MAX_PARAMETERS:
            without_prompts = engine.replan(plan)
            self.faces.add(key, Found(without_prompts, parse_generation_info(text)))

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


def _make_key(body: DetectBody | PlanBody | FixBody, settings: FaceSettings, engine: FaceFix) -> Hashable:
    """Return the key of the faces in an image: its content, and all that their detection depends on."""
    return hashlib.sha256(body.image).digest(), body.salvage, identify_detection(engine.models, settings)


def _describe_model(models: Registry[object], info: ModelInfo[object], engine: FaceFix) -> dict[str, Any]:
    """Return the entry of one model, with the reason if it cannot be used."""
    note = ""
    try:
        engine.models.check(models, info.name)
    except (BadModel, MissingPackage) as error:
        note = str(error)
    licence = PUBLISHED[info.weights_name].licence if info.weights_name else info.licence
    return _make_entry(info.name, info.label, licence, note)


def _make_entry(name: str, label: str, licence: str = "", note: str = "") -> dict[str, Any]:
    return {"name": name, "label": label, "licence": licence, "here": not note, "note": note}
