"""Fixes all images in a folder on the server, one after another. A damaged file does not stop the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..batch import (
    Batch,
    choose_targets,
    exclude_results,
    make_document,
    make_planner,
    open_log,
    refuse_to_replace,
)
from ..errors import BadPicture, BadSetting, FaceFixError, Stopped
from ..facefix import FaceFix
from ..pictures import ResultLog, find_pictures, read_picture
from ..planning.needs import Needs
from ..protocols import Progress
from ..provenance import Recorder, read_edits
from .allowed_paths import is_inside
from .job import Paused
from .schemas import BatchBody
from .whole_results import WholeResults

if TYPE_CHECKING:
    from .folder_jobs import Notes
    from .job_store import Note

MAX_TRIES = 3
"""How often the server may be killed while it works on an image before it leaves that image out."""
ALLOW = 'send "overwrite": true'
"""How a client allows that files of others are replaced."""
NOT_BEGUN = "stopped before it began"


class FolderProgress(Progress, Protocol):
    """Progress of a folder job, which the server may leave to its next process."""

    def should_pause(self) -> bool:
        """Return whether the job has to end before the next image, to be continued later."""

    def is_abandoned(self) -> bool:
        """Return whether there is no time to finish the current image, so that nothing of it must be kept."""


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


@dataclass(frozen=True, slots=True)
class Folder:
    """What is to be done with a folder."""

    body: BatchBody
    source: Path
    output: Path
    allowed: Sequence[Path]
    """Folders that links must not leave, neither for reading nor for writing."""


def fix_folder(engine: FaceFix, folder: Folder, progress: FolderProgress, notes: Notes) -> dict[str, Any]:
    """Fix every image of a folder. Return the report that `facefix fix --report` would write.

    Images that `notes` has an outcome of are not touched again. Raises `Paused` if the server stops. Raises
    `BadSetting`, before anything is written, if results would replace files that FaceFix did not write, unless the
    request allows it. Raises a `FaceFixError` if the settings need a model that cannot be used, or if the folder is
    gone.
    """
    body, source, output = folder.body, folder.source, str(folder.output)
    engine.prepare(Needs.of_settings(body.settings, body.overrides))
    if not source.is_dir():  # it was there when the request came
        raise BadPicture(f"{source}: this folder no longer exists. Check the name.")
    log, earlier = open_log(), notes.read()
    whole = WholeResults(engine, progress.is_abandoned)
    plan = make_planner(engine, body.settings, body.overrides)
    batch = Batch(whole, plan, recorder=Recorder(body.mark, body.again), pages=True, log=log)
    found, _ = batch.pass_over(exclude_results(find_pictures([str(source)]), [str(source)], output))
    targets = choose_targets(found, output, in_place=False)
    if not body.overwrite and not earlier:
        reachable = (target for target in targets if is_inside(target, folder.allowed))  # others fail, and stay unnamed
        refuse_to_replace(reachable, log, ALLOW)
    for done, (path, target) in enumerate(zip((file.path for file in found), targets, strict=True)):
        known = earlier.get(str(path))
        if known and known.record:
            batch.records.append(known.record)
            continue
        if progress.should_pause():
            raise Paused
        if progress.should_stop():
            with batch.recording(path):
                raise Stopped(NOT_BEGUN)
            continue
        progress.step(done, len(found), path.name)
        notes.begin(path)
        if why := _explain_refusal(folder, path, target, log, known):
            with batch.recording(path):
                raise why
        else:
            batch.fix(path, target, BatchProgress(progress, done, len(found), path.name))
        if progress.is_abandoned() and batch.records[-1]["error"]:
            notes.leave(path)
            raise Paused
        notes.end(batch.records[-1])
    progress.step(len(found), len(found), "done")
    return make_document(batch.records)


def _explain_refusal(
    folder: Folder, path: Path, target: Path, log: ResultLog, known: Note | None
) -> FaceFixError | None:
    """Return why an image must not be fixed, or None. known: what an earlier process noted of it."""
    if not (is_inside(path, folder.allowed) and is_inside(target, folder.allowed)):
        return BadPicture(f"{path} is a link that leads outside the allowed folders")
    tries = known.tries if known else 0
    if tries >= MAX_TRIES:
        return BadPicture(f"{path} was left out, as the server ended {tries} times while it worked on this image")
    if folder.body.overwrite or log.may_replace(target) or (tries and _is_ours(path, target)):
        return None
    return BadSetting(
        f"{target} would be overwritten, but FaceFix did not write it, or it was changed since. "
        f"Choose another output, or {ALLOW}"
    )


def _is_ours(path: Path, target: Path) -> bool:
    """Return whether a process that was killed wrote the file at `target`, before it could note that in the log.

    So it is if the file has our mark, or is a copy of the image.
    """
    try:
        return target.read_bytes() == path.read_bytes() or bool(read_edits(read_picture(target).metadata))
    except (FaceFixError, OSError):
        return False
