"""All pictures of a folder on the server, one after another; a broken one does not stop the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..batch import Batch, choose_targets, exclude_results, make_document, make_planner
from ..errors import BadPicture, Stopped
from ..facefix import FaceFix
from ..pictures import find_pictures
from ..protocols import Progress
from .allowed_paths import is_inside
from .schemas import BatchBody


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """A `Progress` that counts pictures, and says of the one at hand how far its faces are."""

    progress: Progress
    done: int
    total: int
    name: str

    def step(self, done: int, total: int, doing: str) -> None:
        """Say it."""
        self.progress.step(self.done, self.total, f"{self.name}: {done}/{total} faces, {doing}")

    def should_stop(self) -> bool:
        """Return what the person wants."""
        return self.progress.should_stop()


def fix_folder(
    engine: FaceFix, body: BatchBody, source: Path, output: Path, allowed: Sequence[Path], progress: Progress
) -> dict[str, Any]:
    """Fix every picture below `source` into `output`; return what `facefix fix --report` writes.

    allowed: folders outside of which no link may lead, to read or to write.
    """
    found = exclude_results(find_pictures([str(source)]), [str(source)], str(output))
    batch = Batch(engine, make_planner(engine, body.settings, body.overrides))
    for done, (one, target) in enumerate(zip(found, choose_targets(found, str(output), in_place=False), strict=True)):
        if progress.should_stop():
            with batch.recording(one.path):
                raise Stopped("stopped before its turn")
            continue
        progress.step(done, len(found), one.path.name)
        if is_inside(one.path, allowed) and is_inside(target, allowed):
            batch.fix(one.path, target, BatchProgress(progress, done, len(found), one.path.name))
        else:
            with batch.recording(one.path):
                raise BadPicture(f"{one.path} is a link that leads out of the folders that may be used here")
    progress.step(len(found), len(found), "done")
    return make_document(batch.records)
