"""Classes of a model file in a menu, the preview of detection, and the settings of the last image."""

import pictures
import pytest
from yolo_made import yolo_onnx

expect = pytest.importorskip("playwright.sync_api", reason="needs the Python package playwright").expect

SIDE = 96
THREE = pictures.sheet(3, side=SIDE)
HALF = SIDE / pictures.ROOM / 2
FILE = "kinds.onnx"
"""A net that finds a girl, a boy, and a dog, from left to right."""
BOXES = [(x - HALF, SIDE / 2 - HALF, x + HALF, SIDE / 2 + HALF) for x in (SIDE / 2, SIDE * 1.5, SIDE * 2.5)]


@pytest.fixture(scope="module")
def file(webui):
    """Put a model file into the folder of the WebUI that is ADetailer's; gone afterwards."""
    path = webui.folder / "models" / "adetailer" / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(yolo_onnx(THREE.size, BOXES, names="{0: 'girl', 1: 'boy', 2: 'dog'}", kinds=[0, 1, 2]))
    yield path
    path.unlink()


@pytest.fixture
def tab(desk):
    """txt2img with FaceFix open; the model draws three faces."""
    desk.draw(THREE)
    tab = desk.tab("txt2img")
    tab.ask()
    tab.unfold()
    tab.control("method").choose("Restore")
    return tab


def choose_class(tab, name):
    tab.control("classes").place.get_by_label(name, exact=True).check()


def test_classes_are_chosen_in_a_menu_and_have_a_pass_each(desk, tab, file):
    tab.unfold_section("Which faces")
    detector, menu = tab.control("detector"), tab.control("classes")
    assert not menu.shown
    detector.type(FILE)
    desk.page.keyboard.press("Tab")
    menu.wait()
    choose_class(tab, "dog")
    detector.becomes(f"{FILE}[dog]")
    choose_class(tab, "girl")
    detector.becomes(f"{FILE}[dog, girl]")
    tab.control("each_class").tick()
    desk.shot("wishes-classes", of=tab.box)
    tab.generate()
    assert tab.record["passes"] == [{"method": "restore", "detector": f"{FILE}[dog, girl]", "each_class": True}]
    assert tab.lines == ["FaceFix, dog: 1 face: 1 restored", "FaceFix, girl: 1 face: 1 restored"]

    infotext = tab.infotext
    detector.type("auto")
    desk.page.keyboard.press("Tab")
    expect(menu.place).to_be_hidden()
    tab.paste(infotext)
    detector.becomes(f"{FILE}[dog, girl]")
    menu.wait()
    expect(menu.place.get_by_label("dog", exact=True)).to_be_checked()
    expect(menu.place.get_by_label("boy", exact=True)).not_to_be_checked()


def open_preview(tab):
    tab.unfold_section("Preview detection")
    find = tab.part("preview_find").place
    find.wait_for()
    return find


def test_the_last_result_is_previewed_without_a_run(desk, tab):
    tab.control("method").choose("Auto")
    tab.generate()
    runs = len(desk.runs())
    find, result = open_preview(tab), tab.part("preview_result").place.first
    tab.press("preview_last")
    expect(result).to_contain_text("3 faces found.", timeout=60_000)
    assert result.locator(".facefix-box").count() == 3
    assert result.locator("tbody tr").count() == 3
    assert result.locator("tbody tr").first.inner_text().split()[:3] == ["1", "yes", "re-diffuse"]
    desk.shot("wishes-preview", of=tab.box)

    tab.control("method").choose("Restore")
    find.click()
    expect(result.locator("tbody tr").first).to_contain_text("restore")
    assert len(desk.runs()) == runs
    assert tab.control("method").value == "Restore"


def test_an_image_of_ones_own_is_previewed_and_taken_away(desk, tab, tmp_path):
    THREE.crop((0, 0, SIDE * 2, SIDE)).save(tmp_path / "two.png")
    open_preview(tab)
    result = tab.part("preview_result").place.first
    place = tab.part("preview_image").place
    place.locator("input[type=file]").set_input_files(tmp_path / "two.png")
    expect(result).to_contain_text("2 faces found.", timeout=60_000)
    place.get_by_role("button", name="Remove").or_(place.get_by_label("Clear")).first.click()
    expect(result).to_be_hidden()


def test_what_cannot_be_previewed_is_said(desk, tab):
    find, trouble = open_preview(tab), tab.part("preview_trouble").place.first
    find.click()
    expect(trouble).to_contain_text("Add an image first, or select Last result")


def test_the_preview_does_not_wait_for_a_run(desk, tab, tmp_path):
    THREE.save(tmp_path / "three.png")
    open_preview(tab)
    tab.own("steps").type(150)
    tab.own("width").type(512)
    tab.start()
    tab.part("preview_image").place.locator("input[type=file]").set_input_files(tmp_path / "three.png")
    expect(tab.part("preview_result").place.first).to_contain_text("3 faces found.", timeout=60_000)
    assert desk.page.locator("#txt2img_interrupt").is_visible(), "it is still generating"
    tab.interrupt()
    tab.finish()


@pytest.fixture
def kept(webui):
    """The person wants the last used settings; not any more afterwards."""
    webui.post("/sdapi/v1/options", {"facefix_keep_last": True})
    yield webui.folder / "facefix-last-used.json"
    webui.post("/sdapi/v1/options", {"facefix_keep_last": False})
    (webui.folder / "facefix-last-used.json").unlink(missing_ok=True)


def test_the_page_starts_with_the_settings_of_the_last_image_and_unticked(desk, tab, kept):
    tab.control("fidelity").type(0.9)
    tab.unfold_section("Mask")
    tab.control("mask_grow").type(0.1)
    desk.page.keyboard.press("Tab")
    tab.generate()
    assert kept.is_file()

    desk.open()
    tab = desk.tab("txt2img")
    tab.ask()
    tab.is_ticked(False)
    tab.unfold()
    tab.control("fidelity").becomes(0.9)
    tab.control("method").becomes("Restore")
    tab.control("prompt").becomes_idle()
    tab.generate()
    assert tab.record["passes"] == [{"method": "restore", "fidelity": 0.9, "mask_grow": 0.1}]
    img2img = desk.tab("img2img")
    img2img.unfold()
    img2img.control("method").becomes("Auto")


def test_a_broken_file_of_them_is_said_and_ignored(desk, kept):
    kept.write_text("{oops", "utf-8")
    desk.open()
    tab = desk.tab("txt2img")
    tab.unfold()
    tab.says("The last used settings cannot be restored")
    tab.control("method").becomes("Auto")
    desk.shot("wishes-broken", of=tab.box)
