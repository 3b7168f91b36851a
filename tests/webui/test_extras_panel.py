"""The accordion of the extras tab as the WebUI's toolkit makes it, and what happens in it, on a real photo."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from PIL import Image
from toolkit import handler

from lib_facefix import FaceFix
from lib_facefix.settings.face_prompt import GenerationParams
from lib_facefix.settings.face_settings import FaceSettings
from lib_facefix.webui.extras import handlers
from lib_facefix.webui.extras.face_overrides import (
    ENABLE,
    EVENT_INPUTS,
    FACE_CONTROLS,
    FIX,
    IS_SINGLE,
    SETTINGS,
    TUNING,
    FaceOverrides,
    read_input,
)
from lib_facefix.webui.extras.findings import MAX_PICTURES, Findings

pytestmark = pytest.mark.filterwarnings("ignore")  # the toolkit's own, which differ from version to version

PHOTO = Path(__file__).parents[1] / "data" / "faceapi_sample6.jpg"
"""Four faces."""


@pytest.fixture(scope="module")
def engine():
    return FaceFix()


@pytest.fixture
def told(monkeypatch, engine):
    """What the photo's infotext says; the engine is the library's own."""
    monkeypatch.setattr(handlers, "FINDINGS", Findings())
    stands, planner = {"origin": None}, engine.with_diffuser(None)
    rooms = {
        "standalone": {
            "read_origin": lambda _: stands["origin"],
            "run_plan": lambda image, plan: engine.run([image], [plan])[0],
            "diffusing_engine": lambda: planner,
        },
        "config.engine": {"get_engine": lambda: engine, "find_model_paths": lambda: engine.models.paths},
        "host.progress": {"exclusive": _taken},
    }
    for name, members in rooms.items():
        room = ModuleType(f"lib_facefix.webui.{name}")
        vars(room).update(members)
        monkeypatch.setitem(sys.modules, room.__name__, room)
    return stands


class _taken:  # noqa: N801 in the place of a function
    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None


@pytest.fixture
def page(on_page, gradio, told):
    """The tab with the host's own parts and the accordion: what is on it, and how it is used."""
    with gradio.Blocks() as blocks:
        with gradio.Tabs():
            for name in ("extras_single_tab", "extras_batch_process_tab", "extras_batch_directory_tab"):
                with gradio.TabItem(name, elem_id=name):
                    if name == "extras_single_tab":
                        gradio.Image(type="pil", elem_id="extras_image")
        parts = on_page("extras.panel").build()
    return Page(blocks, parts)


class Page:
    """What a person does on it; values are kept as a browser keeps them."""

    def __init__(self, blocks, parts):
        self.blocks, self.parts = blocks, parts
        self.values = {name: part.value for name, part in parts.items()}
        self.shown = {}
        self.picture = Image.open(PHOTO).convert("RGBA")

    def at(self, name):
        return next(block for block in self.blocks.blocks.values() if block.elem_id == f"extras_facefix_{name}")

    def does(self, part, event, *first):
        """Let something happen; what it changes is on the page afterwards."""
        self.take(handler(self.blocks, part, event)(*first, *(self.values[name] for name in EVENT_INPUTS)))

    def take(self, changes):
        names = {part._id: name for name, part in self.parts.items()}
        for changed, update in changes.items():
            if changed._id in names and "value" in update:
                self.values[names[changed._id]] = update["value"]
            self.shown[changed.elem_id.removeprefix("extras_facefix_")] = update

    def find(self):
        self.does(self.at("find"), "click", self.picture)

    def choose(self, number):
        self.does(self.at("thumbnails"), "select", SimpleNamespace(index=number - 1))

    def change(self, name, value):
        self.values[FACE_CONTROLS[name]] = value
        first = (self.picture,) if name in (FIX, "method", "mask") else ()
        self.does(self.parts[FACE_CONTROLS[name]], "input", *first)

    def html(self, name):
        return self.shown[name]["value"]

    @property
    def tuning(self):
        return FaceOverrides.from_text(self.values[TUNING], None)


def test_what_is_handed_on_are_all_settings_and_what_the_page_keeps(page):
    assert list(page.parts) == [ENABLE, IS_SINGLE, *EVENT_INPUTS]
    assert page.parts[SETTINGS].elem_id == "extras_facefix_passes"


def test_as_the_page_starts_it_is_off_and_all_settings_have_their_defaults(page):
    assert page.values[ENABLE] is False
    assert page.values[IS_SINGLE] is True
    assert read_input(page.values, None) == read_input({}, None)


def test_every_component_has_an_id_of_its_own(page):
    ids = [block.elem_id for block in page.blocks.blocks.values() if block.elem_id]
    assert len(ids) == len(set(ids))


def test_without_a_picture_a_sentence_says_what_to_do(page):
    page.picture = None
    page.find()
    assert page.html("trouble") == "<p>Add an image to Single Image first</p>"


