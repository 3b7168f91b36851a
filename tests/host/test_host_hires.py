"""Passes that are only for Hires. fix, in a running WebUI."""

import pictures
import pytest
from driving import QUICK, changed

ONE = pictures.sheet(1)
HIRES = {
    "hr_additional_modules": ["Use same choices"],  # Forge fails without it
    "enable_hr": True,
    "hr_scale": 2,
    "hr_upscaler": "None",
    "hr_second_pass_steps": 2,
    "denoising_strength": 0.5,
}
SMALL = {"width": 96, "height": 96}


def test_a_pass_for_hires_fix_is_skipped_without_it_and_said_so(host):
    unit = {**QUICK, "only_hires": True}
    made = host.txt2img(unit, draws=[ONE])
    assert host.runs() == []
    assert not changed(made.picture, pictures.array(ONE)).any()
    assert "FaceFix: skipped, because Hires. fix is off" in host.comments()
    assert (made.record()["passes"], made.record()["faces"]) == ([unit], [[]])


def test_the_other_passes_run_without_hires_fix(host):
    made = host.txt2img({**QUICK, "only_hires": True}, QUICK, draws=[ONE])
    assert len(host.runs()) == 1
    assert "FaceFix, pass 1: skipped, because Hires. fix is off" in host.comments()
    assert "FaceFix, pass 2: 1 face: 1 re-diffused" in host.comments()
    assert [len(faces) for faces in made.record()["faces"]] == [0, 1]


def test_it_runs_with_hires_fix_and_in_img2img(host):
    made = host.txt2img({**QUICK, "only_hires": True}, draws=[ONE], **SMALL, **HIRES)
    assert len(made.faces()) == 1
    assert "skipped" not in host.comments()
    host.forget()
    host.img2img(ONE, {**QUICK, "only_hires": True}, draws=[ONE], denoising_strength=0.5)
    assert len(host.runs()) == 1
    assert "skipped" not in host.comments()


@pytest.mark.parametrize("hires", [{}, HIRES], ids=["off", "on"])
def test_other_passes_do_not_mind(host, hires):
    host.txt2img(QUICK, draws=[ONE], **SMALL, **hires)
    assert len(host.runs()) == 1
