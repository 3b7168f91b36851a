"""A person chooses what finds the faces: a model file that was just put there, several at once, one that fails."""

import pictures
import pytest
from yolo_made import yolo_onnx

expect = pytest.importorskip("playwright.sync_api", reason="needs the Python package playwright").expect

SIDE = 96
TWO = pictures.sheet(2, side=SIDE)
HALF = SIDE / pictures.ROOM / 2
RIGHT = (SIDE * 1.5 - HALF, SIDE / 2 - HALF, SIDE * 1.5 + HALF, SIDE / 2 + HALF)
FILE = "right-face.onnx"
"""A net that finds the right one alone."""


@pytest.fixture
def file(webui):
    """Put a model file into the folder of the WebUI that is ADetailer's; gone afterwards."""
    path = webui.folder / "models" / "adetailer" / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(yolo_onnx(TWO.size, [RIGHT]))
    yield path
    path.unlink()


@pytest.fixture
def tab(desk):
    """txt2img with FaceFix open at what finds faces; the model draws two faces."""
    desk.draw(TWO)
    tab = desk.tab("txt2img")
    tab.ask()
    tab.unfold()
    tab.control("method").choose("Restore")
    tab.unfold_section("Which faces")
    return tab


def test_a_file_that_was_just_put_there_is_listed_after_a_click_and_finds_what_it_finds(desk, tab, file):
    detector = tab.control("detector")
    assert FILE not in detector.choices
    tab.press("pass1_refresh_detector")
    detector.offers(FILE)
    assert detector.choices[:2] == [
        "BlazeFace, with CenterFace for small and grainy faces (built in)",
        "BlazeFace (built in)",
    ]
    assert detector.choices[-1] == FILE
    with detector.unfolded():
        desk.shot("detectors-listed")
    detector.choose(FILE)
    tab.generate()
    desk.shot("detectors-by-a-file", full=True)
    [face] = tab.record["faces"][0]
    assert face["box"] == pytest.approx([round(edge) for edge in RIGHT], abs=2)
    assert tab.lines == ["FaceFix: 1 face: 1 restored"]
    where = (tab.picture != pictures.array(TWO)).any(axis=2)
    assert (where[:, :SIDE].any(), where[:, SIDE:].any()) == (False, True)


def test_a_built_in_one_is_chosen_by_its_label(tab):
    tab.control("detector").choose("CenterFace (built in)")
    tab.generate()
    assert tab.record["passes"] == [{"method": "restore", "detector": "centerface"}]
    assert tab.lines == ["FaceFix: 2 faces: 2 restored"]


def test_several_may_be_typed(desk, tab, file):
    expression = f"blazeface + centerface - {FILE}"
    detector = tab.control("detector")
    detector.type(expression)
    desk.page.keyboard.press("Tab")
    detector.becomes(expression)
    tab.generate()
    assert tab.record["passes"] == [{"method": "restore", "detector": expression}]
    assert tab.lines == ["FaceFix: 1 face: 1 restored"]


def test_one_that_cannot_be_used_is_said_under_the_picture(desk, tab):
    tab.control("detector").type("blazeface + gone.onnx")
    desk.page.keyboard.press("Tab")
    tab.generate()
    said = desk.page.locator("#html_log_txt2img").first.inner_text()
    assert "pass 1: gone.onnx is not installed." in said
    desk.shot("detectors-missing", full=True)
    assert desk.runs() == []


def test_in_extras_a_file_finds_and_one_that_cannot_be_used_is_said(desk, file, tmp_path):
    from extras_on_page import Extras

    TWO.save(tmp_path / "two.png")
    extras = Extras(desk, tmp_path / "two.png")
    extras.unfold_all()
    extras.part("section_which_faces").locator(".label-wrap").first.click()
    detector = extras.common("detector")
    detector.wait()
    extras.part("refresh_detector").click()
    detector.offers(FILE)
    detector.choose(FILE)
    assert extras.find().startswith("1 face found")
    detector.type("gone.onnx")
    desk.page.keyboard.press("Tab")
    extras.part("find").click()
    expect(extras.part("trouble")).to_contain_text("gone.onnx is not installed")
    desk.shot("detectors-missing-in-extras", full=True)
