"""The mark in the XMP of saved PNG files. What was done is read from the infotext that the host is about to write."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, MutableMapping
from typing import Any

from ...errors import BadSetting
from ...pictures.picture import XMP_FIELD, Metadata
from ...provenance import Edit, Edits, add_mark, read_edits
from . import infotext
from .runs import list_runs

FIELD = XMP_FIELD.decode()
"""Name of the text field of a PNG that holds the XMP."""
SECTIONS = ("extras", "postprocessing", "parameters")
"""Text fields with an infotext, the newest one first."""
_ENTRY = re.compile(rf'{infotext.KEY}: ("(?:\\.|[^"\\])*")')


def find_edits(text: str) -> Edits:
    """Return what the FaceFix entry of an infotext says was done; none if there is no entry that can be read."""
    found = _ENTRY.search(text)
    try:
        entry = json.loads(json.loads(found[1])) if found else {}
        passes = infotext.read(json.loads(found[1])) if found else ()
        return tuple(
            _make_edit(face, run.settings.restorer)
            for run, faces in zip(list_runs(passes), entry.get("faces", ()), strict=False)
            for face in faces
            if face["do"] != "leave" and "verdict" not in face
        )
    except (BadSetting, ValueError, TypeError, KeyError, AttributeError):  # edited by hand
        return ()


def find_earlier(info: Mapping[str, Any]) -> Edits:
    """Return the edits in the mark of an image. info: what Pillow read from its file."""
    xmp = info.get(FIELD) or info.get("xmp") or b""
    return read_edits(Metadata(xmp=xmp.encode() if isinstance(xmp, str) else bytes(xmp)))


def mark_texts(texts: MutableMapping[str, Any]) -> None:
    """Add the mark to the text fields of a PNG that the host is about to save; nothing if it has it, or needs none."""
    named = (find_edits(str(texts[section])) for section in SECTIONS if texts.get(section))
    edits = next(filter(None, named), ())
    said = Metadata(xmp=str(texts.get(FIELD) or "").encode())
    known = read_edits(said)
    new = tuple(edit for edit in edits if edit not in known)
    marked, _ = add_mark(said, new)
    if marked.xmp != said.xmp:
        texts[FIELD] = marked.xmp.decode()


def _make_edit(face: Mapping[str, Any], restorer: str) -> Edit:
    left, top, right, bottom = (int(side) for side in face["box"])
    model = str(face.get("restorer", restorer)).replace("\\", "/").rpartition("/")[2] if face["do"] == "restore" else ""
    return Edit(str(face["do"]), model, face=int(face["n"]), box=(left, top, right, bottom))
