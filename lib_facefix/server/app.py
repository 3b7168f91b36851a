"""The web app of `facefix serve`: the API without a WebUI, and a page to use it with."""

import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import Depends, FastAPI
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.staticfiles import StaticFiles

from .. import __version__
from ..facefix import FaceFix
from ..protocols import Progress
from ..settings.face_prompt import GenerationParams
from ..weights.urls import is_loopback
from .errors import FORBIDDEN, UNAUTHORISED, refuse
from .handlers import Limits
from .routes import make_router

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


def app(host: StandaloneHost, token: str = "", bound: str = "127.0.0.1") -> FastAPI:
    """Return the app.

    token: token that clients must send as `Authorization: Bearer TOKEN`; blank: none is required. bound: name or
    address that the server listens on. Without a token, the server responds only to names of this machine, which
    protects it from pages of other sites (DNS rebinding).
    """
    made = FastAPI(title="FaceFix", version=__version__, docs_url=None, redoc_url=None)
    made.include_router(make_router(host, [Depends(_guard(token))] if token else []))
    made.add_middleware(BaseHTTPMiddleware, dispatch=_from_here(None if token else bound))
    made.mount("/", StaticFiles(packages=[("lib_facefix.server", "page")], html=True))
    return made


def _guard(token: str) -> Callable[[Request], None]:
    def guard(request: Request) -> None:
        kind, _, told = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not secrets.compare_digest(told.strip().encode(), token.encode()):
            raise refuse(UNAUTHORISED, "this server requires its token, as `Authorization: Bearer TOKEN`", "header")

    return guard


def _from_here(bound: str | None) -> Callable[[Request, RequestResponseEndpoint], Awaitable[Response]]:
    """Return a middleware that rejects pages of other sites. bound: allowed name beside localhost; None: any name."""

    async def dispatch(request: Request, call: RequestResponseEndpoint) -> Response:
        if why := _foreign(request, bound):
            refusal = refuse(FORBIDDEN, why, "header")
            return JSONResponse(refusal.to_json(), refusal.status)
        answer = await call(request)
        answer.headers.update(HEADERS)
        return answer

    return dispatch


def _foreign(request: Request, bound: str | None) -> str:
    """Return the reason if a request may come from another site, as browsers send forms across sites unasked."""
    host, origin = request.headers.get("host", ""), request.headers.get("origin")
    if bound is not None and _name(host) != bound and not is_loopback(_name(host)):
        return f"this server does not respond to the name {host!r}; open it as http://localhost"
    if origin and origin.partition("://")[2] != host:
        return "pages of other sites must not use this server"
    return ""


def _name(host: str) -> str:
    """Return the name in a Host header without port and brackets, or blank if there is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
