"""The page of `facefix serve`, in a real browser; needs no WebUI.

Pictures of it are kept in build/browser/serve; those of docs/serve.md are wide-light.png and wide-light-result.png.
"""

import importlib.util
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

if importlib.util.find_spec("playwright"):
    from playwright.sync_api import expect
    from serving import PATIENCE, Server, facefix, plan_of

DATA = Path(__file__).parents[1] / "data"
GROUP = DATA / "faceapi_sample4.jpg"
OLD = Path(__file__).parents[2] / "examples" / "group.jpg"
FOUR = "4 faces found."
NARROW = {"width": 400, "height": 800}


@pytest.fixture
def tuned(visit):
    """The group photo with face 2 to be left and face 3 at fidelity 0.9."""
    visitor = visit()
    visitor.drop(GROUP)
    visitor.found(FOUR)
    visitor.choose(2)
    visitor.page.get_by_label("Enhance this face").uncheck()
    visitor.found("4 faces found, 1 skipped.")
    visitor.choose(3)
    visitor.type("fidelity", 0.9)
    return visitor


def crowd(path, across=6, down=5):
    """Write a picture with so many faces that fixing it takes a while."""
    one = np.asarray(Image.open(GROUP))
    Image.fromarray(np.tile(one, (down, across, 1))).save(path)
    return path


@pytest.mark.parametrize("pasted", [False, True], ids=["dropped", "pasted"])
def test_a_group_photo_shows_its_faces_numbered_with_what_would_be_done_and_why(visit, pasted):
    visitor = visit()
    visitor.shot("welcome", full=False)
    visitor.drop(GROUP, by="paste" if pasted else "drop")
    visitor.found(FOUR)
    assert visitor.boxes == ["1", "2", "3", "4"]
    assert visitor.page.locator(".face canvas:visible").count() == 4
    planned = facefix("plan", GROUP)
    [picture] = json.loads(planned)["pictures"]
    for face in picture["faces"]:
        row = visitor.row(face["number"])
        assert (row["Decision"], row["Reason"]) == (
            {"restore": "Restore", "leave": "Skipped"}[face["decision"]],
            face["reason"],
        )
        assert row["Size"] == f"{face['size']:.0f} px"


def test_the_download_is_byte_for_byte_what_the_command_line_makes_of_the_same_plan(tuned, tmp_path):
    assert (tuned.row(2)["Decision"], tuned.row(3)["Fidelity"], tuned.row(4)["Fidelity"]) == ("Skipped", "0.9", "0.6")
    tuned.shot("tuned")
    tuned.fix()
    tuned.shot("result")
    expect(tuned.page.locator("#doing")).to_have_text("4 faces: 3 enhanced, 1 unchanged")
    button = tuned.page.get_by_role("button", name="Download faceapi_sample4.fixed.jpg")
    downloaded = tuned.saved(button, tmp_path)
    plan = tuned.saved(tuned.detail("Plan"), tmp_path)
    report = tuned.saved(tuned.detail("Report"), tmp_path)
    assert [plan_of(plan)[number]["decision"] for number in (1, 2, 3, 4)] == ["restore", "leave", "restore", "restore"]
    assert [face["outcome"] for _, face in sorted(plan_of(report).items())] == ["fixed", "left", "fixed", "fixed"]
    assert downloaded.name == "faceapi_sample4.fixed.jpg"
    facefix("fix", "--plan", plan, GROUP, "-o", tmp_path / "by-plan.jpg")
    flags = ("--face", "2:method=leave", "--face", "3:fidelity=0.9")
    facefix("fix", GROUP, *flags, "-o", tmp_path / "by-flags.jpg")
    facefix("fix", GROUP, "-o", tmp_path / "untuned.jpg")
    made = {path.stem: path.read_bytes() for path in tmp_path.glob("*.jpg")}
    assert made["faceapi_sample4.fixed"] == made["by-plan"] == made["by-flags"]
    assert made["faceapi_sample4.fixed"] != made["untuned"] != GROUP.read_bytes()


