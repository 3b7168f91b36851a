"""Fixing one picture after another: one bad file does not stop the rest, and everything is recorded."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL.Image import Image as Pillow

from ..errors import FaceFixError
from ..pictures import PNG_LEVEL, Picture, check_writable, copy_sidecars, read_picture, write_picture
from ..planning.plan import FixPlan, FixResult
from ..protocols import Engine, Progress
from ..settings.face_settings import FaceSettings
from ..settings.generation_info import parse_generation_info
from ..settings.treatment import Overrides
from ..visualize import Pair, draw_strips
from .report import describe_plan, list_reasons, summarize_result

MOST_DRAWN = 12
"""Pictures that a before/after sheet shows; a longer one can hardly be looked at."""


@dataclass(slots=True)
class Batch:
    """What is to be done with each picture, and what has been done so far."""

    engine: Engine
    plan: Callable[[Picture], FixPlan]
    draw: bool = False
    """Whether to make the strips of a before/after sheet."""
    png_level: int = PNG_LEVEL
    """How hard PNGs are compressed, 0..9."""
    salvage: bool = False
    """Whether to use what there is of a JPEG that is cut off."""
    keep_times: bool = False
    """Whether results get the time of their inputs; copies of unchanged files always do."""
    records: list[dict[str, Any]] = field(default_factory=list)
    """One a picture, as `--report` writes them."""
    strips: list[Pillow] = field(default_factory=list)
    failed: bool = False
    """True once a picture or a face has failed."""
    _drawn: int = 0

    def read(self, path: Path) -> Picture:
        """Return the picture of a file, as `read_picture` does."""
        return read_picture(path, salvage=self.salvage)

    def look(self, path: Path) -> list[str]:
        """Plan one picture and change nothing; return what to tell the person."""
        return self.record(path, self._look)

    def fix(self, path: Path, target: Path, progress: Progress) -> list[str]:
        """Fix one picture and write it; return what to tell the person."""
        return self.record(path, lambda record: self._fix(record, path, target, progress))

    def record(self, path: Path, work: Callable[[dict[str, Any]], list[str]]) -> list[str]:
        """Do `work`, which fills the record of this picture; whatever fails is recorded and ends this picture only."""
        started = time.perf_counter()
        record: dict[str, Any] = {"path": str(path), "size": None, "upscale": None, "result_size": None, "faces": []}
        record |= {"output": None, "notes": [], "error": None}
        self.records.append(record)
        try:
            return work(record)
        except KeyboardInterrupt:
            record["error"] = "stopped before it was done"
            raise
        except FaceFixError as error:
            record["error"] = str(error)
        except MemoryError:
            record["error"] = f"{path} does not fit into the memory of this machine"
        except Exception as error:  # noqa: BLE001 an edge of the process: the other pictures must have their turn
            record["error"] = f"{path}: unexpected {type(error).__name__}: {error}"
        finally:
            record["seconds"] = round(time.perf_counter() - started, 4)
        self.failed = True
        return [f"{path}: failed: {record['error']}"]

    def _look(self, record: dict[str, Any]) -> list[str]:
        plan = self.plan(self.read(Path(record["path"])))
        record.update(plan.to_json(), dry_run=True)
        return [f"{record['path']}: {describe_plan(plan)}"]

    def _fix(self, record: dict[str, Any], path: Path, target: Path, progress: Progress) -> list[str]:
        picture = self.read(path)
        plan = self.plan(picture)
        if plan.upscaled:
            check_writable(target, picture, plan.upscaled)  # before minutes of work
        [result] = self.engine.run([picture.image], [plan], progress=progress)
        notes = write_picture(picture, result.image, target, png_level=self.png_level, keep_times=self.keep_times)
        notes += tuple(copy_sidecars(path, target))
        record.update(result.to_json(), output=str(target), notes=list(notes))
        self.failed |= any(outcome.verdict == "failed" for outcome in result.outcomes)
        self._keep(path.name, picture, result)
        lines = [*list_reasons(result), *(f"note: {note}" for note in notes)]
        return [f"{path}: {summarize_result(result)} -> {target}", *(f"  {line}" for line in lines)]

    def _keep(self, title: str, picture: Picture, result: FixResult) -> None:
        if self.draw and self._drawn < MOST_DRAWN:
            self._drawn += 1
            self.strips += draw_strips(Pair(title, picture.image, result.image, result.outcomes))


def make_planner(
    engine: Engine, settings: FaceSettings, overrides: Overrides | None = None
) -> Callable[[Picture], FixPlan]:
    """Return what plans a picture by settings, and by what it says it was made from."""
    return lambda picture: engine.plan(
        picture.image, settings, overrides=overrides, origin=parse_generation_info(picture.metadata.parameters)
    )


def plan_from_file(plans: Mapping[Path, FixPlan]) -> Callable[[Picture], FixPlan]:
    """Return a planner that looks the plan of each picture up."""
    return lambda picture: plans[picture.path]
