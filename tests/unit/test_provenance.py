"""The mark in the XMP of a result: what it says, what it leaves as it is, and what it keeps from being done twice."""

import io
import json
import re
import shutil
import struct
import subprocess
import time
import zlib

import numpy as np
import pytest
from PIL import Image as Pil
from test_cli import engine, photo, pixels, run  # noqa: F401 fixtures

from lib_facefix import FaceFix, fix_file
from lib_facefix.errors import BadPicture
from lib_facefix.pictures import read_picture
from lib_facefix.pictures.picture import Metadata
from lib_facefix.pictures.xmp_packet import EMPTY_PACKET, RDF
from lib_facefix.provenance import Edit, add_mark, describe_edits, read_edits
from lib_facefix.provenance.mark import COMPOSITE, ENHANCED, IPTC, MARK, TYPES

LITE = Edit("restore", "lite", face=1, box=(10, 20, 30, 40))
NET = Edit("restore", "gfpgan", face=2, box=(1, 2, 3, 4))
DIFFUSED = Edit("re-diffuse", face=3, box=(5, 6, 7, 8))
LANCZOS = Edit("enlarge", "lanczos")
KINDS = ("jpg", "png", "webp", "tif", "avif", "jp2", "heic")
BODY = (
    '<rdf:Description rdf:about="uuid:7" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:format="image/jpeg">'
    "<dc:creator><rdf:Seq><rdf:li>Ann &amp; Bo é</rdf:li></rdf:Seq></dc:creator></rdf:Description>"
)
OTHER = EMPTY_PACKET.replace("</rdf:RDF>", f"{BODY}\n</rdf:RDF>").replace(
    "<?xpacket end", f"{' ' * 3000}\n<?xpacket end"
)
needs_exiftool = pytest.mark.skipif(not shutil.which("exiftool"), reason="needs exiftool (libimage-exiftool-perl)")


def marked(xmp, *edits):
    said, notes = add_mark(Metadata(xmp=xmp), edits or (LITE,))
    return said.xmp, notes


def value(xmp, name):
    """Return a property of IPTC's in a packet, found by a real parser."""
    from xml.etree import ElementTree

    root = ElementTree.fromstring(xmp.decode("utf-16" if xmp[:2] == b"<\0" else "utf-8").strip("\ufeff"))
    found = [one.text for one in root.iter(f"{{{IPTC}}}{name}")]
    found += [one.attrib[f"{{{IPTC}}}{name}"] for one in root.iter() if f"{{{IPTC}}}{name}" in one.attrib]
    assert len(found) < 2, f"{name} stands there twice"
    return found[0] if found else None


@pytest.mark.parametrize(
    ("edits", "source"),
    [
        pytest.param([LITE], ENHANCED, id="lite"),
        pytest.param([LANCZOS], ENHANCED, id="enlarged"),
        pytest.param([Edit("enlarge", "x4plus")], ENHANCED, id="enlarged by a net"),
        pytest.param([LITE, NET], COMPOSITE, id="one generative net is enough"),
        pytest.param([DIFFUSED], COMPOSITE, id="re-diffused"),
        pytest.param([Edit("restore", "mine.pth", face=1)], COMPOSITE, id="a net of one's own"),
    ],
)
def test_the_source_type_goes_by_the_method(edits, source):
    xmp, notes = marked(b"", *edits)
    assert value(xmp, "DigitalSourceType") == TYPES + source
    assert read_edits(Metadata(xmp=xmp)) == tuple(edits)
    assert notes == ()


def test_a_filter_is_no_ai_system():
    assert value(marked(b"", LANCZOS)[0], "AISystemUsed") is None
    assert value(marked(b"", NET)[0], "AISystemUsed") == "FaceFix (GFPGAN 1.4)"


