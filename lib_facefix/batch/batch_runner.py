"""Fixing one file after another. A file that fails is recorded, and does not stop the others."""

import io
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

from PIL.Image import Image as Pillow

from ..errors import FaceFixError
from ..pictures import (
    PNG_LEVEL,
    Found,
    Picture,
    ResultLog,
    check_writable,
    copy_sidecars,
    encode,
    read_picture,
    write_picture,
)
from ..planning.plan import FixPlan
from ..protocols import Engine, Progress
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
            plan = self.plan(self.read(path))
            record.update(plan.to_json(), dry_run=True)
            counted, *decisions = describe_plan(plan)
            return [f"{_name(path)}: {counted}", *decisions]
        return self.failure()

    def fix(self, path: Path, target: Path, progress: Progress) -> list[str]:
        """Fix one picture and write it; return what to tell the person."""
        with self.recording(path) as record:
            picture = self.read(path)
            if target != STREAM:
                check_writable(target)  # its suffix, and its name
            plan = self.plan(picture)
            if plan.upscaled and target != STREAM:
                check_writable(target, picture, plan.upscaled)  # before minutes of work
            [result] = self.engine.run([picture.image], [plan], progress=progress)
            if self.sink and target == STREAM:
                packed = io.BytesIO()
                notes = encode(picture, result.image, packed, png_level=self.png_level, suffix=self.sink_suffix)
                self.sink.write(packed.getbuffer())
                self.sink.flush()
            else:
                notes = write_picture(
                    picture, result.image, target, png_level=self.png_level, keep_times=self.keep_times
                )
                if self.log:
                    self.log.add(target, product=target.parent == path.parent and target != path)
                notes += tuple(copy_sidecars(path, target))
            record.update(result.to_json(), output=str(target), notes=list(notes))
            self.failed |= any(outcome.verdict == "failed" for outcome in result.outcomes)
            if self.draw and self._drawn < MAX_SHEET_IMAGES:
                self._drawn += 1
                self.strips += draw_strips(Pair(path.name, picture.image, result.image, result.outcomes))
            reasons = list_details(record) if self.verbose else list_reasons(record)
            lines = [*reasons, *(f"note: {note}" for note in notes)]
            shown = "standard output" if target == STREAM else target
            return [f"{_name(path)}: {summarize_faces(record)} -> {shown}", *(f"  {line}" for line in lines)]
        return self.failure()

    def failure(self) -> list[str]:
        """Return what to tell the person of the picture that has just failed."""
        return [f"{_name(self.records[-1]['path'])}: failed: {self.records[-1]['error']}"]

    @contextmanager
    def recording(self, path: Path) -> Iterator[dict[str, Any]]:
        """Give the record of one picture, to be filled; what fails meanwhile is recorded and ends this picture only."""
        started = time.perf_counter()
        record: dict[str, Any] = {"path": str(path), "size": None, "upscale": None, "result_size": None, "faces": []}
        record |= {"output": None, "notes": [], "skipped": None, "error": None}
        self.records.append(record)
        try:
            yield record
        except KeyboardInterrupt:
            record["error"] = "stopped before this file was finished"
            raise
        except FaceFixError as error:
            record["error"] = str(error)
        except MemoryError:
            record["error"] = "not enough memory for this image"
        except Exception as error:  # noqa: BLE001 the other files must still be processed
            record["error"] = f"unexpected {type(error).__name__}: {error}"
        finally:
            record["seconds"] = round(time.perf_counter() - started, 4)
            self.failed |= record["error"] is not None


def _name(path: Path | str) -> str:
    return "standard input" if str(path) == str(STREAM) else str(path)


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
