"""The HTTP API in a WebUI: the same calls as those of `facefix serve`, beside the host's own, under its rules.

It is there when the host's own API is. A client must name itself as that API wants it; the host does one thing at a
time; server folders are refused unless they were named on the command line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import compare_digest
from typing import Any

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPBasic, HTTPBasicCredentials

from ..facefix import FaceFix
from ..protocols import Progress
from ..server.handlers import Limits
from ..server.routes import make_router
from ..settings.face_prompt import GenerationParams


def mount_router(app: FastAPI, flags: Any) -> None:
    """Add the API to the host's app. flags: the host's command line."""
    named = () if flags.hide_ui_dir_config else getattr(flags, "facefix_allowed_folders", None) or ()
    app.include_router(make_router(WebUIHost(tuple(map(Path, named))), make_guards(flags.api_auth)))


@dataclass(frozen=True, slots=True)
class WebUIHost:
    """A `Host` that takes turns with all else that the WebUI does."""

    folders: tuple[Path, ...] = ()
    limits: Limits = field(default_factory=Limits)

    def engine_for_queries(self) -> FaceFix:
        """Give the engine, whatever the host is doing."""
        from .standalone import planning_engine

        return planning_engine()

    @contextmanager
    def working(self, origin: GenerationParams | None, progress: Progress) -> Iterator[FaceFix]:  # noqa: ARG002 see `http.service`
        """Give the engine, which re-diffuses with the loaded checkpoint, once the host has time."""
        from .host.lock import exclusive
        from .host.progress import HostProgress
        from .standalone import diffusing_engine

        with exclusive():
            yield diffusing_engine(HostProgress())


def make_guards(api_auth: str | None) -> Sequence[Any]:
    """Return what a call must pass. api_auth: "name:password,name:password", as the host's flag has it."""
    return [Depends(_guard(dict(_pairs(api_auth))))] if api_auth else []


def _pairs(api_auth: str) -> Iterator[tuple[str, str]]:
    for one in api_auth.split(","):
        name, _, password = one.partition(":")
        yield name, password


def _guard(known: dict[str, str]) -> Callable[[HTTPBasicCredentials], None]:
    """Return what refuses a wrong name or password; the time it takes tells nothing of the password."""

    def guard(told: HTTPBasicCredentials = Depends(HTTPBasic())) -> None:  # noqa: B008 so FastAPI is told of it
        right = compare_digest(told.password.encode(), known.get(told.username, "").encode())
        if not (right and told.username in known):
            raise HTTPException(401, "wrong name or password", {"WWW-Authenticate": "Basic"})

    return guard
