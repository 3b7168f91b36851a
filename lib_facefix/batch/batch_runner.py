"""Fixing one file after another. A file that fails is recorded, and does not stop the others."""

import io
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL.Image import Image as Pillow

from ..errors import FaceFixError, SeveralPages
from ..pictures import (
    PNG_LEVEL,
    Found,
    Picture,
    ResultLog,
    check_writable,
    copy_sidecars,
    encode,
    format_for,
    read_picture,
    write_picture,
)
from ..pictures.formats import Format, format_named
from ..pictures.picture import Metadata
from ..planning.plan import FixPlan, FixResult
from ..protocols import Engine, Progress
from ..provenance import Edits, Recorder, list_edits, read_edits
from ..settings.face_settings import FaceSettings
from ..settings.generation_info import parse_generation_info
from ..settings.treatment import Overrides
from ..visualize import Pair, draw_strips
from .report import describe_plan, list_details, list_reasons, summarize_faces
from .targets import STREAM

MAX_SHEET_IMAGES = 12
"""Maximum number of images on a before/after sheet."""


@dataclass(slots=True)
class Batch:
    """A run over many files, and its results so far."""

    engine: Engine
    plan: Callable[[Picture], FixPlan]
    draw: bool = False
    """True to create the strips of a before/after sheet."""
    png_level: int = PNG_LEVEL
    """Compression level of PNG files, 0..9."""
    quality: int = 0
    """Quality of JPEG, WebP and AVIF files, 1..100; 0: that of the input."""
    salvage: bool = False
    """True to use the readable part of a truncated JPEG."""
    keep_times: bool = False
    """True to give results the modification time of their inputs; copies of unchanged files always have it."""
    verbose: bool = False
    """True to tell engine, time and reason of every face."""
    source: BinaryIO | None = None
    """Holds the image whose path is `STREAM`."""
    sink: BinaryIO | None = None
    """Receives the result whose path is `STREAM`."""
    sink_suffix: str = ""
    """Suffix of the kind of file that `sink` receives; blank: the kind of the input."""
    recorder: Recorder = Recorder()  # noqa: RUF009 - it is frozen
    """Writes what was done into each result, and knows results of earlier runs."""
    pages: bool = False
    """True to fix every page or frame of files that have several; otherwise, these are refused."""
    raises: bool = False
    """True to raise the errors of images, too, after they are recorded."""
    log: ResultLog | None = None
    """Remembers which files were written, if any."""
    records: list[dict[str, Any]] = field(default_factory=list)
    """One record for each file, as written by `--report`."""
    strips: list[Pillow] = field(default_factory=list)
    failed: bool = False
    """True if a file or a face has failed."""
    _drawn: int = 0

    def pass_over(self, found: Sequence[Found]) -> tuple[list[Found], list[str]]:
        """Record what is not to be read; return the other files, and what to tell the person.

        If none is left, the run counts as failed: a script must not take nothing for everything.
        """
        lines = []
        for file in found:
            if file.skipped:
                with self.recording(file.path) as record:
                    record["skipped"] = file.skipped
                lines.append(f"{file.path}: skipped: {file.skipped}")
        left = [file for file in found if not file.skipped]
        self.failed |= not left
        return left, lines

    def read(self, path: Path) -> Picture:
        """Return the image of a file, as `read_picture` does, with the quality that it is to be written with."""
        source = self.source if self.source and path == STREAM else path
        picture = read_picture(source, "standard input", salvage=self.salvage)
        if self.quality:
            picture = replace(picture, coding=replace(picture.coding, quality=self.quality))
        return picture

    def look(self, path: Path) -> list[str]:
        """Plan one picture and change nothing; return what to tell the person."""
        with self.recording(path) as record:
            try:
                picture = self.read(path)
            except SeveralPages:
                if not self.pages:
                    raise
                return self._run_pages(path, None)
            plan = self.plan(picture)
            record.update(plan.to_json(), dry_run=True)
            counted, *decisions = describe_plan(plan)
            if before := self.find_earlier(path, picture.metadata, enlarges=plan.upscaled is not None):
                record["fixed_before"] = before
                decisions.append(f"  note: already fixed ({before}), so it is left unless you add --again")
            return [f"{_name(path)}: {counted}", *decisions]
        return self.failure()

    def fix(self, path: Path, target: Path, progress: Progress) -> list[str]:
        """Fix one picture and write it; return what to tell the person."""
        with self.recording(path) as record:
            try:
                picture = self.read(path)
            except SeveralPages:
                if not self.pages:
                    raise
                return self._run_pages(path, target, progress)
            if target != STREAM:
                check_writable(target)  # its suffix, and its name
            kind = self.choose_kind(target, picture.format)
            self.recorder.check(kind)
            if before := self.find_earlier(path, picture.metadata):
                return self._leave(path, target, picture, before)
            plan = self.plan(picture)
            if plan.upscaled and (before := self.find_earlier(path, picture.metadata, enlarges=True)):
                return self._leave(path, target, picture, before)
            if plan.upscaled and target != STREAM:
                check_writable(target, picture, plan.upscaled)  # before minutes of work
            [result] = self.engine.run([picture.image], [plan], progress=progress)
            same = np.array_equal(picture.image, result.image)
            scale = [now / was for now, was in zip(result.result_size, plan.size, strict=True)]
            edits = () if same else list_edits(result.outcomes, result.upscaler, scale)
            said, unmarked = self.recorder.mark_metadata(picture.metadata, edits, kind)
            done = replace(picture, metadata=said), result
            notes = self._write(path, target, done, edits, fixed=any(edit.face for edit in edits))
            copied = same and kind.name == picture.format
            notes = (*notes, *unmarked, *self.recorder.explain_signing(picture.left_out, copied=copied))
            record.update(result.to_json(), output=str(target), notes=list(notes))
            self.failed |= any(outcome.verdict == "failed" for outcome in result.outcomes)
            if self.takes_strips():
                self.strips += draw_strips(Pair(path.name, picture.image, result.image, result.outcomes))
            reasons = list_details(record) if self.verbose else list_reasons(record)
            lines = [*reasons, *(f"note: {note}" for note in notes)]
            return [f"{_name(path)}: {summarize_faces(record)} -> {_shown(target)}", *(f"  {line}" for line in lines)]
        return self.failure()

    def choose_kind(self, target: Path, kind: str) -> Format:
        """Return the format of a result. kind: that of the image, in Pillow's words."""
        if target != STREAM:
            return format_for(target)
        return format_for(Path(f"x{self.sink_suffix}")) if self.sink_suffix else format_named(kind)

    def find_earlier(self, path: Path, said: Metadata, *, enlarges: bool = False) -> str:
        """Return what FaceFix did to the image in an earlier run, if it must not do it twice; blank otherwise."""
        before = self.recorder.find_earlier(said, enlarges=enlarges)
        logged = not before and not self.recorder.again and not read_edits(said) and self.log is not None
        return "FaceFix, without a mark" if logged and self.log and self.log.is_fixed(path) else before

    def _leave(self, path: Path, target: Path, picture: Picture, before: str) -> list[str]:
        """Write an image of an earlier run as it is, unless it is in its place; return what to tell the person."""
        record, result = self.records[-1], FixResult(picture.image, ())
        notes: tuple[str, ...] = ()
        if target != path or target == STREAM:
            notes = self._write(path, target, (picture, result), (), fixed=True)
            record["output"] = str(target)
        record.update(result.to_json(), notes=list(notes), fixed_before=before)
        shown = f" -> {_shown(target)}" if record["output"] else ""
        line = f"{_name(path)}: unchanged, as it is fixed already ({before}); --again fixes it again{shown}"
        return [line, *(f"  note: {note}" for note in notes)]

    def _write(
        self, path: Path, target: Path, done: tuple[Picture, FixResult], edits: Edits, *, fixed: bool
    ) -> tuple[str, ...]:
        """Write a result, and files beside it; return notes on what it lacks. fixed: whether faces of it were fixed."""
        (picture, result), seal = done, None
        if self.recorder.signer:
            parent, local = (picture.path.name, picture.format, _content(picture)), self.engine.describe().loads_models
            engines = [outcome.engine for outcome in result.outcomes]
            seal = self.recorder.make_seal(edits, parent, engines, local=local)
        if self.sink and target == STREAM:
            packed = io.BytesIO()
            notes = encode(picture, result.image, packed, png_level=self.png_level, suffix=self.sink_suffix, seal=seal)
            self.sink.write(packed.getbuffer())
            self.sink.flush()
            return notes
        notes = write_picture(
            picture, result.image, target, png_level=self.png_level, keep_times=self.keep_times, seal=seal
        )
        return (*notes, *self.remember(path, target, fixed=fixed))

    def remember(self, path: Path, target: Path, *, fixed: bool) -> list[str]:
        """Note that `target` was written, and copy the files beside `path` to it; return notes on these."""
        if self.log:
            product = target.parent == path.parent and target != path
            known = fixed and not self.keep_times  # otherwise a backup may have the same time and size
            self.log.add(target, product=product, fixed=known)
        return copy_sidecars(path, target)

    def _run_pages(self, path: Path, target: Path | None, progress: Progress | None = None) -> list[str]:
        """Fix every page of a file that has several, or only plan them without a target."""
        from .pages import PageRun  # few files have several

        return PageRun(self, path, target, progress).carry_out()

    def takes_strips(self) -> bool:
        """Return whether the strips of one more image are wanted for the before/after sheet, and count it."""
        self._drawn += self.draw
        return self.draw and self._drawn <= MAX_SHEET_IMAGES

    def failure(self) -> list[str]:
        """Return what to tell the person of the picture that has just failed."""
        return [f"{_name(self.records[-1]['path'])}: failed: {self.records[-1]['error']}"]

    @contextmanager
    def recording(self, path: Path) -> Iterator[dict[str, Any]]:
        """Give the record of one picture, to be filled; what fails meanwhile is recorded and ends this picture only."""
        started = time.perf_counter()
        record: dict[str, Any] = {"path": str(path), "size": None, "upscale": None, "result_size": None, "faces": []}
        record |= {"output": None, "notes": [], "fixed_before": None, "skipped": None, "error": None}
        self.records.append(record)
        try:
            yield record
        except KeyboardInterrupt:
            record["error"] = "stopped before this file was finished"
            raise
        except FaceFixError as error:
            record["error"] = str(error)
            if self.raises:
                raise
        except MemoryError:
            record["error"] = "not enough memory for this image"
        except Exception as error:  # noqa: BLE001 the other files must still be processed
            record["error"] = f"unexpected {type(error).__name__}: {error}"
        finally:
            record["seconds"] = round(time.perf_counter() - started, 4)
            self.failed |= record["error"] is not None


