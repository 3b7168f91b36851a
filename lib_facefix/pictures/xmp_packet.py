"""XMP packets, changed in place: a property is read, set, or added, and every other byte stays as it is.

A packet may be UTF-8 or UTF-16, may bind any prefix to a namespace, and may write a simple property as an attribute or
as an element (XMP Specification Part 1, 7.4 to 7.9). Added properties get an `rdf:Description` with prefixes of its
own, so they depend on nothing else in the packet. White space before the end of the packet is used up first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr, unescape

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
EMPTY_PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}"></rdf:RDF></x:xmpmeta>'
    '<?xpacket end="w"?>'
)
_BOMS = {b"\xff\xfe": "utf_16_le", b"\xfe\xff": "utf_16_be", b"<\0": "utf_16_le", b"\0<": "utf_16_be"}
_QUOTED = {"&quot;": '"', "&apos;": "'", "&#34;": '"', "&#39;": "'"}
_MAX_PREFIXES = 8
"""Prefixes of one namespace that are looked for: packets have one, and many would cost time."""
_PADDING = re.compile(r"(\s+)<\?xpacket\s+end=")
_ABOUT = re.compile(r"<(?:[\w.-]+:)?Description\s[^<>]*?\b(?:[\w.-]{1,64}:)?about\s*=\s*(\"[^\"]*\"|'[^']*')")

_XMP_SIDES = ((rb"tiff:ImageWidth", rb"tiff:ImageLength"), (rb"exif:PixelXDimension", rb"exif:PixelYDimension"))
_TURNED_XMP = re.compile(rb"(tiff:Orientation(?:=[\"']|>)\s*)[2-8]")


class Value(NamedTuple):
    """The text of a simple property, and where it is."""

    text: str
    """Its characters, without XML's escapes; blank for a property that is there and is not simple."""
    start: int
    """Position of its first escaped character in the packet; -1 for a property that is not simple."""
    stop: int
    """Position behind its last one."""


def decode_packet(xmp: bytes) -> tuple[str, str]:
    """Return a packet as text, and its encoding, with which `encode_packet` gives the same bytes again."""
    encoding = _BOMS.get(xmp[:2], "utf_8")
    text = xmp.decode(encoding, "surrogateescape" if encoding == "utf_8" else "surrogatepass")
    return text, encoding


def encode_packet(text: str, encoding: str) -> bytes:
    """Return the bytes of a packet from `decode_packet`."""
    return text.encode(encoding, "surrogateescape" if encoding == "utf_8" else "surrogatepass")


def find_value(text: str, space: str, name: str) -> Value | None:
    """Return the simple property `name` of a namespace, or None if the packet has none."""
    for prefix in _prefixes(text, space):
        tag = re.escape(f"{prefix}:{name}" if prefix else name)
        forms = [
            rf"<{tag}(?:\s[^<>]*)?(?<!/)>([^<]*)</{tag}\s*>",
            rf"<{tag}\s[^<>]*?:resource\s*=\s*\"([^\"]*)\"",
            rf"<{tag}\s[^<>]*?:resource\s*=\s*'([^']*)'",
        ]
        if prefix:  # an attribute without a prefix is in no namespace
            forms += [rf"\s{tag}\s*=\s*\"([^\"]*)\"", rf"\s{tag}\s*=\s*'([^']*)'"]
        for form in forms:
            if found := re.search(form, text):
                return Value(unescape(found[1], _QUOTED).strip(), *found.span(1))
        if re.search(rf"<{tag}[\s/>]", text):
            return Value("", -1, -1)
    return None


def set_value(text: str, value: Value, new: str) -> str:
    """Return the packet with another text for a simple property that it has; a property that is not simple stays."""
    if value.start < 0:
        return text
    coded = escape(new, {'"': "&quot;", "'": "&apos;"})
    return text[: value.start] + coded + text[value.stop :]


def add_properties(text: str, spaces: Mapping[str, str], inner: str) -> str:
    """Return the packet with one more `rdf:Description` that has the XML `inner`; blank if the packet has no RDF.

    spaces: namespaces by the prefixes that `inner` uses, besides rdf.
    """
    about = found[1] if (found := _ABOUT.search(text)) else '""'
    declared = "".join(f" xmlns:{prefix}={quoteattr(uri)}" for prefix, uri in {"rdf": RDF, **spaces}.items())
    added = f"<rdf:Description{declared} rdf:about={about}>{inner}</rdf:Description>"
    for prefix in _prefixes(text, RDF):
        tag = f"{prefix}:RDF" if prefix else "RDF"
        if ends := list(re.finditer(rf"</{re.escape(tag)}\s*>", text)):
            return _use_padding(text, text[: ends[-1].start()] + added + text[ends[-1].start() :])
        if found := re.search(rf"(<{re.escape(tag)}\b[^<>]*?)\s*/>", text):
            return _use_padding(text, f"{text[: found.start()]}{found[1]}>{added}</{tag}>{text[found.end() :]}")
    return ""


