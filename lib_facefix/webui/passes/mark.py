"""The mark in the XMP of files that the host saves. What was done is read from the infotext that it writes."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...errors import BadSetting
from ...fsio import atomic_write
from ...pictures.insert_xmp import insert_xmp
from ...pictures.picture import XMP_FIELD, Metadata
from ...pictures.xmp_packet import decode_packet
from ...provenance import Edit, Edits, add_mark, read_edits
from ..host.saved_files import find_saved_files
from . import infotext, json_infotext
from .face_texts import FixedFace, read_fixed_faces
from .runs import list_runs

FIELD = XMP_FIELD.decode()
"""Name of the text field of a PNG that holds the XMP."""
SECTIONS = ("parameters", "postprocessing", "extras")
"""Text fields with an infotext, the oldest one first."""
WEBP_FIELD = "xmp"
"""Name by which Pillow knows the XMP of a WebP file; the host takes it for one of the text fields of a PNG."""


def find_edits(text: str) -> Edits:
    """Return what the FaceFix entry of an infotext says was done; none if there is no entry that can be read."""
    entries = infotext.find(text)
    if not entries:
        return ()
    try:
        runs = list_runs(infotext.read(entries))
        if infotext.FORMAT in entries:
            return tuple(map(_make_edit, read_fixed_faces(entries, runs)))
        return tuple(map(_make_edit, json_infotext.read_fixed_faces(entries[infotext.KEY], runs)))
    except (BadSetting, ValueError, TypeError, KeyError, AttributeError):  # edited by hand
        return ()


def find_earlier(info: Mapping[str, Any], infotext: str = "") -> Edits:
    """Return the edits in the mark of an image, or else in its infotext. info: what Pillow read from its file."""
    return read_edits(Metadata(xmp=_read_xmp(info))) or find_edits(infotext)


def mark_texts(texts: MutableMapping[str, Any]) -> None:
    """Add the mark to the text fields of an image that the host is about to save.

    Only a PNG gets these fields; `mark_files` is for other files. Nothing is added if the mark is there, or if FaceFix
    changed no face. XMP that the host has read from a WebP file is kept.
    """
    said = Metadata(xmp=_read_xmp(texts))
    known = {_without_version(edit) for edit in read_edits(said)}
    named = dict.fromkeys(edit for text in _infotexts(texts) for edit in find_edits(text))
    new = tuple(edit for edit in named if _without_version(edit) not in known)
    marked, _ = add_mark(said, new)
    if marked.xmp != said.xmp:
        texts.pop(WEBP_FIELD, None)
        texts[FIELD] = marked.xmp.decode()


def mark_files(filename: str, texts: Mapping[str, Any]) -> None:
    """Add the mark to the JPEG or WebP file that the host has just saved for an image; no pixel is decoded.

    filename: under which it was to be saved. texts: of `mark_texts`. Raises a `FaceFixError` or `OSError`.
    """
    packet = _read_xmp(texts)
    if read_edits(Metadata(xmp=packet)):
        for path, kind in find_saved_files(filename, _infotexts(texts)):
            _mark_file(path, kind, packet)


def _mark_file(path: Path, kind: str, packet: bytes) -> None:
    content = path.read_bytes()
    marked = insert_xmp(content, kind, packet)
    if marked != content:
        atomic_write(path, lambda file: file.write(marked))


def _infotexts(texts: Mapping[str, Any]) -> list[str]:
    """Return the infotexts of an image, the oldest one first."""
    return [str(texts[section]) for section in SECTIONS if texts.get(section)]


def _read_xmp(texts: Mapping[str, Any]) -> bytes:
    """Return the XMP of an image as UTF-8. texts: what Pillow read from its file, or the host has made of it."""
    xmp = texts.get(FIELD) or texts.get(WEBP_FIELD) or b""
    text = xmp if isinstance(xmp, str) else decode_packet(bytes(xmp))[0]
    return text.encode(errors="ignore")


def _without_version(edit: Edit) -> Edit:
    """Return an edit as it compares with those of an infotext, which does not tell the version of FaceFix."""
    return replace(edit, version="")


def _make_edit(face: FixedFace) -> Edit:
    model = face.restorer.replace("\\", "/").rpartition("/")[2]
    return Edit(face.action, model, face=face.number, box=face.box)
