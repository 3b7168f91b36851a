"""Fixing one file after another. A file that fails is recorded, and does not stop the others."""

from __future__ import annotations

import io
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
    Found,
    Picture,
    check_writable,
    read_picture,
)
from ..pictures.objects import as_url, is_remote, read_object
from ..pictures.picture import Metadata
from ..planning.plan import FixPlan, FixResult
from ..protocols import Engine, Progress
from ..provenance import Edits, list_edits, read_edits
from ..visualize import Pair, draw_strips
from .item import Item
from .output import Output
from .preview import make_preview
from .report import describe_plan, has_failed, list_details, list_reasons, new_record, summarize_faces
from .targets import STREAM, name_source, name_target

STOPPED = "stopped before this file was finished"
"""Error of an image that was being fixed when the run was stopped."""
MAX_SHEET_IMAGES = 12
"""Maximum number of images on a before/after sheet."""


@dataclass(slots=True)
class Batch(Output):
    """A run over many files, and its results so far."""

    engine: Engine
    plan: Callable[[Picture], FixPlan]
    previews: bool = False
    """True to make small pictures of each image."""
    draw: bool = False
    """True to create the strips of a before/after sheet."""
    quality: int = 0
    """Quality of JPEG, WebP and AVIF files, 1..100; 0: that of the input."""
    salvage: bool = False
    """True to use the readable part of a truncated JPEG."""
    verbose: bool = False
    """True to tell engine, time and reason of every face."""
    source: BinaryIO | None = None
    """Holds the image whose path is `STREAM`."""
    pages: bool = False
    """True to fix every page or frame of files that have several; otherwise, these are refused."""
    raises: bool = False
    """True to raise the errors of images, too, after they are recorded."""
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

    def read(self, path: Path, content: bytes = b"") -> Picture:
        """Return the image of a file, as `read_picture` does, with the quality that it is to be written with.

        content: the file, if it was read before.
        """
        source: Path | BinaryIO = self.source if self.source and path == STREAM else path
        name = "standard input" if path == STREAM else as_url(path)
        if content or is_remote(path):
            source = io.BytesIO(content or read_object(path)[0])
        picture = read_picture(source, name, salvage=self.salvage)
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
                return self._run_pages(Item(path, path, record), None)
            plan = self.plan(picture)
            record.update(plan.to_json(), dry_run=True)
            counted, *decisions = describe_plan(plan)
            enlarges = plan.upscaled is not None
            if before := self.find_earlier(path, path, picture.metadata, enlarges=enlarges):
                record["fixed_before"] = before
                decisions.append(f"  note: already fixed ({before}), so it is left unless you add --again")
            return [f"{name_source(path)}: {counted}", *decisions]
        return self.failure()

    def fix(self, path: Path, target: Path, progress: Progress) -> list[str]:
        """Fix one picture and write it; return what to tell the person."""
        item = Item(path, target, new_record(path))
        self.records.append(item.record)
        try:
            return self.finish(self.make(self.open(item), progress))
        finally:
            self._note_failure(item.record)

    def open(self, item: Item) -> Item:
        """Read an image, and check that its result can be written: the first of three stages.

        Each stage may run in a thread of its own, for one image after another. Errors end up in the record, which is
        not added to `records`.
        """
        path, target = item.path, item.target
        with self._stage(item):
            content = b""
            try:
                if item.content or is_remote(path):
                    content, item.stamp = (item.content, item.stamp) if item.content else read_object(path)
                item.picture = picture = self.read(path, content)
            except SeveralPages:
                if not self.pages:
                    raise
                item.has_pages, item.content = True, content
                return item
            if picture.stamp:
                item.stamp = picture.stamp[1], picture.stamp[0]
            if target != STREAM:
                check_writable(target)  # its suffix, and its name
            self.recorder.check(self.choose_kind(target, picture.format))
            item.before = self.find_earlier(path, target, picture.metadata)
        return item

    def make(self, item: Item, progress: Progress) -> Item:
        """Find and fix the faces of an image: the second stage."""
        picture = item.picture
        if item.before or item.record["error"]:
            return item
        with self._stage(item):
            if item.has_pages:
                item.lines = self._run_pages(item, item.target, progress)
                return item
            assert picture
            plan = self.plan(picture)
            if plan.upscaled:
                item.before = self.find_earlier(item.path, item.target, picture.metadata, enlarges=True)
                if item.before:
                    return item
                if item.target != STREAM:
                    check_writable(item.target, picture, plan.upscaled)  # before minutes of work
            [item.result] = self.engine.run([picture.image], [plan], progress=progress)
        return item

    def finish(self, item: Item) -> list[str]:
        """Write the result of an image, and return what to tell the person: the last stage."""
        record, lines = item.record, list[str]()
        if not record["error"]:
            with self._stage(item):
                if item.has_pages:
                    lines = item.lines
                    self.strips += item.strips
                elif item.before:
                    lines = self._leave(item)
                else:
                    assert item.result
                    picture, edits, more = self._mark(item)
                    local = self.engine.describe().loads_models
                    notes = self.write(item, (picture, item.result), edits, local=local)
                    record.update(item.result.to_json(), output=as_url(item.target), notes=[*notes, *more])
                    lines = self._tell(item)
        if self.previews and item.picture:
            with self._stage(item):
                fixed = item.result.image if item.result else item.picture.image
                item.preview = make_preview(item.picture.image, None if record["error"] else fixed)
        return [f"{name_source(item.path)}: failed: {record['error']}"] if record["error"] else lines

    def _mark(self, item: Item) -> tuple[Picture, Edits, tuple[str, ...]]:
        """Return the image with the metadata of its result, what was done to it, and notes on marks it cannot have."""
        assert item.picture
        assert item.result
        picture, result, kind = item.picture, item.result, self.choose_kind(item.target, item.picture.format)
        same = np.array_equal(picture.image, result.image)
        scale = [now / was for now, was in zip(result.result_size, picture.image.shape[1::-1], strict=True)]
        edits = () if same else list_edits(result.outcomes, result.upscaler, scale)
        said, unmarked = self.recorder.mark_metadata(picture.metadata, edits, kind)
        copied = same and kind.name == picture.format
        return replace(picture, metadata=said), edits, (
            *unmarked, *self.recorder.explain_signing(picture.left_out, copied=copied)
        )  # fmt: skip

    def _tell(self, item: Item) -> list[str]:
        """Return what to tell the person of a result, and draw its part of the before/after sheet."""
        assert item.picture
        assert item.result
        record = item.record
        if self.takes_strips():
            pair = Pair(item.path.name, item.picture.image, item.result.image, item.result.outcomes)
            self.strips += draw_strips(pair)
        reasons = list_details(record) if self.verbose else list_reasons(record)
        lines = [*reasons, *(f"note: {note}" for note in record["notes"])]
        first = f"{name_source(item.path)}: {summarize_faces(record)} -> {name_target(item.target)}"
        return [first, *(f"  {line}" for line in lines)]

    def find_earlier(self, path: Path, target: Path, said: Metadata, *, enlarges: bool = False) -> str:
        """Return what FaceFix did to the image in an earlier run, if it must not do it twice; blank otherwise."""
        before = self.recorder.find_earlier(said, enlarges=enlarges)
        if before or self.recorder.again or read_edits(said):
            return before
        logged = self.log is not None and self.log.is_fixed(path)
        noted = self.journal is not None and path == target and self.journal.was_changed(target)
        return "FaceFix, without a mark" if logged or noted else ""

    def _leave(self, item: Item) -> list[str]:
        """Write an image of an earlier run as it is, unless it is in its place; return what to tell the person."""
        path, target, record, before, picture = item.path, item.target, item.record, item.before, item.picture
        assert picture
        result = FixResult(picture.image, ())
        notes: tuple[str, ...] = ()
        if target != path or target == STREAM:
            notes = self.write(item, (picture, result), (), known=True)
            record["output"] = as_url(target)
        record.update(result.to_json(), notes=list(notes), fixed_before=before)
        shown = f" -> {name_target(target)}" if record["output"] else ""
        line = f"{name_source(path)}: unchanged, as it is fixed already ({before}); --again fixes it again{shown}"
        return [line, *(f"  note: {note}" for note in notes)]

    def _run_pages(self, item: Item, target: Path | None, progress: Progress | None = None) -> list[str]:
        """Fix every page of a file that has several, or only plan them without a target."""
        from .pages import PageRun  # few files have several

        return PageRun(self, item, target, progress).carry_out()

    def takes_strips(self) -> bool:
        """Return whether the strips of one more image are wanted for the before/after sheet, and count it."""
        self._drawn += self.draw
        return self.draw and self._drawn <= MAX_SHEET_IMAGES

    def failure(self) -> list[str]:
        """Return what to tell the person of the picture that has just failed."""
        return [f"{name_source(self.records[-1]['path'])}: failed: {self.records[-1]['error']}"]

    @contextmanager
    def recording(self, path: Path) -> Iterator[dict[str, Any]]:
        """Give the record of one picture, to be filled; what fails meanwhile is recorded and ends this picture only."""
        item = Item(path, path, new_record(path))
        self.records.append(item.record)
        try:
            with self._stage(item):
                yield item.record
        finally:
            self._note_failure(item.record)

    @contextmanager
    def _stage(self, item: Item) -> Iterator[None]:
        """Record what fails in one stage of the work on an image, and how long it took."""
        started, record = time.perf_counter(), item.record
        try:
            yield
        except KeyboardInterrupt:
            record["error"] = STOPPED
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
            record["seconds"] = round(record["seconds"] + time.perf_counter() - started, 4)

    def _note_failure(self, record: Mapping[str, Any]) -> None:
        if has_failed(record):
            self.failed = True
