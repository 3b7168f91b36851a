"""What each call does, whoever runs it and however it came."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from PIL import Image as Pil

from ..errors import BadModel, BadPlan, FaceFixError, MissingPackage
from ..facefix import NO_DIFFUSER, FaceFix
from ..models.yolo_files import yolo_files
from ..pictures import Picture, encode, read_picture
from ..planning.plan import VERSION, FixPlan, face_to_json
from ..protocols import Progress
from ..registry import (
    DETECTORS,
    GUESSERS,
    LANDMARKERS,
    MASKERS,
    OCCLUDERS,
    PARSERS,
    RESTORERS,
    UPSCALERS,
    ModelInfo,
    Registry,
)
from ..settings.detector_expression import quote_name
from ..settings.face_prompt import GenerationParams
from ..settings.face_settings import FaceSettings
from ..settings.generation_info import parse_generation_info
from ..settings.options import schema
from ..settings.treatment import METHODS
from ..visualize import numbered_boxes, tint_mask
from ..weights import PUBLISHED
from .allowed_paths import check_paths, inside
from .batch import fix_folder
from .errors import FORBIDDEN, refusal_of, refuse
from .job_queue import Answer
from .schemas import BatchBody, DetectBody, FixBody, PlanBody, PreviewBody, ReplanBody

SHOWN: dict[str, Registry[object]] = {
    "detectors": DETECTORS,
    "landmarkers": LANDMARKERS,
    "guessers": GUESSERS,
    "maskers": MASKERS,
    "parsers": PARSERS,
    "occluders": OCCLUDERS,
    "restorers": RESTORERS,
    "upscalers": UPSCALERS,
}
"""What GET models lists, beside the methods."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is too much."""

    body: int = 64 << 20
    """Bytes of one request."""
    pixels: int = 50_000_000
    """Of a picture that is sent."""
    faces: int = 1000
    """In a plan that is sent."""
    waiting: int = 128
    """Calls that may wait, and results that are kept."""
    held: int = 512 << 20
    """Bytes that those may take together."""


