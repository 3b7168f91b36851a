"""The preview of detection: what it shows of a real photo, and of which image."""

import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image
from toolkit import handler

from lib_facefix import FaceFix
from lib_facefix.errors import BadPicture, BadSetting
from lib_facefix.settings.face_prompt import GenerationParams
from lib_facefix.webui.compare.history import Original, OriginalStore
from lib_facefix.webui.detection import handlers
from lib_facefix.webui.passes.settings import PassSettings, page_args

pytestmark = pytest.mark.filterwarnings("ignore")  # the toolkit's own, which differ from version to version

PHOTO = Path(__file__).parents[1] / "data" / "faceapi_sample6.jpg"
"""Four faces."""


@pytest.fixture(scope="module")
def engine():
    return FaceFix()


@pytest.fixture
def asked(monkeypatch, engine):
    """What the engine was asked to plan; it is the library's own, and re-diffuses nothing."""
    planned = []

    class Engine:
        def plan(self, image, settings, *, origin):
            planned.append((settings, origin))
            return engine.plan(image, settings, origin=origin)

    rooms = {
        "standalone": {"read_origin": lambda _: None, "diffusing_engine": Engine},
        "config.engine": {"get_engine": lambda: engine},
    }
    for name, members in rooms.items():
        room = ModuleType(f"lib_facefix.webui.{name}")
        vars(room).update(members)
        monkeypatch.setitem(sys.modules, room.__name__, room)
    return planned


def shown(*passes, picture=PHOTO):
    with Image.open(picture) as photo:
        return handlers.preview_passes(photo, page_args(passes)[1])


def test_every_face_has_a_numbered_box_and_a_row_with_its_decision(asked):
    html = shown(PassSettings(detector="blazeface"))
    assert html.startswith("<p>4 faces found.</p>")
    assert [html.count(f"<b>{number}</b>") for number in (1, 2, 3, 4, 5)] == [1, 1, 1, 1, 0]
    assert html.count("<th scope='row'>") == 4
    assert "data:image/jpeg;base64," in html
    assert "<td>restore</td>" in html
    [(_, origin)] = asked
    assert origin == GenerationParams(), "so that a plan re-diffuses as a run would"


def test_the_current_settings_count(asked):
    html = shown(PassSettings(detector="blazeface", faces="2"))
    assert html.count("<td>yes</td>") == 1
    assert html.count("<td>no</td>") == 3


def test_each_active_pass_is_shown(asked):
    html = shown(PassSettings(detector="blazeface"), PassSettings(detector="centerface"), PassSettings(active=False))
    assert [settings.detector for settings, _ in asked] == ["blazeface", "centerface"]
    assert html.index("<h4>Pass 1</h4>") < html.index("<h4>Pass 2</h4>")


def test_an_image_without_faces_is_told(asked, tmp_path):
    Image.new("RGB", (64, 64)).save(tmp_path / "black.png")
    assert shown(PassSettings(detector="blazeface"), picture=tmp_path / "black.png") == "<p>No face found.</p>"


@pytest.mark.parametrize(
    ("picture", "passes", "said"),
    [
        pytest.param(None, [PassSettings()], "add an image first", id="no image"),
        pytest.param(
            Image.new("RGB", (8, 8)), [PassSettings(active=False)], "all passes are switched off", id="no pass"
        ),
    ],
)
def test_what_is_missing_is_said(asked, picture, passes, said):
    with pytest.raises(BadPicture, match=said):
        handlers.preview_passes(picture, page_args(passes)[1])
    assert asked == []


def test_a_setting_that_no_run_accepts_is_refused_with_its_pass(asked):
    with pytest.raises(BadSetting, match="pass 1: Fidelity must be between 0 and 1"):
        handlers.preview_passes(Image.new("RGB", (8, 8)), '[{"fidelity":7}]')


