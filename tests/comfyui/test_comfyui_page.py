"""ComfyUI's page in a real browser: nodes are found, dragged, connected and run; the slider works.

Pictures of the page are left in build/browser/comfyui.
"""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from comfy_server import PATIENCE, REPOSITORY
from graphs import Graph
from saved_workflows import IMAGE, NAMES, read_workflow, to_api, use_tiny_diffusion_in_page

CHROMIUM = os.environ.get("FACEFIX_CHROMIUM", "/usr/bin/chromium")
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
ALBUM = REPOSITORY / "build" / "browser" / "comfyui"
LEFT_OUT = "**/comboBoolMigration.js"
"""A script of Impact Packs of 2024: in a page of 2025, it breaks the tick boxes of all packs."""
NOT_OURS = re.compile(r"Failed to load resource|net::ERR_|api\.comfy\.org|Failed to fetch|comboBoolMigration")
"""What the page complains of at once, as there is no network, and of what is left out."""
MILLISECONDS = PATIENCE * 1000
SPOTS = {
    "LoadImage": (90, 150),
    "FaceFixPlan": (400, 150),
    "FaceFixRestoreFaces": (850, 150),
    "FaceFixBeforeAfter": (1220, 150),
}
TITLES = {"LoadImage": "Load Image", "FaceFixPlan": "Plan Faces (FaceFix)"}
TITLES |= {"FaceFixRestoreFaces": "Restore Faces (FaceFix)", "FaceFixBeforeAfter": "Before and After (FaceFix)"}
TO_SCREEN = """
    const { offset: [x, y], scale } = app.canvas.ds;
    const edge = app.canvas.canvas.getBoundingClientRect();
    return [(at[0] + x) * scale + edge.left, (at[1] + y) * scale + edge.top];
}"""
SLOT = f"([id, slot, isInput]) => {{ const at = app.graph.getNodeById(id).getConnectionPos(isInput, slot); {TO_SCREEN}"
CORNER = f"(id) => {{ const at = app.graph.getNodeById(id).pos; {TO_SCREEN}"
CHOOSE = """([id, name]) => {
    const [menu] = app.graph.getNodeById(id).widgets;
    menu.options.values.push?.(name);
    menu.value = name;
}"""
SAVED = "() => app.graph._nodes.find(node => node.comfyClass === 'FaceFixSaveImage').imgs?.length"
SHRINK = "() => { app.canvas.ds.scale = 0.6; app.canvas.ds.offset = [60, 120]; app.canvas.setDirty(true, true); }"


@pytest.fixture(scope="module")
def page(comfyui):
    """ComfyUI's page, empty."""
    api = pytest.importorskip("playwright.sync_api", reason="needs the Python package playwright")
    if not Path(CHROMIUM).is_file():
        pytest.skip(f"needs Chromium: {CHROMIUM} is not there, set FACEFIX_CHROMIUM to it")
    ALBUM.mkdir(parents=True, exist_ok=True)
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS])
        opened = chromium.new_page(viewport={"width": 1800, "height": 1050})
        opened.set_default_timeout(MILLISECONDS)
        opened.errors = []
        opened.on("pageerror", lambda error: opened.errors.append(str(error)))
        opened.on("console", lambda said: said.type == "error" and opened.errors.append(said.text))
        opened.route(LEFT_OUT, lambda route: route.abort())
        opened.goto(comfyui.address)
        opened.wait_for_function("window.app?.graph && window.app.extensionManager && document.querySelector('canvas')")
        opened.wait_for_timeout(3000)  # the page shows its start screen over the canvas for a while
        yield opened
        chromium.close()


@pytest.fixture
def empty(page):
    """The page with an empty graph."""
    page.keyboard.press("Escape")
    page.evaluate("() => { app.graph.clear(); app.canvas.ds.offset = [0, 0]; app.canvas.ds.scale = 1; }")
    page.errors.clear()
    yield page
    assert [error for error in page.errors if not NOT_OURS.search(error)] == []


