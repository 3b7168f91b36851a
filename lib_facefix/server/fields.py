"""Declares the fields of request bodies: how each is read from JSON, checked, and described."""

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field
from itertools import islice
from typing import Any

from ..errors import FaceFixError
from ..pictures import formats
from ..planning.plan import FixPlan
from ..settings.face_prompt import GenerationParams
from ..settings.face_settings import FaceSettings
from ..settings.generation_info import read_origin
from ..settings.options import check_names, options, schema
from ..settings.treatment import Overrides, Treatment
from .errors import MAX_COMPLAINTS, UNREADABLE, Complaint, Refusal

Schema = dict[str, Any]
OBJECT: Schema = {"type": "object"}
IMAGE = "image"
"""Name of the field that contains the image file."""
MAX_NAMES = 32
"""Largest number of names in a list."""
FORMATS = {kind.name.lower().replace("heif", "heic"): kind.suffixes[0] for kind in formats.FORMATS}
"""File formats of results, and the suffix of each."""


@dataclass(frozen=True, slots=True)
class BodyField:
    """One kind of field in a request body."""

    read: Callable[[Any], Any]
    """Returns the value of the field. Raises `FaceFixError`, or `Refusal` with the path from this field."""
    schema: Schema
    """JSON schema of the field, without the description."""
    help: str
    """Description of the field for /docs and for error messages."""

    def describe(self) -> Schema:
        """Return the JSON schema with the description."""
        return {**self.schema, "description": self.help}


def shorten(value: Any) -> str:
    """Return the value as JSON, shortened to 60 characters, or the size of a large object or list."""
    if isinstance(value, str):
        value = value[:60]
    elif isinstance(value, Mapping | list) and len(value) > 60:
        return f"{'an object' if isinstance(value, Mapping) else 'a list'} of {len(value)} values"
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:60]}..."


def _read_image(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise FaceFixError(f"the image must be a base64 text, not {shorten(value)}")
    start, comma, coded = value.partition(",")
    if "://" in value[:16] or (comma and not start.startswith("data:")):
        raise FaceFixError("the image must be a base64 text; URLs are not accepted")
    try:
        return base64.b64decode(coded if comma else value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise FaceFixError(f"the image is not valid base64: {error}") from error


def _read_settings(value: Any) -> FaceSettings:
    if not isinstance(value, Mapping):
        raise Refusal(UNREADABLE, *_find_errors(FaceSettings, value))
    try:
        return FaceSettings.from_json(value)
    except FaceFixError:  # it names only the first error; the client gets all, each with its field
        if complaints := list(islice(_find_errors(FaceSettings, value), MAX_COMPLAINTS)):
            raise Refusal(UNREADABLE, *complaints) from None
        raise


def _find_errors(kind: type, values: Any) -> Iterator[Complaint]:
    """Yield an error for each value that is not a valid setting of this kind."""
    if not isinstance(values, Mapping):
        yield Complaint((), f"settings must be an object of names and values, not {shorten(values)}")
        return
    known = {setting.name: (setting, option) for setting, option in options(kind)}
    for name, value in values.items():
        try:
            check_names(kind, [name])
            setting, option = known[name]
            option.check(value, type(setting.default))
        except FaceFixError as error:
            yield Complaint((name,), str(error))


def _read_overrides(value: Any) -> Overrides:
    if not isinstance(value, Mapping):
        example = '{"2": {"method": "leave"}}'
        raise FaceFixError(f"overrides must be settings by face number, such as {example}, not {shorten(value)}")
    complaints: list[Complaint] = []
    for number, changes in value.items():
        if len(complaints) >= MAX_COMPLAINTS:
            break
        if not (number.isascii() and number.isdigit() and len(number) < 5 and int(number) > 0):
            sentence = f"{number[:60]!r} is not a face number; face numbers are 1 to 9999"
            complaints.append(Complaint((number,), sentence))
        errors = islice(_find_errors(Treatment, changes), MAX_COMPLAINTS)
        complaints += [Complaint((number, *wrong.where), wrong.sentence) for wrong in errors]
    if complaints:
        raise Refusal(UNREADABLE, *complaints)
    return {int(number): dict(changes) for number, changes in value.items()}


def _read_origin(value: Any) -> GenerationParams:
    if not isinstance(value, Mapping):
        raise FaceFixError(f'the origin must be an object, such as {{"prompt": "a girl"}}, not {shorten(value)}')
    return read_origin(value)


def _read_flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise FaceFixError(f"the value must be true or false, not {shorten(value)}")
    return value


def _read_format(value: Any) -> str:
    if not isinstance(value, str) or value not in FORMATS:
        raise FaceFixError(f"the format must be one of {', '.join(FORMATS)}, not {shorten(value)}")
    return value


def _read_quality(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 100:
        raise FaceFixError(f"the quality must be a whole number between 1 and 100, not {shorten(value)}")
    return value


def _read_path(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise FaceFixError(f"the value must be a path on the server, not {shorten(value)}")
    return value


def _read_names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or len(value) > MAX_NAMES or not all(isinstance(x, str) for x in value):
        raise FaceFixError(f"the value must be a list of 1 to {MAX_NAMES} names, not {shorten(value)}")
    return tuple(value)


SETTINGS = BodyField(
    _read_settings,
    {name: value for name, value in schema(FaceSettings).items() if not name.startswith("$")},
    "Settings by name (see GET settings). Missing ones have their defaults.",
)
OVERRIDES = BodyField(
    _read_overrides,
    {**OBJECT, "additionalProperties": OBJECT},
    'Settings for single faces by number, such as {"2": {"method": "leave"}}.',
)
IMAGE_FILE = BodyField(
    _read_image,
    {"type": "string", "contentEncoding": "base64"},
    "The image file, base64-encoded. `data:...;base64,` may precede it. URLs are not accepted.",
)
REFERENCE_FILE = BodyField(
    _read_image,
    {"type": "string", "contentEncoding": "base64"},
    "A photo of the reference person, base64-encoded, in place of the setting `person`, which names a file.",
)
GENERATION = "Generation parameters of the image: prompt, negative_prompt, seed, ... Default: those in its metadata."
ORIGIN = BodyField(_read_origin, OBJECT, GENERATION)
FORMAT = BodyField(
    _read_format, {"type": "string", "enum": [*FORMATS]}, "File format of the result. Default: the format of the image."
)
QUALITY = BodyField(
    _read_quality,
    {"type": "integer", "minimum": 1, "maximum": 100},
    "Quality of the result as JPEG, WebP, or AVIF. Default: that of the image, or 95 in another format.",
)
PLAN = BodyField(FixPlan.from_json, OBJECT, "A plan from POST plan, edited or not.")


def declare_field(kind: BodyField, default: Any = MISSING) -> Any:
    """Return a dataclass field of this kind. Without a default, requests must contain it."""
    return field(default=default, metadata={"part": kind})


def declare_flag(help: str, default: bool) -> Any:  # noqa: A002 as the attribute is called
    """Return a field that is true or false."""
    return declare_field(BodyField(_read_flag, {"type": "boolean"}, help), default)


def declare_names(help: str) -> Any:  # noqa: A002 as the attribute is called
    """Return a required field that is a list of names."""
    return declare_field(BodyField(_read_names, {"type": "array", "items": {"type": "string"}}, help))


def declare_path(help: str) -> Any:  # noqa: A002 as the attribute is called
    """Return a required field that is a path on the server."""
    return declare_field(BodyField(_read_path, {"type": "string"}, help))