def test_the_identity_stands_in_the_table_below_the_thumbnails_and_below_a_trial(tuned):
    """Figure, limit, and what was done, once faces were fixed or tried."""
    page = tuned.page
    line = page.locator(".trial > p")
    page.get_by_role("button", name="Try this face").click()
    expect(line).to_have_text(re.compile(r"^Identity at full visibility: kept \(distance 0\.\d\d, limit 0\.\d\d\)\.$"))
    assert "Identity" not in tuned.row(3)

    tuned.fix()
    cells = [tuned.row(number)["Identity"] for number in (1, 2, 3, 4)]
    short = [page.locator(".face .identity").nth(place).text_content() for place in range(4)]
    assert (cells[1], short[1]) == ("\N{EN DASH}", "")
    for cell, words in zip(cells[:1] + cells[2:], short[:1] + short[2:], strict=True):
        distance, limit = re.fullmatch(r"kept \(distance (0\.\d\d), limit (0\.\d\d)\)", cell).groups()
        assert words == f"kept, {distance} of {limit}"
        assert float(distance) < float(limit)
    tuned.shot("identity")

    tuned.type("fidelity", 0.5)  # the figure was not for this setting
    expect(page.locator(".face .identity").nth(2)).to_have_text("")


def test_what_the_identity_guard_did_is_said_in_words(visit):
    said = visit().page.evaluate("""async () => {
        const { describeIdentity, abbreviateIdentity } = await import("./words.js");
        const none = {distance: null, limit: null, first: null, how: "", why: ""};
        return [
            {verdict: "backed off", distance: 0.4, limit: 0.45, first: 0.61, how: "62% of the change", why: ""},
            {verdict: "left", distance: 0.7, limit: 0.45, first: 0.7, how: "", why: ""},
            {verdict: "drifted", distance: 0.7, limit: 0.45, first: 0.7, how: "", why: ""},
            {...none, verdict: "unmeasured", why: "too small (20 px)"},
        ].map((one) => [describeIdentity(one), abbreviateIdentity(one)]);
    }""")
    assert said == [
        [
            "changed less: 62% of the change (distance 0.40 instead of 0.61, limit 0.45)",
            "changed less, 0.40 of 0.45",
        ],
        ["not changed (distance 0.70, limit 0.45)", "not changed, 0.70 of 0.45"],
        ["drifted (distance 0.70, limit 0.45)", "drifted, 0.70 of 0.45"],
        ["not measured: too small (20 px)", "not measured"],
    ]


def test_one_face_is_tried_and_everything_stays_as_it_is(tuned):
    before = tuned.row(3)
    tuned.page.get_by_role("button", name="Try this face").click()
    trial = tuned.page.locator(".trial facefix-compare")
    trial.wait_for()
    tuned.shot("trial")
    was, now = trial.evaluate("(compare) => [compare.before, compare.after]")
    assert was.startswith("data:image/png")
    assert now == was
    faithful, vivid = (layer["opacity"] for layer in trial.evaluate("(compare) => compare.layers"))
    assert (faithful, vivid) == (pytest.approx(0.5), 0)  # at fidelity 0.9, half of the faithful change
    assert tuned.row(3) == before
    tuned.choose(4)
    expect(trial).to_have_count(0)


def test_apply_to_all_gives_every_face_what_one_has(tuned):
    tuned.page.get_by_role("button", name="Apply to all").click()
    tuned.settled()
    assert [tuned.row(number)["Fidelity"] for number in (1, 3, 4)] == ["0.9"] * 3
    assert tuned.row(2)["Decision"] == "Skipped"
    tuned.choose(None)
    expect(tuned.control("fidelity", "all")).to_have_value("0.9")
    tuned.page.get_by_role("button", name="Fidelity: default").click()
    tuned.settled()
    assert [tuned.row(number)["Fidelity"] for number in (1, 3, 4)] == ["0.6"] * 3


def test_a_face_goes_back_to_what_all_have(tuned):
    tuned.page.get_by_role("button", name="Fidelity: use shared setting").click()
    tuned.settled()
    assert tuned.row(3)["Fidelity"] == "0.6"
    expect(tuned.control("fidelity")).to_have_value("0.6")


def test_faces_are_found_again_only_where_a_setting_may_find_others(tuned):
    calls = []
    tuned.page.on("request", lambda request: calls.append((request.url.rpartition("/")[2], request.post_data or "")))
    tuned.choose(None)
    for name, value in (("fidelity", 0.3), ("min_size", 60), ("min_score", 0.45)):
        tuned.type(name, value, form="all")
    assert [call for call, _ in calls] == ["replan", "replan", "plan"]
    assert ['"image"' in body for _, body in calls] == [False, False, True]


