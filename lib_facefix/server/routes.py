"""Defines the routes of the API. A WebUI mounts the router, and `facefix serve` runs it."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from fastapi import APIRouter
from fastapi.params import Depends
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from ..protocols import Progress
from .errors import Refusal
from .folder_jobs import FolderJobs
from .handlers import Host, Service
from .job import VERSION, Answer, Job
from .job_queue import JobQueue
from .json_response import JSONResponse
from .parse_body import FORM, JSON
from .request_body import GoneError, receive_body
from .room import Upload
from .schemas import (
    BatchBody,
    DetectBody,
    FixBody,
    LayersBody,
    PlanBody,
    PreviewBody,
    ReplanBody,
    SetupBody,
    form_schema,
    json_schema,
)
from .setup import SetupDesk

if TYPE_CHECKING:
    from .job_store import JobStore

PREFIX = "/facefix/v1"
REFUSED = {
    "401": "The token is missing or wrong.",
    "403": "The server does not allow this.",
    "404": "The job does not exist or has expired.",
    "408": "The request arrives too slowly.",
    "409": "Another process writes into this folder.",
    "413": "The request or the image is too large.",
    "422": "The request is invalid. Each error names the wrong field.",
    "424": "A required model or package is not installed.",
    "503": "The queue is full. Retry after the interval in Retry-After.",
}
BUSY_FOLDER = "409", "batch"
"""A status that only one call has."""
Body = TypeVar("Body")
_LOG = logging.getLogger(__name__)


def make_router(
    host: Host,
    guards: Sequence[Depends] = (),
    line: JobQueue | None = None,
    bound: str = "",
    store: JobStore | None = None,
) -> APIRouter:
    """Return the router of the API for a host.

    guards: dependencies that every call must satisfy first. line: queue of the calls, for a caller that will close it.
    bound: name or address that the server listens on; blank: a WebUI, in which nothing is installed.
    store: where folder jobs are kept, so that they outlive the server; those in it that are unfinished are continued.
    """
    made = APIRouter(prefix=PREFIX, tags=["FaceFix"], dependencies=[*guards], route_class=RefusingRoute)
    line = line or JobQueue(host.limits.waiting, host.limits.held)
    service = Service(host)
    line.at_close.append(service.faces.close)
    folders = FolderJobs(service, line, store)
    folders.resume()
    calls = _Calls(service, line, SetupDesk(host, line, bound), folders)
    add = partial(made.add_api_route, response_model=None)
    add("/models", calls.models, methods=["GET"], summary="List methods and models", responses=_answers())
    add("/settings", calls.settings, methods=["GET"], summary="Settings as a JSON schema", responses=_answers())
    add("/setup", calls.setup, methods=["GET"], summary="Restorers to install", responses=_answers())
    for name, kind, call in (
        ("detect", DetectBody, calls.detect),
        ("plan", PlanBody, calls.plan),
        ("replan", ReplanBody, calls.replan),
        ("fix", FixBody, calls.fix),
        ("layers", LayersBody, calls.layers),
        ("preview", PreviewBody, calls.preview),
        ("batch", BatchBody, calls.batch),
        ("setup", SetupBody, calls.begin_setup),
    ):
        add(
            f"/{name}",
            call,
            methods=["POST"],
            summary=kind.__doc__,
            openapi_extra=_describe_answer(kind),
            responses=_describe_call(name),
        )
    add("/jobs/{id}", calls.job, methods=["GET"], summary="State of a job", responses=_answers("404"))
    add("/jobs/{id}", calls.cancel, methods=["DELETE"], summary="Stop a job", responses=_answers("404"))
    return made


class RefusingRoute(APIRoute):
    """Turns a `Refusal` into a response, in any app that mounts the router."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of the route, with refusals as responses."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except Refusal as refusal:
                return JSONResponse(refusal.to_json(), refusal.status, refusal.headers)
            except GoneError:
                _LOG.warning("a client disconnected before its request had arrived")
                return Response(status_code=400)

        return answer


