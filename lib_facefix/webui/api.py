"""The HTTP API in a WebUI: the calls of `facefix serve`, next to the host's own API and under its rules.

It exists if the host's own API does. Clients log in as for that API, calls wait until the host is idle, and folders on
the server are refused unless the command line names them.
"""

from collections.abc import Iterator, Sequence
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

NETWORK_USE = {
    "what": "adds the HTTP API of FaceFix to the server of a WebUI",
    "when": "FaceFix runs as an extension, and you start the WebUI with --api",
    "with": "the clients of that WebUI, under its rules; FaceFix opens no port of its own",
    "files": ("webui/api.py",),
}
"""What this code uses the network for, for `facefix doctor`."""


def mount_router(app: FastAPI, flags: Any) -> None:
    """Add the API to the host's app. flags: the host's command line."""
    named = () if flags.hide_ui_dir_config else getattr(flags, "facefix_allowed_folders", None) or ()
    app.include_router(make_router(WebUIHost(tuple(map(Path, named))), make_guards(flags.api_auth)))


@dataclass(frozen=True, slots=True)
class WebUIHost:
    """A `Host` that takes turns with the WebUI's own work."""

    folders: tuple[Path, ...] = ()
    limits: Limits = field(default_factory=Limits)

    def engine_for_queries(self) -> FaceFix:
        """Return the engine at once, even while the host is busy."""
        from .standalone import diffusing_engine

        return diffusing_engine()

    @contextmanager
    def working(self, origin: GenerationParams | None, progress: Progress) -> Iterator[FaceFix]:  # noqa: ARG002 see `http.service`
        """Wait until the host is idle, then yield an engine that re-diffuses with the loaded checkpoint."""
        from .host.progress import HostProgress, exclusive
        from .standalone import diffusing_engine

        with exclusive():
            yield diffusing_engine(HostProgress())


def make_guards(api_auth: str | None) -> Sequence[Any]:
    """Return the dependencies of each call. api_auth: "name:password,name:password", as in the host's flag."""
    if not api_auth:
        return []
    parts = (account.partition(":") for account in api_auth.split(","))
    passwords = {name: password for name, _, password in parts}

    def guard(given: HTTPBasicCredentials = Depends(HTTPBasic())) -> None:  # noqa: B008 how FastAPI declares it
        # compared in a time that does not depend on the password
        same = compare_digest(given.password.encode(), passwords.get(given.username, "").encode())
        if not (same and given.username in passwords):
            raise HTTPException(401, "wrong user name or password", {"WWW-Authenticate": "Basic"})

    return [Depends(guard)]
