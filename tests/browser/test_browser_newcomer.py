"""The page of `facefix serve` as a newcomer uses it, at the sizes of a screen, a laptop, and a phone."""

import base64
import importlib.util
import io
from pathlib import Path

import numpy as np
import pytest
from axe import violations
from PIL import Image, ImageFilter

if importlib.util.find_spec("playwright"):
    from playwright.sync_api import expect
    from serving import PATIENCE, UNFOLD

REPOSITORY = Path(__file__).parents[2]
GROUP = Path(__file__).parents[1] / "data" / "faceapi_sample4.jpg"
SIZES = {"screen": (1440, 900), "laptop": (1024, 768), "phone": (390, 844)}
IN_VIEW = """(element) => {
    const { top, bottom, left, right } = element.getBoundingClientRect();
    return bottom > top && top >= 0 && left >= 0 && bottom <= innerHeight && right <= innerWidth;
}"""


BLEND = """async (compare) => {
    const load = async (src) => { const image = new Image(); image.src = src; await image.decode(); return image; };
    const after = await load(compare.after);
    const [width, height] = [after.naturalWidth, after.naturalHeight];
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.drawImage(after, 0, 0);
    for (const { url, box: [left, top], opacity } of compare.layers) {
        pen.globalAlpha = opacity;
        pen.drawImage(await load(url), Math.round(left * width), Math.round(top * height));
    }
    return canvas.toDataURL();
}"""
"""Draws the image after with its layers, as the browser blends them, at the size of the photo."""


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    """An old scan: large, blurred, and of five people."""
    path = tmp_path_factory.mktemp("scan") / "grandparents.jpg"
    with Image.open(REPOSITORY / "examples" / "group.jpg") as small:
        photo = small.convert("RGB").resize((3840, 2792), Image.Resampling.BICUBIC)
    photo.filter(ImageFilter.GaussianBlur(6)).save(path, quality=90)
    return path


def pixels(coded):
    """Return an image file, or a data URL, as an array."""
    content = base64.b64decode(coded.partition(",")[2]) if isinstance(coded, str) else coded
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), np.int16)


def frame(visitor):
    """Return the pixels of the comparison as they are seen."""
    return pixels(visitor.page.locator("#result-view facefix-compare .frame").screenshot())


def held(visitor):
    """Return the pixels of the comparison while B is held."""
    visitor.page.keyboard.down("b")
    before = frame(visitor)
    visitor.page.keyboard.up("b")
    return before


