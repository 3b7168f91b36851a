from __future__ import annotations

import io
import struct
import zlib
from functools import cache

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin
from PIL.TiffImagePlugin import IFDRational, ImageFileDirectory_v2

from lib_facefix.pictures import read_picture, write_picture

NOTE = b"\1maker\0\xff" * 9
MAKER, MODEL, COMMENT, LATITUDE = 37500, 272, 0x9286, 2
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r tiff:Orientation="6" title="kept"/></x:xmpmeta>'


def photo():
    return Image.frombytes("RGB", (40, 30), np.random.default_rng(2).bytes(40 * 30 * 3))


@cache
def profile():
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def camera(orientation=6):
    tags = ImageFileDirectory_v2()
    tags[MODEL], tags[0x0112] = "Camera of a test", orientation
    for pointer, inner in {
        0x8769: {MAKER: NOTE, 33434: IFDRational(1, 4)},
        0x8825: {1: "N", LATITUDE: (52.0, 31.0, 12.5)},
    }.items():
        tags.tagtype[pointer] = 4
        tags[pointer] = inner
    file = io.BytesIO()
    tags.save(file)
    return b"Exif\0\0" + file.getvalue()


def fix(folder, source, target, **options):
    picture = read_picture(folder / source)
    write_picture(picture, 255 - picture.image, folder / target, **options)
    return Image.open(folder / target)


@pytest.mark.parametrize("source", [".jpg", ".tif"])
def test_texts_of_exif_in_utf_8_are_the_very_same_bytes_in_a_tiff(tmp_path, source):
    """EXIF 3.0 allows UTF-8, and many programs have long written it into fields of ASCII."""
    said = "Ann é 安".encode()
    tags, there = ImageFileDirectory_v2(), "@" * len(said)
    tags[315], tags.tagtype[0x8769] = there, 4
    tags[0x8769] = {0xA430: there}
    file = io.BytesIO()
    tags.save(file)
    if source == ".jpg":
        photo().save(tmp_path / "in.jpg", exif=b"Exif\0\0" + file.getvalue().replace(there.encode(), said))
    else:
        photo().save(tmp_path / "in.tif", tiffinfo=tags)
        (tmp_path / "in.tif").write_bytes((tmp_path / "in.tif").read_bytes().replace(there.encode(), said))
    fix(tmp_path, f"in{source}", "out.tif").close()
    fix(tmp_path, "out.tif", "again.tif").close()
    for name in ("out.tif", "again.tif"):
        assert (tmp_path / name).read_bytes().count(said + b"\0") == 2


CARRIERS = [".jpg", ".png", ".webp", ".tif"]


@pytest.mark.parametrize("source", CARRIERS)
@pytest.mark.parametrize("target", CARRIERS)
def test_exif_with_place_and_maker_note_goes_along(tmp_path, source, target):
    photo().save(tmp_path / f"in{source}", exif=camera())
    with fix(tmp_path, f"in{source}", f"out{target}") as back:
        back.load()
        exif = back.getexif()
        assert exif[MODEL] == "Camera of a test"
        turn = 1 if source == ".tif" and target == ".tif" else 6  # Pillow turns TIFF while loading
        assert exif.get(0x0112, 1) == (turn if source == target else 1)
        assert NOTE in (tmp_path / f"out{target}").read_bytes()
        assert float(exif.get_ifd(0x8769)[33434]) == 0.25
        assert [float(part) for part in exif.get_ifd(0x8825)[LATITUDE]] == [52.0, 31.0, 12.5]


@pytest.mark.parametrize("source", CARRIERS)
@pytest.mark.parametrize("target", CARRIERS)
def test_the_colour_profile_stays_with_its_pixels(tmp_path, source, target):
    photo().save(tmp_path / f"in{source}", icc_profile=profile())
    with fix(tmp_path, f"in{source}", f"out{target}") as back:
        assert back.info["icc_profile"] == profile()


def test_a_large_profile_and_the_colour_chunks_of_a_png_are_the_very_same_bytes(tmp_path):
    chunks = PngImagePlugin.PngInfo()
    chunks.add(b"gAMA", (45455).to_bytes(4, "big"))
    chunks.add(b"cHRM", bytes(range(32)))
    photo().save(tmp_path / "in.png", pnginfo=chunks)
    fix(tmp_path, "in.png", "out.png").close()
    data = (tmp_path / "out.png").read_bytes()
    assert b"gAMA" + (45455).to_bytes(4, "big") in data
    assert b"cHRM" + bytes(range(32)) in data


