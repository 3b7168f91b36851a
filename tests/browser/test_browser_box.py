"""A person ticks the box, opens it, moves what is in it."""

import pictures
import pytest

TWO = pictures.sheet(2, side=96)
SMALL = {"width": 64, "height": 64}


@pytest.fixture
def tab(desk):
    """txt2img, where the model draws two faces."""
    desk.draw(TWO)
    tab = desk.tab("txt2img")
    tab.ask()
    return tab


def small(tab):
    """Open the part about sampling, and let faces be redrawn quickly."""
    tab.unfold_section("Sampling")
    for name, size in SMALL.items():
        tab.control(name).type(size)


def test_ticking_the_box_and_nothing_else_fixes_the_faces(desk, tab):
    desk.shot("txt2img-closed")
    tab.tick()
    tab.generate()
    desk.shot("txt2img-result", full=True)
    assert tab.record["passes"] == [{}]
    assert [face["do"] for face in tab.record["faces"][0]] == ["re-diffuse", "re-diffuse"]
    assert tab.lines == ["FaceFix: 2 faces: 2 re-diffused"]
    assert tab.picture.shape == pictures.array(TWO).shape
    assert (tab.picture != pictures.array(TWO)).any()


def test_without_the_tick_nothing_is_done_and_nothing_said(desk, tab):
    tab.generate()
    assert tab.record is None
    assert tab.lines == []
    assert (tab.picture == pictures.array(TWO)).all()


def test_opening_it_by_its_title_ticks_it(desk, tab):
    desk.open()
    tab.box.locator("> .label-wrap").click()
    tab.is_ticked()


def test_what_is_moved_counts_at_once(desk, tab):
    tab.unfold()
    small(tab)
    moved = {"fidelity": tab.control("fidelity").slide(0.2)}
    tab.control("method").choose("Re-diffuse")
    moved["denoising_strength"] = tab.control("denoising_strength").slide(0.85)
    tab.generate()
    assert moved != {"fidelity": 0.6, "denoising_strength": 0.4}
    assert tab.record["passes"] == [{"method": "re-diffuse", **SMALL, **moved}]
    assert [face["strength"] for face in tab.record["faces"][0]] == [moved["denoising_strength"]] * 2


def test_what_is_typed_counts_at_once(desk, tab):
    tab.unfold()
    small(tab)
    tab.unfold_section("Which faces")
    tab.control("faces").type("2")
    tab.control("min_size").type(20)
    tab.control("prompt").type('[PROMPT], "smiling" <b>')
    tab.generate()
    prompt = {"prompt": '[PROMPT], "smiling" <b>'}
    assert tab.record["passes"] == [{**SMALL, **prompt, "faces": "2", "min_size": 20}]
    one, two = tab.record["faces"][0]
    assert (one["do"], two["do"], two["prompt"]) == ("leave", "re-diffuse", 'two faces, "smiling" <b>')
    assert tab.outcomes == ["FaceFix: 2 faces: 1 skipped (not in the selected face numbers (2)), 1 re-diffused"]


def test_restoring_uses_the_built_in_restorer_and_the_moved_fidelity(desk, tab):
    tab.unfold()
    tab.control("method").choose("Restore")
    fidelity = tab.control("fidelity").slide(0.1)
    tab.generate()
    assert tab.record["passes"] == [{"method": "restore", "fidelity": fidelity}]
    assert tab.lines == ["FaceFix: 2 faces: 2 restored"]


def test_choices_out_of_lists_count(desk, tab):
    tab.unfold()
    small(tab)
    tab.control("sampler").choose("DDIM")
    tab.unfold_section("Mask")
    mask = tab.control("mask")
    shape = next(shape for shape in mask.choices if "ellipse" in shape.lower())
    mask.choose(shape)
    tab.control("match_colour").tick(False)
    tab.generate()
    assert tab.record["passes"] == [{**SMALL, "sampler": "DDIM", "mask": "ellipse", "match_colour": False}]


def test_a_mask_may_be_typed_and_inverted(desk, tab):
    tab.unfold()
    small(tab)
    tab.unfold_section("Mask")
    mask = tab.control("mask")
    mask.type("ellipse - box & hull")
    desk.page.keyboard.press("Tab")
    mask.becomes("ellipse - box & hull")
    tab.control("mask_invert").tick()
    tab.generate()
    assert tab.record["passes"] == [{**SMALL, "mask": "ellipse - box & hull", "mask_invert": True}]


def test_what_the_method_does_not_look_at_is_greyed_with_the_reason(desk, tab):
    tab.unfold()
    method, strength, fidelity = (tab.control(name) for name in ("method", "denoising_strength", "fidelity"))
    tab.unfold_section("Sampling")
    assert not strength.idle
    assert not fidelity.idle
    method.choose("Restore")
    strength.becomes_idle()
    tab.control("steps").becomes_idle()
    tab.control("sampler").becomes_idle()
    assert "No effect with Restore" in strength.hint
    desk.shot("greyed-restore", of=tab.box)
    method.choose("Re-diffuse")
    fidelity.becomes_idle()
    strength.becomes_idle(False)
    assert "No effect with Re-diffuse" in fidelity.hint
    assert "No effect" not in strength.hint
    desk.shot("greyed-re-diffuse", of=tab.box)
    method.choose("Auto")
    fidelity.becomes_idle(False)
    assert "No effect" not in fidelity.hint


def test_what_is_greyed_keeps_its_value(desk, tab):
    tab.unfold()
    strength = tab.control("denoising_strength")
    moved = strength.slide(0.9)
    tab.control("method").choose("Restore")
    strength.becomes_idle()
    tab.control("method").choose("Auto")
    strength.becomes_idle(False)
    assert strength.value == moved


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_controls_can_be_reached(desk, theme):
    if theme == "dark":
        desk.open("?__theme=dark")
    for kind in ("txt2img", "img2img"):
        tab = desk.tab(kind)
        tab.unfold()
        desk.shot(f"{kind}-open-{theme}", of=tab.box)
        for section in ("Which faces", "Mask", "Sampling", "Advanced", "Presets"):
            tab.unfold_section(section)
        for name in ("min_score", "mask_feather", "subseed"):
            tab.control(name).wait()
        tab.part("presets_export").wait()
        assert tab.control("skip_img2img").shown == (kind == "img2img")
        assert tab.control("inpaint").shown == (kind == "img2img")
        desk.shot(f"{kind}-unfolded-{theme}", of=tab.box)


def test_a_page_that_nobody_touches_becomes_idle(desk):
    desk.open()
    asked = []
    desk.page.on("request", lambda request: asked.append(request.url))
    for _ in range(8):  # it may still be loading
        asked.clear()
        desk.page.wait_for_timeout(3000)
        if len(asked) <= 2:  # the host's own
            return
    pytest.fail(f"an event that causes itself asks for {asked[-5:]}")