def test_faces_are_found_numbered_and_summed_up(page):
    page.find()
    assert page.html("note") == "<p>4 faces found · no prompt in the image's PNG info</p>"
    assert [caption for _, caption in page.html("thumbnails")] == [
        "1 · 81 px · sharp · restore",
        "2 · 90 px · sharp · restore",
        "3 · 75 px · sharp · restore",
        "4 · 86 px · sharp · restore",
    ]
    assert all(f"<b>{number}</b>" in page.html("overview") for number in (1, 2, 3, 4))
    assert page.html("table").count("<tr>") == 5
    assert [job.number for job in page.tuning.plan.jobs] == [1, 2, 3, 4]


def test_what_the_picture_was_made_from_is_shown_and_escaped(page, told):
    told["origin"] = GenerationParams(
        "a <b>crowd</b>", "blurred", 7, sampler="Euler", scheduler="Karras", steps=9, cfg_scale=6.5
    )
    page.find()
    said = page.html("note")
    assert "4 faces found · prompt read from the image's PNG info" in said
    assert "a &lt;b&gt;crowd&lt;/b&gt;" in said
    for name, value in {"Seed": 7, "Sampler": "Euler Karras", "Steps": 9, "CFG scale": 6.5}.items():
        assert f"<dt>{name}</dt><dd>{value}</dd>" in said
    assert page.html("table").count("re-diffuse") == 4


def test_choosing_a_thumbnail_shows_that_face(page):
    page.find()
    page.choose(3)
    assert page.html("line") == "<p>Face 3 · 75 px · sharp · restore, because: small (75 px)</p>"
    assert page.shown["one_face"]["visible"] is True
    assert "<tr aria-current='true'><th scope='row'>3</th>" in page.html("table")
    assert page.values[FACE_CONTROLS["fidelity"]] == 0.6


def test_a_face_unticked_is_left_and_shown_so(page):
    page.find()
    page.choose(2)
    page.change(FIX, False)
    assert page.tuning.overrides == {2: {"method": "leave"}}
    assert "<th scope='row'>2</th><td>no</td>" in page.html("table")
    assert "facefix-leave" in page.html("overview")
    assert page.html("thumbnails")[1][1].endswith("leave")


def test_what_is_set_for_one_face_stays_while_another_is_set(page):
    page.find()
    page.choose(2)
    page.change(FIX, False)
    page.choose(3)
    page.change("fidelity", 0.9)
    assert page.tuning.overrides == {2: {"method": "leave"}, 3: {"fidelity": 0.9}}
    page.choose(2)
    assert (page.values[FACE_CONTROLS[FIX]], page.values[FACE_CONTROLS["fidelity"]]) == (False, 0.6)


def test_generate_counts_what_the_page_has_not_told_yet(page):
    page.find()
    page.choose(3)
    page.values[FACE_CONTROLS["fidelity"]] = 0.9  # moved, and Generate pressed before the event was answered
    assert read_input(page.values, FaceFix()).tuning.overrides == {3: {"fidelity": 0.9}}


def test_a_control_without_effect_is_greyed_with_the_reason(page):
    page.find()
    page.choose(1)
    page.change("method", "restore")
    strength = page.shown["face_denoising_strength"]
    assert strength["interactive"] is False
    assert "No effect with Restore" in strength["info"]


def test_apply_to_all_sets_every_face(page):
    page.find()
    page.choose(4)
    page.change("visibility", 0.5)
    page.does(page.at("apply_to_all"), "click", page.picture)
    assert page.tuning.overrides == {number: {"visibility": 0.5} for number in (1, 2, 3, 4)}


def test_a_common_setting_shows_in_the_table_and_in_the_face_without_one_of_its_own(page):
    page.find()
    page.choose(4)
    page.change("visibility", 0.5)
    page.values[SETTINGS] = '[{"fidelity":0.1}]'
    page.does(page.parts[SETTINGS], "input")
    assert page.html("table").count("<td>0.10</td>") == 4
    assert (page.values[FACE_CONTROLS["fidelity"]], page.values[FACE_CONTROLS["visibility"]]) == (0.1, 0.5)
    assert page.tuning.overrides == {4: {"visibility": 0.5}}


def test_trying_a_face_shows_it_before_and_after_and_keeps_nothing(page):
    page.find()
    page.choose(1)
    before = page.values[TUNING]
    page.does(page.at("try"), "click", page.picture)
    shown = page.html("compare_told")
    assert shown.count("data:image/") == 2
    assert page.values[TUNING] == before


def test_trying_a_face_that_is_left_says_why_not(page):
    page.find()
    page.choose(1)
    page.change(FIX, False)
    page.does(page.at("try"), "click", page.picture)
    assert "Face 1 is skipped (your choice). Tick Fix this face to try it." in page.html("compare_told")


@pytest.mark.parametrize("button", ["try", "apply_to_all"])
def test_a_face_must_be_chosen_first(page, button):
    page.find()
    page.does(page.at(button), "click", page.picture)
    assert page.html("trouble") == "<p>Choose a face first</p>"


def test_trying_a_face_of_another_picture_is_refused(page):
    page.find()
    page.choose(1)
    page.picture = page.picture.rotate(180)
    page.does(page.at("try"), "click", page.picture)
    assert "found in a different image" in page.html("trouble")


