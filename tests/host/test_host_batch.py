"""The faces of a whole batch in one sampling run, as if each had been drawn alone."""

import pictures
import pytest
from driving import QUICK, changed, difference, inside

FOUR = [pictures.sheet(2, first=2 * i) for i in range(4)]
SAMPLERS = (
    *("DPM++ 2M", "DPM++ SDE", "DPM++ 2M SDE", "DPM++ 2M SDE Heun", "DPM++ 2S a", "DPM++ 3M SDE", "Euler a", "Euler"),
    *("LMS", "Heun", "DPM2", "DPM2 a", "DPM fast", "Restart", "DDIM", "DDIM CFG++", "PLMS", "UniPC", "LCM"),
    *("ER SDE", "Res Multistep", "Kohaku LoNyu Yog", "Euler CFG++", "Euler a CFG++", "DPM++ 2M CFG++"),
)
NOT_TESTED = {
    "DPM adaptive": "it takes the length of its steps from all of the batch",
    "DPM++ 2s a RF": "it is for flow models, and gives NaN with others",
}
"""Samplers with which faces cannot be compared, and why."""


@pytest.fixture(scope="module")
def offered(webui):
    """The names of the samplers that the WebUI has."""
    return {sampler["name"] for sampler in webui.get("/sdapi/v1/samplers")}


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_eight_faces_of_four_pictures_in_one_run_equal_their_single_runs(host, offered, sampler):
    if sampler not in offered:
        pytest.skip(f"this WebUI has no {sampler}")
    asked = {"draws": FOUR, "batch_size": 4, "steps": 6, "sampler_name": sampler}
    together = host.txt2img({**QUICK, "steps": 0}, **asked)
    [run] = host.runs()
    host.forget()
    with host.options(facefix_faces_at_once=1):
        alone = host.txt2img({**QUICK, "steps": 0}, **asked)

    assert run["batch_size"] == 8
    assert set(run["items"]) == {8}
    assert [single["batch_size"] for single in host.runs()] == [1] * 8
    for number in range(4):
        assert difference(together.pictures[number], alone.pictures[number]) <= 1
        faces = together.faces(number)
        assert len(faces) == 2
        for face in faces.values():
            drawn = pictures.array(FOUR[number])[inside(face["box"])]
            assert difference(together.pictures[number][inside(face["box"])], drawn) > 20


def test_every_sampler_is_tested_or_has_its_reason(offered):
    if "DPM++ 2M Turbo" in offered or "DDPM" in offered:
        pytest.skip("this WebUI has samplers of its own")
    assert offered - {*SAMPLERS, *NOT_TESTED} == set()


def test_each_picture_of_a_batch_comes_out_as_if_made_alone(host):
    batch = host.txt2img(QUICK, draws=FOUR[:2], batch_size=2, seed=5)
    single = host.txt2img(QUICK, draws=FOUR[1:2], seed=6)
    assert difference(batch.pictures[1], single.picture) <= 1


def test_faces_whose_settings_differ_go_into_runs_of_their_own(host):
    passes = {**QUICK, "prompt": "[face:1] short [SEP] " + "long, " * 60}
    made = host.txt2img(passes, draws=[pictures.sheet(3)])
    assert sorted(run["batch_size"] for run in host.runs()) == [1, 2]
    assert [face["do"] for face in made.faces().values()] == ["re-diffuse"] * 3


def test_merged_faces_of_each_picture_are_drawn_as_one(host):
    made = host.txt2img({**QUICK, "mask_merge": True}, draws=FOUR[:2], batch_size=2)
    assert [run["batch_size"] for run in host.runs()] == [2]
    for number in range(2):
        assert [face["do"] for face in made.faces(number).values()] == ["re-diffuse"] * 2
        drawn = pictures.array(FOUR[number])
        for face in made.faces(number).values():
            assert difference(made.pictures[number][inside(face["box"])], drawn[inside(face["box"])]) > 20


def test_several_batches_are_each_fixed_by_themselves(host):
    made = host.txt2img(QUICK, draws=FOUR[:2], batch_size=1, n_iter=2)
    assert [run["batch_size"] for run in host.runs()] == [2, 2]
    for number in range(2):
        assert changed(made.pictures[number], pictures.array(FOUR[number])).any()


def test_passes_follow_one_another(host):
    first, third = {**QUICK, "visibility": 0.2}, {"method": "restore", "faces": "1"}
    made = host.txt2img(first, {**QUICK, "active": False}, third, draws=FOUR[:1])
    assert len(host.runs()) == 1
    assert [face["do"] for face in made.faces(nth_pass=1).values()] == ["re-diffuse"] * 2
    assert [face["do"] for face in made.faces(nth_pass=2).values()] == ["restore", "leave"]
