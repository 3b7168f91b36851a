"""Fixes all images in a folder on the server, one after another. A damaged file does not stop the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..batch import (
    Batch,
    Journal,
    choose_targets,
    exclude_results,
    make_document,
    make_planner,
    open_log,
    refuse_to_replace,
)
from ..batch.report import new_record
from ..errors import BadPicture, BadSetting, FaceFixError, Stopped
from ..facefix import FaceFix
from ..pictures import ResultLog, find_pictures
from ..planning.needs import Needs
from ..protocols import Progress
from ..provenance import Recorder
from .allowed_paths import is_inside
from .folder_journal import describe_work, open_journal
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
EARLIER = "done by an earlier run"
"""Why an image was skipped, as `facefix fix` says it."""


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

    Images that the journal of the output knows as done are not touched, whether this job, another one, or `facefix fix`
    did them; with "again", only those of this job. Raises `Paused` if the server stops. Raises `BadSetting`, before
    anything is written, if another process writes into the output, or if results would replace files that FaceFix did
    not write, unless the request allows it. Raises a `FaceFixError` if the settings need a model that cannot be used,
    or if the folder is gone.
    """
    body, needs = folder.body, Needs.of_settings(folder.body.settings, folder.body.overrides)
    engine.prepare(needs)
    if not folder.source.is_dir():  # it was there when the request came
        raise BadPicture(f"{folder.source}: this folder no longer exists. Check the name.")
    work = describe_work(engine, body, needs, notes.job)
    log = open_log()
    with open_journal(folder.output, work) as journal:
        batch = Batch(
            WholeResults(engine, progress.is_abandoned),
            make_planner(engine, body.settings, body.overrides),
            recorder=Recorder(body.mark, body.again),
            pages=True,
            log=log,
            journal=journal,
        )
        return _Run(folder, batch, journal, log, notes, progress).carry_out({"work": work})


@dataclass(slots=True)
class _Run:
    """One process's part of a folder job."""

    folder: Folder
    batch: Batch
    journal: Journal
    log: ResultLog
    notes: Notes
    progress: FolderProgress

    def carry_out(self, about: Mapping[str, Any]) -> dict[str, Any]:
        """Fix the images, and return the report. about: for the first line of the journal."""
        jobs, earlier = self._list_jobs(), self.notes.read()
        records, skipped = self.batch.records, len(self.batch.records)
        done = {path: record for path, target in jobs if (record := self._find_done(path, target, earlier))}
        left = [(path, target) for path, target in jobs if path not in done]
        if not self.folder.body.overwrite and not earlier:
            reachable = (target for _, target in left if is_inside(target, self.folder.allowed))  # others fail, unnamed
            refuse_to_replace(reachable, self.log, ALLOW, self.journal)
        self.journal.start(about)
        self.journal.sweep({target.parent for _, target in jobs})
        left.sort(key=lambda job: _count_tries(job[0], earlier))  # what may have ended the server comes last
        for place, (path, target) in enumerate(left, len(done)):
            if self.progress.should_pause():
                raise Paused
            if self.progress.should_stop():
                with self.batch.recording(path):
                    raise Stopped(NOT_BEGUN)
                continue
            self.progress.step(place, len(jobs), path.name)
            self._fix(path, target, _count_tries(path, earlier), (place, len(jobs)))
        self.progress.step(len(jobs), len(jobs), "done")
        made = done | dict(zip((path for path, _ in left), records[skipped:], strict=True))
        present = {str(path) for path, _ in jobs}
        gone = [note.record for name, note in earlier.items() if note.record and name not in present]
        return make_document([*records[:skipped], *(made[path] for path, _ in jobs), *gone])

    def _list_jobs(self) -> list[tuple[Path, Path]]:
        """Return the path of each image, and of its result."""
        source, output = str(self.folder.source), str(self.folder.output)
        found, _ = self.batch.pass_over(exclude_results(find_pictures([source]), [source], output))
        targets = choose_targets(found, output, in_place=False)
        return [(file.path, target) for file, target in zip(found, targets, strict=True)]

    def _find_done(self, path: Path, target: Path, earlier: Mapping[str, Note]) -> dict[str, Any] | None:
        """Return the record of an image that needs no work, or None.

        One that this job failed to fix needs none, either: it is not tried again and again.
        """
        known = earlier.get(str(path))
        record = known.record if known else None
        if record and record.get("error"):
            return record
        if (record is None and self.folder.body.again) or not self.journal.is_done(path, target):
            return None
        return record or {**new_record(path), "output": str(target), "skipped": EARLIER}

    def _fix(self, path: Path, target: Path, tries: int, place: tuple[int, int]) -> None:
        """Fix one image. tries: how often earlier processes have begun it. place: number of earlier images, and all."""
        batch, progress = self.batch, self.progress
        self.notes.begin(path)
        if why := self._explain_refusal(path, target, tries):
            with batch.recording(path):
                raise why
        else:
            batch.fix(path, target, BatchProgress(progress, *place, path.name))
        if progress.is_abandoned() and batch.records[-1]["error"]:
            self.notes.leave(path)
            raise Paused
        self.notes.end(batch.records[-1])

    def _explain_refusal(self, path: Path, target: Path, tries: int) -> FaceFixError | None:
        """Return why an image must not be fixed, or None. tries: how often earlier processes have begun it."""
        allowed = self.folder.allowed
        if not (is_inside(path, allowed) and is_inside(target, allowed)):
            return BadPicture(f"{path} is a link that leads outside the allowed folders")
        if tries >= MAX_TRIES:
            return BadPicture(f"{path} was left out, as the server ended {tries} times while it worked on this image")
        if self.folder.body.overwrite or self.log.may_replace(target) or self.journal.has_written(target):
            return None
        return BadSetting(
            f"{target} would be overwritten, but FaceFix did not write it, or it was changed since. "
            f"Choose another output, or {ALLOW}"
        )


def _count_tries(path: Path, earlier: Mapping[str, Note]) -> int:
    """Return how often earlier processes have begun the work on an image, and were ended during it."""
    known = earlier.get(str(path))
    return known.tries if known else 0
