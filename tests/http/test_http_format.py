"""The file format and quality of results."""

import base64
import io

import numpy as np
import pytest
from PIL import Image
from sending import packed, sent, where

from lib_facefix.pictures import read_picture
from lib_facefix.server.routes import PREFIX

FIX, RESTORE = f"{PREFIX}/fix", {"method": "restore"}


def fixed(client, photo, **more):
    answer = client.post(FIX, json=sent(photo, settings=RESTORE, **more))
    assert answer.status_code == 200, answer.text
    return base64.b64decode(answer.json()["image"])


def pixels(file):
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB"), np.int16)


@pytest.mark.parametrize(
    ("name", "kind", "most"),
    [("png", "PNG", 0), ("tiff", "TIFF", 0), ("jpeg", "JPEG", 2), ("webp", "WEBP", 3), ("bmp", "BMP", 0)],
)
def test_the_result_has_the_asked_format_and_the_same_pixels(client, photo, name, kind, most):
    png = packed(Image.open(io.BytesIO(photo)))
    result = fixed(client, png, format=name)
    assert read_picture(io.BytesIO(result)).format == kind
    assert abs(pixels(result) - pixels(fixed(client, png))).mean() <= most


def test_an_answer_that_is_only_the_image_names_the_asked_type(client, photo):
    form = {"image": ("old.jpg", photo), "settings": (None, '{"method": "restore"}'), "format": (None, "webp")}
    answer = client.post(FIX, files={**form, "quality": (None, "60")}, headers={"Accept": "image/*"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
    assert Image.open(io.BytesIO(answer.content)).format == "WEBP"


@pytest.mark.parametrize("name", ["jpeg", "webp"])
def test_a_lower_quality_is_smaller_and_less_exact(client, photo, name):
    files = [fixed(client, photo, format=name, quality=quality) for quality in (95, 50, 10)]
    exact = pixels(fixed(client, photo, format="png"))
    errors = [abs(pixels(file) - exact).mean() for file in files]
    assert len(files[0]) > len(files[1]) > len(files[2])
    assert errors[0] < errors[1] < errors[2]


def test_quality_alone_keeps_the_format(client, photo):
    small, own = fixed(client, photo, quality=20), fixed(client, photo)
    assert [Image.open(io.BytesIO(file)).format for file in (small, own)] == ["JPEG", "JPEG"]
    assert len(small) < len(own) / 2


def test_an_unchanged_image_is_written_in_the_asked_format(client):
    meadow = packed(Image.new("RGB", (60, 40), (90, 120, 60)))
    result = fixed(client, meadow, format="jpeg")
    assert Image.open(io.BytesIO(result)).format == "JPEG"
    assert abs(pixels(result) - (90, 120, 60)).max() <= 2


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"format": "heix"}, "body.format"),
        ({"format": 3}, "body.format"),
        ({"quality": 0}, "body.quality"),
        ({"quality": 101}, "body.quality"),
        ({"quality": True}, "body.quality"),
        ({"quality": "high"}, "body.quality"),
    ],
)
def test_what_is_no_format_or_quality_is_refused_at_its_field(client, photo, given, place):
    complaints = where(client.post(FIX, json=sent(photo, **given)))
    assert list(complaints) == [place]
    assert "must be" in complaints[place]


def test_a_format_that_cannot_hold_the_image_is_refused_in_words(client):
    ghost = packed(Image.new("RGBA", (60, 40), (90, 120, 60, 100)))
    [complaint] = where(client.post(FIX, json=sent(ghost, format="jpeg")), 403).values()
    assert "JPEG cannot hold the transparency" in complaint
