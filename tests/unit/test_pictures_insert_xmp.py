"""XMP that is put into a finished JPEG or WebP: read back by others, and not a pixel nor any other field is changed."""

import io
import struct

import numpy as np
import pytest
from PIL import Image as Pil
from PIL.Image import Exif

from lib_facefix.errors import BadPicture
from lib_facefix.pictures import read_picture
from lib_facefix.pictures.claims import riff_chunks
from lib_facefix.pictures.insert_xmp import insert_xmp
from lib_facefix.pictures.jpeg import MOST_XMP
from lib_facefix.pictures.xmp_packet import EMPTY_PACKET

PACKET = EMPTY_PACKET.encode()
COMMENT = 0x9286


def encoded(kind, mode="RGB", **how):
    pixels = np.random.default_rng(5).integers(0, 256, (37, 51, len(mode)), np.uint8)
    file = io.BytesIO()
    Pil.fromarray(pixels).save(file, kind, **how)
    return file.getvalue()


def exif():
    made = Exif()
    made[0x010E] = "a face"
    made.get_ifd(0x8769)[COMMENT] = b"UNICODE\0" + "Steps: 4".encode("utf_16_be")
    return made.tobytes()


def opened(content):
    with Pil.open(io.BytesIO(content)) as image:
        image.load()
        return image


FILES = {
    "jpeg": ("JPEG", encoded("JPEG")),
    "jpeg with exif and profile": ("JPEG", encoded("JPEG", exif=exif(), icc_profile=b"p" * 200)),
    "webp": ("WEBP", encoded("WEBP")),
    "webp lossless": ("WEBP", encoded("WEBP", lossless=True)),
    "webp with opacity": ("WEBP", encoded("WEBP", "RGBA", lossless=True)),
    "webp with exif": ("WEBP", encoded("WEBP", exif=exif())),
}


@pytest.mark.parametrize(("kind", "content"), FILES.values(), ids=FILES)
def test_it_is_read_back_and_nothing_else_has_changed(kind, content, tmp_path):
    made = insert_xmp(content, kind, PACKET)
    before, after = opened(content), opened(made)
    assert after.info["xmp"] == PACKET
    assert (np.asarray(after) == np.asarray(before)).all()
    assert (after.size, after.mode) == (before.size, before.mode)
    assert [after.info.get(name) for name in ("exif", "icc_profile")] == [
        before.info.get(name) for name in ("exif", "icc_profile")
    ]
    (tmp_path / "made").write_bytes(made)
    assert read_picture(tmp_path / "made").metadata.xmp == PACKET


@pytest.mark.parametrize(("kind", "content"), FILES.values(), ids=FILES)
def test_it_takes_the_place_of_what_was_there(kind, content):
    other = PACKET.replace(b"<rdf:RDF", b"<!-- other --><rdf:RDF")
    assert insert_xmp(insert_xmp(content, kind, other), kind, PACKET) == insert_xmp(content, kind, PACKET)


def test_jfif_exif_and_profile_stay_first_in_a_jpeg():
    _, content = FILES["jpeg with exif and profile"]
    made = insert_xmp(content, "JPEG", PACKET)
    start = made.index(PACKET) - 33
    assert made[:start] + made[start + 33 + len(PACKET) :] == content
    assert made[:start].count(b"ICC_PROFILE") == made[:start].count(b"Exif\0\0") == 1


def test_the_size_of_an_odd_packet_and_of_the_file_stand_in_a_webp():
    _, content = FILES["webp"]
    made = insert_xmp(content, "WEBP", b"odd")
    assert struct.unpack_from("<I", made, 4) == (len(made) - 8,)
    assert [name for name, _ in riff_chunks(made)] == [b"VP8X", b"VP8 ", b"XMP "]
    assert made.endswith(b"XMP \x03\0\0\0odd\0")


@pytest.mark.parametrize(
    ("kind", "content", "said"),
    [
        ("PNG", encoded("PNG"), "XMP cannot be inserted into PNG files"),
        ("JPEG", encoded("WEBP"), "damaged"),
        ("JPEG", FILES["jpeg"][1][:100], "damaged"),
        ("WEBP", encoded("JPEG"), "damaged"),
        ("WEBP", FILES["webp"][1][:-9], "cut off"),
    ],
)
def test_what_cannot_be_done_is_told(kind, content, said):
    with pytest.raises(BadPicture, match=said):
        insert_xmp(content, kind, PACKET)


def test_a_packet_that_is_too_long_for_a_jpeg_is_refused():
    _, content = FILES["jpeg"]
    assert len(insert_xmp(content, "JPEG", b" " * MOST_XMP)) == len(content) + 2 + 0xFFFF
    with pytest.raises(BadPicture, match=f"{MOST_XMP + 1} bytes, but a JPEG has room for {MOST_XMP}"):
        insert_xmp(content, "JPEG", b" " * (MOST_XMP + 1))
