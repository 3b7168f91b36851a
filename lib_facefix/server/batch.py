"""Fixes all images in a folder on the server, one after another. A damaged file does not stop the rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..batch import (
    Batch,
    choose_targets,
    exclude_results,
    make_document,
    make_planner,
    open_log,
    refuse_to_replace,
)
from ..errors import BadPicture, Stopped
from ..facefix import FaceFix
from ..pictures import find_pictures
from ..planning.needs import Needs
from ..protocols import Progress
from ..provenance import Recorder
from .allowed_paths import is_inside
from .schemas import BatchBody


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """A `Progress` that counts images and describes the progress within the current one."""

    progress: Progress
    """Progress of the whole batch."""
    done: int
    """Number of finished images."""
    total: int
    """Number of all images."""
    name: str
    """File name of the current image."""

    def step(self, done: int, total: int, doing: str) -> None:
        """Report the number of finished faces and the current step in the current image."""
        self.progress.step(self.done, self.total, f"{self.name}: {done}/{total} faces, {doing}")

    def should_stop(self) -> bool:
        """Return whether the user wants to stop."""
        return self.progress.should_stop()


def fix_folder(
    engine: FaceFix, body: BatchBody, source: Path, output: Path, allowed: Sequence[Path], progress: Progress
) -> dict[str, Any]:
    """Fix every image below `source` into `output`. Return the report that `facefix fix --report` would write.

    allowed: folders that links must not leave, neither for reading nor for writing. Raises `BadSetting`, before
    anything is written, if results would replace files that FaceFix did not write, unless the request allows it. Raises
    a `FaceFixError` if the settings need a model that cannot be used, or if the folder is gone.
    """
    engine.prepare(Needs.of_settings(body.settings, body.overrides))
    if not source.is_dir():  # it was there when the request came
        raise BadPicture(f"{source}: this folder no longer exists. Check the name.")
    log = open_log()
    batch = Batch(
        engine,
        make_planner(engine, body.settings, body.overrides),
        recorder=Recorder(body.mark, body.again),
        pages=True,
        log=log,
    )
    found, _ = batch.pass_over(exclude_results(find_pictures([str(source)]), [str(source)], str(output)))
    targets = choose_targets(found, str(output), in_place=False)
    if not body.overwrite:
        reachable = (target for target in targets if is_inside(target, allowed))  # all others fail, and stay unnamed
        refuse_to_replace(reachable, log, 'send "overwrite": true')
    for done, (path, target) in enumerate(zip((file.path for file in found), targets, strict=True)):
        if progress.should_stop():
            with batch.recording(path):
                raise Stopped("stopped before it began")
            continue
        progress.step(done, len(found), path.name)
        if is_inside(path, allowed) and is_inside(target, allowed):
            batch.fix(path, target, BatchProgress(progress, done, len(found), path.name))
        else:
            with batch.recording(path):
                raise BadPicture(f"{path} is a link that leads outside the allowed folders")
    progress.step(len(found), len(found), "done")
    return make_document(batch.records)
