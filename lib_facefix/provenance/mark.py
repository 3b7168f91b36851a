"""The mark that a changed image carries in its XMP: what FaceFix did, and what kind of image that makes it.

IPTC 2025.1 (`Iptc4xmpExt`) says that and how AI was used: `DigitalSourceType` by the method, `AISystemUsed`, and
`AISystemVersionUsed`. A namespace of ours lists each edit: the action, the model, the version of FaceFix, and the face.
It holds no embedding, name, age, or likeness. A stronger source type that is already there stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from xml.sax.saxutils import quoteattr

from .. import __version__
from ..pictures.jpeg import MOST_XMP, further_packets
from ..pictures.picture import Metadata
from ..pictures.xmp_packet import (
    EMPTY_PACKET,
    RDF,
    add_properties,
    append_item,
    decode_packet,
    encode_packet,
    find_value,
    list_items,
    set_value,
)
from ..planning.plan import Outcome
from ..registry import RESTORERS, UPSCALERS

MARK = "urn:facefix:mark/1.0/"
"""Namespace of the list of edits. Another number is another version of its fields."""
EDITS = "Edits"
IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
SOURCE, SYSTEM, SYSTEM_VERSION = "DigitalSourceType", "AISystemUsed", "AISystemVersionUsed"
TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
"""Start of the addresses of IPTC's source types."""
COMPOSITE, ENHANCED = "compositeWithTrainedAlgorithmicMedia", "algorithmicallyEnhanced"
PRODUCT = "FaceFix"
MAX_EDITS = 10_000
"""Edits that are read from one file."""
MAX_TOLD, MAX_NAME = 8, 80
"""Kinds of edits that are told in words; characters of a name that is read from a file."""

_STRENGTHS = {
    **dict.fromkeys(("digitalCapture", "computationalCapture", "negativeFilm", "positiveFilm", "print"), 0),
    **dict.fromkeys(("screenCapture", "virtualRecording", "softwareImage", "compositeCapture", "humanEdits"), 0),
    **dict.fromkeys(("minorHumanEdits", "digitalCreation", "digitalArt"), 0),
    ENHANCED: 1,
    **dict.fromkeys(("algorithmicMedia", "dataDrivenMedia", "compositeSynthetic"), 2),
    COMPOSITE: 3,
    "trainedAlgorithmicMedia": 4,
}
"""How much of an image a machine made, by source type. An unknown type counts as 2: only a composite replaces it."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One thing that FaceFix did to an image."""

    action: str
    """"restore", "re-diffuse", or "enlarge"."""
    model: str = ""
    """Name of the restorer or upscaler, of a file its name alone; blank for Stable Diffusion."""
    version: str = __version__
    """Version of FaceFix."""
    face: int = 0
    """Number of the face in its run, from 1; 0: the whole image."""
    box: tuple[int, int, int, int] | None = None
    """Left, top, right, and bottom of the face, in pixels of the image as seen after this edit."""

    @property
    def source_type(self) -> str:
        """IPTC's source type of an image with this edit."""
        known = {info.name for info in RESTORERS if info.enhances}
        return ENHANCED if self.action == "enlarge" or self.model in known else COMPOSITE

    @property
    def uses_net(self) -> bool:
        """False if only a filter such as Lanczos ran."""
        return self.action != "enlarge" or self.model not in {info.name for info in UPSCALERS if not info.weights_name}


Edits = tuple[Edit, ...]


def list_edits(outcomes: Sequence[Outcome], upscaler: str = "", scale: Sequence[float] = (1.0, 1.0)) -> Edits:
    """Return what was done to an image: none if nothing was fixed or enlarged.

    upscaler: its name or path, blank without upscaling. scale: how much wider and higher the result is than the image
    that the positions of faces refer to.
    """
    edits = [Edit("enlarge", PurePath(upscaler).name)] if upscaler else []
    for outcome in outcomes:
        job, box = outcome.job, outcome.job.face.box
        if outcome.verdict == "fixed":
            sides = zip((box.left, box.top, box.right, box.bottom), (*scale, *scale), strict=True)
            left, top, right, bottom = (round(side * factor) for side, factor in sides)
            model = PurePath(job.treatment.restorer).name if job.decision == "restore" else ""
            edits.append(Edit(job.decision, model, face=job.number, box=(left, top, right, bottom)))
    return tuple(edits)


def read_edits(said: Metadata) -> Edits:
    """Return the edits in the mark of a file, oldest first; none without a mark."""
    packets = (said.xmp, *further_packets(said.segments))
    items = [item for packet in packets for item in list_items(packet, MARK, EDITS)[:MAX_EDITS]]
    return tuple(_read_edit(item) for item in items[:MAX_EDITS] if item.get("action"))


def describe_edits(edits: Sequence[Edit]) -> str:
    """Return such as "FaceFix 0.2.0: 2 faces restored with gfpgan, enlarged with lanczos"; blank without edits."""
    words = {"restore": "restored", "re-diffuse": "re-diffused", "enlarge": "enlarged"}
    counts = Counter((edit.action, edit.model, bool(edit.face)) for edit in edits)
    parts = []
    for (action, model, is_face), count in counts.items():
        faces = f"{count} face{'' if count == 1 else 's'} " if is_face else ""
        parts.append(f"{faces}{words.get(action, action)}{f' with {model}' if model else ''}")
    versions = ", ".join(list(dict.fromkeys(edit.version for edit in edits if edit.version))[:MAX_TOLD])
    if len(parts) > MAX_TOLD:
        parts[MAX_TOLD:] = [f"and {len(parts) - MAX_TOLD} more"]
    return f"{' '.join(filter(None, (PRODUCT, versions)))}: {', '.join(parts)}" if parts else ""


