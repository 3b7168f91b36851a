"""While faces are drawn the page says so, and can be stopped."""

import pictures
import pytest

EIGHT = pictures.sheet(8, side=96, across=4)


@pytest.fixture
def tab(desk):
    """txt2img about to spend its time on eight faces."""
    desk.draw(EIGHT)
    tab = desk.tab("txt2img")
    tab.ask("eight faces")
    tab.unfold()
    tab.control("method").choose("Re-diffuse")
    tab.unfold_section("Sampling")
    for name, value in {"width": 64, "height": 64, "steps": 80}.items():
        tab.control(name).type(value)
    tab.control("denoising_strength").type(1)
    return tab


def test_the_progress_line_names_the_faces(desk, tab):
    tab.start()
    tab.progress_says("FaceFix: 8 faces in one run, step")
    desk.shot("progress")
    tab.finish()
    assert tab.outcomes == ["FaceFix: 8 faces: 8 re-diffused"]


def test_interrupt_stops_it_and_the_page_can_be_used_on(desk, tab, webui):
    webui.post("/sdapi/v1/options", {"interrupt_after_current": False})  # else the run at hand is brought to its end
    try:
        tab.start()
        tab.progress_says("FaceFix: 8 faces in one run, step")
        tab.interrupt()
        tab.finish()
    finally:
        webui.post("/sdapi/v1/options", {"interrupt_after_current": True})
    desk.shot("interrupted")
    assert tab.outcomes == ["FaceFix: 8 faces: 8 not fixed (stopped)"]
    tab.control("steps").type(2)
    tab.generate()
    assert tab.outcomes == ["FaceFix: 8 faces: 8 re-diffused"]