class TestTheLastResult:
    RESULTS = tuple(Image.new("RGB", (8, 8), colour) for colour in ("gray", "red", "green"))
    """A grid and two images."""
    INFO = json.dumps({"infotexts": ["grid", "one", "two"], "index_of_first_image": 1})

    @pytest.mark.parametrize(("chosen", "place"), [(-1, 1), (0, 0), (2, 2)])
    def test_it_is_the_chosen_one_or_the_first(self, chosen, place):
        picked = handlers.pick_original(self.RESULTS, self.INFO, chosen, OriginalStore())
        assert picked.getpixel((0, 0)) == self.RESULTS[place].getpixel((0, 0))
        assert picked.info["parameters"] == ("grid", "one", "two")[place]

    def test_it_is_shown_as_it_was_before_facefix(self):
        befores = OriginalStore()
        befores.keep("two", Original(np.full((8, 8, 3), 7, np.uint8), {}))
        picked = handlers.pick_original(self.RESULTS, self.INFO, 2, befores)
        assert picked.getpixel((0, 0)) == (7, 7, 7)
        assert picked.info["parameters"] == "two"

    @pytest.mark.parametrize(
        ("pictures", "info", "chosen"),
        [([], "", -1), ([], INFO, 2), ([None], "{}", 0), (RESULTS, INFO, 9)],
        ids=["nothing yet", "an empty gallery", "an image that is gone", "another gallery"],
    )
    def test_without_one_it_is_said(self, pictures, info, chosen):
        with pytest.raises(BadPicture, match="no result yet"):
            handlers.pick_original(pictures, info, chosen, OriginalStore())


@pytest.fixture
def page(on_page, gradio, asked):
    """A page of the host's with the section for one pass, and a gallery that comes after it."""
    room = on_page("detection.panel")
    panel = room.DetectionPanel(lambda name: f"script_txt2img_facefix_{name}")
    hook = room.GalleryHook()
    with gradio.Blocks() as blocks:
        panel.show()
        passes = gradio.Textbox(page_args([PassSettings(detector="blazeface")])[1])
        panel.listen(passes)
        for make, elem_id in ((gradio.Gallery, "txt2img_gallery"), (gradio.Textbox, "generation_info_txt2img")):
            hook(make(elem_id=elem_id), elem_id=elem_id)
    return blocks, passes.value


def part(blocks, name):
    return next(one for one in blocks.blocks.values() if one.elem_id == f"script_txt2img_facefix_preview_{name}")


@pytest.mark.parametrize(("name", "event"), [("find", "click"), ("image", "change")])
def test_the_button_and_a_new_image_show_the_faces(page, name, event):
    blocks, passes = page
    with Image.open(PHOTO) as photo:
        trouble, result = handler(blocks, part(blocks, name), event)(photo, passes)
    assert trouble["visible"] is False
    assert result["visible"] is True
    assert "4 faces found" in result["value"]


def test_without_an_image_the_button_says_so_and_taking_one_away_clears_all(page):
    blocks, passes = page
    trouble, result = handler(blocks, part(blocks, "find"), "click")(None, passes)
    assert trouble["value"] == "<p>Add an image first, or select Last result</p>"
    assert result["visible"] is False
    trouble, result = handler(blocks, part(blocks, "image"), "change")(None, passes)
    assert (trouble["visible"], result["visible"]) == (False, False)


def test_the_last_result_is_put_into_the_place_of_the_image(page, monkeypatch):
    room = ModuleType("lib_facefix.webui.host.gallery")
    room.read_gallery = lambda gallery: gallery
    monkeypatch.setitem(sys.modules, room.__name__, room)
    pick = handler(page[0], part(page[0], "last"), "click")
    red = Image.new("RGB", (8, 8), "red")
    picture, trouble = pick([red], json.dumps({"infotexts": ["a"], "index_of_first_image": 0}), "-1")
    assert (picture["value"], trouble["visible"]) == (red, False)
    picture, trouble = pick([], "", "-1")
    assert "value" not in picture
    assert trouble["value"] == "<p>There is no result yet. Generate an image, or add one</p>"
