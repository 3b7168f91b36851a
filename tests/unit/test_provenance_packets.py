"""XMP in places where other programs put it: several packets, parts of one, compressed, or as a raw profile."""

import hashlib
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image as Pil
from test_cli import engine, photo, run  # noqa: F401 fixtures

from lib_facefix.errors import BadPicture
from lib_facefix.pictures import read_picture, write_picture
from lib_facefix.pictures.picture import Metadata
from lib_facefix.pictures.xmp_packet import EMPTY_PACKET
from lib_facefix.provenance import Edit, add_mark, read_edits
from lib_facefix.provenance.files import strip_record
from lib_facefix.provenance.mark import MARK

LITE = Edit("restore", "lite", face=1, box=(1, 2, 3, 4))
NET = Edit("restore", "gfpgan", face=2, box=(5, 6, 7, 8))
XMP, EXTENSION = b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"
FIELD, RAW_FIELD = b"XML:com.adobe.xmp\0", b"Raw profile type xmp\0"


def titled(title):
    """Return a packet with a title."""
    said = f'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:format="{title}"/>'
    return EMPTY_PACKET.replace("</rdf:RDF>", f"{said}</rdf:RDF>").encode()


def marked(xmp, *edits):
    return add_mark(Metadata(xmp=xmp), edits or (LITE,))[0].xmp


def jpeg(path, *segments):
    """Write a JPEG of noise with these contents of APP1 segments."""
    file = io.BytesIO()
    Pil.fromarray(np.random.default_rng(0).integers(0, 256, (48, 48, 3), np.uint8)).save(file, "JPEG", quality=95)
    plain = file.getvalue()
    coded = b"".join(struct.pack(">HH", 0xFFE1, len(one) + 2) + one for one in segments)
    path.write_bytes(plain[:20] + coded + plain[20:])
    return path


def png(path, kind, body):
    """Write a PNG with one more chunk."""
    file = io.BytesIO()
    Pil.new("RGB", (8, 8)).save(file, "PNG")
    chunk = struct.pack(">I4s", len(body), kind) + body + struct.pack(">I", zlib.crc32(kind + body))
    path.write_bytes(file.getvalue()[:33] + chunk + file.getvalue()[33:])
    return path