@pytest.mark.parametrize(
    ("there", "after"),
    [
        ("trainedAlgorithmicMedia", "trainedAlgorithmicMedia"),
        (COMPOSITE, COMPOSITE),
        ("digitalCapture", ENHANCED),
        ("compositeSynthetic", "compositeSynthetic"),
        ("ofTheFuture", "ofTheFuture"),
    ],
)
@pytest.mark.parametrize("form", ["attribute", "element", "resource", "single quotes"])
def test_a_stronger_source_type_stays_and_a_weaker_one_is_replaced(there, after, form):
    address = TYPES + there
    said = {
        "attribute": f'<rdf:Description rdf:about="" xmlns:i="{IPTC}" i:DigitalSourceType="{address}"/>',
        "single quotes": f"<rdf:Description rdf:about='' xmlns:i='{IPTC}' i:DigitalSourceType='{address}'/>",
        "element": f'<rdf:Description rdf:about="" xmlns:i="{IPTC}">'
        f"<i:DigitalSourceType>{address}</i:DigitalSourceType></rdf:Description>",
        "resource": f'<rdf:Description rdf:about="" xmlns:i="{IPTC}">'
        f'<i:DigitalSourceType rdf:resource="{address}"/></rdf:Description>',
    }[form]
    xmp, _ = marked(EMPTY_PACKET.replace("</rdf:RDF>", f"{said}</rdf:RDF>").encode())
    assert xmp.decode().count("digitalsourcetype/") == 1
    assert TYPES + after in xmp.decode()


def test_another_ai_system_is_still_named():
    said = f'<rdf:Description rdf:about="" xmlns:i="{IPTC}" i:AISystemUsed="Camera &amp; Co"/>'
    xmp, _ = marked(EMPTY_PACKET.replace("</rdf:RDF>", f"{said}</rdf:RDF>").encode())
    assert value(xmp, "AISystemUsed") == "Camera & Co; FaceFix (Built-in)"


@pytest.mark.parametrize("encoding", ["utf_8", "utf_16_le", "utf_16_be"])
def test_the_rest_of_the_xmp_stays_byte_for_byte(encoding):
    old = OTHER.encode(encoding)
    xmp, _ = marked(old)
    text = xmp.decode(encoding)
    added = re.search(r"<rdf:Description [^>]*rdf:about=\"uuid:7\"><Iptc.*?</rdf:Description>", text)[0]
    without = text.replace(added, "")
    assert re.sub(r" +\n<\?xpacket end", "<?xpacket end", without) == re.sub(
        r" +\n<\?xpacket end", "<?xpacket end", OTHER
    )
    assert len(xmp) == len(old)  # the padding was used
    assert read_edits(Metadata(xmp=xmp)) == (LITE,)


def test_bytes_that_are_no_utf_8_stay():
    old = OTHER.encode().replace("é".encode(), b"\xe9")
    assert b"Ann &amp; Bo \xe9</" in marked(old)[0]


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(f'<r:RDF xmlns:r="{RDF}"/>', id="closed at once, another prefix"),
        pytest.param(f'<RDF xmlns="{RDF}"></RDF>', id="no prefix"),
        pytest.param(
            f"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF\n xmlns:rdf='{RDF}'>\n</rdf:RDF ></x:xmpmeta>", id="spaces"
        ),
    ],
)
def test_every_form_of_rdf_takes_the_mark(packet):
    xmp, notes = marked(packet.encode(), LITE, NET)
    assert (read_edits(Metadata(xmp=xmp)), notes) == ((LITE, NET), ())
    assert value(xmp, "DigitalSourceType") == TYPES + COMPOSITE