def test_bytes_of_exif_that_nobody_can_parse_stay_where_they_were(tmp_path):
    photo().save(tmp_path / "in.jpg", exif=camera(orientation=1))
    fix(tmp_path, "in.jpg", "out.jpg").close()
    with Image.open(tmp_path / "in.jpg") as old, Image.open(tmp_path / "out.jpg") as new:
        assert new.info["exif"] == old.info["exif"]


def test_the_thumbnail_of_the_old_face_is_gone(tmp_path):
    face = b"\xff\xd8 the old face \xff\xd9"
    entry = b"\x01\x02\x00\x04\x00\x00\x00\x01"
    first = b"\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x1a"
    second = b"\x00\x02\x02\x01" + entry[2:] + b"\x00\x00\x00\x38" + b"\x02\x02" + entry[2:]
    tail = len(face).to_bytes(4, "big") + bytes(4)
    exif = b"Exif\0\0MM\0*\x00\x00\x00\x08" + first + second + tail + face
    photo().save(tmp_path / "in.jpg", exif=exif)
    with fix(tmp_path, "in.jpg", "out.jpg") as back:
        assert back.getexif().get_ifd(1) == {}
        assert back.getexif()[0x0112] == 6
    assert b"the old face" not in (tmp_path / "out.jpg").read_bytes()


@pytest.mark.parametrize("target", [".png", ".tif", ".jpg"])
@pytest.mark.parametrize("source", [".png", ".tif", ".jpg", ".bmp"])
def test_the_resolution_stays(tmp_path, source, target):
    photo().save(tmp_path / f"in{source}", dpi=(300, 300))
    with fix(tmp_path, f"in{source}", f"out{target}") as back:
        assert [round(float(dots)) for dots in back.info["dpi"]] == [300, 300]


def text_of(path):
    with Image.open(path) as picture:
        picture.load()
        return picture.text


def prompted():
    fields = PngImagePlugin.PngInfo()
    fields.add_text("parameters", "a cat\nSteps: 20, Seed: 1")
    fields.add_text("comment", "packed " * 50, zip=True)
    fields.add_itxt("Título", "größe 猫", lang="es", zip=True)
    return fields


def test_text_fields_of_every_kind_stay(tmp_path):
    photo().save(tmp_path / "in.png", pnginfo=prompted())
    fix(tmp_path, "in.png", "out.png").close()
    assert text_of(tmp_path / "out.png") == text_of(tmp_path / "in.png")
    assert len(text_of(tmp_path / "out.png")) == 3


@pytest.mark.parametrize("said", ["a dog", "猫 und Größe", ""], ids=["Latin", "not Latin", "empty"])
def test_text_is_added_and_replaces_what_had_its_name(tmp_path, said):
    photo().save(tmp_path / "in.png", pnginfo=prompted())
    fix(tmp_path, "in.png", "out.png", text={"parameters": said, "FaceFix": "2 faces"}).close()
    text = text_of(tmp_path / "out.png")
    assert text["parameters"] == said
    assert text["FaceFix"] == "2 faces"
    assert text["comment"].startswith("packed")
    assert (tmp_path / "out.png").read_bytes().count(b"parameters\0") == 1


@pytest.mark.parametrize("target", [".jpg", ".webp", ".tif"])
def test_parameters_become_the_user_comment_where_there_are_no_text_fields(tmp_path, target):
    photo().save(tmp_path / "in.png", pnginfo=prompted(), exif=camera())
    with fix(tmp_path, "in.png", f"out{target}") as back:
        comment = back.getexif().get_ifd(0x8769)[COMMENT]
        assert comment == b"UNICODE\0" + "a cat\nSteps: 20, Seed: 1".encode("utf_16_be")
        assert back.getexif()[MODEL] == "Camera of a test"
        assert back.getexif().get_ifd(0x8825)[1] == "N"


def jpeg_with(*segments):
    file = io.BytesIO()
    photo().save(file, format="JPEG")
    made = b"".join(marker + (len(body) + 2).to_bytes(2, "big") + body for marker, body in segments)
    return file.getvalue()[:2] + made + file.getvalue()[2:]


