"""The WebUI's page is built anew."""

import pictures
import pytest


@pytest.fixture
def no_presets(desk, webui):
    """No presets; afterwards the page is built again, as it keeps what it started with."""
    file = webui.folder / "facefix-presets.json"
    file.unlink(missing_ok=True)
    yield
    file.unlink(missing_ok=True)
    desk.reload_ui()


def test_after_reload_ui_the_chosen_preset_is_there_from_the_start_and_faces_are_fixed(desk, no_presets):
    tab = desk.tab("txt2img")
    tab.unfold()
    tab.control("method").choose("Restore")
    moved = tab.control("fidelity").slide(0.85)
    tab.part("presets_name").type("Start")
    tab.press("presets_save")
    tab.says("Saved as 'Start'")
    tab.unfold_section("Presets")
    tab.press("presets_start")
    tab.says("starts with 'Start'")
    desk.reload_ui()
    desk.draw(pictures.sheet(2, side=96))
    tab = desk.tab("txt2img")
    tab.is_ticked(False)
    tab.unfold()
    assert tab.part("presets_name").value == "Start"
    assert (tab.control("method").value, tab.control("fidelity").value) == ("Restore", moved)
    assert tab.control("denoising_strength").idle
    tab.ask()
    tab.generate()
    assert tab.record["passes"] == [{"method": "restore", "fidelity": moved}]
    assert tab.lines == ["FaceFix: 2 faces: 2 restored"]
