"""One server and how it is asked: JSON there and back, over the standard library."""

from __future__ import annotations

import base64
import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import IO, Any
from urllib.parse import SplitResult, unquote, urlsplit

from ..errors import BadSetting, CannotReach, Refused
from ..weights.urls import explain_failure, open_url

PATIENCE = 600.0
"""Seconds without a byte after which a server is given up: it may be working on other pictures first."""
TRIES = 6
"""How often a server that is full is asked for the same thing, in all."""
LONGEST, SHORTEST = 30.0, 0.1
"""Seconds between two tries, whatever the server wants."""
MOST_BYTES = 1 << 30
"""Of an answer."""
TOLD = 400
"""Letters of what a server says that are passed on."""
FULL = (429, 503)
"""What a server answers that is to be asked again later."""


@dataclass(frozen=True, slots=True)
class Transport:
    """Asks one server. Who asks is told to that server alone, and never shown."""

    url: str
    """Where everything lies below, without a user or a slash at its end: fit to be shown."""
    _credentials: str = field(default="", repr=False)
    """For the header Authorization."""
    patience: float = PATIENCE
    pause: Callable[[float], None] = time.sleep
    """Waits so many seconds before a server that is full is asked again; may raise, to end that."""

    @classmethod
    def to(cls, url: str, token: str | None = None, user: str | None = None, patience: float = PATIENCE) -> Transport:
        """Return the way to a server.

        url: http or https, perhaps with "user:password@" before the host. token: as `facefix serve` wants it.
        user: "name:password", as a WebUI's --api-auth wants it. Raises `BadSetting`.
        """
        parts = _parts(url)
        user = user or _user_of(parts)
        if token and user:
            raise BadSetting("give a token, for `facefix serve`, or user and password, for a WebUI, but not both")
        shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
        return cls(shown, _header(token, user), patience)

    def get(self, path: str) -> Any:
        """Return the answer to a GET, as JSON has it; raises `CannotReach` and `Refused`."""
        return self._ask("GET", path)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Return the answer to a POST of JSON; raises `CannotReach` and `Refused`."""
        return self._ask("POST", path, json.dumps(body, allow_nan=False).encode())

    def delete(self, path: str) -> Any:
        """Return the answer to a DELETE; raises `CannotReach` and `Refused`."""
        return self._ask("DELETE", path)

    def has(self, path: str) -> bool:
        """Return whether the server knows this path; raises `CannotReach` and, for all but a 404, `Refused`."""
        try:
            self.get(path)
        except Refused as error:
            if error.status == 404:
                return False
            raise
        return True

    def _ask(self, method: str, path: str, body: bytes | None = None) -> Any:
        for tries_left in reversed(range(TRIES)):
            try:
                return self._once(method, path, body)
            except _Full as full:
                if not tries_left:
                    raise Refused(
                        f"{self.url} is busy and has no room for more: {full.said}. Try again later", full.status
                    ) from full
                self.pause(full.seconds)
        raise AssertionError("there is always a last try")

    def _once(self, method: str, path: str, body: bytes | None) -> Any:
        headers = {"Accept": "application/json"}
        if self._credentials:
            headers["Authorization"] = self._credentials
        if body is not None:
            headers["Content-Type"] = "application/json"
        asked = urllib.request.Request(self.url + path, body, headers, method=method)
        try:
            with open_url(asked, self.patience, _StayHere()) as answer:
                return self._read(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise self._refusal(error, path) from None
        except (OSError, http.client.HTTPException) as error:
            raise CannotReach(
                f"{self.url} cannot be reached: {explain_failure(error)}. Check the address, and that `facefix serve` "
                "or a WebUI with --api runs there"
            ) from error

    def _read(self, answer: IO[bytes]) -> Any:
        text = answer.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:
            raise CannotReach(f"{self.url} answers with more than {MOST_BYTES >> 20} MiB; a smaller picture may pass")
        try:
            return json.loads(text) if text else None
        except (ValueError, RecursionError) as error:
            raise CannotReach(f"{self.url} answers, but not as FaceFix or a WebUI does; check the address") from error

    def _refusal(self, error: urllib.error.HTTPError, path: str) -> Exception:
        said = _read_refusal(error)
        if error.code in FULL:
            return _Full(error.code, said, _seconds(error.headers.get("Retry-After")))
        if 300 <= error.code < 400:
            return Refused(
                f"{self.url} sends on to {_hide_credentials(error.headers.get('Location', ''))}; "
                "give the address that is "
                "meant, as nothing is sent to another one unasked",
                error.code,
            )
        if error.code == 401:
            what = "does not accept the token, or the user and password" if self._credentials else "asks who you are"
            return Refused(
                f"{self.url} {what}; give the token of `facefix serve` with --token or FACEFIX_TOKEN, or user:password "
                "of a WebUI's --api-auth in FACEFIX_USER",
                401,
            )
        if error.code == 413:
            return Refused(
                f"the picture is too large for {self.url}: {said}. Make it smaller, or let it take more there", 413
            )
        return Refused(f"{self.url}{path} refuses: {said}", error.code)


class _Full(Exception):
    """A server has no room now."""

    def __init__(self, status: int, said: str, seconds: float) -> None:
        super().__init__(said)
        self.status, self.said, self.seconds = status, said, seconds


class _StayHere(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: it would carry picture and password elsewhere, and make a GET of a POST."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Return None: the answer is then an error like others."""


