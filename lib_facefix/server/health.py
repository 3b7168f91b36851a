"""Health of the server, for load balancers and for programs that start it again when it hangs."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ..errors import BadModel
from ..facefix import FaceFix
from ..planning.needs import Needs
from ..settings.face_settings import FaceSettings
from ..weights import ModelPaths, Published
from .errors import FULL, RETRY_AFTER
from .job import VERSION, Answer, Job
from .job_queue import JobQueue

LOADING, NO_MODELS, STOPPING, QUEUE_FULL, STUCK = (
    "the models are being loaded",
    "the models cannot be loaded",
    "the server is stopping",
    "the queue is full",
    "the queue does not run",
)
"""All problems that are told. They say nothing of anybody's work."""
_LOG = logging.getLogger(__name__)


def warm_up(line: JobQueue, engine: FaceFix) -> Job:
    """Add the job that loads the models of the default settings, so that no client has to wait for that."""

    def work(_: Job) -> Answer:
        engine.prepare(Needs.of_settings(FaceSettings()), _refuse_download)
        return Answer({})

    return line.add(work, 0, keep=False, kind="start")


def _refuse_download(missing: Published, _: ModelPaths) -> None:
    raise BadModel(f"{missing.name} is not installed. Install it with `facefix models get {missing.name}`")


@dataclass(frozen=True, slots=True)
class Health:
    """Tells whether the server lives, and whether it can take work."""

    line: JobQueue
    start: Job | None = None
    """The job that loads the models, if any."""

    def list_problems(self) -> list[str]:
        """Return why the server can take no work now; empty: it can."""
        found = []
        if self.line.ended:
            found.append(STOPPING)
        elif self.line.load.waiting >= self.line.most:
            found.append(QUEUE_FULL)
        if self.start and not self.start.future.done():
            found.append(LOADING)
        elif self.start and self.start.refusal and not self.line.ended:
            found.append(NO_MODELS)
        return [*found, *([] if self.line.is_alive else [STUCK])]

    async def ready(self, request: Request) -> Response:  # noqa: ARG002 as a route is called
        """Respond 200 if the server can take work, otherwise 503 with the reasons."""
        return _respond(self.list_problems())

    async def live(self, request: Request) -> Response:  # noqa: ARG002 as a route is called
        """Respond 200 unless only a new start of the server helps."""
        return _respond([] if self.line.is_alive else [STUCK])


def _respond(problems: list[str]) -> Response:
    content: dict[str, Any] = {"version": VERSION, "ok": not problems, "problems": problems}
    return JSONResponse(content, FULL, {"Retry-After": str(RETRY_AFTER)}) if problems else JSONResponse(content)
