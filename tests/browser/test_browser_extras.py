"""A person puts a group photo into the extras tab, looks at every face, and sets some of them."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

DATA = Path(__file__).parents[1] / "data"
GROUP = DATA / "faceapi_sample4.jpg"
"""Four faces, none so near another that its result shows in it."""
UPSCALER = "Lanczos"
INFOTEXT = (
    "two couples, <smiling>\nNegative prompt: blurry\n"
    "Steps: 3, Sampler: Euler, Schedule type: Automatic, CFG scale: 6.5, Seed: 77, Size: 64x64, Model hash: 265d52239a"
)

INK = "element => getComputedStyle(element).color"
PAPER = """element => {
    const colour = () => getComputedStyle(element).backgroundColor;
    while (element.parentElement && colour() === "rgba(0, 0, 0, 0)") element = element.parentElement;
    return colour();
}"""
"""Tell what colour an element has, and what it is seen on."""


@pytest.fixture
def open_extras(desk):
    """Open the tab with a photo in it."""
    from extras_on_page import Extras  # wants playwright, which `desk` has seen to be there

    def opened(photo=GROUP, **how):
        return Extras(desk, photo, **how)

    return opened


@pytest.fixture
def extras(open_extras):
    """The tab with four faces found, and nothing that enlarges the picture."""
    extras = open_extras()
    extras.upscale(None)
    extras.find()
    return extras


def source():
    with Image.open(GROUP) as photo:
        return photo.convert("RGB")


def colours(picture):
    return np.asarray(picture.convert("RGB"))


def faces_of(picture, factor=1):
    """Return the region of each face that was found, by number, in a picture enlarged so."""
    from extras_on_page import record

    regions = {}
    for face in record(picture)["faces"][0]:
        left, top, right, bottom = (place * factor for place in face["box"])
        regions[face["n"]] = np.s_[top:bottom, left:right]
    return regions


def differ(one, other, region):
    return bool((colours(one)[region] != colours(other)[region]).any())


def tune(extras):
    """Leave face 2, and keep face 3 close to the original."""
    extras.choose(2)
    extras.control("fix").tick(False)
    extras.says("leave, because: your choice")
    extras.choose(3)
    extras.control("fidelity").type(0.9)
    extras.table_says(3, "fidelity", "0.90")


def test_four_faces_are_found_numbered_tuned_and_fixed_as_the_table_says(desk, extras):
    assert extras.numbers == [1, 2, 3, 4]
    assert [caption.split(" · ")[0] for caption in extras.captions] == ["1", "2", "3", "4"]
    assert all("px" in caption and "restore" in caption for caption in extras.captions)
    desk.shot("extras-found", full=True)
    default = extras.generate()
    tune(extras)
    desk.shot("extras-tuned", full=True)
    tuned = extras.generate()

    regions = faces_of(default)
    assert list(regions) == [1, 2, 3, 4]
    assert [differ(default, source(), regions[number]) for number in regions] == [True] * 4
    assert not differ(tuned, source(), regions[2])
    assert differ(tuned, default, regions[3])
    assert differ(tuned, source(), regions[3])
    assert not differ(tuned, default, regions[1])
    assert not differ(tuned, default, regions[4])
    extras.compare()
    desk.shot("extras-result", full=True)


def test_settings_stay_with_their_faces_when_the_picture_is_enlarged_first(desk, extras):
    if not extras.can_upscale(UPSCALER):
        pytest.skip("this WebUI enlarges only with a model file")
    extras.upscale(UPSCALER, 2)
    default = extras.generate()
    tune(extras)
    tuned = extras.generate()
    extras.tick(False)
    plain = extras.generate()

    assert tuned.size == default.size == plain.size == tuple(side * 2 // 8 * 8 for side in source().size)
    regions = faces_of(default)
    assert [differ(default, plain, regions[number]) for number in regions] == [True] * 4
    assert not differ(tuned, plain, regions[2])
    assert differ(tuned, default, regions[3])
    assert not differ(tuned, default, regions[1])
    assert not differ(tuned, default, regions[4])


def test_a_face_is_tried_in_place_and_nothing_is_saved(desk, extras):
    saved = extras._saved()
    extras.choose(1)
    slider = extras.try_face()
    assert slider.evaluate(
        "slider => slider.before.startsWith('data:image/') && slider.after.startsWith('data:image/')"
    )
    assert slider.evaluate("slider => slider.before !== slider.after")
    assert extras._saved() == saved
    desk.shot("extras-tried", of=extras.part("one_face"))


def test_apply_to_all_and_the_settings_of_all_faces_reach_the_table(extras):
    extras.choose(4)
    extras.control("visibility").type(0.5)
    extras.table_says(4, "visibility", "0.50")
    extras.part("apply_to_all").click()
    for number in (1, 2, 3, 4):
        extras.table_says(number, "visibility", "0.50")
    extras.unfold_all()
    extras.common("fidelity").type(0.2)
    extras.table_says(2, "fidelity", "0.20")
    assert {row["visibility"] for row in extras.table.values()} == {"0.50"}


def test_another_picture_clears_what_was_set_for_faces(extras):
    from extras_on_page import record, said

    tune(extras)
    extras.put_in(DATA / "faceapi_sample6.jpg")
    extras.part("table").wait_for(state="hidden")
    extras.part("one_face").wait_for(state="hidden")
    made = extras.generate()
    assert "overrides" not in record(made)
    assert said(made) == "4 faces: 4 restored"


def test_a_folder_is_fixed_with_the_settings_of_all_faces_and_a_broken_file_stops_nothing(extras, tmp_path):
    from extras_on_page import record, said

    tune(extras)
    extras.unfold_all()
    extras.part("section_which_faces").locator(".label-wrap").first.click()
    extras.common("max_size").type(62)
    for name in ("a.png", "c.png"):
        source().save(tmp_path / name)
    (tmp_path / "b.png").write_bytes(b"no picture")
    extras.take_from(tmp_path)
    made = extras.generate_all(2)
    assert [said(picture) for picture in made] == ["4 faces: 1 skipped (larger than 62 px (63 px)), 3 restored"] * 2
    assert ["overrides" in record(picture) for picture in made] == [False, False]


def test_what_the_picture_was_made_from_is_shown_used_and_kept(desk, open_extras, tmp_path):
    from extras_on_page import record, said

    text = PngInfo()
    text.add_text("parameters", INFOTEXT)
    with Image.open(GROUP) as photo:
        photo.save(tmp_path / "drawn.png", pnginfo=text)
    extras = open_extras(tmp_path / "drawn.png")
    extras.upscale(None)
    assert extras.find().startswith("4 faces found · prompt read from the image's PNG info")
    assert {row["method"] for row in extras.table.values()} == {"re-diffuse"}
    extras.unfold_all()
    extras.part("section_sampling").locator(".label-wrap").first.click()
    for name in ("width", "height"):
        extras.common(name).type(64)
    extras.part("section_advanced").locator(".label-wrap").first.click()
    extras.common("guard").choose("Off")  # this model draws faces as mosaics
    made = extras.generate()
    assert said(made) == "4 faces: 4 re-diffused"
    assert made.info["parameters"] == INFOTEXT
    assert [face["seed"] for face in record(made)["faces"][0]] == [77, 78, 79, 80]
    [run] = [run for run in desk.webui.get("/saboteur") if run["kind"] == "FaceImg2Img"]
    assert (run["prompts"], run["negative_prompts"]) == (["two couples, <smiling>"] * 4, ["blurry"] * 4)
    assert (run["steps"], run["cfg_scale"], run["sampler"]) == (3, 6.5, "Euler")


def test_the_flow_can_be_used_by_keyboard_alone(desk, extras):
    page = desk.page
    extras.thumbnails.nth(1).focus()
    page.keyboard.press("Enter")
    extras.says("Face 2 ·")
    extras.control("fix").place.locator("input").focus()
    page.keyboard.press("Space")
    extras.says("leave, because: your choice")
    extras.thumbnails.nth(1).focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    extras.says("Face 3 ·")
    extras.control("fidelity").place.locator("input[type=range]").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    extras.table_says(3, "fidelity", "0.63")
    extras.part("try").focus()
    page.keyboard.press("Enter")
    extras.part("compare").locator("facefix-compare").wait_for(state="visible")
    assert reached_by_tab(page, extras.part("find"), extras.thumbnails.first)


def reached_by_tab(page, first, then):
    """Tell whether the Tab key leads from one element to another in a few steps."""
    first.focus()
    for _ in range(6):
        page.keyboard.press("Tab")
        if then.evaluate("element => element === document.activeElement"):
            return True
    return False


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_at_200_percent_nothing_is_cut_off(desk, open_extras, theme):
    page = desk.page
    page.set_viewport_size({"width": 700, "height": 500})  # what a window of 1400 x 1000 holds at 200 %
    try:
        extras = open_extras(query=f"?__theme={theme}")
        extras.find()
        extras.choose(3)
        width = page.evaluate("document.documentElement.clientWidth")
        for part in ("find", "overview", "thumbnails", "line", "face_fidelity", "try", "apply_to_all", "table"):
            place = extras.part(part).bounding_box()
            assert place["x"] >= 0, part
            assert place["x"] + place["width"] <= width + 1, part
        extras.part("one_face").scroll_into_view_if_needed()
        desk.shot(f"extras-200-percent-{theme}", full=True)
    finally:
        page.set_viewport_size({"width": 1400, "height": 1000})


def test_it_can_be_read_in_the_dark(desk, open_extras):
    extras = open_extras(query="?__theme=dark")
    extras.upscale(None)
    extras.find()
    tune(extras)
    desk.shot("extras-tuned-dark", full=True)
    cell, number = extras.part("table").locator("td").first, extras.part("overview").locator("b").first
    assert brightness(cell.evaluate(INK)) - brightness(cell.evaluate(PAPER)) > 100
    assert brightness(number.evaluate(PAPER)) - brightness(number.evaluate(INK)) > 50


def brightness(colour):
    """Return how bright a colour as in "rgb(1, 2, 3)" is, 0..255."""
    return sum(map(float, re.findall(r"[\d.]+", colour)[:3])) / 3