def add_by_search(page, kind, spot):
    """Add a node as a person does: double-click, type its name, press Enter; return its id."""
    search = page.get_by_placeholder("Search Nodes...").last
    for _ in range(5):  # on a busy machine, two clicks may be too far apart to count as a double-click
        page.mouse.dblclick(*spot)
        page.wait_for_timeout(1500)
        if search.count():
            break
    search.fill(TITLES[kind])
    page.get_by_role("option").first.wait_for()
    page.wait_for_timeout(500)  # the list is searched again after the last letter
    search.press("Enter")
    page.wait_for_function("kind => app.graph._nodes.some(node => node.comfyClass === kind)", arg=kind)
    return page.evaluate("kind => app.graph._nodes.find(node => node.comfyClass === kind).id", kind)


def drag(page, start, end):
    """Drag with the mouse."""
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=4)
    page.mouse.move(*end, steps=4)
    page.mouse.up()
    page.wait_for_timeout(200)


def connect(page, source, output, target, name):
    """Draw a link with the mouse."""
    slot = page.evaluate("([id, name]) => app.graph.getNodeById(id).findInputSlot(name)", [target, name])
    drag(page, page.evaluate(SLOT, [source, output, False]), page.evaluate(SLOT, [target, slot, True]))
    assert page.evaluate("([id, slot]) => app.graph.getNodeById(id).inputs[slot].link !== null", [target, slot]), name


def test_nodes_are_added_dragged_connected_and_run_and_the_slider_works(comfyui, empty, group):
    page = empty
    comfyui.put_image(IMAGE, group)
    ids = {}
    for place, kind in enumerate(SPOTS):
        ids[kind] = add_by_search(page, kind, (300 + 60 * place, 650 + 30 * place))
        page.mouse.click(1400, 960)  # on the canvas: a chosen node has a toolbar over its title
        page.wait_for_timeout(300)
        left, top = page.evaluate(CORNER, ids[kind])
        drag(page, (left + 60, top - 14), (SPOTS[kind][0] + 60, SPOTS[kind][1] - 14))
        moved = page.evaluate(CORNER, ids[kind])
        page.screenshot(path=ALBUM / "dragged.png")
        assert np.abs(np.subtract(moved, SPOTS[kind])).max() < 12  # nodes may snap to the grid
    load, plan, fixed, slider = ids.values()
    page.evaluate(CHOOSE, [load, IMAGE])
    for target, name in ((plan, "image"), (fixed, "image"), (slider, "before")):
        connect(page, load, 0, target, name)
    connect(page, plan, 0, fixed, "plan")
    connect(page, fixed, 0, slider, "after")
    connect(page, plan, 0, slider, "plan")
    page.get_by_role("button", name="Run", exact=True).click()

    compare = page.locator("facefix-compare")
    compare.locator(".frame").wait_for()
    page.wait_for_timeout(500)
    page.screenshot(path=ALBUM / "run.png")
    line = compare.locator("[role=slider]")
    assert line.get_attribute("aria-valuenow") == "50"
    frame = compare.locator(".frame").bounding_box()
    middle = frame["y"] + frame["height"] / 2
    drag(page, (frame["x"] + frame["width"] / 2, middle), (frame["x"] + frame["width"] * 0.8, middle))
    assert abs(int(line.get_attribute("aria-valuenow")) - 80) <= 2
    assert page.evaluate("() => app.canvas.ds.offset.every(value => value === 0)")  # the canvas did not move
    line.press("Home")
    assert line.get_attribute("aria-valuenow") == "0"
    line.press("End")
    assert line.get_attribute("aria-valuenow") == "100"
    node = page.locator(".facefix-compare-node").bounding_box()
    assert frame["y"] + frame["height"] <= node["y"] + node["height"] + 1  # the whole image is in the node
    assert frame["height"] > 250
    assert compare.locator(".faces button").count() == 6  # the whole image, and five faces
    compare.locator(".faces button").nth(1).click()
    page.wait_for_timeout(700)
    page.screenshot(path=ALBUM / "face.png")
    assert compare.locator(".faces button").nth(1).get_attribute("aria-pressed") == "true"

    texts = page.locator("pre.facefix-text").all_inner_texts()
    assert any("   1  95 px  restore" in text for text in texts)
    assert any("FaceFix: 5 faces: 5 restored" in text for text in texts)


