"""Fixing every page of a TIFF file, or every frame of an animation. Only one page of a TIFF is in memory at a time."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import BadSetting
from ..fsio import Handover
from ..pictures import Pages, Picture, check_writable, open_pages, save_pages, write_pages
from ..pictures.formats import Format
from ..pictures.objects import as_url, is_remote
from ..pictures.pages import Fixed
from ..planning.plan import FixPlan, FixResult
from ..protocols import Progress
from ..provenance import Edits, list_edits
from ..visualize import Pair, draw_strips
from .report import describe_plan, list_details, list_reasons, summarize_faces
from .targets import STREAM, name_source, name_target

if TYPE_CHECKING:
    from .batch_runner import Batch
    from .item import Item


@dataclass(frozen=True, slots=True)
class PageProgress:
    """A `Progress` that names the page."""

    progress: Progress
    page: int
    count: int

    def step(self, done: int, total: int, doing: str) -> None:
        """Report the number of finished faces and the current step in the current page."""
        self.progress.step(done, total, f"page {self.page} of {self.count}: {doing}")

    def should_stop(self) -> bool:
        """Return whether the user wants to stop."""
        return self.progress.should_stop()


@dataclass(slots=True)
class PageRun:
    """One file of several pages on its way through a batch."""

    batch: Batch
    item: Item
    target: Path | None
    """None: the pages are planned, and nothing is changed."""
    progress: Progress | None
    notes: list[str] = field(default_factory=list)
    edits: list[tuple[int, Edits]] = field(default_factory=list)
    """What was done to each page that has changed."""

    def carry_out(self) -> list[str]:
        """Plan every page, fix them, and write the result; return what to tell the person."""
        path, record = self.item.path, self.item.record
        source = self.batch.source if self.batch.source and path == STREAM else path
        if self.item.content:
            source = io.BytesIO(self.item.content)
        name = name_source(path)
        with open_pages(source, name) as pages:
            record.update(pages=[], faces=[])
            if self.target is None:
                record["dry_run"] = True
                plans = self._plan(pages)
                lines = [line for number, plan in enumerate(plans, 1) for line in self._look(number, plan)]
                return [f"{name}: {pages.count} pages", *lines]
            kind = self._check(pages)
            done = self._write(pages, kind, self._plan(pages))
        record.update(output=as_url(self.target), notes=list(dict.fromkeys(self.notes)))
        reasons = list_details(record) if self.batch.verbose else list_reasons(record)
        lines = [*reasons, *(f"note: {note}" for note in record["notes"])]
        shown = name_target(self.target)
        copied = "" if done else ", copied"
        return [f"{name}: {summarize_faces(record)}{copied} -> {shown}", *(f"  {line}" for line in lines)]

    def _check(self, pages: Pages) -> Format:
        """Return the format of the result. Raises an error if it cannot be written as wanted."""
        assert self.target is not None
        if self.target != STREAM:
            check_writable(self.target)
        kind = self.batch.choose_kind(self.target, pages.format)
        pages.check_target(kind, str(self.target))
        if self.batch.recorder.signer:
            raise BadSetting("files of several pages cannot be signed; remove --sign and --sign-key")
        return kind

    def _plan(self, pages: Pages) -> list[FixPlan | None]:
        """Return the plan of each page, None for one that an earlier run has fixed."""
        plans: list[FixPlan | None] = []
        path, target = self.item.path, self.item.target
        for picture in pages.read():
            plan = None if self.batch.find_earlier(path, target, picture.metadata) else self.batch.plan(picture)
            if plan and plan.upscaled and self.batch.find_earlier(path, target, picture.metadata, enlarges=True):
                plan = None
            if plan and plan.upscaled and self.target and self.target != STREAM:
                check_writable(self.target, picture, plan.upscaled)
            plans.append(plan)
        return plans

    def _look(self, number: int, plan: FixPlan | None) -> list[str]:
        """Record the plan of a page; return what to tell the person."""
        if plan is None:
            self._add(number, {"size": None, "upscale": None, "faces": []})
            return [f"page {number}: already fixed, so it is left unless you add --again"]
        self._add(number, plan.to_json())
        counted, *decisions = describe_plan(plan)
        return [f"page {number}: {counted}", *decisions]

    def _add(self, number: int, told: dict[str, Any]) -> None:
        """Add what is told of a page to the record: its faces, with their page, to those of the others."""
        record = self.item.record
        faces = told.pop("faces")
        record["faces"] += [{"page": number, **face} for face in faces]
        record["pages"].append({"page": number, **told})
        if number == 1:
            record.update(told)

    def _write(self, pages: Pages, kind: Format, plans: list[FixPlan | None]) -> bool:
        """Fix the pages and write them. Return whether the result is more than a copy."""
        assert self.target is not None
        fixed = self._fix(pages, kind, plans)
        if not pages.pages:
            fixed = self._mark_all(fixed, kind)
        if self.batch.sink and self.target == STREAM:
            packed = io.BytesIO()
            done, notes = write_pages(pages, fixed, kind, packed)
            self.batch.sink.write(packed.getbuffer())
            self.batch.sink.flush()
            self.notes += notes
            return done
        if is_remote(self.target) or self.batch.keeps_content:
            packed = io.BytesIO()
            done, notes = write_pages(pages, fixed, kind, packed)
            self.batch.put_object(self.item, packed.getvalue(), changed=bool(self.edits))
            self.notes += notes
            return done
        keep_times, handover = self.batch.keep_times, self._hand_over(pages, self.target)
        done, notes = save_pages(pages, fixed, kind, self.target, keep_times=keep_times, handover=handover)
        self.notes += [*notes, *self.batch.remember(self.item.path, self.target, fixed=bool(self.edits))]
        return done

    def _hand_over(self, pages: Pages, target: Path) -> Handover:
        """Return what makes the result known before its file takes its place, once all its pages are written."""

        def ready(part: Path) -> None:
            is_fixed, stamp = bool(self.edits), pages.stamp and (pages.stamp[1], pages.stamp[0])
            self.batch.hand_over(stamp, self.item.path, target, fixed=is_fixed, changed=is_fixed).ready(part)

        return Handover(ready, self.batch.journal.run if self.batch.journal else "")

    def _fix(self, pages: Pages, kind: Format, plans: list[FixPlan | None]) -> Iterator[Fixed]:
        """Yield each page with its new pixels, if any; those of a TIFF with their mark."""
        for number, (picture, plan) in enumerate(zip(pages.read(), plans, strict=True), 1):
            result = FixResult(picture.image, ())
            if plan:
                progress = PageProgress(self.progress, number, pages.count) if self.progress else None
                [result] = self.batch.engine.run([picture.image], [plan], progress=progress)
            self._add(number, result.to_json())
            if np.array_equal(picture.image, result.image):
                yield picture, None
                continue
            if self.batch.takes_strips():
                title = f"{self.item.path.name}, page {number}"
                self.item.strips += draw_strips(Pair(title, picture.image, result.image, result.outcomes))
            scale = [now / was for now, was in zip(result.result_size, result.size or result.result_size, strict=True)]
            edits = list_edits(result.outcomes, result.upscaler, scale)
            self.edits.append((number, edits))
            if pages.pages:
                picture = self._mark(picture, edits, kind)
            if self.batch.quality:
                picture = replace(picture, coding=replace(picture.coding, quality=self.batch.quality))
            yield picture, result.image

    def _mark_all(self, fixed: Iterator[Fixed], kind: Format) -> Iterator[Fixed]:
        """Yield the frames of an animation, the first with the mark of all: one for each face, without its place."""
        frames = list(fixed)
        flat = dict.fromkeys(replace(edit, box=None) for _, edits in self.edits for edit in edits)
        first, pixels = frames[0]
        yield self._mark(first, tuple(flat), kind), pixels
        yield from frames[1:]

    def _mark(self, picture: Picture, edits: Edits, kind: Format) -> Picture:
        said, unmarked = self.batch.recorder.mark_metadata(picture.metadata, edits, kind)
        self.notes += unmarked
        return replace(picture, metadata=said)
