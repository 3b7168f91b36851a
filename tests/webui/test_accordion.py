"""The accordion as the WebUI's toolkit makes it: needs gradio, which only a WebUI's own environment has."""

import html
import json
from pathlib import Path

import pytest
from toolkit import LISTS, handler, handlers

from lib_facefix import __version__
from lib_facefix.webui.passes.settings import MAX_PASSES, PassSettings, page_args, read_passes
from lib_facefix.webui.presets.last_used import LastUsed
from lib_facefix.webui.presets.presets import Presets

pytestmark = pytest.mark.filterwarnings("ignore")  # the toolkit's own, which differ from version to version


@pytest.fixture
def build(on_page, gradio, tmp_path):
    """Build the accordion on an empty page: returns the page and the accordion."""
    accordion = on_page("accordion")

    def make(is_img2img=False, presets=None, last_used=None):
        path = tmp_path / "presets.json"
        if presets:
            path.write_text(presets.to_text(), "utf-8")
        before = path.read_bytes() if path.exists() else None
        kept = last_used or NOT_KEPT
        with gradio.Blocks() as page:
            made = accordion.build_accordion(is_img2img, presets=path, last_used=kept, elem_id=_id)
        assert [one.read_bytes() for one in tmp_path.iterdir()] == [before][: path.exists()], "building only reads"
        return page, made

    return make


NOT_KEPT = LastUsed(Path("nowhere"), "txt2img", lambda: False)


def _id(name):
    return f"facefix_{name}"


def by_id(page, name):
    return next(block for block in page.blocks.values() if block.elem_id == f"facefix_{name}")


def test_a_script_is_given_the_tick_box_and_the_text_of_the_passes_often_enough_for_clients_of_the_api(build):
    _, made = build()
    assert made.components == [made.enabled, *[made.passes] * MAX_PASSES]
    assert read_passes([True, {"steps": 3}, *[made.passes.value] * (MAX_PASSES - 1)]) == (PassSettings(steps=3),)


def test_what_the_api_takes_as_defaults_is_off_and_then_one_plain_pass(build):
    _, made = build()
    off, *values = [component.value for component in made.defaults]
    assert off is False
    assert read_passes([True, *values]) == (PassSettings(),)


def test_few_components_are_made_because_each_one_delays_the_start(build):
    page, _ = build()
    assert len(page.blocks) < 50


def config(page):
    """What the places of the page tell its script."""
    return json.loads(html.unescape(by_id(page, "head").value.split("data-form='")[1].split("'")[0]))


@pytest.mark.parametrize("is_img2img", [False, True])
def test_what_only_one_tab_needs_is_hidden_in_the_other(build, is_img2img):
    page, _ = build(is_img2img)
    assert config(page)["hidden"] == (["only_hires"] if is_img2img else ["inpaint", "skip_img2img"])
    assert config(page)["version"] == __version__


def test_every_component_has_an_id_of_its_own(build):
    page, made = build()
    ids = [block.elem_id for block in page.blocks.values() if block.elem_id]
    assert len(ids) == len(set(ids))
    assert made.passes.elem_id == "facefix_passes"


def test_presets_rather_than_the_hosts_own_file_give_the_defaults(build):
    _, made = build()
    assert made.passes.do_not_save_to_config
    assert not hasattr(made.enabled, "do_not_save_to_config"), "whether FaceFix starts switched on is the host's"


def test_the_forms_of_the_page_ask_the_server_and_are_told_of_every_change(build, monkeypatch):
    monkeypatch.setattr("lib_facefix.webui.ui.answers.host_list", LISTS.__getitem__)
    page, made = build()
    assert '"fields"' in handler(page, by_id(page, "ask"), "click")("{}")
    assert [*handlers(page, made.passes, "change")]


def test_the_page_starts_with_the_preset_that_was_chosen_for_it(build):
    presets = Presets({"a": ({"method": "restore", "fidelity": 0.9}, {"mask": "box"})}, start="a")
    _, made = build(presets=presets)
    assert made.passes.value == '[{"method":"restore","fidelity":0.9},{"mask":"box"}]'


def test_a_broken_file_of_presets_is_said_and_the_page_starts_with_the_defaults(build, tmp_path):
    (tmp_path / "presets.json").write_text("{oops", "utf-8")
    page, made = build()
    assert "cannot be used: not valid JSON" in by_id(page, "presets_note").value
    assert made.passes.value == "[{}]"


class TestWhenThePageOpens:
    """What the page then asks for besides the names of presets."""

    @pytest.fixture
    def last_used(self, tmp_path_factory):
        return LastUsed(tmp_path_factory.mktemp("data") / "last.json", "img2img", lambda: True)

    def opened(self, page):
        [*_, restore] = handlers(page, page, "load")
        return restore()

    def test_the_last_used_settings_are_restored(self, build, last_used):
        last_used.keep(page_args([PassSettings(fidelity=0.9, mask="box"), PassSettings()])[1])
        page, made = build(True, last_used=last_used)
        assert made.passes.value == "[{}]", "not for the API, which builds it too"
        _, change = self.opened(page)
        assert change["value"] == '[{"fidelity":0.9,"mask":"box"},{}]'

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


def test_choosing_a_preset_shows_its_passes(build):
    page, _ = build(presets=Presets({"a": ({"fidelity": 0.9}, {"mask": "box"}), "wrong": ({"fidelity": 7},)}))
    choose = handler(page, by_id(page, "presets_name"), "input")
    note, change = choose("a")
    assert note["visible"] is False
    assert read_passes([True, change["value"]]) == (PassSettings(fidelity=0.9), PassSettings(mask="box"))

    note, change = choose("wrong")
    assert "Fidelity must be between 0 and 1" in note["value"]
    assert "value" not in change
    assert "value" not in choose("a new name")[1]


def test_saving_keeps_what_the_page_shows(build, tmp_path):
    page, _ = build()
    note, names, _ = handler(page, by_id(page, "presets_save"), "click")("<b>", '[{"steps":3.0},{"active":false}]')
    assert note["value"] == "<p>Saved as &#x27;&lt;b&gt;&#x27;.</p>"
    assert names["value"] == "<b>"
    saved = Presets.from_text((tmp_path / "presets.json").read_text("utf-8"))
    assert saved.named == {"<b>": ({"steps": 3}, {"active": False})}


def test_a_file_can_be_imported_and_cleared(build):
    page, _ = build()
    upload = handler(page, by_id(page, "presets_file"), "upload")
    text = Presets({"a": ({"fidelity": 0.9},)}).to_text()
    assert "Imported" in upload(b"\xef\xbb\xbf" + text.encode())[0]["value"]
    assert "valid JSON" in upload(None)[0]["value"]
