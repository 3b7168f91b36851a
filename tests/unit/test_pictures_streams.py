"""Pictures from streams and into streams: they become what files become."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from lib_facefix.errors import BadPicture, CannotWrite
from lib_facefix.pictures import encode, media_type, read_picture, write_picture

KINDS = {
    "PNG": ".png",
    "JPEG": ".jpg",
    "TIFF": ".tif",
    "WEBP": ".webp",
    "BMP": ".bmp",
    "GIF": ".gif",
    "JPEG2000": ".jp2",
}


def file_of(kind, mode="RGB"):
    pixels = np.random.default_rng(8).integers(0, 256, (31, 44, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, kind)
    return file


def encoded(picture, fixed, **how):
    file = io.BytesIO()
    encode(picture, fixed, file, **how)
    return file.getvalue()


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_is_read_and_written_as_its_file_is(tmp_path, kind):
    path = tmp_path / f"in{KINDS[kind]}"
    path.write_bytes(file_of(kind).getvalue())
    from_file, from_stream = read_picture(path), read_picture(file_of(kind))
    assert from_stream.format == kind
    assert np.array_equal(from_stream.image, from_file.image)
    write_picture(from_file, 255 - from_file.image, tmp_path / f"out{KINDS[kind]}")
    assert encoded(from_stream, 255 - from_stream.image) == (tmp_path / f"out{KINDS[kind]}").read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_an_unchanged_picture_is_the_stream_that_was_read(kind):
    sent = file_of(kind)
    picture = read_picture(sent)
    assert encoded(picture, picture.image, text={"parameters": "not added"}) == sent.getvalue()


def test_a_file_that_was_read_is_closed_and_copied_from_its_path(tmp_path):
    (tmp_path / "in.png").write_bytes(file_of("PNG").getvalue())
    picture = read_picture(tmp_path / "in.png")
    assert picture.stream is None
    assert encoded(picture, picture.image) == (tmp_path / "in.png").read_bytes()


@pytest.mark.parametrize(("kind", "name"), [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("TIFF", "image/tiff")])
def test_the_media_type_is_that_of_the_content(kind, name):
    assert media_type(read_picture(file_of(kind)).format) == name


@pytest.mark.parametrize(
    ("data", "told"),
    [
        pytest.param(b"", "it is empty", id="empty"),
        pytest.param(b"no picture at all", "its format is not supported", id="something else"),
        pytest.param(file_of("PNG").getvalue()[:500], "is cut off|is damaged", id="cut off"),
    ],
)
def test_errors_call_a_stream_by_its_name(data, told):
    with pytest.raises(BadPicture, match=rf"^the upload .*({told})"):
        read_picture(io.BytesIO(data), "the upload")


def test_a_picture_with_too_many_pixels_is_refused_by_its_header():
    with pytest.raises(BadPicture, match="the image cannot be used: it is too large: 44 x 31 pixels"):
        read_picture(file_of("PNG"), max_pixels=44 * 31 - 1)
    assert read_picture(file_of("PNG"), max_pixels=44 * 31).image.shape == (31, 44, 3)


def test_a_result_that_the_kind_cannot_hold_is_refused_before_a_byte_is_written():
    picture, file = read_picture(file_of("WEBP")), io.BytesIO()
    with pytest.raises(CannotWrite, match=r"a WEBP file: WEBP holds at most 16383 px on a side, not 16384x1"):
        encode(picture, np.zeros((1, 16384, 3), np.uint8), file)
    assert file.getvalue() == b""


def test_the_level_of_compression_reaches_the_file():
    picture = read_picture(file_of("PNG"))
    sizes = [len(encoded(picture, np.zeros_like(picture.image), png_level=level)) for level in (0, 9)]
    assert sizes[0] > picture.image.size > sizes[1]
