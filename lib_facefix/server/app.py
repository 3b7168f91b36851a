"""The web app of `facefix serve`: the API without a WebUI, and a page to use it with."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import Depends, FastAPI
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .. import __version__
from ..facefix import FaceFix
from ..protocols import Progress
from ..settings.face_prompt import GenerationParams
from ..weights.urls import host_name, is_loopback
from .errors import FORBIDDEN, UNAUTHORISED, refuse
from .handlers import Limits
from .job import Job
from .job_queue import JobQueue
from .json_response import JSONResponse
from .operation import make_operation_router, open_metrics
from .routes import make_router

if TYPE_CHECKING:
    from .job_store import JobStore

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; object-src 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
"""Headers of all responses. The page loads nothing from other sites, and browsers do not cache images of people."""


@dataclass(frozen=True, slots=True)
class StandaloneHost:
    """A `Host` without Stable Diffusion, which restores faces only."""

    engine: FaceFix = field(default_factory=FaceFix)
    """Engine for all work."""
    folders: tuple[Path, ...] = ()
    """Folders that clients may use."""
    limits: Limits = field(default_factory=Limits)
    """Upper limits for requests and for the queue."""

    def engine_for_queries(self) -> FaceFix:
        """Return the engine."""
        return self.engine

    @contextmanager
    def working(self, origin: GenerationParams | None, progress: Progress) -> Iterator[FaceFix]:  # noqa: ARG002 nothing re-diffuses
        """Return the engine. No lock is needed."""
        yield self.engine


def app(
    host: StandaloneHost,
    token: str = "",
    bound: str = "127.0.0.1",
    line: JobQueue | None = None,
    *,
    store: "JobStore | None" = None,
    start: Job | None = None,
) -> FastAPI:
    """Return the app.

    token: token that clients must send as `Authorization: Bearer TOKEN`; blank: none is required. bound: name or
    address that the server listens on. Without a token, the server responds only to names of this machine, which
    protects it from pages of other sites (DNS rebinding). line: queue of the calls, for a caller that will close it.
    store: where folder jobs are kept. start: the job that loads models, before whose end the server is not ready.
    """
    made = FastAPI(title="FaceFix", version=__version__, docs_url=None, redoc_url=None)
    line = line or JobQueue(host.limits.waiting, host.limits.held)
    guards = [Depends(_guard(token))] if token else []
    metrics = open_metrics(line, host.engine)
    made.include_router(make_router(host, guards, line, bound, store))
    made.include_router(make_operation_router(line, metrics, guards, start))
    made.add_middleware(_Guarded, bound=None if token else bound)
    if metrics:
        made.add_middleware(metrics.measure)  # the last one added is the outermost
    made.mount("/", StaticFiles(packages=[("lib_facefix.server", "page")], html=True))
    return made


def _guard(token: str) -> Callable[[Request], None]:
    def guard(request: Request) -> None:
        kind, _, told = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not secrets.compare_digest(told.strip().encode(), token.encode()):
            raise refuse(UNAUTHORISED, "this server requires its token, as `Authorization: Bearer TOKEN`", "header")

    return guard


class _Guarded:
    """A middleware that rejects pages of other sites, and adds the security headers to all responses."""

    def __init__(self, app: ASGIApp, bound: str | None) -> None:
        """bound: allowed name besides localhost; None: any name."""
        self._app, self._bound = app, bound

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        if why := _foreign(Request(scope), self._bound):
            refusal = refuse(FORBIDDEN, why, "header")
            await JSONResponse(refusal.to_json(), refusal.status)(scope, receive, send_guarded)
        else:
            await self._app(scope, receive, send_guarded)


def _foreign(request: Request, bound: str | None) -> str:
    """Return the reason if a request may come from another site, as browsers send forms across sites unasked."""
    host, origin = request.headers.get("host", ""), request.headers.get("origin")
    if bound is not None and host_name(host) != bound and not is_loopback(host_name(host)):
        return f"this server does not respond to the name {host!r}; open it as http://localhost"
    if origin and origin.partition("://")[2] != host:
        return "pages of other sites must not use this server"
    return ""