class _Calls:
    """The request handlers of all routes."""

    def __init__(self, service: Service, line: JobQueue, desk: SetupDesk, folders: FolderJobs) -> None:
        self._service, self._line, self._desk, self._folders = service, line, desk, folders

    async def models(self) -> Response:
        return JSONResponse(await run_in_threadpool(self._service.models))

    async def settings(self) -> Response:
        return JSONResponse(self._service.settings())

    async def setup(self, request: Request) -> Response:
        return await run_in_threadpool(lambda: JSONResponse(self._desk.describe(request)))

    async def begin_setup(self, request: Request) -> Response:
        async with self._receive(request, SetupBody) as (body, _):
            return await run_in_threadpool(lambda: _respond_started(self._desk.begin(request, body)))

    async def detect(self, request: Request) -> Response:
        return await self._handle(request, DetectBody, self._service.detect)

    async def plan(self, request: Request) -> Response:
        return await self._handle(request, PlanBody, self._service.plan)

    async def replan(self, request: Request) -> Response:
        """Respond without queueing, as neither an image nor a model is needed."""
        async with self._receive(request, ReplanBody) as (body, _):
            return await run_in_threadpool(lambda: JSONResponse(self._service.replan(body)))

    async def fix(self, request: Request) -> Response:
        return await self._handle(request, FixBody, self._service.fix)

    async def layers(self, request: Request) -> Response:
        return await self._handle(request, LayersBody, self._service.layers)

    async def preview(self, request: Request) -> Response:
        return await self._handle(request, PreviewBody, self._service.preview)

    async def batch(self, request: Request) -> Response:
        async with self._receive(request, BatchBody) as (body, _):
            pass
        return _respond_started(await run_in_threadpool(self._folders.begin, body))

    async def job(self, id: str) -> Response:  # noqa: A002 as the address calls it
        return await run_in_threadpool(lambda: JSONResponse(self._describe(id)))

    async def cancel(self, id: str) -> Response:  # noqa: A002 as the address calls it
        return await run_in_threadpool(lambda: JSONResponse(self._describe(id, cancel=True)))

    def _describe(self, id: str, *, cancel: bool = False) -> dict[str, Any]:  # noqa: A002 as the address calls it
        try:
            job = self._find(id)
        except Refusal:
            if stored := self._folders.describe(id):
                return stored
            raise
        if cancel:
            self._folders.cancel(job)
        return _state(job)

    def _find(self, id: str) -> Job:  # noqa: A002 as the address calls it
        return self._desk.job if self._desk.job and self._desk.job.id == id else self._line.find(id)

    async def _handle(self, request: Request, kind: type[Body], do: Callable[[Body, Progress], Answer]) -> Response:
        async with self._receive(request, kind) as (body, upload):
            wait = getattr(body, "wait", True)

            size = upload.hand_over()
            try:
                job = self._line.add(partial(do, body), size, keep=not wait, kind=request.url.path.rpartition("/")[2])
            except Refusal:
                self._line.room.free(size)
                raise
        return await self._await_answer(request, job) if wait else _respond_started(job)

    async def _await_answer(self, request: Request, job: Job) -> Response:
        """Wait for a job. If the client disconnects, stop it."""
        future, gone = asyncio.wrap_future(job.future), asyncio.ensure_future(_wait_for_disconnect(request))
        either: set[asyncio.Future[Any]] = {future, gone}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            job.stop()  # has no effect on a finished job
        answer = await future
        if answer.picture is not None and _wants_picture(request):
            return Response(answer.picture, media_type=answer.kind)
        return await run_in_threadpool(lambda: JSONResponse(_document(answer)))

    def _receive(self, request: Request, kind: type[Body]) -> AbstractAsyncContextManager[tuple[Body, Upload]]:
        return receive_body(request, kind, self._service.host.limits.body, self._line)


async def _wait_for_disconnect(request: Request) -> None:
    """Wait until the client disconnects. `Request.is_disconnected` fails behind a middleware."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _wants_picture(request: Request) -> bool:
    accepted = request.headers.get("accept", "")
    return "image/" in accepted and JSON not in accepted


def _document(answer: Answer) -> dict[str, Any]:
    picture = {} if answer.picture is None else {"image": base64.b64encode(answer.picture).decode("ascii")}
    return {**answer.report, **picture}


def _respond_started(job: Job) -> Response:
    return JSONResponse({"version": VERSION, "job": job.id}, 202)


def _state(job: Job) -> dict[str, Any]:
    """Return the state and the result of a job."""
    answer, refusal = job.answer, job.refusal
    return {
        "version": VERSION,
        "job": job.id,
        "state": job.state,
        "done": job.done,
        "total": job.total,
        "doing": job.doing,
        "error": None if refusal is None else str(refusal),
        "result": None if answer is None else _document(answer),
    }


# Descriptions for /docs


def _describe_answer(kind: type) -> dict[str, Any]:
    content = {JSON: {"schema": json_schema(kind)}, FORM: {"schema": form_schema(kind)}}
    return {"requestBody": {"required": True, "content": content}}


def _answers(*statuses: str) -> dict[int | str, dict[str, Any]]:
    wrong = {JSON: {"schema": {"type": "object", "properties": {"detail": {}}}}}
    return {status: {"description": REFUSED[status], "content": wrong} for status in statuses}


def _describe_call(name: str) -> dict[int | str, dict[str, Any]]:
    begun: dict[int | str, dict[str, Any]] = {"202": {"description": "Started. GET jobs/{id} returns the state."}}
    refused = _answers(*(status for status in REFUSED if status not in ("404", "409") or (status, name) == BUSY_FOLDER))
    return {**(begun if name in ("fix", "batch", "setup") else {}), **refused}
