"""Sends JSON requests to one server, using only the standard library."""

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

TIMEOUT = 600.0
"""Default timeout in seconds without a byte received. It is long because a server may work on other images first."""
MAX_ATTEMPTS = 6
"""Largest number of attempts for a request that a busy server turns away."""
MAX_RETRY_DELAY, MIN_RETRY_DELAY = 30.0, 0.1
"""Upper and lower limit in seconds for the wait that a busy server requests."""
MAX_RESPONSE_BYTES = 1 << 30
"""Largest accepted response body, in bytes."""
MAX_MESSAGE_LENGTH = 400
"""Largest number of characters of a server's error message that are shown."""
BUSY_STATUSES = (429, 503)
"""HTTP status codes of a busy server. The request is sent again later."""
NETWORK_USE = {
    "what": "sends photos to another machine, which fixes them",
    "when": "you pass --remote to `facefix fix`, `facefix plan`, or `facefix detect`",
    "with": "the address that you give to --remote",
    "files": ("client/transport.py",),
}
"""What this code uses the network for, for `facefix doctor`."""


@dataclass(frozen=True, slots=True)
class Transport:
    """Sends requests to one server. Credentials are sent only to that server and never shown."""

    url: str
    """Base URL of the server, without credentials and without a trailing slash."""
    _credentials: str = field(default="", repr=False)
    """Value of the `Authorization` header, or blank for none."""
    patience: float = TIMEOUT
    """Timeout in seconds without a byte received."""
    pause: Callable[[float], None] = time.sleep
    """Waits the given seconds before a request is sent again. It may raise an exception to stop trying."""

    @classmethod
    def from_url(
        cls, url: str, token: str | None = None, user: str | None = None, patience: float = TIMEOUT
    ) -> Transport:
        """Return the transport for a server. Raises `BadSetting`.

        url: http or https; "user:password@" may precede the host. token: the token of `facefix serve`.
        user: "name:password" of a WebUI's --api-auth.
        """
        parts = _split_url(url)
        user = user or _read_user(parts)
        if token and user:
            raise BadSetting("give either a token (for `facefix serve`) or a user and password (for a WebUI), not both")
        shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
        return cls(shown, _make_authorization(token, user), patience)

    def get(self, path: str) -> Any:
        """Return the JSON response to a GET request. Raises `CannotReach` or `Refused`."""
        return self._request("GET", path)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Return the JSON response to a POST request with a JSON body. Raises `CannotReach` or `Refused`."""
        return self._request("POST", path, json.dumps(body, allow_nan=False).encode())

    def delete(self, path: str) -> Any:
        """Return the JSON response to a DELETE request. Raises `CannotReach` or `Refused`."""
        return self._request("DELETE", path)

    def has(self, path: str) -> bool:
        """Return whether the server has this path. Raises `CannotReach`, or `Refused` for any status except 404."""
        try:
            self.get(path)
        except Refused as error:
            if error.status == 404:
                return False
            raise
        return True

    def _request(self, method: str, path: str, body: bytes | None = None) -> Any:
        for tries_left in reversed(range(MAX_ATTEMPTS)):
            try:
                return self._send(method, path, body)
            except _Busy as full:
                if not tries_left:
                    raise Refused(f"{self.url} is busy: {full.message}. Try again later", full.status) from full
                self.pause(full.seconds)
        raise AssertionError("the last attempt returns or raises")

    def _send(self, method: str, path: str, body: bytes | None) -> Any:
        headers = {"Accept": "application/json", "Authorization": self._credentials}
        if body is not None:
            headers["Content-Type"] = "application/json"
        sent = {name: value for name, value in headers.items() if value}
        request = urllib.request.Request(self.url + path, body, sent, method=method)
        try:
            with open_url(request, self.patience, _NoRedirects()) as answer:
                return self._read_json(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise self._make_refusal(error, path) from None
        except (OSError, http.client.HTTPException) as error:
            raise CannotReach(
                f"cannot reach {self.url}: {explain_failure(error)}. Check the address, and that `facefix serve` "
                "or a WebUI with --api is running there"
            ) from error

    def _read_json(self, answer: IO[bytes]) -> Any:
        text = answer.read(MAX_RESPONSE_BYTES + 1)
        if len(text) > MAX_RESPONSE_BYTES:
            most = MAX_RESPONSE_BYTES >> 20
            raise CannotReach(f"the response of {self.url} is larger than {most} MiB; try again with a smaller image")
        try:
            return json.loads(text) if text else None
        except (ValueError, RecursionError) as error:
            raise CannotReach(f"{self.url} is neither a FaceFix server nor a WebUI; check the address") from error

    def _make_refusal(self, error: urllib.error.HTTPError, path: str) -> Exception:
        message = _read_refusal(error)
        if error.code in BUSY_STATUSES:
            return _Busy(error.code, message, _read_retry_delay(error.headers.get("Retry-After")))
        if 300 <= error.code < 400:
            return Refused(
                f"{self.url} redirects to {_hide_credentials(error.headers.get('Location', ''))}, and redirects are "
                "not followed; give the final address",
                error.code,
            )
        if error.code == 401:
            why = "does not accept these credentials" if self._credentials else "requires authentication"
            return Refused(
                f"{self.url} {why}; use --token-file or set FACEFIX_TOKEN for `facefix serve`, or FACEFIX_USER "
                "(name:password) for a WebUI with --api-auth",
                401,
            )
        if error.code == 413:
            return Refused(f"the image is too large for {self.url}: {message}. Send a smaller image", 413)
        return Refused(f"{self.url}{path} rejected the request: {message}", error.code)


class _Busy(Exception):
    """Raised when a server is busy."""

    def __init__(self, status: int, message: str, seconds: float) -> None:
        super().__init__(message)
        self.status, self.message, self.seconds = status, message, seconds


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirect, which would send the image and the password elsewhere and turn a POST into a GET."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Return None, so that urllib raises `HTTPError` for the redirect."""