@pytest.mark.parametrize("target", CARRIERS)
def test_parameters_are_read_wherever_they_are_written(tmp_path, target):
    said = PngImagePlugin.PngInfo()
    said.add_text("parameters", "a c\u00e4t\nSteps: 20, Seed: 1")
    photo().save(tmp_path / "in.png", pnginfo=said)
    fix(tmp_path, "in.png", f"out{target}").close()
    assert read_picture(tmp_path / f"out{target}").metadata.parameters == "a c\u00e4t\nSteps: 20, Seed: 1"


@pytest.mark.parametrize(
    ("comment", "told"),
    [
        (b"UNICODE\0" + "a cat".encode("utf_16_le"), "a cat"),
        (b"ASCII\0\0\0a cat", "a cat"),
        (bytes(8) + b"a cat\0\0", "a cat"),
        (b"JIS\0\0\0\0\0\x1b$B", ""),
        (b"", ""),
    ],
)
def test_a_comment_is_read_in_the_ways_of_other_programs(tmp_path, comment, told):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[COMMENT] = comment
    photo().save(tmp_path / "in.jpg", exif=exif)
    assert read_picture(tmp_path / "in.jpg").metadata.parameters == told


def test_a_jpegs_xmp_iptc_and_comment_stay(tmp_path):
    iptc, note = b"Photoshop 3.0\0" + bytes(range(99)), b"as was"  # resources that nobody can parse
    xmp = b"http://ns.adobe.com/xap/1.0/\0" + XMP
    (tmp_path / "in.jpg").write_bytes(jpeg_with((b"\xff\xe1", xmp), (b"\xff\xed", iptc), (b"\xff\xfe", note)))
    fix(tmp_path, "in.jpg", "out.jpg").close()
    data = (tmp_path / "out.jpg").read_bytes()
    assert [data.count(part) for part in (iptc, note, b'title="kept"')] == [1, 1, 1]
    assert b'tiff:Orientation="6"' in data, "pixels are written as they were stored"


@pytest.mark.parametrize("target", [".png", ".tif", ".webp"])
def test_xmp_goes_along_to_other_kinds(tmp_path, target):
    (tmp_path / "in.jpg").write_bytes(jpeg_with((b"\xff\xe1", b"http://ns.adobe.com/xap/1.0/\0" + XMP)))
    fix(tmp_path, "in.jpg", f"out{target}").close()
    write_again = read_picture(tmp_path / f"out{target}")
    assert write_again.metadata.xmp == XMP.replace(b'"6"', b'"1"')


def test_an_animations_chunks_and_other_stale_ones_are_left_out(tmp_path):
    chunks = PngImagePlugin.PngInfo()
    chunks.add(b"tIME", bytes(7))
    chunks.add(b"caBX", b"a signature of the old pixels")
    photo().save(tmp_path / "in.png", pnginfo=chunks)
    assert b"tIME" in (tmp_path / "in.png").read_bytes()
    fix(tmp_path, "in.png", "out.png").close()
    data = (tmp_path / "out.png").read_bytes()
    assert b"tIME" not in data
    assert b"caBX" not in data


def test_a_grey_profile_does_not_go_onto_colours(tmp_path):
    grey = bytearray(profile())
    grey[16:20] = b"GRAY"
    photo().convert("L").save(tmp_path / "in.png", icc_profile=bytes(grey))
    with fix(tmp_path, "in.png", "out.png") as back:
        assert back.info["icc_profile"] == bytes(grey)
    with fix(tmp_path, "in.png", "out.webp") as back:
        assert back.mode == "RGB"
        assert not back.info.get("icc_profile")


@pytest.mark.parametrize("exif", [b"", b"MM\0*", b"nonsense", b"II*\0\xff\xff\xff\xff"], ids=repr)
def test_broken_exif_does_not_keep_a_picture_from_being_read(tmp_path, exif):
    photo().save(tmp_path / "in.png")
    data = (tmp_path / "in.png").read_bytes()
    chunk = struct.pack(">I", len(exif)) + b"eXIf" + exif + struct.pack(">I", zlib.crc32(b"eXIf" + exif))
    (tmp_path / "in.png").write_bytes(data[:33] + chunk + data[33:])
    for target in (".png", ".jpg", ".tif"):
        picture = read_picture(tmp_path / "in.png")
        write_picture(picture, 255 - picture.image, tmp_path / f"out{target}")
        assert read_picture(tmp_path / f"out{target}").image.shape == (30, 40, 3)
