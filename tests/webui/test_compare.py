"""Pictures before FaceFix: kept for a while, and given to who has the infotext of the result."""

import base64
import gc
import io
import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image as Pil

from lib_facefix.planning.plan import FixResult
from lib_facefix.settings.treatment import Treatment
from lib_facefix.types import Box, Face
from lib_facefix.webui.compare.history import (
    Comparison,
    Original,
    OriginalStore,
    PendingOriginals,
    find_comparison,
    find_fixed_faces,
    make_data_url,
)

ENTRY = {"FaceFix format": "4", "FaceFix prompt": 'a, "b"', "FaceFix face 1": "restored; box 1 2 3 4"}
INFOTEXT = (
    'a face\nSteps: 4, FaceFix format: 4, FaceFix prompt: "a, \\"b\\"", FaceFix face 1: restored; box 1 2 3 4, V: 1'
)


class Run:
    """Stands for a host's `p`: can be referred to weakly, cannot be hashed."""

    __hash__ = None

    def __eq__(self, other):
        raise AssertionError("nothing is asked of it")


def picture(value=0, side=4):
    return np.full((side, side, 3), value, np.uint8)


def before(value=0, side=4):
    return Original(picture(value, side), {1: (0.0, 0.0, 0.5, 0.5)})


def told(*infotexts, first=0):
    return json.dumps({"infotexts": infotexts, "index_of_first_image": first})


def test_who_has_the_infotext_gets_the_picture_and_nobody_else():
    befores, kept = OriginalStore(), before()
    befores.keep(INFOTEXT, kept)
    assert befores.find(INFOTEXT) is kept
    assert befores.find(INFOTEXT + " ") is None
    assert befores.find("") is None


def test_the_oldest_pictures_go_when_there_are_too_many():
    befores = OriginalStore(most=2)
    for name in ("one", "two", "three"):
        befores.keep(name, before())
    assert [befores.find(name) is not None for name in ("one", "two", "three")] == [False, True, True]


def test_the_oldest_pictures_go_when_they_take_too_much_memory():
    befores = OriginalStore(most_bytes=2 * picture().nbytes)
    for name in ("one", "two", "three"):
        befores.keep(name, before())
    assert [befores.find(name) is not None for name in ("one", "two", "three")] == [False, True, True]


def test_a_picture_that_is_too_large_by_itself_does_not_drive_the_others_out():
    befores = OriginalStore(most_bytes=2 * picture().nbytes)
    befores.keep("small", before())
    befores.keep("large", before(side=100))
    assert befores.find("large") is None
    assert befores.find("small") is not None


def test_the_same_result_again_takes_its_own_place():
    befores = OriginalStore(most=2)
    for name in ("one", "two", "one"):
        befores.keep(name, before())
    befores.keep("three", before())
    assert [befores.find(name) is not None for name in ("one", "two", "three")] == [True, False, True]
    assert len(befores) == 2


def test_a_picture_is_kept_once_the_run_tells_its_infotext():
    befores, p, kept = OriginalStore(), Run(), before()
    runs = PendingOriginals(befores)
    runs.add(p, 1, ENTRY, kept)
    assert len(befores) == 0
    runs.finish(p, ["a picture without faces", INFOTEXT])
    assert befores.find(INFOTEXT) is kept
    runs.finish(p, ["a picture without faces", INFOTEXT])
    assert len(befores) == 1


@pytest.mark.parametrize(
    "infotexts",
    [
        pytest.param(["a picture without faces"], id="an infotext that another extension put in its place"),
        pytest.param([], id="a run that was interrupted"),
    ],
)
def test_a_picture_whose_infotext_lacks_what_was_written_is_not_kept(infotexts):
    befores, p = OriginalStore(), Run()
    runs = PendingOriginals(befores)
    runs.add(p, 0, ENTRY, before())
    runs.finish(p, infotexts)
    assert len(befores) == 0


def test_a_run_that_fails_leaves_nothing_behind():
    runs, p = PendingOriginals(OriginalStore()), Run()
    runs.add(p, 0, ENTRY, before())
    assert len(runs) == 1
    del p
    gc.collect()
    assert len(runs) == 0


def test_what_is_shown_is_the_picture_chosen_in_the_gallery():
    befores = OriginalStore()
    befores.keep("first", before(10))
    befores.keep("second", before(20))
    info = told("grid", "first", "second", first=1)
    for chosen, place, value in ((1, 1, 10), (2, 2, 20), (-1, 1, 10)):
        shown = find_comparison(info, chosen, befores)
        assert (shown.place, shown.note) == (place, "")
        data = base64.b64decode(shown.before.removeprefix("data:image/png;base64,"))
        assert (np.asarray(Pil.open(io.BytesIO(data))) == picture(value)).all()
        assert shown.faces == {1: (0.0, 0.0, 0.5, 0.5)}


@pytest.mark.parametrize(
    ("info", "chosen", "sentence"),
    [
        pytest.param(told("one"), 0, "no longer kept", id="forgotten"),
        pytest.param(told("grid", "one", first=1), 0, "Choose one image", id="the grid"),
        pytest.param(told("one"), 3, "no result", id="something else in the gallery"),
        pytest.param("", -1, "no result", id="nothing generated"),
    ],
)
def test_where_there_is_nothing_to_compare_a_sentence_says_why(info, chosen, sentence):
    shown = find_comparison(info, chosen, OriginalStore())
    assert sentence in shown.note
    assert shown.before == ""


def test_the_page_is_told_in_json():
    faces = {2: (0.1, 0.2, 0.3, 0.4)}
    assert json.loads(Comparison("b", "a", 3, faces, "so").to_text()) == {
        "before": "b",
        "after": "a",
        "place": 3,
        "faces": [{"number": 2, "box": [0.1, 0.2, 0.3, 0.4]}],
        "note": "so",
    }


def test_a_picture_goes_to_the_page_without_loss():
    image = np.random.default_rng(3).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    data = base64.b64decode(make_data_url(image).split(",")[1])
    assert (np.asarray(Pil.open(io.BytesIO(data))) == image).all()


def outcome(number, box, verdict):
    job = SimpleNamespace(number=number, face=Face(Box(*box), 0.9), treatment=Treatment())
    return SimpleNamespace(job=job, verdict=verdict)


def test_faces_that_were_fixed_in_any_pass_are_placed_in_shares_of_the_picture():
    passes = [
        FixResult(picture(side=100), (outcome(1, (10, 20, 30, 40), "fixed"), outcome(2, (50, 50, 90, 90), "left"))),
        FixResult(
            picture(side=200), (outcome(1, (0, 0, 9, 9), "fixed"), outcome(2, (50, 60, 70, 80), "fixed")), (100, 200)
        ),
    ]
    assert find_fixed_faces(passes) == {1: (0.1, 0.2, 0.3, 0.4), 2: (0.5, 0.3, 0.7, 0.4)}