def test_a_mistake_is_shown_on_the_page(comfyui, empty, group):
    page = empty
    graph = Graph(comfyui)
    image = graph.load(comfyui, group)
    graph.add("FaceFixPlan", image=image, overrides="2: fidelty=1")
    page.evaluate("nodes => app.loadApiJson(nodes, 'mistake')", graph.nodes)
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_text("Did you mean 'fidelity'?").first.wait_for()
    page.screenshot(path=ALBUM / "mistake.png")
    page.keyboard.press("Escape")
    page.errors.clear()


def test_the_slider_goes_through_a_batch(comfyui, empty, group):
    page = empty
    graph = Graph(comfyui)
    image = graph.load(comfyui, group, group[:, ::-1].copy())
    graph.add("FaceFixBeforeAfter", before=image, after=graph.add("ImageInvert", image=image))
    page.evaluate("nodes => app.loadApiJson(nodes, 'batch')", graph.nodes)
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_text("1 / 2").wait_for()
    compare = page.locator("facefix-compare")
    first = compare.evaluate("element => element.before")
    page.get_by_role("button", name="Next image").click()
    page.get_by_text("2 / 2").wait_for()
    assert compare.evaluate("element => element.before") != first
    page.screenshot(path=ALBUM / "batch.png")


@pytest.mark.parametrize("name", NAMES)
def test_an_example_workflow_loads_in_the_page(comfyui, empty, name):
    known = comfyui.get("/object_info")
    saved = read_workflow(name)
    if missing := {node["type"] for node in saved["nodes"]} - set(known):
        pytest.skip(f"needs Impact Pack for {', '.join(sorted(missing))}")
    empty.evaluate("saved => app.loadGraphData(saved)", saved)
    empty.wait_for_timeout(500)
    prompt = empty.evaluate("async () => (await app.graphToPrompt()).output")
    ours = to_api(saved, known)
    assert {one: node["class_type"] for one, node in prompt.items()} == {
        one: node["class_type"] for one, node in ours.items()
    }
    for one, node in ours.items():
        given = {key: value for key, value in prompt[one]["inputs"].items() if key != "upload"}
        assert given == {key: value for key, value in node["inputs"].items() if key != "upload"}, node["class_type"]
    empty.evaluate(SHRINK)
    empty.wait_for_timeout(300)
    empty.screenshot(path=ALBUM / f"{name}.png")


@pytest.mark.parametrize("name", NAMES)
def test_an_example_workflow_runs_in_the_page(comfyui, empty, group, name):
    comfyui.put_image(IMAGE, group)
    saved = use_tiny_diffusion_in_page(read_workflow(name))
    if missing := {node["type"] for node in saved["nodes"]} - set(comfyui.get("/object_info")):
        pytest.skip(f"needs Impact Pack for {', '.join(sorted(missing))}")
    empty.evaluate("saved => app.loadGraphData(saved)", saved)
    empty.evaluate(SHRINK)
    empty.get_by_role("button", name="Run", exact=True).click()
    empty.wait_for_function(SAVED)
    empty.locator("facefix-compare .frame").wait_for()
    empty.wait_for_timeout(500)
    texts = empty.locator("pre.facefix-text").all_inner_texts()
    empty.screenshot(path=ALBUM / f"{name}_run.png")
    assert any("FaceFix" in text and " faces: " in text for text in texts)
    assert empty.evaluate(SAVED) == (2 if name == "facefix_batch" else 1)
