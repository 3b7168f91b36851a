"""A second pass is switched on in the page."""

import pictures


def test_a_second_pass_works_on_what_the_first_one_made(desk):
    desk.draw(pictures.sheet(2, side=96))
    tab = desk.tab("txt2img")
    tab.ask()
    tab.unfold()
    tab.control("method").choose("Restore")
    tab.unfold_pass(2)
    tab.control("method", 2).choose("Re-diffuse")
    tab.unfold_section("Sampling", 2)
    tab.control("width", 2).type(64)
    tab.control("height", 2).type(64)
    strength = tab.control("denoising_strength", 2).slide(0.6)
    desk.shot("two-passes", of=tab.box)
    tab.generate()
    second = {"method": "re-diffuse", "width": 64, "height": 64, "denoising_strength": strength}
    assert tab.record["passes"] == [{"method": "restore"}, second]
    assert tab.outcomes == ["FaceFix, pass 1: 2 faces: 2 restored", "FaceFix, pass 2: 2 faces: 2 re-diffused"]


def test_a_second_pass_that_is_switched_off_is_kept_and_not_done(desk):
    desk.draw(pictures.sheet(2, side=96))
    tab = desk.tab("txt2img")
    tab.ask()
    tab.unfold()
    tab.control("method").choose("Restore")
    tab.unfold_pass(2)
    tab.control("fidelity", 2).slide(0.25)
    tab.part("pass2_active_tick").place.uncheck()
    tab.generate()
    assert tab.record["passes"] == [{"method": "restore"}]
    tab.part("pass2_active_tick").place.check()
    tab.generate()
    assert len(tab.record["passes"]) == 2


def test_a_pass_is_removed(desk):
    tab = desk.tab("txt2img")
    tab.unfold()
    for number in (2, 3):
        tab.unfold_pass(number)
    remove = desk.page.get_by_role("button", name="Remove the last pass")
    remove.filter(visible=True).click()
    tab.part("pass3_active").place.wait_for(state="detached")
    tab.part("pass2_active").wait()
    remove.filter(visible=True).click()
    tab.part("pass2_active").place.wait_for(state="detached")


def test_pasting_an_infotext_with_two_passes_adds_the_second_and_one_with_one_takes_it_away(desk):
    desk.draw(pictures.sheet(2, side=96))
    tab = desk.tab("txt2img")
    tab.ask()
    tab.unfold()
    tab.control("method").choose("Restore")
    one = tab.generate()
    tab.unfold_pass(2)
    tab.control("method", 2).choose("Restore")
    fidelity = tab.control("fidelity", 2).slide(0.25)
    two = tab.generate()
    tab.paste(one)
    tab.control("fidelity", 2).place.wait_for(state="detached")
    tab.prompt = "two faces"
    tab.generate()
    assert len(tab.record["passes"]) == 1
    tab.paste(two)
    tab.control("fidelity", 2).place.wait_for(state="attached")
    tab.unfold_pass(2)
    tab.control("fidelity", 2).becomes(fidelity)
    assert tab.control("method", 2).shown
    tab.generate()
    assert tab.record["passes"] == [{"method": "restore"}, {"method": "restore", "fidelity": fidelity}]
