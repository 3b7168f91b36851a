"""What the server answers to the forms of the page: their settings and lists, and the classes of a model file."""

import json

import pytest
from yolo_made import yolo_onnx

from lib_facefix.errors import BadSetting
from lib_facefix.webui.passes.settings import OFFERED
from lib_facefix.webui.ui import answers
from lib_facefix.weights import locate_models

NAMES = "{0: 'face', 1: 'Hand', 2: 'eye, left'}"


@pytest.fixture
def room(tmp_path, away_from_home, monkeypatch):
    """Our room, in a host with one model file of three classes, and one that names none."""
    folder = tmp_path / "yolo"
    folder.mkdir()
    (folder / "a.onnx").write_bytes(yolo_onnx((64, 64), [(1, 1, 9, 9)] * 3, names=NAMES, kinds=[0, 1, 2]))
    (folder / "plain.onnx").write_bytes(yolo_onnx((64, 64), [], names=""))
    paths = locate_models([tmp_path / "own"], [], yolo=[folder])
    monkeypatch.setattr(answers, "find_model_paths", lambda: paths)
    monkeypatch.setattr(answers, "check_paths", lambda sources, is_api: None)
    return answers


@pytest.mark.parametrize(
    ("detector", "known", "chosen"),
    [
        pytest.param("a.onnx", ["face", "Hand", "2"], [], id="all"),
        pytest.param("a.onnx[hand, face]", ["face", "Hand", "2"], ["Hand", "face"], id="two, in their order"),
        pytest.param("a.onnx[1]", ["face", "Hand", "2", "1"], ["1"], id="by number"),
        pytest.param("plain.onnx[0]", [], ["0"], id="a file that names none"),
        pytest.param("auto", [], [], id="built in"),
        pytest.param("a.onnx[face] + blazeface", [], [], id="several detectors"),
        pytest.param("gone.onnx", [], [], id="a missing file"),
        pytest.param("", [], [], id="blank"),
        pytest.param("nonsense (", [], [], id="no expression"),
    ],
)
def test_the_classes_of_a_model_file_are_on_offer(room, detector, known, chosen):
    found, marked = room.find_classes(detector)
    assert (list(found), marked) == (known, chosen)


def test_a_file_that_the_page_may_not_name_is_not_read(room, monkeypatch):
    def refuse(sources, is_api):
        raise BadSetting(f"{dict(sources)} of a page that others reach")

    monkeypatch.setattr(room, "check_paths", refuse)
    assert room.find_classes("/secret/a.onnx") == ((), [])


def ask(room, **question):
    return json.loads(room.answer(json.dumps(question)))


def test_the_page_asks_for_the_classes_of_a_detector(room):
    known = {"detector": "a.onnx[Hand]", "classes": ["face", "Hand", "2"], "chosen": ["Hand"]}
    assert ask(room, detector="a.onnx[Hand]") == known
    assert ask(room, detector="auto") == {"detector": "auto", "classes": [], "chosen": []}


@pytest.mark.parametrize(
    ("before", "chosen", "after"),
    [
        ("a.onnx", ["Hand", "face"], "a.onnx[Hand, face]"),
        ("a.onnx[face]", [], "a.onnx"),
        ("a.onnx", ["2"], "a.onnx[2]"),
        ("a.onnx + blazeface", ["face"], "a.onnx + blazeface"),
    ],
    ids=["two", "all again", "one without a name", "several detectors"],
)
def test_choosing_classes_writes_them_into_the_detector(room, before, chosen, after):
    assert ask(room, detector=before, choose=chosen)["detector"] == after


@pytest.mark.parametrize("refresh", [False, True])
def test_the_page_asks_for_its_form_and_has_the_lists_read_again(room, monkeypatch, refresh):
    read = []
    monkeypatch.setattr(room, "host_list", lambda name: [f"one of the {name}"])
    monkeypatch.setattr(room, "refresh_host_lists", lambda: read.append("again"))
    form = ask(room, hidden=["inpaint"], refresh=refresh)["form"]
    assert {*form["fields"]} == {field.name for field, _ in OFFERED}
    assert ["one of the samplers"] * 2 in form["fields"]["sampler"]["pairs"]
    assert "inpaint" not in json.dumps([form["sections"], form["top"]])
    assert read == ["again"] * refresh
