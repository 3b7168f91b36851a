"""The API without a WebUI, and a page to use it with: the app of `facefix serve`."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import Depends, FastAPI
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .. import __version__
from ..facefix import FaceFix
from ..protocols import Progress
from ..settings.face_prompt import GenerationParams
from ..weights.urls import is_loopback
from .errors import FORBIDDEN, UNAUTHORISED, refuse
from .handlers import Limits
from .job_queue import JobQueue
from .routes import make_router

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; object-src 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
"""Of every answer: the page loads nothing from elsewhere, and pictures of people are not kept by the browser."""


@dataclass(frozen=True, slots=True)
class StandaloneHost:
    """A `Host` with nothing but the library: it restores, and re-diffuses nothing."""

    engine: FaceFix = field(default_factory=FaceFix)
    folders: tuple[Path, ...] = ()
    limits: Limits = field(default_factory=Limits)

    def engine_for_queries(self) -> FaceFix:
        """Give the engine."""
        return self.engine

    @contextmanager
    def working(self, origin: GenerationParams | None, progress: Progress) -> Iterator[FaceFix]:  # noqa: ARG002 nothing re-diffuses
        """Give the engine."""
        yield self.engine


def app(host: StandaloneHost, token: str = "", bound: str = "127.0.0.1", line: JobQueue | None = None) -> FastAPI:
    """Return the app.

    token: what a client must send as `Authorization: Bearer TOKEN`; blank: nothing. bound: the name or address that the
    server listens at. Without a token it answers only to names of this machine, so that no page of another site can
    reach it by a name of its own. line: where calls wait, for whoever wants to end it.
    """
    made = FastAPI(title="FaceFix", version=__version__, docs_url=None, redoc_url=None)
    made.include_router(make_router(host, [Depends(_guard(token))] if token else [], line))
    made.add_middleware(_Guarded, bound=None if token else bound)
    made.mount("/", StaticFiles(packages=[("lib_facefix.server", "page")], html=True))
    return made


def _guard(token: str) -> Callable[[Request], None]:
    def guard(request: Request) -> None:
        kind, _, told = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not secrets.compare_digest(told.strip().encode(), token.encode()):
            raise refuse(UNAUTHORISED, "this server wants its token, as `Authorization: Bearer TOKEN`", "header")

    return guard


class _Guarded:
    """Refuses the pages of other sites, and gives every answer the security headers, refusals too."""

    def __init__(self, app: ASGIApp, bound: str | None) -> None:
        """bound: the server's name beside those of this machine; None: any name."""
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
    """Return why a request may come from a page of another site; a form needs no leave of ours to be sent."""
    host, origin = request.headers.get("host", ""), request.headers.get("origin")
    if bound is not None and _name(host) != bound and not is_loopback(_name(host)):
        return f"this server is not called {host!r}; open it as http://localhost"
    if origin and origin.partition("://")[2] != host:
        return "a page of another site may not use this server"
    return ""


def _name(host: str) -> str:
    """Return the name in a Host header, without port and brackets; blank where there is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