def _name(path: Path | str) -> str:
    return "standard input" if str(path) == str(STREAM) else str(path)


def _shown(target: Path) -> str:
    return "standard output" if target == STREAM else str(target)


def _content(picture: Picture) -> bytes:
    """Return the file, or the stream, that an image was read from."""
    if picture.stream is None:
        return picture.path.read_bytes()
    picture.stream.seek(0)
    return picture.stream.read()


def skip_existing(
    batch: Batch, found: Sequence[Found], targets: Sequence[Path]
) -> tuple[list[Found], list[Path], list[str]]:
    """Return the files and targets without those whose result exists, and what to tell the person of these."""
    left = []
    for file, target in zip(found, targets, strict=True):
        if os.path.lexists(target):
            with batch.recording(file.path) as record:
                record["skipped"] = f"its result {target} exists"
        else:
            left.append((file, target))
    skipped = len(found) - len(left)
    lines = [f"{skipped} of {len(found)} images skipped: their results exist"] if skipped else []
    return [file for file, _ in left], [target for _, target in left], lines


def make_planner(
    engine: Engine, settings: FaceSettings, overrides: Overrides | None = None
) -> Callable[[Picture], FixPlan]:
    """Return a planner that uses the settings and the generation parameters in each image."""
    return lambda picture: engine.plan(
        picture.image, settings, overrides=overrides, origin=parse_generation_info(picture.metadata.parameters)
    )


def plan_from_file(plans: Mapping[Path, FixPlan]) -> Callable[[Picture], FixPlan]:
    """Return a planner that uses existing plans, by path."""
    return lambda picture: plans[picture.path]
