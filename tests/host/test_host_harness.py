"""What the other tests stand on: the model draws what it is told, runs are seen, hooks counted."""

import pictures
import pytest
from driving import difference
from server import Refused


def test_the_model_draws_what_a_test_wants_to_the_byte(host):
    drawn = pictures.sheet(2)
    made = host.txt2img(draws=[drawn, pictures.sheet(2, first=2)], batch_size=2)
    assert difference(made.pictures[0], pictures.array(drawn)) == 0
    assert difference(made.pictures[1], pictures.array(drawn)) > 0


def test_a_run_is_recorded_with_what_the_model_was_given(host):
    host.txt2img(batch_size=2, prompt="a lighthouse", steps=3, seed=7)
    [run] = host.all_runs()
    assert (run["kind"], run["depth"], run["batch_size"]) == ("StableDiffusionProcessingTxt2Img", 1, 2)
    assert (run["prompts"], run["seeds"], run["items"]) == (["a lighthouse"] * 2, [7, 8], [2, 2, 2])


def test_hooks_are_counted_for_a_batch_and_for_each_of_its_pictures(host):
    host.txt2img(batch_size=2)
    counts = host.counts()
    assert [counts[f"Counter.{hook}"] for hook in ("process", "postprocess_batch_list", "postprocess_image")] == [
        1,
        1,
        2,
    ]
    assert counts["Counter.cfg_denoiser"] == 4


def test_a_request_that_is_refused_says_so(host):
    with pytest.raises(Refused, match="422"):
        host.txt2img(scripts={"no such script": {"args": []}})