def _split_url(url: str) -> SplitResult:
    """Return the parts of a URL. Raises `BadSetting`, whose message never contains a password."""
    try:
        parts = urlsplit(url.strip())
        fits = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        fits = False
    if not fits or parts.query or parts.fragment or not url.isprintable() or " " in url.strip():
        raise BadSetting(
            f"invalid server address {_hide_credentials(url)!r}; "
            'give a URL that starts with http or https, such as "http://127.0.0.1:7861"'
        )
    return parts


def _hide_credentials(url: str) -> str:
    """Return a URL, valid or not, without user and password."""
    return url.rpartition("@")[2]


def _read_user(parts: SplitResult) -> str | None:
    if parts.username is None:
        return None
    return f"{unquote(parts.username)}:{unquote(parts.password or '')}"


def _make_authorization(token: str | None, user: str | None) -> str:
    """Return the value of the `Authorization` header, or blank for none. Raises `BadSetting`."""
    if user:
        if ":" not in user:
            raise BadSetting('the user must include the password, as in "name:password"')
        return f"Basic {base64.b64encode(user.encode()).decode()}"
    if token and not (token.isascii() and token.isprintable()):
        raise BadSetting("the token must consist of printable ASCII characters")
    return f"Bearer {token}" if token else ""


def _read_retry_delay(retry_after: str | None) -> float:
    """Return how many seconds to wait. A date, which servers may send instead of seconds, gives the longest wait."""
    try:
        return min(max(float(retry_after or 1), MIN_RETRY_DELAY), MAX_RETRY_DELAY)
    except ValueError:
        return MAX_RETRY_DELAY


def _read_refusal(error: urllib.error.HTTPError) -> str:
    """Return the error message of a server in one line."""
    try:
        content = json.loads(error.read(1 << 16))
    except (ValueError, RecursionError, OSError, http.client.HTTPException):
        content = None
    content = content if isinstance(content, Mapping) else {}
    messages = [content.get(name) for name in ("detail", "errors", "error")]  # a WebUI's own errors have all three
    text = next((_join_errors(message) for message in messages if message), "") or f"HTTP {error.code} {error.reason}"
    text = "".join(letter if letter.isprintable() else " " for letter in text)  # safe to print on a terminal
    return text if len(text) <= MAX_MESSAGE_LENGTH else f"{text[:MAX_MESSAGE_LENGTH]}..."


def _join_errors(detail: Any) -> str:
    """Return FastAPI's list of errors, or any other message, as one line."""
    if not isinstance(detail, list):
        return " ".join(str(detail).split())
    return "; ".join(_format_error(error) for error in detail)


def _format_error(error: Any) -> str:
    if not isinstance(error, Mapping):
        return str(error)
    field = ".".join(str(name) for name in error.get("loc", ()) if name != "body")
    return f"{field}: {error.get('msg')}" if field else str(error.get("msg"))
