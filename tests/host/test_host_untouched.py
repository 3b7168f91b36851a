"""What FaceFix leaves as it was: pixels, other extensions, the WebUI itself."""

import pictures
import pytest
from driving import QUICK, changed, difference
from infotext_words import without_record

TWO = [pictures.sheet(2), pictures.sheet(2, first=2)]


def test_bytes_outside_the_masks_are_those_of_the_run_without_facefix(host):
    asked = {"draws": TWO, "batch_size": 2, "save_images": True}
    plain = host.txt2img(**asked)
    with host.options(facefix_save_masks=True):
        fixed = host.txt2img(QUICK, **asked)
    masks = host.saved("-facefix-mask.png")

    assert len(masks) == 2
    for before, after, mask in zip(plain.pictures, fixed.pictures, masks, strict=True):
        shown = mask[..., 0] > 0
        assert not changed(before, after)[~shown].any()
        assert changed(before, after)[mask[..., 0] == 255].mean() > 0.9
        assert 0.05 < shown.mean() < 0.5


def test_without_a_tick_the_picture_and_its_infotext_are_those_of_a_webui_without_facefix(host):
    plain = host.txt2img(draws=TWO[:1])
    off = host.txt2img(draws=TWO[:1], scripts={"FaceFix": {"args": [False, QUICK]}})
    assert difference(plain.picture, off.picture) == 0
    assert plain.infotexts == off.infotexts
    assert off.record() is None


def test_the_same_generation_repeated_is_identical(host):
    first = host.txt2img(QUICK, draws=TWO, batch_size=2)
    host.txt2img({**QUICK, "seed": 99}, draws=TWO[:1], seed=99)
    again = host.txt2img(QUICK, draws=TWO, batch_size=2)
    for number in range(2):
        assert difference(first.pictures[number], again.pictures[number]) == 0
    assert first.infotexts == again.infotexts


@pytest.mark.parametrize("kind", ["txt2img", "img2img"])
def test_hooks_of_another_extension_run_exactly_as_often_as_without_us(host, kind):
    def counts(*passes):
        host.forget()
        asked = {"batch_size": 2, "n_iter": 2, "save_images": True}
        if kind == "txt2img":
            host.txt2img(*passes, draws=TWO, **asked)
        else:
            host.img2img(TWO[0].resize((192, 96)), *passes, draws=TWO, denoising_strength=0.5, **asked)
        return host.counts(), len(host.runs())

    without, no_runs = counts()
    beside, runs = counts(QUICK, {"method": "restore"})
    assert (no_runs, runs) == (0, 2)
    assert beside == without
    assert without["Counter.cfg_denoiser"] > 0


def test_settings_last_prompt_and_progress_are_left_as_a_run_without_us_leaves_them(host):
    def left(*passes):
        host.txt2img(draws=TWO[:1], prompt="a lighthouse")
        host.webui.post("/counter/chance/7")
        host.txt2img(*passes, draws=TWO[:1], seed=3)
        state = host.state()
        state["last prompt"] = without_record(state["last prompt"])
        return state

    special = {**QUICK, "prompt": "someone else", "clip_skip": 2, "sampler": "DDIM", "noise_multiplier": 0.9}
    without, beside = left(), left(QUICK, special)
    assert len(host.runs()) == 2
    assert beside == without
    assert "Steps: 4" in without["last prompt"]
    assert "someone else" not in without["last prompt"]


def test_the_next_run_gets_the_seed_and_the_picture_it_would_have_got(host):
    def after(*passes):
        host.webui.post("/counter/chance/7")
        host.txt2img(*passes, draws=TWO[:1], seed=-1)
        return host.txt2img(seed=-1, sampler_name="Euler a", subseed=-1, subseed_strength=0.5)

    without, beside = after(), after(QUICK)
    assert beside.infotexts == without.infotexts
    assert difference(beside.picture, without.picture) == 0


def test_only_the_result_is_in_the_gallery_and_among_the_saved(host):
    with host.options(grid_format="png"):
        made = host.txt2img(QUICK, draws=TWO, batch_size=2, save_images=True)
    assert len(made.pictures) == 2
    *saved, grid = host.saved()
    assert [difference(*pair) for pair in zip(saved, made.pictures, strict=True)] == [0, 0]
    assert grid.shape != saved[0].shape  # the host's own