def extended(packet, parts=2):
    """Return the segments of an extended packet, in several parts and in the wrong order."""
    name, step = hashlib.md5(packet).hexdigest().upper().encode(), -(-len(packet) // parts)
    places = range(0, len(packet), step)
    heads = [EXTENSION + name + struct.pack(">II", len(packet), at) + packet[at : at + step] for at in places]
    return heads[::-1]


def rewrite(path, target, *edits):
    """Write the file as FaceFix does after a change, with these edits."""
    picture = read_picture(path)
    said, notes = add_mark(picture.metadata, edits or (LITE,))
    object.__setattr__(picture, "metadata", said)
    write_picture(picture, 255 - picture.image, target)
    return notes


def test_a_second_packet_of_a_jpeg_stays_behind_the_first(tmp_path):
    source = jpeg(tmp_path / "two.jpg", XMP + titled("first"), XMP + titled("second"))
    rewrite(source, tmp_path / "new.jpg")
    content = (tmp_path / "new.jpg").read_bytes()
    assert 0 < content.index(MARK.encode()) < content.index(titled("second"))
    assert b'dc:format="first"' in read_picture(tmp_path / "new.jpg").metadata.xmp
    rewrite(tmp_path / "new.jpg", tmp_path / "newer.jpg", NET)
    assert (tmp_path / "newer.jpg").read_bytes().count(titled("second")) == 1
    assert read_edits(read_picture(tmp_path / "newer.jpg").metadata) == (LITE, NET)


@pytest.mark.parametrize("encoding", ["utf_8", "utf_16_le", "utf_16_be"])
def test_a_mark_in_a_second_packet_is_known(tmp_path, encoding):
    second = marked(titled("second").decode().encode(encoding))
    path = jpeg(tmp_path / "two.jpg", XMP + titled("first"), XMP + second)
    assert read_edits(read_picture(path).metadata) == (LITE,)
    path.write_bytes(strip_record(path))
    assert read_edits(read_picture(path).metadata) == ()


def test_a_mark_that_another_program_moved_to_extended_xmp_is_known_and_not_stripped_in_silence(tmp_path):
    path = jpeg(tmp_path / "parts.jpg", XMP + titled("first"), *extended(marked(titled("more"))))
    assert read_edits(read_picture(path).metadata) == (LITE,)
    with pytest.raises(BadPicture, match="part of the XMP that cannot be changed"):
        strip_record(path)


def test_a_claim_about_old_data_goes_from_a_second_packet_too(tmp_path):
    claim = 'xmlns:c="http://ns.google.com/photos/1.0/camera/" c:MotionPhoto="1"'
    second = titled("second").replace(b'rdf:about=""', f'rdf:about="" {claim}'.encode())
    rewrite(jpeg(tmp_path / "two.jpg", XMP + titled("first"), XMP + second), tmp_path / "new.jpg")
    content = (tmp_path / "new.jpg").read_bytes()
    assert b'dc:format="second"' in content
    assert b"MotionPhoto" not in content


@pytest.mark.parametrize("form", ["attribute", "element", "resource"])
def test_a_link_to_credentials_on_a_server_is_left_out_and_said(photo, tmp_path, capsys, form):  # noqa: F811
    link, space = "https://example.org/a.c2pa", 'xmlns:dcterms="http://purl.org/dc/terms/"'
    said = {
        "attribute": f'<rdf:Description rdf:about="" {space} dcterms:provenance="{link}"/>',
        "element": f'<rdf:Description rdf:about="" {space}><dcterms:provenance>{link}</dcterms:provenance>'
        "</rdf:Description>",
        "resource": f'<rdf:Description rdf:about="" {space}><dcterms:provenance rdf:resource="{link}"/>'
        "</rdf:Description>",
    }[form]
    packet = titled("first").replace(b"</rdf:RDF>", said.encode() + b"</rdf:RDF>")
    with Pil.open(photo) as picture:
        picture.save(tmp_path / "signed.jpg", xmp=packet, quality=95)
    assert run("fix", tmp_path / "signed.jpg", "-o", tmp_path / "new.jpg") == 0
    assert "link to Content Credentials (C2PA) on a server was left out" in capsys.readouterr().out
    content = (tmp_path / "new.jpg").read_bytes()
    assert b"example.org" not in content
    assert b'dc:format="first"' in content


def test_a_crowd_that_does_not_fit_into_a_jpeg_is_marked_briefly(tmp_path):
    crowd = tuple(Edit("restore", "lite", face=n, box=(n, n, n + 9, n + 9)) for n in range(1, 2001))
    [note] = rewrite(jpeg(tmp_path / "crowd.jpg"), tmp_path / "new.jpg", *crowd, NET)
    assert note == "The mark (XMP) lists 2 of 2001 edits: there is no room for more."
    assert read_edits(read_picture(tmp_path / "new.jpg").metadata) == (crowd[0], NET)


@pytest.mark.parametrize("flag", [b"r", b"w"])
def test_a_packet_for_reading_only_takes_the_mark(tmp_path, flag):
    packet = titled("first").replace(b'end="w"', b'end="' + flag + b'"')
    rewrite(jpeg(tmp_path / "a.jpg", XMP + packet), tmp_path / "new.jpg")
    found = read_picture(tmp_path / "new.jpg").metadata
    assert read_edits(found) == (LITE,)
    assert found.xmp.endswith(b'<?xpacket end="' + flag + b'"?>')


RAW = b"\nxmp\n%8d\n" % 1 + marked(titled("raw")).hex().encode() + b"\n"
FORMS = {
    "text": (b"tEXt", FIELD + marked(titled("raw")).replace("\ufeff".encode(), b"")),
    "compressed Latin": (b"zTXt", FIELD + b"\0" + zlib.compress(marked(titled("raw")).replace("\ufeff".encode(), b""))),
    "compressed": (b"iTXt", FIELD + b"\1\0\0\0" + zlib.compress(marked(titled("raw")))),
    "raw profile": (b"zTXt", RAW_FIELD + b"\0" + zlib.compress(RAW)),
    "raw profile as text": (b"tEXt", RAW_FIELD + RAW),
}


@pytest.mark.parametrize("form", FORMS)
def test_xmp_in_any_chunk_of_a_png_is_known_stripped_and_written_once(tmp_path, form):
    path = png(tmp_path / "a.png", *FORMS[form])
    assert read_edits(read_picture(path).metadata) == (LITE,)

    rewrite(path, tmp_path / "new.png", NET)
    found = read_picture(tmp_path / "new.png").metadata
    assert read_edits(found) == (LITE, NET)
    names = [body.split(b"\0")[0] for _, body in found.chunks]
    assert [name for name in names if b"xmp" in name] == [FIELD[:-1]]

    path.write_bytes(strip_record(path))
    with Pil.open(path) as picture:
        assert 'dc:format="raw"' in picture.text[FIELD[:-1].decode()]
        assert MARK not in str(picture.text)
    assert read_edits(read_picture(path).metadata) == ()


def test_a_raw_profile_that_is_damaged_is_no_xmp(tmp_path):
    path = png(tmp_path / "a.png", b"tEXt", RAW_FIELD + b"\nxmp\n 4\nzzzz\n")
    assert read_picture(path).metadata.xmp == b""


def test_a_planted_mark_cannot_reach_the_terminal_and_again_is_offered(photo, tmp_path, capsys):  # noqa: F811
    lie = Edit("restore", "\x9b31mred\u202e\u2028x", version="\x85", face=1)
    run("fix", photo, "-o", tmp_path / "plain.png", "--no-mark")
    rewrite(tmp_path / "plain.png", tmp_path / "lie.png", lie)
    before = (tmp_path / "lie.png").read_bytes()
    capsys.readouterr()
    assert run("fix", tmp_path / "lie.png", "--in-place") == 0
    told = capsys.readouterr().out
    assert "--again fixes it again" in told
    assert not {"\x9b", "\u202e", "\u2028", "\x85"} & set(told)
    assert (tmp_path / "lie.png").read_bytes() == before
    assert run("fix", tmp_path / "lie.png", "--in-place", "--again", "--mask", "box") == 0
    assert (tmp_path / "lie.png").read_bytes() != before
