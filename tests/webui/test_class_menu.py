"""The menu of classes below the detector, as the WebUI's toolkit makes it: needs gradio."""

import pytest
from toolkit import handler
from yolo_made import yolo_onnx

from lib_facefix.errors import BadSetting
from lib_facefix.weights import locate_models

pytestmark = pytest.mark.filterwarnings("ignore")  # the toolkit's own, which differ from version to version

NAMES = "{0: 'face', 1: 'Hand', 2: 'eye, left'}"


@pytest.fixture
def room(on_page, tmp_path, away_from_home, monkeypatch):
    """Our room, in a host with one model file of three classes, and one that names none."""
    room = on_page("ui.class_menu")
    folder = tmp_path / "yolo"
    folder.mkdir()
    (folder / "a.onnx").write_bytes(yolo_onnx((64, 64), [(1, 1, 9, 9)] * 3, names=NAMES, kinds=[0, 1, 2]))
    (folder / "plain.onnx").write_bytes(yolo_onnx((64, 64), [], names=""))
    paths = locate_models([tmp_path / "own"], [], yolo=[folder])
    monkeypatch.setattr(room, "find_model_paths", lambda: paths)
    monkeypatch.setattr(room, "check_paths", lambda sources, is_api: None)
    return room


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


@pytest.fixture
def page(room, gradio):
    """Return a function that makes a page for a detector: returns the page, its detector, its menu, and its column."""

    def make(detector):
        menu = room.ClassMenu(lambda name: f"facefix_{name}")
        with gradio.Blocks() as blocks:
            box = gradio.Textbox(detector)
            menu.show(detector, lambda: gradio.Checkbox(elem_id="facefix_beside"))
            menu.listen(box)
        by_id = {block.elem_id: block for block in blocks.blocks.values() if block.elem_id}
        assert "facefix_beside" in by_id
        return blocks, box, by_id["facefix_classes"], by_id["facefix_class_menu"]

    return make


@pytest.mark.parametrize(("detector", "shown"), [("a.onnx[face]", True), ("auto", False)])
def test_the_menu_starts_with_the_setting_and_hidden_without_classes(page, detector, shown):
    _, _, menu, column = page(detector)
    assert column.visible is shown
    assert menu.value == (["face"] if shown else [])


def test_the_menu_follows_the_detector(page):
    blocks, box, _, _ = page("auto")
    follow = handler(blocks, box, "change")
    visible, menu = follow("a.onnx[Hand]")
    assert visible["visible"] is True
    assert (menu["choices"], menu["value"]) == (["face", "Hand", "2"], ["Hand"])
    assert follow(None)[0]["visible"] is False


@pytest.mark.parametrize(
    ("before", "chosen", "after"),
    [
        ("a.onnx", ["Hand", "face"], "a.onnx[Hand, face]"),
        ("a.onnx[face]", [], "a.onnx"),
        ("a.onnx[face]", None, "a.onnx"),
        ("a.onnx", ["2"], "a.onnx[2]"),
    ],
)
def test_choosing_classes_writes_them_into_the_detector(page, before, chosen, after):
    blocks, _, menu, _ = page(before)
    assert handler(blocks, menu, "input")(before, chosen)["value"] == after


def test_a_choice_for_several_detectors_changes_nothing(page):
    blocks, _, menu, _ = page("a.onnx")
    assert "value" not in handler(blocks, menu, "input")("a.onnx + blazeface", ["face"])
