"""Presets, as data and in their file."""

import json
from pathlib import Path

import pytest

from lib_facefix.errors import BadSetting, CannotWrite
from lib_facefix.webui.passes import infotext
from lib_facefix.webui.passes.settings import PassSettings, page_args
from lib_facefix.webui.presets import store
from lib_facefix.webui.presets.presets import Presets, make_preset, presets_file, show_preset
from lib_facefix.webui.presets.store import PresetStore

PORTRAIT = ({"method": "restore", "fidelity": 0.9},)
CROWD = ({"at_most": 8}, {"active": False, "mask": "box"})


def values(*passes):
    """The page's text of these passes."""
    return page_args(passes)[1]


@pytest.fixture
def path(tmp_path):
    return presets_file(tmp_path / "data")


def test_a_preset_holds_what_differs_from_the_defaults():
    assert make_preset(values(PassSettings(fidelity=0.9, faces="1-2"), PassSettings(active=False))) == (
        {"fidelity": 0.9, "faces": "1-2"},
        {"active": False},
    )


def test_what_cannot_be_used_is_not_kept():
    with pytest.raises(BadSetting, match="pass 2"):
        make_preset('[{},{"prompt":"[face:x] eyes"}]')


def test_a_preset_is_shown_with_its_passes_alone():
    assert show_preset(PORTRAIT) == values(PassSettings(method="restore", fidelity=0.9))
    assert show_preset(CROWD) == values(PassSettings(at_most=8), PassSettings(active=False, mask="box"))


def test_a_preset_comes_back_as_it_was_kept():
    shown = values(PassSettings(**CROWD[0]), PassSettings(**CROWD[1]))
    assert show_preset(make_preset(shown)) == shown


def test_presets_come_back_from_their_text():
    presets = Presets({"Portrait": PORTRAIT, "Menge: groß": CROWD}, start="Portrait")
    assert Presets.from_text(presets.to_text()) == presets
    assert "Menge: groß" in presets.to_text()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("{oops", "not valid JSON", id="no JSON"),
        pytest.param("[" * 100_000, "not valid JSON", id="bottomless"),
        pytest.param('{"v": 1, "presets": {"\\ud800": []}}', "not valid JSON", id="half a character"),
        pytest.param("[1]", "no presets of FaceFix", id="something else"),
        pytest.param('{"v": 99, "presets": {}}', "version 99", id="a later version"),
        pytest.param('{"presets": {}}', "version None", id="no version"),
        pytest.param('{"v": 1, "presets": {"a": {"fidelity": 1}}}', "'a' is not a list", id="a preset that is none"),
    ],
)
def test_a_text_that_holds_no_presets_is_refused_with_the_reason(text, told):
    with pytest.raises(BadSetting, match=told):
        Presets.from_text(text)


def test_a_preset_of_an_older_version_keeps_its_meaning(monkeypatch):
    monkeypatch.setitem(infotext.DEFAULTS, 0, {"fidelity": 0.5})
    told = Presets.from_text('{"v": 0, "presets": {"a": [{"at_most": 3}, {"fidelity": 0.7}]}}')
    assert told.get("a") == ({"fidelity": 0.5, "at_most": 3}, {"fidelity": 0.7})


def test_one_wrong_preset_does_not_cost_the_others(path):
    path.parent.mkdir()
    path.write_text('{"v": 1, "presets": {"wrong": [{"fidelity": 7}], "right": [{"fidelity": 0.7}]}}', "utf-8")
    presets = PresetStore(path).read()
    expected = PassSettings(fidelity=0.7, grain=0.0, keep_loras=False, restorer="lite")
    assert show_preset(presets.get("right")) == values(expected)
    with pytest.raises(BadSetting, match=r"pass 1: Fidelity"):
        show_preset(presets.get("wrong"))


def test_importing_replaces_nothing():
    here = Presets({"a": PORTRAIT, "a (2)": CROWD})
    joined, names = here.merge(Presets({"a": ({"at_most": 1},), "b": CROWD}))
    assert names == ("a (3)", "b")
    assert joined.named == {**here.named, "a (3)": ({"at_most": 1},), "b": CROWD}
    assert here.merge(Presets({"a": PORTRAIT}))[0] == here