def append_item(text: str, space: str, name: str, item: str) -> str:
    """Return the packet with `item`, an `rdf:li` with its own prefixes, at the end of a list; blank without it."""
    for prefix in _prefixes(text, space):
        tag = re.escape(f"{prefix}:{name}" if prefix else name)
        start = re.search(rf"<{tag}(?:\s[^<>]*)?>", text)
        end = re.compile(rf"</(?:[\w.-]{{1,64}}:)?(?:Seq|Bag)\s*>\s*</{tag}\s*>")
        if start and (found := end.search(text, start.end())):
            return _use_padding(text, text[: found.start()] + item + text[found.start() :])
    return ""


def remove_properties(text: str, space: str, *names: str) -> str:
    """Return the packet without these properties, and without a description that then has none left."""
    for prefix in _prefixes(text, space):
        for name in names:
            tag = re.escape(f"{prefix}:{name}" if prefix else name)
            text = re.sub(rf"\s{tag}\s*=\s*(?:\"[^\"]*\"|'[^']*')", "", text) if prefix else text
            text = re.sub(rf"<({tag})(?:\s[^<>]*)?(?<!/)>.*?</\1\s*>", "", text, flags=re.DOTALL)
            text = re.sub(rf"<{tag}(?:\s[^<>]*)?/>", "", text)
    for prefix in _prefixes(text, RDF):
        tag = re.escape(f"{prefix}:Description" if prefix else "Description")
        facts = r"(?:\s+(?:xmlns(?::[\w.-]+)?|(?:[\w.-]+:)?about)\s*=\s*(?:\"[^\"]*\"|'[^']*'))*\s*"
        text = re.sub(rf"<{tag}{facts}(?:/>|>\s*</{tag}\s*>)", "", text)
    return text


def list_items(xmp: bytes, space: str, name: str) -> list[dict[str, str]]:
    """Return the fields of a namespace in each item of a list property, in any form of RDF; none if it is no XML."""
    if space.encode() not in xmp and space.encode("utf_16_le") not in xmp and space.encode("utf_16_be") not in xmp:
        return []
    from xml.etree import ElementTree  # few images have such a list

    text = decode_packet(xmp)[0].strip("\0\ufeff \r\n\t").encode("utf_8", "replace").decode()
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return []
    try:
        root = ElementTree.fromstring(text)  # no entity can be declared
    except ElementTree.ParseError:
        return []
    items = (item for found in root.iter(f"{{{space}}}{name}") for item in found.iter(f"{{{RDF}}}li"))
    return [dict(_fields(item, f"{{{space}}}")) for item in items]


def _fields(item: object, start: str) -> Iterator[tuple[str, str]]:
    """Yield the fields of one item: attributes, or elements with text, whatever they are nested in."""
    for element in item.iter():  # type: ignore[attr-defined]
        if element.tag.startswith(start):
            yield element.tag.removeprefix(start), (element.text or "").strip()
        for key, value in element.attrib.items():
            if key.startswith(start):
                yield key.removeprefix(start), value


def sized_xmp(xmp: bytes, size: tuple[int, int]) -> bytes:
    """Return `xmp` with `size` where it names width and height."""
    for pair in _XMP_SIDES:
        for name, side in zip(pair, size, strict=True):
            xmp = re.sub(rb"(" + name + rb"(?:\s*=\s*[\"']|>)\s*)\d+", rb"\g<1>%d" % side, xmp)
    return xmp


def upright_xmp(xmp: bytes) -> bytes:
    """Return `xmp` for the turned picture: orientation 1."""
    return _TURNED_XMP.sub(rb"\g<1>1", xmp)


def _prefixes(text: str, space: str) -> list[str]:
    """Return the prefixes that are bound to a namespace anywhere in the packet; blank for the default one."""
    uri = re.escape(escape(space))
    found = re.findall(rf"\sxmlns(?::([\w.-]+))?\s*=\s*(?:\"{uri}\"|'{uri}')", text)
    return list(dict.fromkeys(found))[:_MAX_PREFIXES]


def _use_padding(old: str, new: str) -> str:
    """Return a packet that has grown with as much less white space before its end, one character of it kept."""
    ends = list(_PADDING.finditer(new))
    if not ends:
        return new
    start, stop = ends[-1].span(1)
    spare = min(stop - start - 1, len(new) - len(old))
    return new[:start] + new[start + spare :] if spare > 0 else new