@pytest.mark.parametrize("size", SIZES)
def test_a_newcomer_enhances_an_old_scan_sees_the_change_and_downloads_it(visit, scan, tmp_path, size):
    width, height = SIZES[size]
    visitor = visit(viewport={"width": width, "height": height}, reduced_motion="reduce", has_touch=size == "phone")
    page = visitor.page
    assert page.locator("#choose").evaluate(IN_VIEW)
    asked = []
    page.route("**/plan", lambda route: asked.append(route), times=1)  # append itself is not taken
    visitor.drop(scan)  # no click
    fix = page.locator("#fix")
    expect(fix).to_be_enabled()
    assert fix.evaluate(IN_VIEW)
    expect(page.locator("#found")).to_have_text("Looking for faces …")
    expect(page.locator("#stage img")).to_be_visible()  # the photo is shown while faces are looked for
    while not asked:  # the request waits for a moment without changes
        page.wait_for_timeout(20)
    [plan] = asked
    plan.continue_()
    visitor.found("5 faces found.")
    assert fix.evaluate(IN_VIEW)
    visitor.shot(f"newcomer-{size}-found", full=False)
    fix.click()  # the first click
    save = page.locator("#save")
    save.wait_for()
    assert save.evaluate(IN_VIEW)
    compare = page.locator("#result-view facefix-compare")
    assert compare.locator(".frame").evaluate(IN_VIEW)
    assert compare.evaluate("(one) => one.face") in range(1, 6)  # zoomed in to a face
    visitor.shot(f"newcomer-{size}-result", full=False)
    before, after = held(visitor), frame(visitor)
    change = np.abs(after - before).max(2)
    half = change.shape[1] // 2
    assert (change[:, half + 30 :] > 8).mean() > 0.02, "no change is seen"
    assert (change[:, : half - 30] > 8).mean() < 0.02  # only the right half changes: the left one shows before anyway
    downloaded = visitor.saved(save, tmp_path)  # the second click
    assert downloaded.name == "grandparents.fixed.jpg"
    with Image.open(downloaded) as picture:
        assert picture.size == (3840, 2792)
    wide = page.evaluate("() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide[0] <= wide[1]


def as_png(path):
    """Write the group photo without loss, so that pixels can be compared."""
    with Image.open(GROUP) as photo:
        photo.save(path)
    return path


def test_the_slider_blends_at_once_and_the_server_agrees_with_what_is_shown(visit, tmp_path):
    visitor = visit(reduced_motion="reduce")
    page = visitor.page
    visitor.drop(as_png(tmp_path / "group.png"))
    visitor.found("4 faces found.")
    visitor.fix()
    compare = page.locator("#result-view facefix-compare")
    visitor.slide(10)
    page.wait_for_function("(one) => one.layers.length === 8", arg=compare.element_handle())
    visitor.slide(100)
    visitor.settled()
    visitor.choose(3)
    compare.evaluate("(one) => { one.position = 0; }")
    strong = frame(visitor)
    asked = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    visitor.slide(5)
    opacity = compare.evaluate("(one) => one.layers.map((layer) => layer.opacity)")  # at once, without any answer
    assert opacity == pytest.approx([0.25, 0] * 4)  # a quarter of the faithful change of each face
    weak = frame(visitor)
    blend = pixels(page.evaluate(BLEND, compare.element_handle()))
    assert np.abs(weak - strong).max() > 8
    visitor.settled()
    assert set(asked) <= {"replan"}
    with page.expect_download() as download:
        page.locator("#save").click()
    download.value.save_as(tmp_path / "weak.png")
    expect(page.locator("#doing")).to_have_text("4 faces: 4 enhanced")
    compare.evaluate("(one) => { one.position = 0; }")
    assert compare.evaluate("(one) => one.layers.length") == 0  # the picture of the server
    page.wait_for_timeout(300)
    assert np.abs(pixels((tmp_path / "weak.png").read_bytes()) - blend).max() <= 8  # detail is kept after blending
    assert (np.abs(frame(visitor) - weak) > 2).mean() < 0.01  # magnified: a few edges are rounded in another way


def test_a_slider_of_one_face_changes_only_this_face_and_keeps_its_trial(visit):
    visitor = visit()
    visitor.drop(GROUP)
    visitor.found("4 faces found.")
    visitor.choose(3)
    visitor.page.get_by_role("button", name="Try this face").click()
    trial = visitor.page.locator(".trial facefix-compare")
    trial.wait_for()
    kept = trial.element_handle()
    visitor.slide(20, "face-strength")
    assert trial.evaluate("(one) => one.layers.map((layer) => layer.opacity)") == pytest.approx([1, 0])
    visitor.settled()
    assert trial.evaluate("(one, other) => one === other", kept)
    assert [visitor.row(number)["Fidelity"] for number in (3, 4)] == ["0.8", "0.6"]


def test_skipped_faces_can_be_enhanced_anyway(visit):
    visitor = visit()
    visitor.drop(GROUP)
    visitor.found("4 faces found.")
    visitor.type("min_size", 5000, form="all")
    visitor.found("4 faces found, 4 skipped.")
    button = visitor.page.get_by_role("button", name="Enhance anyway")
    button.click()
    expect(visitor.page.locator("#doing")).to_have_text("4 faces: 4 enhanced", timeout=PATIENCE)


def test_only_the_person_of_one_face_is_enhanced(visit):
    visitor = visit()
    visitor.drop(GROUP)
    visitor.found("4 faces found.")
    visitor.choose(3)
    visitor.page.get_by_role("button", name="Only this person").click()
    visitor.found("4 faces found, 3 skipped.")
    assert [visitor.row(number)["Decision"] for number in (1, 2, 3, 4)] == ["Skipped", "Skipped", "Restore", "Skipped"]
    visitor.slide(90)
    visitor.settled()
    assert visitor.row(3)["Fidelity"] == "0.1"
    visitor.page.get_by_role("button", name="Enhance everyone again").click()
    visitor.found("4 faces found.")


def test_settings_carried_over_to_the_next_photo_are_said_and_reset(visit):
    visitor = visit()
    visitor.drop(GROUP)
    visitor.found("4 faces found.")
    visitor.slide(80)
    visitor.settled()
    badge = visitor.page.locator("#badge")
    expect(badge).to_contain_text("1 setting changed")
    visitor.drop(GROUP)
    visitor.found("4 faces found.")
    expect(badge).to_contain_text("1 setting changed, kept from the last photo")
    assert visitor.row(1)["Fidelity"] == "0.2"
    visitor.page.get_by_role("button", name="Reset all settings").click()
    visitor.settled()
    expect(badge).to_be_hidden()
    assert visitor.row(1)["Fidelity"] == "0.6"


def test_a_preset_is_kept_and_chosen_again(visit):
    visitor = visit()
    visitor.page.wait_for_selector("#all-method-label", state="attached")
    visitor.drop(GROUP)
    visitor.found("4 faces found.")
    visitor.slide(75)
    visitor.page.locator("#preset-name").evaluate(UNFOLD)
    visitor.page.get_by_label("Save these settings as").fill("Grandparents")
    visitor.page.get_by_role("button", name="Save", exact=True).click()
    visitor.page.get_by_role("button", name="Reset all settings").click()
    expect(visitor.page.locator("#strength")).to_have_value("40")
    visitor.page.reload()
    visitor.drop(GROUP)
    visitor.page.locator("#preset").evaluate(UNFOLD)
    visitor.page.get_by_label("Preset", exact=True).select_option("Grandparents")
    expect(visitor.page.locator("#strength")).to_have_value("75")


def test_a_result_that_is_not_saved_is_not_lost_without_asking(visit):
    visitor = visit()
    visitor.drop(GROUP)
    visitor.found("4 faces found.")
    visitor.fix()
    visitor.page.locator("#strength, #face-strength").first.click()  # browsers ask only after a gesture
    asked = []
    visitor.page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    visitor.page.close(run_before_unload=True)
    visitor.page.wait_for_timeout(1000)
    assert asked == ["beforeunload"]


def test_keys_enhance_choose_faces_and_show_the_help(visit):
    visitor = visit()
    page = visitor.page
    visitor.drop(GROUP)
    visitor.found("4 faces found.")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("2")
    expect(page.get_by_role("heading", name="Face 2")).to_be_visible()
    page.keyboard.press("f")
    page.locator("#save").wait_for()
    assert page.evaluate("document.activeElement.localName") == "facefix-compare"
    position = "(one) => one.shadowRoot.querySelector('.frame').style.getPropertyValue('--position')"
    compare = page.locator("#result-view facefix-compare")
    page.keyboard.down("b")
    assert compare.evaluate(position) == "100%"
    page.keyboard.up("b")
    assert compare.evaluate(position) == "50%"  # the line is at rest, however far the opening wipe had come


def test_the_button_is_reached_in_a_few_tabs(visit):
    visitor = visit()
    visitor.drop(GROUP)
    visitor.found("4 faces found.")
    visitor.page.keyboard.press("Tab")
    expect(visitor.page.locator("#skip")).to_be_focused()
    visitor.page.keyboard.press("Enter")
    visitor.press_until("Tab", "#fix", most=2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_at_any_step(visit, scheme):
    visitor = visit(color_scheme=scheme, reduced_motion="reduce")
    page = visitor.page

    def check(step):
        assert violations(page) == [], step

    check("welcome")
    visitor.drop(GROUP)
    visitor.found("4 faces found.")
    check("faces")
    page.locator("#all-mask_grow").evaluate(UNFOLD)
    page.locator("#more-restorers > summary").click()
    check("all settings")
    visitor.choose(2)
    check("face")
    visitor.fix()
    page.locator("#table").evaluate(UNFOLD)
    check("result")
    page.locator("#open-help").click()
    check("help")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_on_the_help_page(visit, size, scheme):
    width, height = SIZES[size]
    visitor = visit(viewport={"width": width, "height": height}, color_scheme=scheme)
    visitor.page.get_by_role("link", name="Help").click()
    expect(visitor.page.get_by_role("heading", name="Help", level=1)).to_be_visible()
    visitor.shot(f"help-{size}-{scheme}")
    assert violations(visitor.page) == []
