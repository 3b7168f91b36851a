"""Declares the request bodies. Both the validation of requests and the description in /docs follow from them."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from itertools import islice
from typing import Any, TypeVar

from ..errors import FaceFixError
from ..planning.plan import FixPlan
from ..settings.face_prompt import GenerationParams
from ..settings.face_settings import FaceSettings
from ..settings.treatment import Overrides
from .errors import MAX_COMPLAINTS, MAX_NAME, UNREADABLE, Complaint, Refusal
from .fields import (
    FORMAT,
    IMAGE,
    IMAGE_FILE,
    OBJECT,
    ORIGIN,
    OVERRIDES,
    PLAN,
    QUALITY,
    REFERENCE_FILE,
    SETTINGS,
    BodyField,
    Schema,
    declare_field,
    declare_flag,
    declare_names,
    declare_path,
    shorten,
)

Body = TypeVar("Body")


def read_body(kind: type[Body], values: Any) -> Body:
    """Return the body with these values. Raises `Refusal` with all errors in them."""
    if not isinstance(values, Mapping):
        raise Refusal(UNREADABLE, Complaint(("body",), f"the body must be a JSON object, not {shorten(values)}"))
    known = _read_fields(kind)
    unknown = islice((name for name in values if name not in known), MAX_COMPLAINTS)
    complaints = [Complaint(("body", name), _explain_unknown(name[:MAX_NAME], known)) for name in unknown]
    found: dict[str, Any] = {}
    for name, (field, required) in known.items():
        if values.get(name) is None:
            if required:
                complaints.append(Complaint(("body", name), f"{name} is missing: {field.help}"))
            continue
        try:
            found[name] = field.read(values[name])
        except FaceFixError as error:
            complaints.append(Complaint(("body", name), str(error)))
        except Refusal as refusal:
            complaints += [Complaint(("body", name, *wrong.where), wrong.sentence) for wrong in refusal.complaints]
    if complaints:
        raise Refusal(UNREADABLE, *complaints)
    return kind(**found)


def json_schema(kind: type) -> Schema:
    """Return the JSON schema of a body."""
    known = _read_fields(kind)
    parts = {name: field.describe() for name, (field, _) in known.items()}
    return {**OBJECT, "properties": parts, "required": _list_required(known), "additionalProperties": False}


def form_schema(kind: type) -> Schema:
    """Return the schema of a body as multipart/form-data: the image as a file, all other fields as JSON texts."""
    known = _read_fields(kind)
    parts = {name: {"type": "string", "description": f"As JSON. {field.help}"} for name, (field, _) in known.items()}
    if IMAGE in parts:
        parts[IMAGE] = {"type": "string", "format": "binary"}
    return {**OBJECT, "properties": parts, "required": _list_required(known)}


def _read_fields(kind: Any) -> dict[str, tuple[BodyField, bool]]:
    """Return the fields of a body by name, and whether each is required."""
    return {field.name: (field.metadata["part"], field.default is MISSING) for field in fields(kind)}


def _list_required(known: Mapping[str, tuple[BodyField, bool]]) -> list[str]:
    return [name for name, (_, required) in known.items() if required]


def _explain_unknown(name: str, known: Mapping[str, Any]) -> str:
    return f"unknown field {name!r}; available: {', '.join(known)}"


# The bodies

AGAIN = "True: also fix an image that FaceFix has fixed before. By default, such an image is left as it is."
MARK = "False: do not write into the metadata of the result (XMP) that, and how, FaceFix changed it."
SALVAGE = "True: if the image is a JPEG that is cut off, use the part that is there. The rest becomes grey."


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectBody:
    """Find the faces in an image."""

    image: bytes = declare_field(IMAGE_FILE)
    settings: FaceSettings = declare_field(SETTINGS, FaceSettings())
    salvage: bool = declare_flag(SALVAGE, False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanBody:
    """Plan how each face is fixed."""

    image: bytes = declare_field(IMAGE_FILE)
    settings: FaceSettings = declare_field(SETTINGS, FaceSettings())
    overrides: Overrides | None = declare_field(OVERRIDES, None)
    origin: GenerationParams | None = declare_field(ORIGIN, None)
    salvage: bool = declare_flag(SALVAGE, False)
    reference: bytes | None = declare_field(REFERENCE_FILE, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplanBody:
    """Plan the same faces again with other settings, without the image."""

    plan: FixPlan = declare_field(PLAN)
    settings: FaceSettings = declare_field(SETTINGS, FaceSettings())
    overrides: Overrides | None = declare_field(OVERRIDES, None)
    origin: GenerationParams | None = declare_field(ORIGIN, None)
    compared: bool = declare_flag("True: select by the distances to the reference photo that plan received.", False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FixBody:
    """Fix the faces with a plan or with settings."""

    image: bytes = declare_field(IMAGE_FILE)
    settings: FaceSettings | None = declare_field(SETTINGS, None)
    overrides: Overrides | None = declare_field(OVERRIDES, None)
    plan: FixPlan | None = declare_field(PLAN, None)
    origin: GenerationParams | None = declare_field(ORIGIN, None)
    format: str = declare_field(FORMAT, "")
    quality: int = declare_field(QUALITY, 0)
    wait: bool = declare_flag("False: return a job at once. See GET jobs.", True)
    salvage: bool = declare_flag(SALVAGE, False)
    again: bool = declare_flag(AGAIN, False)
    mark: bool = declare_flag(MARK, True)

    def __post_init__(self) -> None:
        given = [name for name in ("settings", "overrides") if getattr(self, name) is not None]
        if self.plan and given:
            sentence = f"a plan contains all settings; edit it instead of sending {' and '.join(given)}"
            raise Refusal(UNREADABLE, *(Complaint(("body", name), sentence) for name in given))


@dataclass(frozen=True, slots=True, kw_only=True)
class LayersBody:
    """Fix each face at full strength, as a layer to blend over the image."""

    image: bytes = declare_field(IMAGE_FILE)
    plan: FixPlan = declare_field(PLAN)
    salvage: bool = declare_flag(SALVAGE, False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewBody:
    """Show where a plan may change the image."""

    image: bytes = declare_field(IMAGE_FILE)
    plan: FixPlan = declare_field(PLAN)
    salvage: bool = declare_flag(SALVAGE, False)
    numbers: bool = declare_flag("False: tint the masks only, without boxes and numbers.", True)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchBody:
    """Fix all images in a folder on the server."""

    folder: str = declare_path("Folder on the server, including subfolders.")
    output: str = declare_path("Folder on the server for the results, with the same subfolders.")
    settings: FaceSettings = declare_field(SETTINGS, FaceSettings())
    overrides: Overrides | None = declare_field(OVERRIDES, None)
    overwrite: bool = declare_flag("True: replace existing files, even those that FaceFix did not write.", False)
    again: bool = declare_flag(AGAIN, False)
    mark: bool = declare_flag(MARK, True)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupBody:
    """Install restorers, with the packages that they need. See GET setup."""

    models: tuple[str, ...] = declare_names("Names of restorers from GET setup.")
    accept_licences: bool = declare_flag("True: the licences and notices have been read and accepted.", False)
    install_packages: bool = declare_flag("True: Python packages may be installed, too.", False)