def test_another_picture_clears_all(page):
    page.find()
    page.choose(2)
    picture = next(block for block in page.blocks.blocks.values() if block.elem_id == "extras_image")
    page.take(handler(page.blocks, picture, "change")())
    assert page.values[TUNING] == ""
    assert page.shown["one_face"]["visible"] is False
    assert all(page.shown[name]["visible"] is False for name in ("note", "overview", "thumbnails", "table"))


def test_a_value_that_is_not_allowed_is_said_and_changes_nothing(page):
    page.find()
    page.choose(2)
    before = page.values[TUNING]
    page.change("prompt", "[face:] old")
    assert "needs a face number" in page.html("trouble")
    assert page.values[TUNING] == before


def test_a_criterion_that_the_faces_were_not_looked_at_for_is_said_to_need_them_found_again(page):
    page.find()
    page.values[SETTINGS] = '[{"gender":"female"}]'
    page.does(page.parts[SETTINGS], "input")
    assert page.html("trouble") == ("<p>The plan has no gender and age of these faces. Detect the faces again</p>")


def test_batches_and_folders_are_told_from_a_single_picture(page):
    tabs = {"extras_single_tab": True, "extras_batch_process_tab": False, "extras_batch_directory_tab": False}
    for name, single in tabs.items():
        tab = next(block for block in page.blocks.blocks.values() if block.elem_id == name)
        assert handler(page.blocks, tab, "select")() is single


def test_the_host_may_make_the_controls_where_its_own_tab_is_not(on_page, gradio, told):
    with gradio.Blocks():
        parts = on_page("extras.panel").build()
    assert list(parts) == [ENABLE, IS_SINGLE, *EVENT_INPUTS]


def test_handlers_say_what_to_do_where_no_faces_were_found():
    given = read_input({}, FaceFix())
    assert handlers.show_edit(given) == {}
    assert handlers.refill(given) == {}
    assert handlers.edit_and_redraw(None, given) == {}


def beyond(monkeypatch):
    """Let every change of a face be beyond its limit."""
    from lib_facefix.analysis import identity_guard

    tight = identity_guard.Limits(0.0, (0.0,), (0.01,), (0.0,), (0.01,), (1.0,), (0.0, 1.0))
    monkeypatch.setattr(identity_guard, "read_limits", lambda: {"dlib": tight})


def test_what_the_identity_guard_found_stands_in_the_table_and_below_the_thumbnail(page, monkeypatch):
    beyond(monkeypatch)
    page.find()
    page.choose(2)
    page.change("method", "restore")
    assert "identity" not in page.html("table")
    page.does(page.at("try"), "click", page.picture)
    assert "<th scope='col'>identity</th>" in page.html("table")
    row = page.html("table").split("<tr")[3]
    assert "0.01)" in row  # the limit
    captions = [caption for _, caption in page.html("thumbnails")]
    assert [caption.endswith("/0.01") for caption in captions] == [False, True, False, False]

    page.change("visibility", 0.5)  # what was found was not for these settings
    assert "identity" not in page.html("table")
    page.change("visibility", 1.0)
    assert "0.01)" in page.html("table")


def test_the_table_follows_the_result_of_generate(on_page, gradio, told):
    from lib_facefix.webui.extras.script import INFOTEXT_ID, add_slider

    with gradio.Blocks() as blocks:
        gradio.Image(type="pil", elem_id="extras_image")
        parts = on_page("extras.panel").build()
        result = gradio.HTML(elem_id=INFOTEXT_ID)
        add_slider(result, elem_id=INFOTEXT_ID)
    page = Page(blocks, parts)
    page.find()
    page.does(result, "change", page.picture)
    assert "identity" not in page.html("table")
    [fixed] = FaceFix().run([handlers.to_pixels(page.picture)], [page.tuning.plan])
    handlers.FINDINGS.keep(page.tuning.picture, fixed.outcomes)
    page.does(result, "change", page.picture)
    assert page.html("table").count("identity kept (distance") == len([o for o in fixed.outcomes if o.identity])
    page.picture = page.picture.rotate(180)  # another image, whose faces were not found yet
    page.shown.clear()
    page.does(result, "change", page.picture)
    assert "table" not in page.shown


def test_findings_of_old_images_are_forgotten(engine):
    image = handlers.to_pixels(Image.open(PHOTO))
    plan = engine.plan(image, FaceSettings(method="restore", at_most=1))
    [result] = engine.run([image], [plan])
    kept = Findings()
    for number in range(MAX_PICTURES + 1):
        kept.keep(str(number), result.outcomes)
    assert [len(kept.find(str(number), plan)) for number in (0, 1, MAX_PICTURES)] == [0, 1, 1]


def test_the_buttons_of_a_face_are_above_its_many_controls(page):
    names = [block.elem_id for block in page.blocks.blocks.values()]
    places = [names.index(f"extras_facefix_{name}") for name in ("face_fix", "try", "apply_to_all", "face_restorer")]
    assert places == sorted(places)


def test_the_hints_of_a_single_face_name_no_other_faces(page):
    for name in ("prompt", "negative_prompt"):
        assert "[SEP]" not in page.at(f"face_{name}").info
        assert "[SEP]" in page.at(name).info