def _parts(url: str) -> SplitResult:
    """Return the parts of an address; raises `BadSetting`, which never repeats a password."""
    try:
        parts = urlsplit(url.strip())
        fits = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        fits = False
    if not fits or parts.query or parts.fragment or not url.isprintable() or " " in url.strip():
        raise BadSetting(
            'the address of a server is written like "http://127.0.0.1:7861", with http or https; '
            f"not {_hide_credentials(url)!r}"
        )
    return parts


def _hide_credentials(url: str) -> str:
    """Return a URL, or what was given for one, without user and password."""
    return url.rpartition("@")[2]


def _user_of(parts: SplitResult) -> str | None:
    if parts.username is None:
        return None
    return f"{unquote(parts.username)}:{unquote(parts.password or '')}"


def _header(token: str | None, user: str | None) -> str:
    """Return the header that says who asks, blank for nobody; raises `BadSetting`."""
    if user:
        if ":" not in user:
            raise BadSetting('a user is given with the password, as "name:password"')
        return f"Basic {base64.b64encode(user.encode()).decode()}"
    if token and not (token.isascii() and token.isprintable()):
        raise BadSetting("a token is made of the letters and signs of ASCII, without line breaks")
    return f"Bearer {token}" if token else ""


def _seconds(retry_after: str | None) -> float:
    """Return how long to wait; a date, which servers may give instead of seconds, means the longest."""
    try:
        return min(max(float(retry_after or 1), SHORTEST), LONGEST)
    except ValueError:
        return LONGEST


def _read_refusal(error: urllib.error.HTTPError) -> str:
    """Return what a server says about its refusal, as one line."""
    try:
        content = json.loads(error.read(1 << 16))
    except (ValueError, RecursionError, OSError, http.client.HTTPException):
        content = None
    content = content if isinstance(content, Mapping) else {}
    said = [content.get(name) for name in ("detail", "errors", "error")]  # a WebUI's own errors have all three
    text = next((_line(one) for one in said if one), "") or f"HTTP {error.code} {error.reason}"
    text = "".join(letter if letter.isprintable() else " " for letter in text)  # it may be shown on a terminal
    return text if len(text) <= TOLD else f"{text[:TOLD]}..."


def _line(said: Any) -> str:
    """Return a sentence of FastAPI's list of errors, or of any other answer."""
    if not isinstance(said, list):
        return " ".join(str(said).split())
    return "; ".join(_at_fault(one) for one in said)


def _at_fault(one: Any) -> str:
    if not isinstance(one, Mapping):
        return str(one)
    place = ".".join(str(name) for name in one.get("loc", ()) if name != "body")
    return f"{place}: {one.get('msg')}" if place else str(one.get("msg"))
