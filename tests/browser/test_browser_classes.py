"""The classes of a YOLO model file on the page of `facefix serve`; see build/browser/serve/classes.png."""

import pictures
import pytest
from yolo_made import yolo_onnx

expect = pytest.importorskip("playwright.sync_api", reason="needs the Python package playwright").expect

SIDE = 192
THREE = pictures.sheet(3, side=SIDE)
HALF = SIDE / pictures.ROOM / 2
FILE = "kinds.onnx"
BOXES = [(x - HALF, SIDE / 2 - HALF, x + HALF, SIDE / 2 + HALF) for x in (SIDE / 2, SIDE * 1.5, SIDE * 2.5)]


@pytest.fixture
def visitor(visit, tmp_path):
    """The page of a server with a net that finds a girl, a boy, and a dog in a photo; it is on the page."""
    from serving import Server

    folder = tmp_path / "yolo"
    folder.mkdir()
    names = str({0: "girl", 1: "boy", 2: "dog"})
    (folder / FILE).write_bytes(yolo_onnx(THREE.size, BOXES, names=names, kinds=[0, 1, 2]))
    THREE.save(tmp_path / "three.png")
    server = Server(tmp_path, "--yolo", str(folder))
    try:
        visitor = visit(server)
        visitor.drop(tmp_path / "three.png")
        visitor.found("3 faces found.")
        visitor.control("detector", "all")  # unfolds its group
        yield visitor
        visitor.page.context.close()
    finally:
        server.stop()


def test_the_classes_of_a_file_are_ticked_below_it(visitor):
    menu, detector = visitor.page.locator("#all-classes"), visitor.page.locator("#all-detector")
    expect(menu).to_be_hidden()
    visitor.type("detector", FILE, "all")
    visitor.found("3 faces found.")
    expect(menu).to_be_visible()
    assert menu.get_by_role("checkbox").count() == 3

    menu.get_by_label("dog").check()
    visitor.found("1 face found.")
    expect(detector).to_have_value(f"{FILE}[dog]")
    menu.get_by_label("girl").check()
    visitor.found("2 faces found.")
    expect(detector).to_have_value(f"{FILE}[girl, dog]")
    menu.scroll_into_view_if_needed()
    visitor.shot("classes", full=False)

    visitor.type("detector", f"{FILE}[ BOY ]", "all")
    visitor.found("1 face found.")
    ticked = [name for name in ("girl", "boy", "dog") if menu.get_by_label(name).is_checked()]
    assert ticked == ["boy"]
    menu.get_by_label("boy").uncheck()
    visitor.found("3 faces found.")
    expect(detector).to_have_value(FILE)


def test_the_menu_is_hidden_for_anything_but_one_file(visitor):
    menu = visitor.page.locator("#all-classes")
    visitor.type("detector", FILE, "all")
    expect(menu).to_be_visible()
    for other in (f"blazeface - {FILE}", "blazeface"):
        visitor.type("detector", other, "all")
        expect(menu).to_be_hidden()
