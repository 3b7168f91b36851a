"""What a call is refused with: a status, a sentence, and where in the request it lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import BadModel, CannotFetch, CannotWrite, FaceFixError, MissingDiffuser, MissingPackage

UNREADABLE, UNAUTHORISED, FORBIDDEN, UNKNOWN, TOO_LARGE, LACKING, FULL = 422, 401, 403, 404, 413, 424, 503
TIMED_OUT = 408
SECONDS = 5
"""After which a client whose call found no place may try again."""
MOST_COMPLAINTS, MOST_CHARACTERS, MOST_NAME = 20, 1000, 60
"""What an answer tells at most: complaints, characters of each, and characters of each name on the way to it."""
NOT_HERE = (BadModel, CannotFetch, MissingDiffuser, MissingPackage)
"""What fails because of what the server has, not because of what was asked."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is wrong with a request."""

    where: tuple[str, ...]
    """The way to it, such as ("body", "settings", "fidelity")."""
    sentence: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "where", tuple(_cut(name, MOST_NAME) for name in self.where))
        object.__setattr__(self, "sentence", _cut(self.sentence, MOST_CHARACTERS))

    def to_json(self) -> dict[str, Any]:
        """In the form in which FastAPI itself complains, so that one reader serves both."""
        return {"loc": list(self.where), "msg": self.sentence, "type": "value_error.facefix"}


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}..."


class Refusal(Exception):
    """A call that is not done; nothing was changed."""

    def __init__(self, status: int, *complaints: Complaint) -> None:
        complaints = complaints[:MOST_COMPLAINTS]
        super().__init__("; ".join(complaint.sentence for complaint in complaints))
        self.status, self.complaints = status, complaints
        self.closes = False
        """Whether the connection ends with it, as more of the request may be on its way."""

    @property
    def headers(self) -> dict[str, str]:
        """What a client is told besides: when to come back, or how to say who it is."""
        told = {"Connection": "close"} if self.closes else {}
        if self.status == FULL:
            told["Retry-After"] = str(SECONDS)
        return {**told, "WWW-Authenticate": "Bearer"} if self.status == UNAUTHORISED else told

    def to_json(self) -> dict[str, Any]:
        """Return the answer's body."""
        return {"detail": [complaint.to_json() for complaint in self.complaints]}


def refuse(status: int, sentence: str, *where: str) -> Refusal:
    """Return a refusal with one complaint."""
    return Refusal(status, Complaint(where or ("body",), sentence))


def refusal_of(error: FaceFixError | MemoryError, where: Sequence[str] = ("body",)) -> Refusal:
    """Return how a call is refused that failed with this."""
    if isinstance(error, MemoryError):
        return refuse(TOO_LARGE, "this does not fit into the server's memory; send a smaller picture", *where)
    status = LACKING if isinstance(error, NOT_HERE) else FORBIDDEN if isinstance(error, CannotWrite) else UNREADABLE
    return refuse(status, str(error), *where)
