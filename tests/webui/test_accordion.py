"""The accordion as the WebUI's toolkit makes it: needs gradio, which only a WebUI's own environment has."""

from pathlib import Path

import pytest
from toolkit import handler, handlers

from lib_facefix.webui.passes.settings import OFFERED, VALUES_PER_PASS, PassSettings, flatten, read_passes
from lib_facefix.webui.presets.last_used import LastUsed
from lib_facefix.webui.presets.presets import Presets
from lib_facefix.webui.ui.controls import AS_IMAGE

pytestmark = pytest.mark.filterwarnings("ignore")  # the toolkit's own, which differ from version to version


@pytest.fixture
def build(on_page, gradio, tmp_path):
    """Build the accordion on an empty page: returns the page and the accordion."""
    accordion = on_page("accordion")

    def make(is_img2img=False, passes=2, presets=None, last_used=None):
        path = tmp_path / "presets.json"
        if presets:
            path.write_text(presets.to_text(), "utf-8")
        before = path.read_bytes() if path.exists() else None
        kept = last_used or NOT_KEPT
        with gradio.Blocks() as page:
            made = accordion.build_accordion(is_img2img, passes, presets=path, last_used=kept, elem_id=_id)
        assert [one.read_bytes() for one in tmp_path.iterdir()] == [before][: path.exists()], "building only reads"
        return page, made

    return make


NOT_KEPT = LastUsed(Path("nowhere"), "txt2img", lambda: False)


def _id(name):
    return f"facefix_{name}"


def by_id(page, name):
    return next(block for block in page.blocks.values() if block.elem_id == f"facefix_{name}")


def test_a_script_is_given_every_setting_of_every_pass_in_order(build):
    _, made = build(passes=3)
    assert len(made.components) == 1 + 3 * VALUES_PER_PASS
    assert made.components[0] is made.enabled
    assert [list(parts) for parts in made.passes] == [[field.name for field, _ in OFFERED]] * 3
    assert made.components[1 + VALUES_PER_PASS + 2] is made.passes[1][OFFERED[2][0].name]


def test_what_the_api_takes_as_defaults_is_off_and_then_one_plain_pass(build):
    _, made = build()
    off, *values = [component.value for component in made.components]
    assert off is False
    assert read_passes([True, *values]) == (PassSettings(),)


@pytest.mark.parametrize("is_img2img", [False, True])
def test_what_only_img2img_needs_is_there_but_out_of_sight_in_txt2img(build, is_img2img):
    _, made = build(is_img2img)
    assert [parts["only_hires"].visible for parts in made.passes] == [not is_img2img] * 2
    assert [made.passes[0][name].visible for name in ("inpaint", "skip_img2img")] == [is_img2img] * 2
    assert made.passes[1]["skip_img2img"].visible is False
    assert made.passes[0]["active"].visible is False


def test_every_component_has_an_id_of_its_own(build):
    page, made = build()
    ids = [block.elem_id for block in page.blocks.values() if block.elem_id]
    assert len(ids) == len(set(ids))
    assert made.passes[1]["fidelity"].elem_id == "facefix_pass2_fidelity"


def test_presets_rather_than_the_hosts_own_file_give_the_defaults(build):
    _, made = build()
    assert all(component.do_not_save_to_config for component in made.components[1:])
    assert not hasattr(made.enabled, "do_not_save_to_config"), "whether FaceFix starts switched on is the host's"


def test_a_blank_choice_is_shown_in_words_and_sent_as_blank(build):
    _, made = build()
    sampler = made.passes[0]["sampler"]
    shown, sent = (lambda entry: (entry, entry) if isinstance(entry, str) else entry)(sampler.choices[0])
    assert (shown, sampler.preprocess(sent)) == (AS_IMAGE, "")
    assert sampler.get_config()["value"] in {AS_IMAGE, ""}
    assert sampler.value == ""


def test_a_path_is_sent_as_it_was_typed(build):
    restorer = build()[1].passes[0]["restorer"]
    assert restorer.preprocess("/models/my own.pth") == "/models/my own.pth"
    assert restorer.allow_custom_value


def test_a_method_greys_what_it_does_not_look_at_and_says_why(build):
    page, made = build()
    method = made.passes[0]["method"]
    restore, auto = (handler(page, method, "change")(name) for name in ("restore", "auto"))
    assert {change["interactive"] for change in auto} == {True}
    greyed = [change["info"] for change in restore if not change["interactive"]]
    assert "No effect with Restore: nothing is re-diffused." in greyed
    assert all(change["info"] and not change["info"].startswith("No effect") for change in auto)


def test_the_button_beside_the_detectors_finds_a_file_that_was_just_put_there(build, on_page, monkeypatch):
    page, made = build()
    for number in (1, 2):
        button = by_id(page, f"pass{number}_refresh_detector")
        assert made.passes[number - 1]["detector"].elem_id == f"facefix_pass{number}_detector"
        monkeypatch.setattr(on_page("ui.form"), "host_list", lambda name: ["new.onnx"] if name == "detectors" else [])
        update = handler(page, button, "click")()[made.passes[number - 1]["detector"]]
        assert [choice if isinstance(choice, str) else choice[1] for choice in update["choices"]][-1] == "new.onnx"
        assert "value" not in update


