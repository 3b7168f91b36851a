"""Folder jobs: they are stored if the server has a store, and so a server that starts again continues them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import CannotWrite, FaceFixError
from .batch import Folder
from .errors import CONFLICT, FULL, Refusal, refusal_of, refuse
from .folder_journal import FolderInUse, check_free
from .handlers import Service
from .job import Answer, Job, State
from .job_queue import JobQueue
from .schemas import BatchBody, read_body

if TYPE_CHECKING:
    from .job_store import JobStore, Note


@dataclass(slots=True, eq=False)
class FolderJobs:
    """Starts, continues, and describes folder jobs."""

    service: Service
    line: JobQueue
    store: JobStore | None
    """Where jobs are kept; None: they end with the server."""

    def __post_init__(self) -> None:
        self.line.listeners.append(self)

    def begin(self, body: BatchBody) -> Job:
        """Start a job. Raises `Refusal`, also if the job cannot be stored, or if another process uses the output."""
        folder = self.service.resolve_folders(body)
        try:
            check_free(folder.output)
        except FolderInUse as error:
            raise refuse(CONFLICT, str(error), "body", "output") from error
        except CannotWrite as error:
            raise refusal_of(error, ("body", "output")) from error
        job = self._make(folder)
        if self.store:
            try:
                self.store.add(job.id, _pack_request(folder))
            except CannotWrite as error:
                raise refuse(FULL, str(error)) from error
        try:
            return self.line.enter(job, keep=True)
        except Refusal:
            if self.store:
                self.store.delete(job.id)
            raise

    def resume(self) -> int:
        """Continue the jobs of an earlier process that has not finished them. Return their number.

        A job whose request is not valid any more, such as one with a folder that is not allowed now, fails.
        """
        unfinished = self.store.list_unfinished() if self.store else []
        for name, stored in unfinished:
            try:
                body = read_body(BatchBody, stored)
                job = self._make(self.service.resolve_folders(body))
            except (FaceFixError, Refusal) as error:
                assert self.store
                self.store.end(name, "failed", str(error))
            else:
                job.id = name
                self.line.enter(job, keep=True, accepted=True)
        return len(unfinished)

    def describe(self, job: str) -> dict[str, Any] | None:
        """Return the state of a job that has ended and is stored, as the API returns it, or None. Raises `Refusal`."""
        try:
            return self.store.describe(job) if self.store else None
        except FaceFixError as error:
            raise refuse(500, str(error)) from error

    def cancel(self, job: Job) -> None:
        """Stop a job for good: it is not continued, even if the server is killed before the job has ended."""
        job.stop()
        if self.store and job.resumes and not job.future.done():
            self.store.end(job.id, "stopped", None)

    def note_image(self, record: Mapping[str, Any]) -> None:
        """Do nothing: `Notes` has stored it."""

    def note_end(self, job: Job, state: State, outcome: Answer | Refusal) -> None:
        """Store the outcome of a folder job."""
        if self.store and job.resumes:
            if isinstance(outcome, Answer):
                self.store.end(job.id, state, None, outcome.report["pictures"])
            else:
                self.store.end(job.id, state, str(outcome))

    def _make(self, folder: Folder) -> Job:
        def work(job: Job) -> Answer:
            return self.service.batch(folder, job, Notes(self, job.id))

        return Job(work, 0, "batch", resumes=self.store is not None, alone=True)


@dataclass(frozen=True, slots=True)
class Notes:
    """The notes on the images of one job."""

    jobs: FolderJobs
    job: str
    """Id of the job."""

    def read(self) -> Mapping[str, Note]:
        """Return what earlier processes did, by path."""
        return self.jobs.store.read_images(self.job) if self.jobs.store else {}

    def begin(self, path: Path) -> None:
        """Note that the work on an image begins."""
        if self.jobs.store:
            self.jobs.store.begin_image(self.job, str(path))

    def leave(self, path: Path) -> None:
        """Note that the work on an image was given up, to be done again."""
        if self.jobs.store:
            self.jobs.store.leave_image(self.job, str(path))

    def end(self, record: dict[str, Any]) -> None:
        """Note what became of an image."""
        if self.jobs.store:
            self.jobs.store.end_image(self.job, record)
        for listener in self.jobs.line.listeners:
            listener.note_image(record)


def _pack_request(folder: Folder) -> dict[str, Any]:
    """Return a request as JSON data, as a client would send it, but with resolved paths.

    The first allowed folder, which relative paths refer to, may be another one when the server runs again.
    """
    body = folder.body
    return {
        "folder": str(folder.source),
        "output": str(folder.output),
        "settings": body.settings.to_json(),
        "overrides": None if body.overrides is None else {str(n): changes for n, changes in body.overrides.items()},
        "overwrite": body.overwrite,
        "again": body.again,
        "mark": body.mark,
    }
