"""An infotext brings everything back; the buttons under the picture take it along."""

import infotext_words
import pictures
import pytest

TWO = pictures.sheet(2, side=96)
TEXT = '[PROMPT], "smiling": 1.2\\, ümlaut [SEP] <other>'


@pytest.fixture
def tab(desk):
    """txt2img, where the model draws two faces, with FaceFix set to something particular."""
    desk.draw(TWO)
    tab = desk.tab("txt2img")
    tab.ask()
    tab.unfold()
    for section in ("Which faces", "Mask", "Sampling", "Advanced"):
        tab.unfold_section(section)
    tab.control("method").choose("Re-diffuse")
    for name, value in {"prompt": TEXT, "width": 64, "height": 64, "min_size": 10, "seed": 7}.items():
        tab.control(name).type(value)
    tab.control("denoising_strength").slide(0.7)
    tab.control("sampler").choose("DDIM")
    tab.control("order").choose("Size")
    tab.control("match_colour").tick(False)
    tab.control("guard").choose("Back-off")
    return tab


CONTROLS = (
    *("method", "prompt", "width", "height", "min_size", "seed"),
    *("denoising_strength", "sampler", "order", "match_colour", "guard"),
)


def shown(tab):
    """Return what the controls show."""
    return {name: tab.control(name).value for name in CONTROLS}


def changed_all(tab):
    """Set everything to something else."""
    for name, value in {"prompt": "other", "width": 128, "height": 128, "min_size": 0, "seed": -1}.items():
        tab.control(name).type(value)
    tab.control("denoising_strength").slide(0.1)
    tab.control("sampler").choose("Same as image")
    tab.control("order").choose("Left to right")
    tab.control("match_colour").tick()
    tab.control("guard").choose("Off")
    tab.control("visibility").slide(0.3)
    tab.control("method").choose("Restore")
    tab.tick_box.uncheck()


def test_pasting_an_infotext_brings_every_control_back_and_the_same_picture(desk, tab):
    wanted = shown(tab)
    infotext, picture = tab.generate(), tab.picture
    changed_all(tab)
    tab.paste(infotext)
    for name, value in wanted.items():
        tab.control(name).becomes(value)
    tab.control("visibility").becomes(1.0)
    tab.is_ticked()
    assert tab.prompt in ("two faces", infotext)  # Forge Neo leaves it
    tab.prompt = "two faces"
    assert tab.generate() == infotext
    assert (tab.picture == picture).all()


def test_pasting_an_infotext_without_facefix_switches_it_off(desk, tab):
    infotext = tab.generate()
    tab.paste(infotext_words.without_record(infotext))
    tab.control("denoising_strength").becomes(0.4)
    tab.control("method").becomes("Auto")
    tab.is_ticked(False)
    tab.generate()
    assert tab.record is None


def test_sending_the_picture_to_img2img_takes_the_settings_along(desk, tab):
    wanted = shown(tab)
    tab.generate()
    other = tab.send_to_img2img()
    other.is_ticked()
    other.unfold()
    for name, value in wanted.items():
        other.control(name).becomes(value)


def test_the_picture_s_own_png_info_can_be_sent_to_txt2img(desk, tab):
    wanted = shown(tab)
    tab.generate()
    path = tab.saved_picture
    desk.open()
    fresh = desk.read_png_info_and_send(path, "txt2img")
    fresh.is_ticked()
    fresh.unfold()
    for name, value in wanted.items():
        fresh.control(name).becomes(value)
