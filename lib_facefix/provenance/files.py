"""Shows and strips the record in a file: the mark in its XMP, generation parameters, and Content Credentials."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..errors import BadPicture, BadSetting, MissingPackage
from ..pictures.claims import SIGNED
from ..pictures.picture import Picture
from ..pictures.read import read_picture
from ..pictures.strip_records import strip_records
from ..pictures.xmp_packet import EMPTY_PACKET, decode_packet, encode_packet, find_value, remove_properties
from ..settings.generation_info import read_fields
from .credentials import read_credentials
from .mark import EDITS, IPTC, MARK, SOURCE, SYSTEM, SYSTEM_VERSION, describe_edits, read_edits

VERSION = 1
"""Version of the JSON of `facefix provenance show`."""
_TERMS = "http://purl.org/dc/terms/"
_BARE = re.sub(r"\s+", "", EMPTY_PACKET)


def show_record(path: Path) -> dict[str, Any]:
    """Return what a file says of how it was made, as JSON data; raises `BadPicture` if it cannot be read."""
    picture = read_picture(path)
    edits = read_edits(picture.metadata)
    xmp = decode_packet(picture.metadata.xmp)[0]
    values = {name: found.text for name in (SOURCE, SYSTEM, SYSTEM_VERSION) if (found := find_value(xmp, IPTC, name))}
    parameters = picture.metadata.parameters
    return {
        "path": str(path),
        "format": picture.format,
        "source_type": values.get(SOURCE),
        "ai_system": values.get(SYSTEM),
        "ai_system_version": values.get(SYSTEM_VERSION),
        "edits": [asdict(edit) for edit in edits],
        "fixed_before": describe_edits(edits) or None,
        "parameters": parameters or None,
        "infotext": _read_entry(parameters),
        "credentials": _show_credentials(picture),
    }


def strip_record(path: Path) -> bytes:
    """Return the file without its record; every pixel stays. Raises `BadPicture` if it cannot be read or stripped."""
    kind = read_picture(path).format
    stripped = strip_records(path.read_bytes(), kind, _clean_xmp)
    if read_edits(read_picture(io.BytesIO(stripped), path.name).metadata):
        raise BadPicture("its mark is in a part of the XMP that cannot be changed. Use `exiftool -XMP:all= FILE`")
    return stripped


def _show_credentials(picture: Picture) -> dict[str, Any] | None:
    """Return what the credentials of a file say; without the package, whether there are any."""
    try:
        return read_credentials(picture.path.read_bytes(), picture.format)
    except (BadSetting, MissingPackage) as error:
        return {"state": "Unread", "codes": [str(error)]} if SIGNED in picture.left_out else None


def _read_entry(parameters: str) -> Any:
    """Return the data of FaceFix in the generation parameters; None without any, or if they cannot be read.

    Versions before 4 wrote a single entry in JSON. Since then, each setting and each face has an entry of its own.
    """
    for line in reversed(parameters.replace("\0", "").split("\n")):
        fields = dict(read_fields(line))
        if "FaceFix format" in fields:
            return {name: text for name, text in fields.items() if name.startswith("FaceFix ")}
        if "FaceFix" in fields:
            return _read_json(fields["FaceFix"])
    return None


def _read_json(text: str) -> Any:
    try:
        entry = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, Mapping) else None


def _clean_xmp(xmp: bytes) -> bytes:
    text, encoding = decode_packet(xmp)
    text = remove_properties(text, MARK, EDITS)
    text = remove_properties(text, IPTC, SOURCE, SYSTEM, SYSTEM_VERSION)
    text = remove_properties(text, _TERMS, "provenance")
    return b"" if re.sub(r"\s+", "", text) == _BARE else encode_packet(text, encoding)