def test_files_and_expressions_are_sent_as_they_are_shown(build):
    detector = build()[1].passes[0]["detector"]
    assert detector.allow_custom_value
    for text in ("face_yolov8n.pt", "blazeface + face_yolov8n.pt"):
        assert detector.preprocess(text) == text


def test_the_page_starts_with_the_preset_that_was_chosen_for_it(build):
    presets = Presets({"a": ({"method": "restore", "fidelity": 0.9}, {"mask": "box"})}, start="a")
    _, made = build(presets=presets)
    assert made.passes[0]["fidelity"].value == 0.9
    assert not made.passes[0]["denoising_strength"].interactive
    assert made.passes[0]["prompt"].info == "No effect with Restore: nothing is re-diffused."
    assert (made.passes[1]["mask"].value, made.passes[1]["active"].value) == ("box", True)


def test_a_broken_file_of_presets_is_said_and_the_page_starts_with_the_defaults(build, tmp_path):
    (tmp_path / "presets.json").write_text("{oops", "utf-8")
    page, made = build()
    assert "cannot be used: not valid JSON" in by_id(page, "presets_note").value
    assert made.passes[0]["fidelity"].value == PassSettings().fidelity


class TestWhenThePageOpens:
    """What the page then asks for besides the names of presets."""

    @pytest.fixture
    def last_used(self, tmp_path_factory):
        return LastUsed(tmp_path_factory.mktemp("data") / "last.json", "img2img", lambda: True)

    def opened(self, page):
        [*_, restore] = handlers(page, page, "load")
        return restore()

    def test_the_last_used_settings_are_restored(self, build, last_used):
        last_used.keep(flatten([PassSettings(fidelity=0.9, mask="box")], 2)[1:])
        page, made = build(True, last_used=last_used)
        assert made.passes[0]["fidelity"].value == PassSettings().fidelity, "not for the API, which builds it too"
        _, *changes = self.opened(page)
        assert read_passes([True, *(change["value"] for change in changes)]) == (
            PassSettings(fidelity=0.9, mask="box"),
        )

    @pytest.mark.parametrize("passes", [1, 3])
    def test_they_suit_another_number_of_passes(self, build, last_used, passes):
        last_used.keep(flatten([PassSettings(fidelity=0.9)] * 2, 2)[1:])
        page, _ = build(True, passes, last_used=last_used)
        _, *changes = self.opened(page)
        assert read_passes([True, *(change["value"] for change in changes)]) == (PassSettings(fidelity=0.9),) * min(
            2, passes
        )

    def test_without_any_nothing_changes(self, build, last_used):
        page, _ = build(True, last_used=last_used)
        assert not any("value" in change or "visible" in change for change in self.opened(page))

    def test_a_broken_file_is_said_and_nothing_changes(self, build, last_used):
        last_used.path.write_text("{oops", "utf-8")
        page, _ = build(True, last_used=last_used)
        note, *changes = self.opened(page)
        assert note["value"].startswith("<p>The last used settings cannot be restored: ")
        assert "last.json cannot be used: not valid JSON" in note["value"]
        assert not any("value" in change for change in changes)


def test_choosing_a_preset_sets_every_control_of_every_pass(build):
    page, _ = build(presets=Presets({"a": ({"fidelity": 0.9}, {"mask": "box"}), "wrong": ({"fidelity": 7},)}))
    choose = handler(page, by_id(page, "presets_name"), "input")
    note, *changes = choose("a")
    values = [change["value"] for change in changes]
    assert note["visible"] is False
    assert read_passes([True, *values]) == (PassSettings(fidelity=0.9), PassSettings(mask="box"))

    note, *changes = choose("wrong")
    assert "Fidelity must be between 0 and 1" in note["value"]
    assert not any("value" in change for change in changes)
    assert not any("value" in change for change in choose("a new name")[1:])


def test_saving_keeps_what_the_page_shows(build, tmp_path):
    page, made = build()
    values = [component.value for component in made.components[1:]]
    note, names, _ = handler(page, by_id(page, "presets_save"), "click")("<b>", *values)
    assert note["value"] == "<p>Saved as &#x27;&lt;b&gt;&#x27;.</p>"
    assert names["value"] == "<b>"
    assert Presets.from_text((tmp_path / "presets.json").read_text("utf-8")).named == {"<b>": ({}, {"active": False})}


def test_a_file_can_be_imported_and_cleared(build):
    page, _ = build()
    upload = handler(page, by_id(page, "presets_file"), "upload")
    text = Presets({"a": ({"fidelity": 0.9},)}).to_text()
    assert "Imported" in upload(b"\xef\xbb\xbf" + text.encode())[0]["value"]
    assert "valid JSON" in upload(None)[0]["value"]
