"""Errors of the API: an HTTP status, and a message for each wrong field of the request."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import BadModel, CannotFetch, CannotWrite, FaceFixError, MissingDiffuser, MissingPackage

UNREADABLE, UNAUTHORISED, FORBIDDEN, UNKNOWN, TOO_LARGE, LACKING, FULL = 422, 401, 403, 404, 413, 424, 503
TIMED_OUT, CONFLICT = 408, 409
RETRY_AFTER = 5
"""Seconds after which a client may retry when the queue is full."""
MAX_COMPLAINTS, MAX_CHARACTERS, MAX_NAME = 20, 1000, 60
"""Limits of a response: number of errors, characters of each message, and characters of each name in a path."""
SERVER_LACKS = (BadModel, CannotFetch, MissingDiffuser, MissingPackage)
"""Errors caused by a model or package that is missing on the server, not by the request."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """One error in a request."""

    where: tuple[str, ...]
    """Path of the wrong field, such as ("body", "settings", "fidelity")."""
    sentence: str
    """The error message."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "where", tuple(_cut(name, MAX_NAME) for name in self.where))
        object.__setattr__(self, "sentence", _cut(self.sentence, MAX_CHARACTERS))

    def to_json(self) -> dict[str, Any]:
        """Return the error in the form of FastAPI's own validation errors."""
        return {"loc": list(self.where), "msg": self.sentence, "type": "value_error.facefix"}


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}..."


class Refusal(Exception):
    """Raised for a rejected request. Nothing has been changed."""

    def __init__(self, status: int, *complaints: Complaint) -> None:
        complaints = complaints[:MAX_COMPLAINTS]
        super().__init__("; ".join(complaint.sentence for complaint in complaints))
        self.status, self.complaints = status, complaints
        self.closes = False
        """True if the connection must close, because the rest of the request may still be arriving."""

    @property
    def headers(self) -> dict[str, str]:
        """Response headers: when to retry, how to authenticate, and whether the connection closes."""
        headers = {"Connection": "close"} if self.closes else {}
        if self.status == FULL:
            headers["Retry-After"] = str(RETRY_AFTER)
        return {**headers, "WWW-Authenticate": "Bearer"} if self.status == UNAUTHORISED else headers

    def to_json(self) -> dict[str, Any]:
        """Return the response body."""
        return {"detail": [complaint.to_json() for complaint in self.complaints]}


def refuse(status: int, sentence: str, *where: str) -> Refusal:
    """Return a refusal with one error. where: path of the wrong field; default: the whole body."""
    return Refusal(status, Complaint(where or ("body",), sentence))


def refusal_of(error: FaceFixError | MemoryError, where: Sequence[str] = ("body",)) -> Refusal:
    """Return the refusal for an error. where: path of the wrong field."""
    if isinstance(error, MemoryError):
        return refuse(TOO_LARGE, "the server does not have enough memory; send a smaller image", *where)
    status = LACKING if isinstance(error, SERVER_LACKS) else FORBIDDEN if isinstance(error, CannotWrite) else UNREADABLE
    return refuse(status, str(error), *where)