def test_another_picture_starts_without_the_settings_of_single_faces(tuned):
    tuned.drop(DATA / "faceapi_sample6.jpg")
    tuned.found(FOUR)
    assert [tuned.row(number)["Fidelity"] for number in (1, 2, 3, 4)] == ["0.6"] * 4


def test_settings_of_a_face_stay_with_it_when_its_number_changes(tuned):
    """The least sure face is left of face 3: without it all after it move up by one."""
    boxes = tuned.page.locator("#stage .box.chosen").get_attribute("style")
    tuned.choose(None)
    scores = [float(face["score"]) for face in json.loads(facefix("plan", GROUP))["pictures"][0]["faces"]]
    least = min(range(4), key=lambda index: scores[index])
    tuned.type("min_score", round(scores[least] + 0.005, 3), form="all")
    expect(tuned.page.locator("#stage .box")).to_have_count(3)
    now = 3 if least > 2 else 2
    assert least != 2, "the photo no longer serves this test"
    assert tuned.row(now)["Fidelity"] == "0.9"
    assert tuned.page.locator(f"#stage .box[aria-label='Face {now}']").get_attribute("style") == boxes


def test_masks_are_shown_over_the_picture_and_taken_away(tuned):
    image = tuned.page.locator("#stage img")
    plain = image.get_attribute("src")
    tuned.page.get_by_label("Show masks").check()
    tuned.page.wait_for_selector("#stage.masked")
    assert image.get_attribute("src") != plain
    tuned.shot("masks")
    tuned.page.get_by_label("Show masks").uncheck()
    expect(image).to_have_attribute("src", plain)


def test_what_the_server_refuses_is_said_at_the_control_until_it_is_put_right(tuned):
    field = tuned.control("fidelity")
    field.fill("3")
    field.press("Tab")
    problem = tuned.page.locator("#face-fidelity-problem")
    expect(problem).to_contain_text("Fidelity must be between 0 and 1, not 3")
    expect(field).to_have_attribute("aria-invalid", "")
    tuned.shot("refused")
    tuned.type("fidelity", 0.4)
    expect(problem).to_be_hidden()
    assert tuned.row(3)["Fidelity"] == "0.4"


def test_a_model_that_is_not_here_is_greyed_with_the_reason(tuned):
    gfpgan = tuned.control("restorer").locator("option[value=gfpgan]")
    expect(gfpgan).to_be_disabled()
    notes = tuned.control("restorer").locator("xpath=following-sibling::details")
    notes.locator("summary").click()
    expect(notes).to_contain_text("GFPGAN 1.4 needs")


def test_what_this_server_cannot_do_is_greyed_and_its_settings_are_not_shown(tuned):
    redraw = tuned.page.get_by_label("Re-diffuse", exact=True).first
    expect(redraw).to_be_disabled()
    for name in ("denoising_strength", "prompt", "steps"):
        expect(tuned.control(name)).to_have_count(0)
        expect(tuned.control(name, "all")).to_have_count(0)


def test_what_has_no_effect_is_greyed_with_the_reason(tuned):
    tuned.choose(2)
    expect(tuned.control("fidelity")).to_be_disabled()
    expect(tuned.page.locator("#face-fidelity-hint")).to_have_text("No effect, as this face is skipped.")
    tuned.page.get_by_label("Enhance this face").check()
    tuned.found(FOUR)
    expect(tuned.control("fidelity")).to_be_enabled()


