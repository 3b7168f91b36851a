"""Settings are kept under a name."""

import json

import pytest


@pytest.fixture
def tab(desk, webui):
    """txt2img with FaceFix open, and no presets before or after."""
    file = webui.folder / "facefix-presets.json"
    file.unlink(missing_ok=True)
    tab = desk.tab("txt2img")
    tab.unfold()
    tab.part("presets_name").choose("Defaults")
    yield tab
    file.unlink(missing_ok=True)


def save(tab, name):
    tab.part("presets_name").type(name)
    tab.press("presets_save")
    tab.says(f"Saved as '{name}'")


def test_a_preset_is_saved_changed_away_from_and_loaded_back(desk, tab):
    moved = tab.control("denoising_strength").slide(0.8)
    tab.control("prompt").type("[PROMPT], freckles")
    tab.control("method").choose("Re-diffuse")
    save(tab, "Freckles")
    tab.part("presets_name").choose("Defaults")
    tab.control("denoising_strength").becomes(0.4)
    tab.control("prompt").becomes("")
    tab.control("method").becomes("Auto")
    tab.part("presets_name").choose("Freckles")
    tab.control("denoising_strength").becomes(moved)
    tab.control("prompt").becomes("[PROMPT], freckles")
    tab.control("method").becomes("Re-diffuse")
    tab.control("fidelity").becomes_idle()
    desk.shot("preset-loaded", of=tab.box)


def test_a_preset_saved_in_one_page_is_offered_in_the_next(desk, tab):
    save(tab, "Mine")
    desk.open()
    tab.unfold()
    assert tab.part("presets_name").choices == ["Defaults", "Mine"]
    other = desk.tab("img2img")
    other.unfold()
    assert other.part("presets_name").choices == ["Defaults", "Mine"]


def test_presets_go_out_and_come_in_as_text(desk, tab):
    moved = tab.control("fidelity").slide(0.3)
    save(tab, "Clear")
    tab.unfold_section("Presets")
    tab.press("presets_export")
    tab.part("presets_text").filled()
    text = tab.part("presets_text").value
    assert json.loads(text)["presets"] == {"Clear": [{"fidelity": moved}]}
    tab.press("presets_delete")
    tab.says("Deleted 'Clear'")
    tab.part("presets_name").becomes("Defaults")
    tab.part("presets_text").type(text)
    tab.press("presets_import")
    tab.says("Imported 'Clear'")
    desk.shot("presets-imported", of=tab.box)
    tab.control("fidelity").slide(0.9)
    tab.part("presets_name").choose("Clear")
    tab.control("fidelity").becomes(moved)


def test_what_is_no_preset_is_refused_in_words(desk, tab):
    tab.unfold_section("Presets")
    tab.part("presets_text").type("nonsense")
    tab.press("presets_import")
    tab.says("Not valid JSON")
    tab.press("presets_delete")
    tab.says("Choose a preset first")
