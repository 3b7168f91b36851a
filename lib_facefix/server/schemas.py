"""What may be asked, declared once: from it come the checks of a request and its description for /docs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields
from itertools import islice
from typing import Any, TypeVar

from ..errors import FaceFixError
from ..planning.plan import FixPlan
from ..settings.face_prompt import GenerationParams
from ..settings.face_settings import FaceSettings
from ..settings.treatment import Overrides
from .errors import MOST_COMPLAINTS, MOST_NAME, UNREADABLE, Complaint, Refusal
from .fields import (
    IMAGE,
    OBJECT,
    BodyField,
    Schema,
    flag_part,
    image_part,
    origin_part,
    overrides_part,
    plan_part,
    settings_part,
    short,
    text_part,
)

Body = TypeVar("Body")


def read_body(kind: type[Body], values: Any) -> Body:
    """Return the body that these values are; raises `Refusal` with everything that is wrong with them."""
    if not isinstance(values, Mapping):
        raise Refusal(UNREADABLE, Complaint(("body",), f"the body must be a JSON object, not {short(values)}"))
    known = {one.name: one for one in _fields(kind)}
    strange = islice((name for name in values if name not in known), MOST_COMPLAINTS)
    complaints = [Complaint(("body", name), _unknown(name[:MOST_NAME], known)) for name in strange]
    found: dict[str, Any] = {}
    for name, one in known.items():
        if values.get(name) is None:
            if one.default is MISSING:
                complaints.append(Complaint(("body", name), f"{name} is missing: {_of(one).help}"))
            continue
        try:
            found[name] = _of(one).read(values[name])
        except FaceFixError as error:
            complaints.append(Complaint(("body", name), str(error)))
        except Refusal as refusal:
            complaints += [Complaint(("body", name, *wrong.where), wrong.sentence) for wrong in refusal.complaints]
    if complaints:
        raise Refusal(UNREADABLE, *complaints)
    return kind(**found)


def json_schema(kind: type) -> Schema:
    """Return the JSON schema of a body."""
    parts = {one.name: _of(one).describe() for one in _fields(kind)}
    return {**OBJECT, "properties": parts, "required": _required_fields(kind), "additionalProperties": False}


def form_schema(kind: type) -> Schema:
    """Return the schema of the same body as multipart/form-data: the picture as a file, all else as JSON texts."""
    file = {"type": "string", "format": "binary"}
    parts = {
        one.name: file if one.name == IMAGE else {"type": "string", "description": f"As JSON. {_of(one).help}"}
        for one in _fields(kind)
    }
    return {**OBJECT, "properties": parts, "required": _required_fields(kind)}


def _fields(kind: Any) -> tuple[Field[Any], ...]:
    return fields(kind)


def _of(one: Field[Any]) -> BodyField:
    part: BodyField = one.metadata["part"]
    return part


def _required_fields(kind: type) -> list[str]:
    return [one.name for one in _fields(kind) if one.default is MISSING]


def _unknown(name: str, known: Mapping[str, Any]) -> str:
    return f"there is no {name!r} here; a body may have {', '.join(known)}"


# The bodies


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectBody:
    """Find the faces."""

    image: bytes = image_part()
    settings: FaceSettings = settings_part(FaceSettings())


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanBody:
    """Decide what would be done to each face."""

    image: bytes = image_part()
    settings: FaceSettings = settings_part(FaceSettings())
    overrides: Overrides | None = overrides_part()
    origin: GenerationParams | None = origin_part()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplanBody:
    """Decide about the faces of a plan with other settings; no picture is sent."""

    plan: FixPlan = plan_part()
    settings: FaceSettings = settings_part(FaceSettings())
    overrides: Overrides | None = overrides_part()
    origin: GenerationParams | None = origin_part()


@dataclass(frozen=True, slots=True, kw_only=True)
class FixBody:
    """Fix the faces, by a plan or by settings."""

    image: bytes = image_part()
    settings: FaceSettings | None = settings_part(None)
    overrides: Overrides | None = overrides_part()
    plan: FixPlan | None = plan_part(None)
    origin: GenerationParams | None = origin_part()
    wait: bool = flag_part("False: answer at once with a job, see GET jobs.", True)

    def __post_init__(self) -> None:
        given = [name for name in ("settings", "overrides") if getattr(self, name) is not None]
        if self.plan and given:
            sentence = f"a plan holds all settings; edit it instead of sending {' and '.join(given)}"
            raise Refusal(UNREADABLE, *(Complaint(("body", name), sentence) for name in given))


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewBody:
    """Show where a plan may change the picture."""

    image: bytes = image_part()
    plan: FixPlan = plan_part()


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchBody:
    """Fix all pictures of a folder on the server."""

    folder: str = text_part("The folder, on the server, with all below it.")
    output: str = text_part("Where the results go, on the server; the folder is mirrored there.")
    settings: FaceSettings = settings_part(FaceSettings())
    overrides: Overrides | None = overrides_part()
