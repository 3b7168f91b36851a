"""How each part of a body is read from JSON, checked, and described."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field
from itertools import islice
from typing import Any

from ..errors import FaceFixError
from ..planning.plan import FixPlan
from ..settings.face_prompt import GenerationParams
from ..settings.face_settings import FaceSettings
from ..settings.generation_info import read_origin
from ..settings.options import check_names, options, schema
from ..settings.treatment import Overrides, Treatment
from .errors import MOST_COMPLAINTS, UNREADABLE, Complaint, Refusal

Schema = dict[str, Any]
OBJECT: Schema = {"type": "object"}
IMAGE = "image"
"""The part that is a file."""


@dataclass(frozen=True, slots=True)
class BodyField:
    """How one field of a body is read from JSON, and described."""

    read: Callable[[Any], Any]
    """Returns what the field holds; raises `FaceFixError`, or `Refusal` with the way from here."""
    schema: Schema
    help: str

    def describe(self) -> Schema:
        """Return its JSON schema."""
        return {**self.schema, "description": self.help}


def short(value: Any) -> str:
    """Return the value as JSON, its beginning where that is long."""
    if isinstance(value, str):
        value = value[:60]
    elif isinstance(value, Mapping | list) and len(value) > 60:
        return f"{'an object' if isinstance(value, Mapping) else 'a list'} of {len(value)} values"
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:60]}..."


def _image(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise FaceFixError(f"a picture is sent as base64, not as {short(value)}")
    start, comma, coded = value.partition(",")
    if "://" in value[:16] or (comma and not start.startswith("data:")):
        raise FaceFixError("a picture is sent as base64; addresses are not fetched")
    try:
        return base64.b64decode(coded if comma else value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise FaceFixError(f"the picture is no base64: {error}") from error


def _settings(value: Any) -> FaceSettings:
    if not isinstance(value, Mapping):
        raise Refusal(UNREADABLE, *_wrong(FaceSettings, value))
    try:
        return FaceSettings.from_json(value)
    except FaceFixError:  # which says what is wrong first; a client is told all of it, and where
        if complaints := list(islice(_wrong(FaceSettings, value), MOST_COMPLAINTS)):
            raise Refusal(UNREADABLE, *complaints) from None
        raise


def _wrong(kind: type, values: Any) -> Iterator[Complaint]:
    """Yield a complaint for each value that is no setting of this kind."""
    if not isinstance(values, Mapping):
        yield Complaint((), f"settings are an object of names and values, not {short(values)}")
        return
    known = {one.name: (one, option) for one, option in options(kind)}
    for name, value in values.items():
        try:
            check_names(kind, [name])
            one, option = known[name]
            option.check(value, type(one.default))
        except FaceFixError as error:
            yield Complaint((name,), str(error))


def _overrides(value: Any) -> Overrides:
    if not isinstance(value, Mapping):
        raise FaceFixError(
            f'overrides are settings by face number, as in {{"2": {{"method": "leave"}}}}; not {short(value)}'
        )
    complaints: list[Complaint] = []
    for number, changes in value.items():
        if len(complaints) >= MOST_COMPLAINTS:
            break
        if not (number.isascii() and number.isdigit() and len(number) < 5 and int(number) > 0):
            complaints.append(Complaint((number,), f"{number[:60]!r} is no face number; they count from 1 to 9999"))
        told = islice(_wrong(Treatment, changes), MOST_COMPLAINTS)
        complaints += [Complaint((number, *wrong.where), wrong.sentence) for wrong in told]
    if complaints:
        raise Refusal(UNREADABLE, *complaints)
    return {int(number): dict(changes) for number, changes in value.items()}


def _origin(value: Any) -> GenerationParams:
    if not isinstance(value, Mapping):
        raise FaceFixError(f'an origin is an object such as {{"prompt": "a girl"}}, not {short(value)}')
    return read_origin(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise FaceFixError(f"this is true or false, not {short(value)}")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise FaceFixError(f"this is a path on the server, not {short(value)}")
    return value


def _plan(value: Any) -> FixPlan:
    return FixPlan.from_json(value)


def settings_part(default: FaceSettings | None) -> Any:
    """Return the part that holds settings."""
    offered = {name: value for name, value in schema(FaceSettings).items() if not name.startswith("$")}
    return _part(_settings, offered, "Settings by name, see GET settings; what is left out has its default.", default)


def overrides_part() -> Any:
    """Return the part that holds settings of single faces."""
    by_number: Schema = {**OBJECT, "additionalProperties": OBJECT}
    help = 'Settings of single faces by number, as in {"2": {"method": "leave"}}.'  # noqa: A001 as the field is called
    return _part(_overrides, by_number, help, None)


def image_part() -> Any:
    """Return the part that holds the picture's file."""
    coded: Schema = {"type": "string", "contentEncoding": "base64"}
    return _part(_image, coded, "The picture file as base64; `data:...;base64,` may stand before it.")


def origin_part() -> Any:
    """Return the part that says what the picture was made from."""
    help = "What the picture was made from: prompt, negative_prompt, seed, ...; by default what it says itself."  # noqa: A001 as the field is called
    return _part(_origin, OBJECT, help, None)


def plan_part(default: Any = MISSING) -> Any:
    """Return the part that holds a plan."""
    return _part(_plan, OBJECT, "A plan, as POST plan answers it, perhaps edited.", default)


def flag_part(help: str, default: bool) -> Any:  # noqa: A002 as the field is called
    """Return a part that is true or false."""
    return _part(_flag, {"type": "boolean"}, help, default)


def text_part(help: str) -> Any:  # noqa: A002 as the field is called
    """Return a part that is a path on the server."""
    return _part(_text, {"type": "string"}, help)


def _part(read: Callable[[Any], Any], schema: Schema, help: str, default: Any = MISSING) -> Any:  # noqa: A002 as the field is called
    return field(default=default, metadata={"part": BodyField(read, schema, help)})
