"""The mark that is put into a PNG as the host saves it."""

import json
from types import SimpleNamespace

import pytest

from lib_facefix.pictures.picture import Metadata
from lib_facefix.provenance import Edit, read_edits
from lib_facefix.webui.passes.mark import FIELD, find_earlier, find_edits, mark_texts

FACES = [
    {"n": 1, "box": [10, 20, 30, 40], "do": "restore"},
    {"n": 2, "box": [50, 20, 70, 40], "do": "leave", "why": "sharp"},
    {"n": 3, "box": [90, 20, 99, 40], "do": "re-diffuse", "seed": 1, "strength": 0.4},
    {"n": 4, "box": [90, 60, 99, 90], "do": "restore", "verdict": "failed"},
]
EDITS = (Edit("restore", "gfpgan", face=1, box=(10, 20, 30, 40)), Edit("re-diffuse", face=3, box=(90, 20, 99, 40)))


def infotext(**entry):
    entry = {"v": 1, "passes": [{"restorer": "gfpgan"}], "faces": [FACES], **entry}
    return f"a girl\nNegative prompt: none\nSteps: 20, FaceFix: {json.dumps(json.dumps(entry))}, Version: v1.10"


def edits_in(texts):
    return read_edits(Metadata(xmp=texts[FIELD].encode()))


def test_faces_of_classes_that_had_a_pass_each_all_count():
    units = [{"detector": "a.onnx[face, hand]", "each_class": True, "restorer": "gfpgan"}, {"restorer": "codeformer"}]
    text = infotext(v=2, passes=units, faces=[FACES[:1], FACES[2:3], FACES[:1]])
    assert [edit.model for edit in find_edits(text)] == ["gfpgan", "", "codeformer"]


def test_what_was_done_is_read_from_the_infotext():
    assert find_edits(infotext()) == EDITS


@pytest.mark.parametrize(
    "text", ["", "a girl", infotext(faces=[]), infotext(v=9), infotext(faces=[[{"do": "restore"}]]), infotext(faces=7)]
)
def test_an_infotext_that_tells_nothing_gives_no_mark(text):
    texts = {"parameters": text}
    mark_texts(texts)
    assert texts == {"parameters": text}


def test_the_mark_joins_the_record_of_the_host_once():
    texts = {"parameters": infotext()}
    mark_texts(texts)
    assert texts["parameters"] == infotext()
    assert edits_in(texts) == EDITS
    marked = dict(texts)
    mark_texts(texts)
    assert texts == marked
    assert find_earlier(texts) == find_earlier({"xmp": texts[FIELD].encode()}) == EDITS


def test_the_extras_tab_adds_to_an_earlier_mark():
    texts = {"parameters": infotext()}
    mark_texts(texts)
    texts["postprocessing"] = infotext(passes=[{}], faces=[FACES[:1]]).partition("\nSteps: 20, ")[2]
    mark_texts(texts)
    assert edits_in(texts) == (*EDITS, Edit("restore", "lite", face=1, box=(10, 20, 30, 40)))


@pytest.mark.parametrize("wanted", [True, False])
def test_the_setting_decides(monkeypatch, wanted):
    from lib_facefix.webui import script

    monkeypatch.setattr(script, "read_options", lambda: SimpleNamespace(mark=wanted))
    params = SimpleNamespace(pnginfo={"parameters": infotext()})
    script.mark_saved(params)
    assert (FIELD in params.pnginfo) == wanted
    script.mark_saved(SimpleNamespace(pnginfo=None))