def test_a_broken_file_by_itself_is_refused_in_words(visit, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8 no picture")
    visitor = visit()
    visitor.drop(broken)
    expect(visitor.page.get_by_role("alert")).to_be_visible()
    expect(visitor.page.locator("#choose")).to_be_visible()
    expect(visitor.page.locator("#work")).to_be_hidden()
    visitor.shot("broken")
    visitor.drop(GROUP)
    visitor.found(FOUR)
    expect(visitor.page.get_by_role("alert")).to_be_hidden()


def test_what_the_browser_cannot_show_the_server_draws_and_the_result_is_of_the_same_kind(visit, tmp_path):
    scan = tmp_path / "scan.tif"
    photo = Image.open(GROUP)
    photo.save(scan)
    visitor = visit()
    visitor.drop(scan)
    visitor.found(FOUR)
    assert visitor.page.locator("#stage img").evaluate("(image) => image.naturalWidth") == photo.width
    visitor.choose(3)
    visitor.page.get_by_role("button", name="Try this face").click()
    visitor.page.locator(".trial facefix-compare").wait_for()
    visitor.fix()
    visitor.shot("scan")
    saved = visitor.saved(visitor.page.get_by_role("button", name="Download scan.fixed.tif"), tmp_path)
    facefix("fix", scan, "-o", tmp_path / "same.tif")
    assert saved.read_bytes() == (tmp_path / "same.tif").read_bytes()


def test_a_picture_without_faces_is_said_to_be_one(visit, tmp_path):
    Image.new("RGB", (300, 200), (90, 120, 60)).save(tmp_path / "meadow.png")
    visitor = visit()
    visitor.drop(tmp_path / "meadow.png")
    visitor.found("No faces found.")
    visitor.page.get_by_role("button", name="Search harder").click()
    expect(visitor.page.locator("#doing")).to_have_text("Still no faces found.", timeout=PATIENCE)
    expect(visitor.page.locator("#fix")).to_be_disabled()
    visitor.page.get_by_text("2\u00d7", exact=True).click()
    expect(visitor.page.locator("#result-size")).to_have_text("600 \u00d7 400 px")
    visitor.page.get_by_role("button", name="Upscale", exact=True).click()
    expect(visitor.page.locator("#doing")).to_have_text(
        "No faces found: upscaled to 600x400 with lanczos", timeout=PATIENCE
    )


@pytest.fixture
def gated(browser, tmp_path):
    """A server that fixes one face of a photo, and each further one only once its gate, a file, is there."""
    gate = tmp_path / "gate"
    server = Server(tmp_path, program=(Path(__file__).with_name("gated_serve.py"), gate))
    server.gate = gate
    yield server
    server.stop()


def test_the_work_can_be_stopped_and_the_page_used_on(gated, visit):
    """Face 2 is fixed only once the stop has reached the server: it is the last."""
    visitor = visit(gated)
    doing = visitor.page.locator("#doing")
    visitor.drop(GROUP)
    visitor.found(FOUR)
    visitor.page.locator("#fix").click()
    expect(doing).to_have_text("face 1 fixed", timeout=PATIENCE)
    visitor.shot("working")
    with visitor.page.expect_response(lambda answer: answer.request.method == "DELETE"):
        visitor.page.get_by_role("button", name="Stop").click()
    gated.gate.touch()
    visitor.page.locator("#save").wait_for()  # the part that is done is kept
    expect(doing).to_have_text("4 faces: 2 enhanced, 2 unchanged")
    expect(visitor.page.locator("#stop:visible, #progress:visible")).to_have_count(0)
    assert [visitor.row(number)["Outcome"] for number in (1, 2, 3, 4)] == [
        "enhanced",
        "enhanced",
        "unchanged",
        "unchanged",
    ]
    visitor.drop(GROUP)
    visitor.found(FOUR)
    visitor.fix()
    expect(doing).to_have_text("4 faces: 4 enhanced")


def test_a_picture_that_is_opened_while_another_is_worked_on_is_the_one_that_is_shown(visit, tmp_path):
    visitor = visit()
    visitor.drop(crowd(tmp_path / "crowd.jpg"))
    expect(visitor.page.locator("#fix")).to_have_text(re.compile(r"Enhance \d+ faces"), timeout=PATIENCE)
    visitor.page.locator("#fix").click()
    visitor.drop(GROUP)
    visitor.found(FOUR)
    visitor.page.wait_for_timeout(2000)
    expect(visitor.page.locator("#views")).to_be_hidden()
    visitor.fix()
    expect(visitor.page.locator("#doing")).to_have_text("4 faces: 4 enhanced")


def test_the_token_is_asked_for_and_forgotten_with_the_tab(visit, tmp_path):
    guarded = Server(tmp_path, "--token", "open sesame")
    try:
        visitor = visit(guarded)
        dialog = visitor.page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        visitor.page.get_by_label("Token", exact=True).fill("shut")
        visitor.page.get_by_role("button", name="Continue").click()
        expect(visitor.page.locator("#token-problem")).to_have_text("This token is wrong.")
        visitor.shot("token", full=False)
        visitor.page.get_by_label("Token", exact=True).fill("open sesame")
        visitor.page.get_by_label("Token", exact=True).press("Enter")
        expect(dialog).to_be_hidden()
        visitor.drop(GROUP)
        visitor.found(FOUR)
        assert visitor.stored() == [{}, ""]
        visitor.open()
        visitor.page.wait_for_selector("#all-method-label", state="attached")
        expect(dialog).to_be_hidden()
        expect(visit(guarded).page.get_by_role("dialog")).to_be_visible()
    finally:
        guarded.stop()


def test_all_can_be_done_without_a_mouse(visit, tmp_path):
    visitor = visit()
    page = visitor.page
    page.wait_for_selector("#all-method-label", state="attached")
    with page.expect_file_chooser() as chooser:  # early: the browser is told of it while keys are pressed already
        visitor.press_until("Tab", "#choose")
        page.keyboard.press("Enter")
    chooser.value.set_files(GROUP)
    visitor.found(FOUR)
    visitor.press_until("Tab", ".face input:checked")
    visitor.shot("keyboard-faces")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", name="Face 2")).to_be_visible()
    visitor.press_until("Tab", "#fix-face")
    page.keyboard.press("Space")
    visitor.found("4 faces found, 1 skipped.")
    visitor.press_until("Shift+Tab", ".face input:checked")
    page.keyboard.press("ArrowRight")
    visitor.control("fidelity").wait_for()
    visitor.press_until("Tab", "#face-fidelity")
    page.keyboard.press("Control+a")
    page.keyboard.type("0.9")
    visitor.press_until("Tab", "#fix")
    visitor.settled()
    assert (visitor.row(2)["Decision"], visitor.row(3)["Fidelity"]) == ("Skipped", "0.9")
    page.keyboard.press("Enter")
    page.locator("#result-view facefix-compare").wait_for()
    page.locator("#save").wait_for()
    visitor.press_until("Tab", "#save")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    facefix("fix", GROUP, "--face", "2:method=leave", "--face", "3:fidelity=0.9", "-o", tmp_path / "same.jpg")
    assert Path(download.value.path()).read_bytes() == (tmp_path / "same.jpg").read_bytes()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("zoom", [1, 2], ids=["400 px", "200 % of 800 px"])
def test_nothing_is_cut_off_at_400_px_and_at_200_percent(visit, scheme, zoom):
    """A window of 800 px at 200 % is laid out as one of 400 px, with two pixels for each."""
    visitor = visit(viewport=NARROW, color_scheme=scheme, device_scale_factor=zoom)
    page = visitor.page

    def fits(name):
        visitor.shot(f"narrow-{scheme}-{zoom}-{name}")
        wide = page.evaluate("() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert wide[0] <= wide[1], name

    fits("welcome")
    visitor.drop(GROUP)
    visitor.found(FOUR)
    fits("faces")
    visitor.choose(3)
    visitor.type("mask_grow", 0.2)
    fits("face")
    visitor.fix()
    fits("result")
    assert visitor.row(3)["Decision"] == "Restore"  # the details are open
    fits("details")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_are_drawn_as_the_system_is(visit, scheme):
    visitor = visit(color_scheme=scheme, reduced_motion="reduce")
    visitor.drop(OLD)
    visitor.found("5 faces found.")
    visitor.choose(4)
    visitor.page.get_by_label("Enhance this face").uncheck()
    visitor.found("5 faces found, 1 skipped.")
    visitor.choose(2)
    visitor.type("fidelity", 0.3)
    visitor.page.get_by_role("button", name="Try this face").click()
    visitor.page.locator(".trial facefix-compare").wait_for()
    visitor.page.wait_for_timeout(300)  # until it has drawn its pictures
    visitor.shot(f"wide-{scheme}")
    visitor.fix()
    visitor.page.wait_for_timeout(300)
    visitor.shot(f"wide-{scheme}-result")
    paper = visitor.page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, paper.strip("rgb()").split(","))) > 384) == (scheme == "light")


def test_a_photo_that_was_enhanced_before_is_said_to_be_and_enhanced_again(visit, tmp_path):
    facefix("fix", GROUP, "-o", tmp_path / "once.jpg", "--method", "restore")
    visitor = visit()
    visitor.drop(tmp_path / "once.jpg")
    visitor.found(re.compile(r"4 faces found.*Enhanced before \(FaceFix .*4 faces restored with lite\)\."))
    visitor.fix()
    expect(visitor.page.locator("#sum")).to_have_text(re.compile(r"^4 faces: .*[1-4] enhanced.* \(enhanced before\)$"))
