"""The HTTP API in a WebUI, built for the first request that needs it, to save time at the start."""

from collections.abc import Callable
from threading import Lock
from typing import Any, NoReturn

from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import Scope

PREFIX = "/facefix/"
"""Part of the path of every call."""


class LazyApi(BaseRoute):
    """Stands before all other routes of an app, and adds those of the API before the first one is looked for.

    It serves no request itself. The description of all calls (`/openapi.json`, for `/docs`) needs the routes, too.
    """

    path = PREFIX

    def __init__(self, app: Any, build: Callable[[], None]) -> None:
        """app: the host's. build: adds the routes to it."""
        self._description, self._build = str(app.openapi_url or PREFIX), build
        self._lock, self._built = Lock(), False

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return that nothing matches; the routes that were added are looked at next."""
        path = scope.get("path", "")
        if not self._built and (PREFIX in path or path.endswith(self._description)):
            with self._lock:
                if not self._built:
                    self._build()
                    self._built = True
        return Match.NONE, {}

    def url_path_for(self, name: str, /, **path_params: Any) -> NoReturn:
        """Raise `NoMatchFound`: the other routes have names."""
        raise NoMatchFound(name, path_params)
