"""The slider between before and after, on a page of its own: needs no WebUI."""

import shutil
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from PIL import Image, ImageDraw
from slider_on_page import Slider, held

SCRIPTS = sorted((Path(__file__).parents[2] / "lib_facefix" / "server" / "page").glob("compare*.js"))
SIZE = (300, 200)
FACES = [{"number": 1, "box": [0.1, 0.2, 0.3, 0.5]}, {"number": 3, "box": [0.6, 0.4, 0.8, 0.7]}]
PAGE = """<!doctype html><meta charset="utf-8"><title>slider</title>
<style>body { margin: 16px; font-family: sans-serif; background: Canvas } :root { color-scheme: light dark }</style>
<script type="module" src="compare.js?1764"></script>
<facefix-compare></facefix-compare>
<script>
  const slider = document.querySelector("facefix-compare");
  Object.assign(slider, %s);  // before the module is there, as pages do
  window.told = [];
  slider.addEventListener("facefix-face", (event) => told.push(event.detail));
</script>"""


def scene(scale=1, tint=(0, 0, 0)):
    """Return coloured fields with a disc where each face is, PIL; larger by a whole number."""
    width, height = SIZE
    fields = np.random.default_rng(5).integers(60, 200, (4, 6, 3)).astype(np.uint8)
    picture = Image.fromarray(fields).resize((width * scale, height * scale), Image.Resampling.NEAREST)
    draw = ImageDraw.Draw(picture)
    for face in FACES:
        box = [share * side * scale for share, side in zip(face["box"], SIZE * 2, strict=True)]
        draw.ellipse(box, fill=tuple(min(255, 90 + part) for part in tint))
    return picture


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Serve the module, and pictures: before, after (a face is red), enlarged (twice as large), tall, broken."""
    folder = tmp_path_factory.mktemp("slider")
    for script in SCRIPTS:
        shutil.copy(script, folder)
    scene().save(folder / "before.png")
    scene(tint=(160, 0, 0)).save(folder / "after.png")
    scene(2).save(folder / "enlarged.png")
    scene().resize((100, 200)).save(folder / "tall.png")
    (folder / "broken.png").write_bytes(b"no picture")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def opened(browser, address):
    """Return what opens a page with a slider; all pages are closed in the end, and none may have complained."""
    contexts, complaints = [], []

    def open_page(before="before.png", after="after.png", *, faces=FACES, may_complain=False, **context):
        folder, url = address
        properties = f'{{before: "{before}", after: "{after}", faces: {faces}}}'
        (folder / "index.html").write_text(PAGE % properties, "utf-8")
        usual = {"viewport": {"width": 800, "height": 700}, "reduced_motion": "reduce"}
        contexts.append(browser.new_context(**{**usual, **context}))
        page = contexts[-1].new_page()
        page.set_default_timeout(5000)
        if not may_complain:
            page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
            page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{url}/index.html")
        return Slider(page, page.locator("facefix-compare"))

    yield open_page
    for context in contexts:
        context.close()
    assert [line for line in complaints if "favicon" not in line and "404" not in line] == []


def test_the_mouse_drags_the_line_and_what_is_left_of_it_shows_the_picture_before(opened):
    slider = opened().ready()
    assert slider.now == 50
    with held(slider.page, slider.at(0.5, 0.3), slider.at(0.75, 0.6)):
        assert slider.now == pytest.approx(75, abs=1)
    assert slider.line.get_attribute("aria-valuetext") == "75 % Before, 25 % After"
    mixed = slider.alone(75)
    only_before, only_after = slider.alone(100), slider.alone(0)
    split = round(mixed.shape[1] * 0.75)
    assert np.abs(only_before - only_after).max() > 100
    assert np.abs(mixed - only_before)[:, : split - 2].max() < 8  # browsers do not paint each time to the last bit
    assert np.abs(mixed - only_after)[:, split + 2 :].max() < 8


def test_all_parts_of_the_module_are_requested_with_its_query(opened):
    """Pages request it by its date, so that a browser never mixes parts of two versions."""
    page = opened().ready().page
    requested = page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name.split('/').at(-1))")
    scripts = sorted(name for name in requested if ".js" in name)
    assert scripts == [f"{script.name}?1764" for script in SCRIPTS]


def test_a_finger_drags_the_line(opened):
    slider = opened(has_touch=True).ready()
    touch = slider.page.context.new_cdp_session(slider.page)
    for share in (0.5, 0.4, 0.3, 0.2):
        x, y = slider.at(share, 0.5)
        kind = "touchStart" if share == 0.5 else "touchMove"
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert slider.now == pytest.approx(20, abs=2)


def test_a_finger_that_scrolls_the_page_leaves_the_line_where_it_is(opened):
    slider = opened(has_touch=True, viewport={"width": 800, "height": 300}).ready()
    touch = slider.page.context.new_cdp_session(slider.page)
    for step in range(6):
        x, y = slider.at(0.8, 0.9)
        kind = "touchMove" if step else "touchStart"
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y - 40 * step}]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    slider.page.wait_for_function("scrollY > 0")
    assert slider.now == 50


def test_a_tap_moves_the_line_there(opened):
    slider = opened(has_touch=True).ready()
    slider.page.touchscreen.tap(*slider.at(0.9, 0.5))
    assert slider.now == pytest.approx(90, abs=1)


def test_two_fingers_magnify_what_lies_between_them(opened):
    slider = opened(has_touch=True).ready()
    touch = slider.page.context.new_cdp_session(slider.page)

    def fingers(kind, *shares):
        points = [dict(zip("xy", slider.at(share, 0.5), strict=True), id=number) for number, share in enumerate(shares)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", 0.45)
    fingers("touchStart", 0.45, 0.55)
    for apart in (0.1, 0.15, 0.2):
        fingers("touchMove", 0.5 - apart, 0.5 + apart)
    fingers("touchEnd")
    one, other = slider.transforms
    assert one == other
    assert float(one.split("(")[1].split(",")[0]) == pytest.approx(4, rel=0.15)


@pytest.mark.parametrize(
    ("keys", "where"),
    [
        pytest.param(["ArrowRight"], 51, id="right"),
        pytest.param(["ArrowLeft", "ArrowLeft"], 48, id="left twice"),
        pytest.param(["Shift+ArrowRight"], 60, id="a stride"),
        pytest.param(["Home"], 0, id="to the start"),
        pytest.param(["Home", "ArrowLeft"], 0, id="not beyond the start"),
        pytest.param(["End", "Shift+ArrowRight"], 100, id="not beyond the end"),
        pytest.param(["PageDown"], 40, id="a page"),
    ],
)
def test_keys_move_the_line(opened, keys, where):
    slider = opened().ready()
    slider.line.focus()
    slider.press(*keys)
    assert slider.now == where
    assert slider.line.get_attribute("aria-valuemin") == "0"
    assert slider.line.get_attribute("aria-valuemax") == "100"


def test_with_the_keyboard_alone_a_face_is_magnified_compared_moved_and_left(opened):
    slider = opened().ready()
    slider.press("Tab", "Tab", "Tab", "Enter")
    assert slider.told == [3]
    assert slider.face(3).get_attribute("aria-pressed") == "true"
    near = slider.transforms[0]
    slider.press("Tab", "Tab", "Tab", "ArrowLeft")  # past the two buttons that zoom, to the picture
    assert slider.transforms[0] != near
    slider.press("Tab", "Home")
    assert slider.now == 0
    slider.press("1", "0")
    assert slider.told == [3, 1, None]
    assert slider.transforms == ["matrix(1, 0, 0, 1, 0, 0)"] * 2


def test_a_face_fills_both_sides_alike(opened):
    slider = opened().ready()
    slider.face(3).click()
    one, other = slider.transforms
    assert one == other
    height, width = slider.seen().shape[:2]
    face = np.s_[int(height * 0.35) : int(height * 0.65), int(width * 0.4) : int(width * 0.6)]
    assert (slider.alone(0)[face] == (250, 90, 90)).all()  # nothing but the face, which is red after
    assert (slider.alone(100)[face] == (90, 90, 90)).all()


def test_a_click_on_the_number_in_the_picture_magnifies_that_face(opened):
    slider = opened().ready()
    slider.place.locator(".badges").get_by_text("1", exact=True).click()
    assert slider.told == [1]
    assert slider.now == 50


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(20, 50, id="beside the face: into its middle"),
        pytest.param(45, 45, id="on the face"),
        pytest.param(0, 0, id="at an end, for one side alone"),
    ],
)
def test_the_line_goes_through_the_face_that_is_chosen(opened, before, after):
    slider = opened().ready()
    slider.place.evaluate("(slider, position) => { slider.position = position }", before)
    slider.face(3).click()
    assert slider.now == after


def test_a_page_can_look_at_a_face_without_being_told_of_it(opened):
    slider = opened().ready()
    slider.place.evaluate("slider => { slider.face = 1 }")
    assert slider.face(1).get_attribute("aria-pressed") == "true"
    assert slider.transforms[0] != "matrix(1, 0, 0, 1, 0, 0)"
    assert slider.told == []


def test_the_wheel_zooms_once_the_picture_was_clicked_and_until_then_scrolls(opened):
    slider = opened(viewport={"width": 800, "height": 300}).ready()
    slider.page.mouse.move(*slider.at(0.5, 0.2))
    slider.page.mouse.wheel(0, -100)
    assert slider.transforms[0] == "matrix(1, 0, 0, 1, 0, 0)"
    slider.page.mouse.click(*slider.at(0.5, 0.2))
    slider.page.mouse.wheel(0, -100)
    slider.page.wait_for_function("document.querySelector('facefix-compare').shadowRoot.querySelector('.zoomed')")
    assert slider.transforms[0] == slider.transforms[1]


def test_a_magnified_picture_is_dragged_and_the_line_stays(opened):
    slider = opened().ready()
    slider.face(3).click()
    before = slider.transforms
    with held(slider.page, slider.at(0.2, 0.5), slider.at(0.3, 0.6)):
        assert slider.transforms[0] == slider.transforms[1] != before[0]
    assert slider.now == 50
    with held(slider.page, slider.at(0.5, 0.5), slider.at(0.7, 0.5)):
        assert slider.now == pytest.approx(70, abs=1)


def test_buttons_zoom_in_and_back_to_the_whole_picture(opened):
    slider = opened().ready()
    slider.place.get_by_role("button", name="Zoom in").click()
    assert slider.transforms[0].startswith("matrix(1.25, 0, 0, 1.25")
    slider.place.get_by_role("button", name="Zoom out").click()
    slider.place.get_by_role("button", name="Zoom out").click()
    assert slider.transforms == ["matrix(1, 0, 0, 1, 0, 0)"] * 2


@pytest.mark.parametrize("width", [320, 1400])
def test_a_compact_slider_has_its_buttons_over_the_picture(opened, width):
    slider = opened("tall.png", "tall.png", viewport={"width": width, "height": 600}).ready()
    slider.place.evaluate("(slider) => slider.toggleAttribute('compact', true)")
    frame = slider.frame.bounding_box()
    assert frame["width"] < width - 50  # narrower than the element
    for name in ("Zoom out", "Zoom in"):
        button = slider.place.get_by_role("button", name=name).bounding_box()
        assert frame["x"] <= button["x"] <= button["x"] + button["width"] <= frame["x"] + frame["width"], name
        assert frame["y"] <= button["y"], name
    slider.place.get_by_role("button", name="Zoom in").click()
    slider.page.mouse.click(frame["x"] + 20, frame["y"] + 20)  # beside the buttons, on the picture
    assert slider.place.evaluate("(slider) => slider.shadowRoot.activeElement.className") == "line"


def test_an_enlarged_picture_lies_over_the_smaller_one(opened):
    slider = opened(after="enlarged.png").ready()
    before, after = slider.alone(100), slider.alone(0)
    assert before.shape == after.shape
    assert np.abs(before - after).mean() < 3  # but for how edges are smoothed
    assert slider.place.locator(".note").inner_text() == ""


def test_pictures_of_different_shapes_are_shown_with_a_sentence(opened):
    slider = opened(after="tall.png").ready()
    assert "differ in shape" in slider.place.locator(".note").inner_text()


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        pytest.param("broken.png", "after.png", "The image “Before” cannot be shown", id="broken"),
        pytest.param("before.png", "gone.png", "The image “After” cannot be shown", id="gone"),
        pytest.param("", "after.png", "The image “Before” is missing", id="none"),
    ],
)
def test_a_picture_that_cannot_be_shown_is_a_sentence(opened, before, after, sentence):
    slider = opened(before, after, may_complain=True)
    slider.place.get_by_text(sentence).wait_for()
    assert not slider.frame.is_visible()


def test_a_picture_that_comes_later_takes_the_sentence_s_place(opened):
    slider = opened("broken.png", may_complain=True)
    slider.place.get_by_text("cannot be shown").wait_for()
    slider.place.evaluate("slider => { slider.before = 'before.png' }")
    slider.ready()
    assert slider.place.locator(".note").inner_text() == ""


def test_without_faces_the_whole_picture_can_be_compared(opened):
    slider = opened(faces=[]).ready()
    named = [slider.place.get_by_role("button", name=name) for name in ("Whole image", "Zoom out", "Zoom in")]
    assert [button.count() for button in named] == [1, 1, 1]
    assert slider.place.get_by_role("button").count() == 3


def test_at_200_percent_everything_is_in_sight_and_can_be_moved(opened, own_album):
    slider = opened(viewport={"width": 400, "height": 350}, device_scale_factor=2).ready()
    wide = slider.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide == 0
    assert slider.frame.bounding_box()["height"] <= 350 * 0.8 + 1
    with held(slider.page, slider.at(0.5, 0.5), slider.at(0.25, 0.5)):
        assert slider.now == pytest.approx(25, abs=1)
    slider.page.screenshot(path=own_album / "slider-200-percent.png")


@pytest.mark.parametrize(
    "act",
    [
        pytest.param("slider.peek(true); slider.peek(false)", id="the image before is shown and hidden"),
        pytest.param(
            "slider.line.dispatchEvent(new KeyboardEvent('keydown', {key: 'Shift', bubbles: true}))", id="a key"
        ),
        pytest.param("slider.face = null", id="the page chooses no face"),
    ],
)
def test_an_opening_wipe_ends_with_the_line_in_the_middle(opened, act):
    """All in one task of the page, so that the wipe is in its first frame, where only the image before is seen."""
    slider = opened(reduced_motion="no-preference").ready()
    script = """async (slider) => {
        slider.line = slider.shadowRoot.querySelector(".line");
        slider.wipe();
        const places = [slider.position];
        %s;
        places.push(slider.position);
        for (let frame = 0; frame < 5; frame++) await new Promise(requestAnimationFrame);
        return [...places, slider.position];
    }"""
    assert slider.place.evaluate(script % act) == [100, 50, 50]


def test_a_wipe_that_is_left_alone_ends_with_the_line_in_the_middle(opened):
    slider = opened(reduced_motion="no-preference").ready()
    assert slider.place.evaluate("(slider) => { slider.wipe(); return slider.position; }") == 100
    slider.page.wait_for_function("(slider) => slider.position === 50", arg=slider.place.element_handle())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_seen_in_light_and_in_dark(opened, own_album, scheme):
    slider = opened(color_scheme=scheme).ready()
    button = slider.face(1)
    text, ground = (
        sum(map(int, button.evaluate(f"one => getComputedStyle(one).{what}")[4:-1].split(",")))
        for what in ("color", "backgroundColor")
    )
    assert (text < ground) == (scheme == "light")
    assert abs(text - ground) > 400
    slider.line.focus()
    slider.press("ArrowRight")
    slider.page.screenshot(path=own_album / f"slider-{scheme}.png")
    slider.press("3")
    slider.page.wait_for_timeout(300)
    slider.page.screenshot(path=own_album / f"slider-{scheme}-face.png")
