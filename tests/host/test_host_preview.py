"""*Preview detection* in txt2img and img2img: of the last result, or an image of one's own, without a run."""

import base64
import io
import json

import pictures
import pytest
from driving import difference
from events_on_page import Page
from PIL import Image

TWO, THREE = pictures.sheet(2), pictures.sheet(3)


@pytest.fixture(scope="module")
def page(webui):
    return Page(webui)


@pytest.fixture(params=["txt2img", "img2img"])
def tab(request):
    return request.param


def part(tab, name):
    return f"script_{tab}_facefix_preview_{name}"


def opened(page, value):
    """Return the image of a component, from a data URL or a file of the WebUI's, as an array."""
    if isinstance(value, dict):
        with Image.open(value["path"]) as picture:
            return pictures.array(picture)
    with Image.open(io.BytesIO(base64.b64decode(value.partition(",")[2]))) as picture:
        return pictures.array(picture)


def test_an_image_of_ones_own_is_previewed_without_a_run(host, page, tab):
    for event in ((part(tab, "find"), "click"), (part(tab, "image"), "change")):
        told = page.does(*event, **{part(tab, "image"): page.image(TWO)})
        assert not told[part(tab, "trouble")]
        assert "2 faces found." in told[part(tab, "result")]
        assert told[part(tab, "result")].count("facefix-box") == 2
    assert host.all_runs() == []


def test_the_last_result_is_previewed_without_another_run(host, page, tab):
    made = host.txt2img(draws=[THREE])
    last = {
        f"{tab}_gallery": page.gallery(Image.fromarray(made.picture)),
        f"generation_info_{tab}": json.dumps(made.info),
    }
    told = page.does(part(tab, "last"), "click", **last, **{f"facefix_{tab}_chosen": "-1"})
    assert not told[part(tab, "trouble")]
    assert difference(opened(page, told[part(tab, "image")]), made.picture) == 0

    told = page.does(part(tab, "image"), "change", **{part(tab, "image"): told[part(tab, "image")]})
    assert "3 faces found." in told[part(tab, "result")]
    assert len(host.all_runs()) == 1


def test_a_tab_without_a_result_or_an_image_says_what_to_do(host, page, tab):
    told = page.does(part(tab, "last"), "click", **{f"facefix_{tab}_chosen": "-1"})
    assert "There is no result yet. Generate an image, or add one" in told[part(tab, "trouble")]
    told = page.does(part(tab, "find"), "click")
    assert "Add an image first, or select Last result" in told[part(tab, "trouble")]
    assert not told[part(tab, "result")]
    assert host.all_runs() == []


def test_an_image_without_a_face_says_so(page, tab):
    told = page.does(
        part(tab, "find"), "click", **{part(tab, "image"): page.image(Image.new("RGB", (64, 64), (90, 90, 90)))}
    )
    assert "No face found." in told[part(tab, "result")]