class Host(Protocol):
    """Who runs the API: `facefix serve`, or a WebUI."""

    def working(self, origin: GenerationParams | None, progress: Progress) -> AbstractContextManager[FaceFix]:
        """Give the engine for one piece of work, under whatever lock it needs.

        origin: what the picture was made from, where it says so; None where nothing will be re-diffused.
        """
        ...

    def engine_for_queries(self) -> FaceFix:
        """Give an engine that is asked what it has, and not worked with: whoever asks waits for nothing."""
        ...

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders on the server that a client may name; none: it may name none."""
        ...

    @property
    def limits(self) -> Limits:
        """What is too much."""
        ...


class Service:
    """The calls, on the engine of one host. Each raises `FaceFixError` or `Refusal`."""

    def __init__(self, host: Host) -> None:
        self.host = host

    def models(self) -> dict[str, Any]:
        """Return what is on offer, and what of it is here."""
        engine = self.host.engine_for_queries()
        lists = {kind: [_offer(registry, one, engine) for one in registry] for kind, registry in SHOWN.items()}
        lists["detectors"] += [_file(path) for path in yolo_files(engine.models.paths)]
        return {"version": VERSION, "methods": [_method(name, engine) for name in METHODS], **lists}

    def settings(self) -> dict[str, Any]:
        """Return the JSON schema of the settings."""
        return schema(FaceSettings)

    def detect(self, body: DetectBody, progress: Progress) -> Answer:
        """Return the faces of a picture."""
        with self._at_work(body.image, None, progress) as (sent, engine, _):
            check_paths(engine, self.host.folders, settings=body.settings)
            plan = engine.plan(sent.image, body.settings)
        faces = [face_to_json(job.number, job.face, job.pose) for job in plan.jobs]
        return Answer({"version": VERSION, "size": list(plan.size), "faces": faces})

    def plan(self, body: PlanBody, progress: Progress) -> Answer:
        """Return what would be done to each face."""
        with self._at_work(body.image, body.origin, progress) as (sent, engine, origin):
            plan = self._make_plan(body, sent, engine, origin)
        return Answer({"version": VERSION, **plan.to_json()})

    def replan(self, body: ReplanBody) -> dict[str, Any]:
        """Return the plan for the same faces with other settings, as `plan` would for the picture that they are in."""
        engine = self.host.engine_for_queries()
        try:
            self._check_plan(body.plan, engine)
            check_paths(engine, self.host.folders, settings=body.settings, overrides=body.overrides)
            plan = engine.replan(body.plan, body.settings, overrides=body.overrides, origin=body.origin)
        except FaceFixError as error:
            raise refusal_of(error, ("body", "plan") if isinstance(error, BadPlan) else ("body",)) from error
        return {"version": VERSION, **plan.to_json()}

    def fix(self, body: FixBody, progress: Progress) -> Answer:
        """Fix the faces; return the picture and what became of each face."""
        with self._at_work(body.image, body.origin, progress) as (sent, engine, origin):
            plan = body.plan or self._make_plan(body, sent, engine, origin)
            self._check_plan(plan, engine)
            [result] = engine.run([sent.image], [plan], progress=progress)
            file = io.BytesIO()
            encode(sent, result.image, file)
            return Answer({"version": VERSION, **result.to_json()}, file.getvalue(), sent.media_type)

    def preview(self, body: PreviewBody, progress: Progress) -> Answer:
        """Return the picture with numbered boxes, and the parts of it that the plan may change."""
        with self._at_work(body.image, None, progress) as (sent, engine, _):
            self._check_plan(body.plan, engine)
            image = sent.image
            shown = numbered_boxes(
                tint_mask(image, engine.mask(image, body.plan)), [(job.number, job.face) for job in body.plan.jobs]
            )
        file = io.BytesIO()
        Pil.fromarray(shown).save(file, "PNG", compress_level=1)
        return Answer({"version": VERSION}, file.getvalue(), "image/png")

    def places_of(self, body: BatchBody) -> tuple[Path, Path]:
        """Return the folders of a batch; raises `Refusal` unless all that is named may be named, and they are apart."""
        engine = self.host.engine_for_queries()
        check_paths(engine, self.host.folders, settings=body.settings, overrides=body.overrides)
        source, output = (inside(path, self.host.folders, name) for name, path in
                          (("folder", body.folder), ("output", body.output)))  # fmt: skip
        if not source.is_dir():
            raise refuse(FORBIDDEN, f"{body.folder} is no folder here", "body", "folder")
        if source == output:
            raise refuse(FORBIDDEN, "the results would overwrite the pictures; name another folder", "body", "output")
        return source, output

    def batch(self, body: BatchBody, source: Path, output: Path, progress: Progress) -> Answer:
        """Fix all pictures of a folder; return what became of each."""
        with self.host.working(None, progress) as engine:
            return Answer(fix_folder(engine, body, source, output, self.host.folders, progress))

    @contextmanager
    def _at_work(
        self, sent: bytes, origin: GenerationParams | None, progress: Progress
    ) -> Iterator[tuple[Picture, FaceFix, GenerationParams | None]]:
        try:
            picture = read_picture(io.BytesIO(sent), max_pixels=self.host.limits.pixels)
            origin = origin or parse_generation_info(picture.metadata.parameters)
            with self.host.working(origin, progress) as engine:
                yield picture, engine, origin
        except BadPlan as error:
            raise refusal_of(error, ("body", "plan")) from error

    def _make_plan(
        self, body: PlanBody | FixBody, sent: Picture, engine: FaceFix, origin: GenerationParams | None
    ) -> FixPlan:
        settings = body.settings or FaceSettings()
        check_paths(engine, self.host.folders, settings=settings, overrides=body.overrides)
        return engine.plan(sent.image, settings, overrides=body.overrides, origin=origin)

    def _check_plan(self, plan: FixPlan, engine: FaceFix) -> None:
        if len(plan.jobs) > self.host.limits.faces:
            raise BadPlan(f"the plan has {len(plan.jobs)} faces, and at most {self.host.limits.faces} are taken here")
        check_paths(engine, self.host.folders, plan=plan)


def _offer(registry: Registry[object], info: ModelInfo[object], engine: FaceFix) -> dict[str, Any]:
    """Return one choice, and in words why it cannot be chosen, where it cannot."""
    note = ""
    try:
        engine.models.check(registry, info.name)
    except (BadModel, MissingPackage) as error:
        note = str(error)
    licence = PUBLISHED[info.weights_name].licence if info.weights_name else info.licence
    return {"name": info.name, "label": info.label, "licence": licence, "here": not note, "note": note}


def _file(path: Path) -> dict[str, Any]:
    """Return a model file that was found, told as a model on offer is."""
    return {"name": quote_name(path.name), "label": path.name, "licence": "", "here": True, "note": ""}


def _method(name: str, engine: FaceFix) -> dict[str, Any]:
    """Return one method, told as a model is."""
    note = NO_DIFFUSER if name == "re-diffuse" and not engine.describe().rediffuses else ""
    return {"name": name, "label": name.capitalize(), "licence": "", "here": not note, "note": note}