@pytest.mark.parametrize("name", ["", "   ", "Defaults", "defaults"])
def test_a_preset_needs_a_name_of_its_own(path, name):
    with pytest.raises(BadSetting, match="needs a name"):
        PresetStore(path).save(name, values(PassSettings()))
    assert not path.exists()


def test_what_is_saved_is_read_by_the_next_one(path):
    saved = PresetStore(path).save(" Portrait ", values(PassSettings(fidelity=0.9)))
    assert (saved.chosen, saved.text) == ("Portrait", None)
    assert PresetStore(path).read().named == {"Portrait": ({"fidelity": 0.9},)}


def test_what_is_replaced_or_deleted_is_given_back_as_text(path):
    store = PresetStore(path)
    store.save("a", values(PassSettings(fidelity=0.9)))
    replaced = store.save("a", values(PassSettings(fidelity=0.1)))
    deleted = store.delete("a")

    assert Presets.from_text(replaced.text).get("a") == ({"fidelity": 0.9},)
    assert Presets.from_text(deleted.text).get("a") == ({"fidelity": 0.1},)
    assert store.read().named == {}
    assert store.import_text(deleted.text).note == "Imported 'a'."


def test_the_webui_starts_with_no_preset_that_is_gone(path):
    store = PresetStore(path)
    store.save("a", values(PassSettings()))
    assert store.start_with("a").presets.start == "a"
    assert store.delete("a").presets.start == ""


def test_only_usable_presets_are_imported(path):
    text = '{"v": 1, "presets": {"fine": [{}], "odd": [{}, {"mask": "star"}]}}'
    with pytest.raises(BadSetting, match="preset 'odd', pass 2: Mask must be one of"):
        PresetStore(path).import_text(text)
    assert not path.exists()


def test_a_single_preset_is_exported_or_all(path):
    store = PresetStore(path)
    store.save("a", values(PassSettings()))
    store.save("b", values(PassSettings(mask="box")))
    assert list(json.loads(store.export("b").text)["presets"]) == ["b"]
    assert list(json.loads(store.export("").text)["presets"]) == ["a", "b"]


@pytest.mark.parametrize("act", ["delete", "export", "start_with"])
def test_what_is_not_there_is_said(path, act):
    with pytest.raises(BadSetting, match="there is no preset 'gone'"):
        getattr(PresetStore(path), act)("gone")


def test_a_broken_file_is_left_alone_until_something_is_saved_and_then_kept_aside(path):
    path.parent.mkdir()
    path.write_bytes(b'{"v": 1, "presets": \xff')
    with pytest.raises(BadSetting, match="cannot be used"):
        PresetStore(path).read()
    with pytest.raises(BadSetting, match="no preset"):
        PresetStore(path).delete("a")
    assert [one.name for one in path.parent.iterdir()] == [path.name]

    for number in (1, 2):
        path.write_bytes(b'{"v": 1, "presets": \xff')
        note = PresetStore(path).save("a", values(PassSettings())).note
        assert f"The old file is kept as facefix-presets.broken-{number}.json." in note
        assert path.with_suffix(f".broken-{number}.json").read_bytes() == b'{"v": 1, "presets": \xff'
    assert list(PresetStore(path).read().named) == ["a"]


def test_a_full_disk_costs_no_preset(path, monkeypatch):
    PresetStore(path).save("a", values(PassSettings()))

    def full(path, write):
        raise CannotWrite(f"{path} cannot be written: the disk is full")

    monkeypatch.setattr(store, "atomic_write", full)
    with pytest.raises(CannotWrite, match="the disk is full"):
        PresetStore(path).save("b", values(PassSettings()))
    assert list(PresetStore(path).read().named) == ["a"]


def test_a_folder_in_the_place_of_the_file_is_said(path):
    path.mkdir(parents=True)
    with pytest.raises(BadSetting, match="cannot be read"):
        PresetStore(path).save("a", values(PassSettings()))


def test_the_file_lies_in_the_hosts_data_folder():
    assert presets_file(Path("data")) == Path("data") / "facefix-presets.json"