def strongest_type(names: Iterable[str]) -> str:
    """Return the source type, such as "algorithmicallyEnhanced", that says most about the use of machines."""
    return max(names, key=_strength, default="")


def add_mark(said: Metadata, edits: Edits) -> tuple[Metadata, tuple[str, ...]]:
    """Return the metadata of a file with a mark of these edits, and sentences on why it lacks one.

    The rest of its XMP stays byte for byte, except white space before its end. Where a JPEG has no room for every edit,
    the mark lists one of each kind.
    """
    if not edits:
        return said, ()
    text, encoding = decode_packet(said.xmp or EMPTY_PACKET.encode())
    marked = _mark(text, edits)
    if not marked:
        return said, ("The result has no mark (XMP): the XMP of the image is damaged, and was kept as it is.",)
    packed, notes = encode_packet(marked, encoding), tuple[str, ...]()
    if len(packed) > MOST_XMP >= len(said.xmp):
        fewer = tuple({(edit.action, edit.model): edit for edit in reversed(edits)}.values())[::-1]
        packed = encode_packet(_mark(text, fewer), encoding)
        notes = (f"The mark (XMP) lists {len(fewer)} of {len(edits)} edits: there is no room for more.",)
    if len(packed) > MOST_XMP >= len(said.xmp):
        return said, ("The result has no mark (XMP): the XMP of the image leaves no room for it.",)
    return said.with_xmp(packed), notes


def _mark(text: str, edits: Edits) -> str:
    """Return a packet with the mark; blank if it has no RDF."""
    inner = ""
    source = strongest_type(edit.source_type for edit in edits)
    there = find_value(text, IPTC, SOURCE)
    if there is None:
        inner += f"<Iptc4xmpExt:{SOURCE}>{TYPES}{source}</Iptc4xmpExt:{SOURCE}>"
    elif _strength(there.text.rstrip("/").rpartition("/")[2]) < _strength(source):
        text = set_value(text, there, TYPES + source)
    nets = dict.fromkeys(_label(edit) for edit in edits if edit.uses_net)
    if nets:
        system = f"{PRODUCT} ({', '.join(nets)})"
        for name, value in ((SYSTEM, system), (SYSTEM_VERSION, f"{PRODUCT} {__version__}")):
            there = find_value(text, IPTC, name)
            if there is None:
                inner += f"<Iptc4xmpExt:{name}>{value}</Iptc4xmpExt:{name}>"
            elif value not in there.text.split("; "):
                text = set_value(text, there, f"{there.text}; {value}" if there.text else value)
    alone = f" xmlns:rdf={quoteattr(RDF)} xmlns:facefix={quoteattr(MARK)}"
    more = append_item(text, MARK, EDITS, "".join(_write_edit(edit, alone) for edit in edits))
    if not more:
        items = "".join(_write_edit(edit) for edit in edits)
        inner += f"<facefix:{EDITS}><rdf:Seq>{items}</rdf:Seq></facefix:{EDITS}>"
    spaces = {"Iptc4xmpExt": IPTC, **({} if more else {"facefix": MARK})}
    return add_properties(more or text, spaces, inner) if inner else more


def _write_edit(edit: Edit, declared: str = "") -> str:
    """Return an edit as an item of a list. declared: declarations of the prefixes, where nothing around has them."""
    fields = {"action": edit.action, "model": edit.model, "version": edit.version}
    if edit.face:
        fields["face"] = str(edit.face)
    if edit.box:
        fields["box"] = " ".join(map(str, edit.box))
    return f"<rdf:li{declared}{''.join(f' facefix:{k}={quoteattr(v)}' for k, v in fields.items() if v)}/>"


def _read_edit(item: dict[str, str]) -> Edit:
    """Return an edit. A field that another program has damaged is left out."""
    box = item.get("box", "").split()
    sides = tuple(int(side) for side in box if side.removeprefix("-").isdecimal() and len(side) < 12)
    number = item.get("face", "")
    edit = Edit(
        item["action"][:MAX_NAME],
        item.get("model", "")[:MAX_NAME],
        item.get("version", "")[:MAX_NAME],
        int(number) if number.isdecimal() and len(number) < 10 else 0,
    )
    return replace(edit, box=sides) if len(sides) == len(box) == 4 else edit


def _label(edit: Edit) -> str:
    """Return the name of a model for people, without what would break a list."""
    if edit.action == "re-diffuse":
        return "Stable Diffusion"
    infos: dict[str, str] = {info.name: info.label for info in RESTORERS}
    infos |= {info.name: info.label for info in UPSCALERS}
    return infos.get(edit.model, edit.model).replace(" (built in)", "").replace(";", ",").translate(_NO_XML)


_NO_XML = str.maketrans({"<": "", ">": "", "&": "and", '"': "", "'": ""})


def _strength(name: str) -> int:
    return _STRENGTHS.get(name, 2)