@pytest.mark.parametrize("damaged", [b"no XML at all", b"<rdf:RDF", b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"])
def test_xmp_that_is_damaged_is_kept_and_said(damaged):
    xmp, [note] = marked(damaged)
    assert xmp == damaged
    assert "is damaged" in note


def test_xmp_that_fills_a_jpeg_is_kept_and_said():
    full = EMPTY_PACKET.replace("</rdf:RDF>", f"<!--{'x' * 65000}--></rdf:RDF>").encode()
    xmp, [note] = marked(full)
    assert xmp == full
    assert "leaves no room" in note


def test_a_second_run_is_added_to_the_list():
    xmp, _ = marked(marked(OTHER.encode())[0], NET, LANCZOS)
    assert read_edits(Metadata(xmp=xmp)) == (LITE, NET, LANCZOS)
    assert value(xmp, "DigitalSourceType") == TYPES + COMPOSITE
    assert value(xmp, "AISystemUsed") == "FaceFix (Built-in); FaceFix (GFPGAN 1.4)"
    assert xmp.count(b":Edits") == 2  # its start and its end


def test_a_mark_with_entities_of_its_own_is_not_read():
    bomb = b'<!DOCTYPE a [<!ENTITY b "c">]>' + marked(b"")[0]
    assert read_edits(Metadata(xmp=bomb)) == ()


def test_edits_are_told_in_words():
    assert describe_edits([LITE, LITE, NET, LANCZOS]) == (
        f"FaceFix {LITE.version}: 2 faces restored with lite, 1 face restored with gfpgan, enlarged with lanczos"
    )


# Files


def jpeg_with_everything(path):
    """A JPEG with EXIF (GPS among it), a profile, a comment, XMP, and extended XMP."""
    from PIL import ImageCms

    picture = Pil.open(path)
    exif = Pil.Exif()
    exif[0x010E] = "described"
    exif.get_ifd(0x8825)[1] = "N"
    file = io.BytesIO()
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture.save(file, "JPEG", quality=95, exif=exif, icc_profile=icc, comment=b"hello")
    extended = b"http://ns.adobe.com/xmp/extension/\0" + b"A" * 32 + struct.pack(">II", 5, 0) + b"<a/>x"
    xmp = b"http://ns.adobe.com/xap/1.0/\0" + OTHER.encode()
    parts = b"".join(struct.pack(">HH", 0xFFE1, len(one) + 2) + one for one in (xmp, extended))
    plain = file.getvalue()
    target = path.with_name("all.jpg")
    target.write_bytes(plain[:20] + parts + plain[20:])
    return target


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_carries_the_mark_and_is_not_fixed_twice(photo, kind, capsys, tmp_path):  # noqa: F811
    if kind == "heic":
        pytest.importorskip("pillow_heif")
    result = tmp_path / f"new.{kind}"
    run("fix", photo, "-o", result)
    edits = read_edits(read_picture(result).metadata)
    assert [(edit.action, edit.model, edit.face) for edit in edits] == [("restore", "lite", 1), ("restore", "lite", 2)]
    assert edits[1].box == (160, 30, 240, 110)

    before = result.read_bytes()
    report = tmp_path / "r.json"
    assert run("fix", result, "--in-place", "--report", report) == 0
    assert result.read_bytes() == before
    assert "fixed already (FaceFix" in capsys.readouterr().out
    [record] = json.loads(report.read_text())["pictures"]
    assert record["fixed_before"].endswith("2 faces restored with lite")
    assert (record["output"], record["faces"], record["error"]) == (None, [], None)


def test_a_result_elsewhere_is_a_copy(photo, tmp_path):  # noqa: F811
    run("fix", photo, "-o", tmp_path / "one.png")
    run("fix", tmp_path / "one.png", "-o", tmp_path / "two.png")
    assert (tmp_path / "two.png").read_bytes() == (tmp_path / "one.png").read_bytes()


def test_again_fixes_it_again(photo, tmp_path):  # noqa: F811
    run("fix", photo, "--in-place")
    before = photo.read_bytes()
    run("fix", photo, "--in-place", "--again", "--no-match-colour", "--mask", "box")
    assert photo.read_bytes() != before
    assert len(read_edits(read_picture(photo).metadata)) == 4


def test_an_enlarged_image_may_be_fixed_but_is_not_enlarged_twice(photo, tmp_path):  # noqa: F811
    run("fix", photo, "--in-place", "--method", "leave", "--upscale", "2")
    assert pixels(photo).shape == (280, 600, 3)
    run("fix", photo, "--in-place", "--method", "leave", "--upscale", "2")
    assert pixels(photo).shape == (280, 600, 3)
    run("fix", photo, "--in-place")
    assert [edit.action for edit in read_edits(read_picture(photo).metadata)] == ["enlarge", "restore", "restore"]


def test_a_kind_without_xmp_is_known_by_the_log(photo, tmp_path, capsys):  # noqa: F811
    result = tmp_path / "new.bmp"
    run("fix", photo, "-o", result)
    assert "BMP files cannot hold one" in capsys.readouterr().out
    before = result.read_bytes()
    run("fix", result, "--in-place", "--mask", "box")
    assert result.read_bytes() == before
    assert "without a mark" in capsys.readouterr().out


def test_without_a_change_there_is_no_mark(photo, tmp_path):  # noqa: F811
    before = photo.read_bytes()
    run("fix", photo, "--in-place", "--method", "leave")
    assert photo.read_bytes() == before
    run("fix", photo, "-o", tmp_path / "new.jpg", "--method", "leave")
    assert read_picture(tmp_path / "new.jpg").metadata.xmp == b""
    run("fix", photo, "-o", tmp_path / "bare.png", "--no-mark")
    assert read_picture(tmp_path / "bare.png").metadata.xmp == b""


def test_a_dry_run_tells_it(photo, capsys):  # noqa: F811
    run("fix", photo, "--in-place")
    run("fix", photo, "--dry-run")
    assert "already fixed (FaceFix" in capsys.readouterr().out


def test_the_other_metadata_of_a_jpeg_stays(photo):  # noqa: F811
    path = jpeg_with_everything(photo)
    old = read_picture(path).metadata
    run("fix", path, "--in-place")
    new = read_picture(path).metadata
    assert (new.exif, new.icc, new.segments) == (old.exif, old.icc, old.segments)
    assert b"http://ns.adobe.com/xmp/extension/" in new.segments
    assert b"hello" in new.segments
    assert BODY.encode() in new.xmp


def test_the_xmp_of_a_png_stays_one_chunk(photo):  # noqa: F811
    chunk = b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(OTHER.encode())
    plain = photo.read_bytes()
    coded = struct.pack(">I4s", len(chunk), b"iTXt") + chunk + struct.pack(">I", zlib.crc32(b"iTXt" + chunk))
    photo.write_bytes(plain[:33] + coded + plain[33:])
    run("fix", photo, "--in-place")
    assert photo.read_bytes().count(b"XML:com.adobe.xmp") == 1
    with Pil.open(photo) as picture:
        assert BODY in picture.text["XML:com.adobe.xmp"]
        assert MARK in picture.text["XML:com.adobe.xmp"]


@needs_exiftool
@pytest.mark.parametrize("kind", KINDS[:4])
def test_exiftool_reads_the_mark_and_may_write_beside_it(photo, tmp_path, kind):  # noqa: F811
    result = tmp_path / f"new.{kind}"
    run("fix", jpeg_with_everything(photo), "-o", result)

    def ask(*flags):
        done = subprocess.run(["exiftool", *flags, str(result)], capture_output=True, text=True, check=True)
        return done.stdout

    [said] = json.loads(ask("-json", "-struct", "-G1", "-XMP:all", "-EXIF:all"))
    assert said["XMP-iptcExt:DigitalSourceType"] == TYPES + ENHANCED
    assert said["XMP-iptcExt:AISystemUsed"] == "FaceFix (Built-in)"
    assert said["XMP-dc:Creator"] == ["Ann & Bo é"]
    assert said["IFD0:ImageDescription"] == "described"
    edits = read_edits(read_picture(result).metadata)
    ask("-overwrite_original", "-q", "-XMP-dc:Title=new")  # which writes all of it anew, in its own form
    assert read_edits(read_picture(result).metadata) == edits
    assert len(edits) == 2


# The library


def test_the_library_marks_files_too(photo, tmp_path):  # noqa: F811
    record = fix_file(FaceFix(), photo, tmp_path / "new.png")
    assert (record["fixed_before"], [face["outcome"] for face in record["faces"]]) == (None, ["fixed", "fixed"])
    assert "2 faces" in fix_file(FaceFix(), tmp_path / "new.png", tmp_path / "two.png")["fixed_before"]
    fixed = fix_file(FaceFix(), tmp_path / "new.png", tmp_path / "two.png", again=True)
    assert len(fixed["faces"]) == 2
    fix_file(FaceFix(), photo, tmp_path / "bare.png", mark=False)
    assert read_edits(read_picture(tmp_path / "bare.png").metadata) == ()
    with pytest.raises(BadPicture, match="does not exist"):
        fix_file(FaceFix(), tmp_path / "none.png", tmp_path / "new.png")


# facefix provenance


@pytest.mark.parametrize("kind", KINDS[:4])
def test_the_record_is_shown_and_stripped_and_pixels_stay(photo, tmp_path, kind, capsys):  # noqa: F811
    result, clean = tmp_path / f"new.{kind}", tmp_path / f"clean.{kind}"
    run("fix", jpeg_with_everything(photo), "-o", result)
    capsys.readouterr()

    assert run("provenance", "show", result, "--json") == 0
    [shown] = json.loads(capsys.readouterr().out)["files"]
    assert (shown["source_type"], len(shown["edits"])) == (TYPES + ENHANCED, 2)

    assert run("provenance", "strip", result, "-o", clean) == 0
    assert run("provenance", "strip", result, "-o", clean) == 2  # it exists
    assert run("provenance", "strip", result) == 2
    capsys.readouterr()
    assert run("provenance", "show", clean) == 0
    assert "no record" in capsys.readouterr().out
    assert (pixels(clean) == pixels(result)).all()
    old, new = read_picture(result).metadata, read_picture(clean).metadata
    assert (new.exif, new.icc) == (old.exif, old.icc)
    assert b"Ann &amp; Bo" in new.xmp
    assert MARK.encode() not in clean.read_bytes()


def test_the_infotext_is_shown(photo, tmp_path, capsys):  # noqa: F811
    from lib_facefix.pictures import write_picture

    text = 'a\nSteps: 20, FaceFix format: 4, FaceFix passes: 2, FaceFix pass 1 prompt: "a, b", Size: 1x1'
    picture = read_picture(photo)
    write_picture(picture, 255 - picture.image, tmp_path / "a.png", text={"parameters": text})
    run("provenance", "show", tmp_path / "a.png", "--json")
    [shown] = json.loads(capsys.readouterr().out)["files"]
    assert shown["infotext"] == {"FaceFix format": "4", "FaceFix passes": "2", "FaceFix pass 1 prompt": "a, b"}
    run("provenance", "show", tmp_path / "a.png")
    assert "FaceFix, passes: 2" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["png", "jpg", "webp", "tif"])
def test_the_infotext_is_stripped(photo, tmp_path, kind, capsys):  # noqa: F811
    entry = {"v": 1, "passes": [{}], "faces": [[]]}
    text = f"a girl\nSteps: 20, FaceFix: {json.dumps(json.dumps(entry))}"
    from lib_facefix.pictures import write_picture

    old = read_picture(photo)
    write_picture(old, 255 - old.image, tmp_path / f"in.{kind}", text={"parameters": text})
    run("provenance", "show", tmp_path / f"in.{kind}", "--json")
    [shown] = json.loads(capsys.readouterr().out)["files"]
    assert (shown["parameters"], shown["infotext"]) == (text, entry)
    assert run("provenance", "strip", tmp_path / f"in.{kind}", "--in-place") == 0
    assert read_picture(tmp_path / f"in.{kind}").metadata.parameters == ""
    assert (read_picture(tmp_path / f"in.{kind}").image.shape) == old.image.shape


def test_what_cannot_be_stripped_is_said(tmp_path, capsys):
    Pil.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "a.bmp")
    assert run("provenance", "strip", tmp_path / "a.bmp", "-o", tmp_path / "b.bmp") == 2
    assert "BMP files cannot be stripped" in capsys.readouterr().err
    assert not (tmp_path / "b.bmp").exists()


@pytest.mark.parametrize(
    "inside",
    [
        pytest.param("<rdf:Description " + "a." * 300_000, id="no end of a tag"),
        pytest.param(f'<i xmlns:i="{IPTC}"/>' + "<i:DigitalSourceType " * 40_000, id="many beginnings"),
        pytest.param(f'<f xmlns:f="{MARK}"/>' + "<f:Edits>" * 80_000, id="many lists"),
        pytest.param("".join(f'<a xmlns:p{n}="{MARK}"/>' for n in range(20_000)), id="many prefixes"),
    ],
)
def test_hostile_xmp_takes_no_time(inside):
    packet = EMPTY_PACKET.replace("</rdf:RDF>", f"{inside}</rdf:RDF>").encode()
    started = time.process_time()
    said = Metadata(xmp=packet)
    read_edits(said)
    add_mark(said, (LITE,))
    assert time.process_time() - started < 2


def test_a_mark_of_many_lies_is_told_briefly():
    lies = tuple(Edit(f"act{n}", "m" * 500, version=str(n)) for n in range(1000))
    assert len(describe_edits(read_edits(Metadata(xmp=marked(b"", *lies)[0])))) < 1500
