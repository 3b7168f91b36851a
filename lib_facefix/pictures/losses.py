"""Metadata that a file format can hold, and notes about the rest."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import replace

from .bmff import describe_nclx, is_hdr
from .claims import REGIONS, has_iptc, without_places
from .exif import shorten, with_comment
from .formats import Format
from .jpeg import MOST_EXIF, MOST_XMP
from .picture import PARAMETERS, XMP_FIELD, Metadata, Picture

_CARRIES_EXIF = {"PNG", "TIFF", "JPEG", "WEBP", "AVIF", "HEIF", "JPEG2000"}
"""Kinds of file that hold EXIF, and XMP."""
_TAGGED = {"PNG", "AVIF", "HEIF"}
"""Kinds of file that hold colour tags."""
_FEWER_BITS = {"AVIF", "HEIF"}
"""Kinds of file that hold up to 12 bits a sample."""


def holds_xmp(kind: Format) -> bool:
    """Return whether files of this kind can hold XMP."""
    return kind.name in _CARRIES_EXIF


def settle_metadata(picture: Picture, kind: Format, text: Mapping[str, str]) -> tuple[Metadata, tuple[str, ...]]:
    """Return what a new file of `kind` says about the picture, and sentences for what it cannot.

    text: fields that are added; where there are no text fields, "parameters" becomes EXIF's UserComment.
    """
    said, notes = picture.metadata, list(picture.left_out)
    if picture.samples is not None and kind.deep == "given up":
        notes.append(f"Its {picture.coding.bits} bits a sample became 8: {kind.name} files are written with 8.")
    if picture.samples is not None and kind.name in _FEWER_BITS and picture.coding.bits == 16:
        notes.append(f"Its 16 bits a sample became {picture.coding.fewer_bits}, the most that phones show.")
    if said.gain_map and kind.name != "JPEG":
        said = replace(said, gain_map=None)
        notes.append(f"Its HDR gain map was left out: {kind.name} files get none.")
    if said.attached and kind.name != "HEIF":
        notes += said.attached.lost
        said = replace(said, attached=None)
    if kind.name == "GIF":
        notes.append("A GIF holds 256 colours (of each frame), so the others became the nearest of these.")
    if kind.name != picture.format:
        said = said.upright(picture.turn, picture.stored_size)
        if picture.turn != 1:
            notes += [REGIONS] if without_places(said.xmp) != said.xmp else []
            said = replace(said, xmp=without_places(said.xmp))
        notes += _lost_in(kind, said)
        said = _translate_colours(said, kind)
    parameters = {**said.text, **text}.get(PARAMETERS)
    if kind.name in _CARRIES_EXIF - {"PNG"} and parameters is not None:
        said = replace(said, exif=with_comment(said.exif, parameters))
    if kind.name == "JPEG":
        exif, note = shorten(said.exif, MOST_EXIF)
        said = replace(said, exif=exif)
        notes += [note] if note else []
        if len(said.xmp) > MOST_XMP:
            notes.append("Its XMP was left out: a JPEG holds at most 64 kB of it.")
    return said, tuple(dict.fromkeys(notes))


def _lost_in(kind: Format, said: Metadata) -> list[str]:
    """Return sentences for what another kind of file cannot hold."""
    names = []
    if kind.name not in _CARRIES_EXIF:
        names += [name for name, body in (("EXIF", said.exif), ("colour profile", said.icc), ("XMP", said.xmp)) if body]
    if has_iptc(said.photoshop) and kind.name not in ("JPEG", "TIFF"):
        names.append("IPTC data")
    fields = [name for name in said.text if name not in (PARAMETERS, XMP_FIELD.decode())]
    if fields and kind.name != "PNG":
        names.append(f"text fields ({', '.join(fields[:5])})")
    if said.segments:
        names.append("JPEG comments and application data")
    if PARAMETERS in said.text and kind.name not in _CARRIES_EXIF:
        names.append("generation parameters")
    notes = [f"{', '.join(names)} left out: {kind.name} files cannot hold this."] if names else []
    if said.nclx and said.icc and kind.name == "HEIF" and is_hdr(said.nclx):
        notes.append("Its colour profile was left out: a HEIC file has one, or colour tags of HDR.")
    elif said.nclx and kind.name not in _TAGGED and (is_hdr(said.nclx) or not said.icc):
        notes += [note for note in [describe_nclx(said.nclx)] if note]
    return notes


def _translate_colours(said: Metadata, kind: Format) -> Metadata:
    """Return `said` with colour tags in PNG's words; where there is a profile, HDR needs them beside it."""
    if not said.nclx or kind.name != "PNG" or not describe_nclx(said.nclx) or (said.icc and not is_hdr(said.nclx)):
        return said
    return replace(said, cicp=struct.pack(">BBBB", *said.nclx, 0, 1))
