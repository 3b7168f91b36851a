"""The `Restorer` with nets made of NumPy."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest

from lib_facefix.errors import BadCrop
from lib_facefix.fixers.restore import Restorer, blend, strength
from lib_facefix.planning.plan import FaceJob
from lib_facefix.settings.treatment import Treatment
from lib_facefix.types import Box, Crop, Face, Pose

STEPS = [step / 10 for step in range(11)]
EVERY_BYTE = np.arange(512 * 512 * 3).astype(np.uint8).reshape(512, 512, 3)


@dataclass
class Spec:
    low: float = -1.0
    high: float = 1.0
    size: int = 512
    side: int = 512
    fused: bool = False


@dataclass
class FakeRunner:
    """Answers each blob with what `net` makes of it, and remembers what it was given."""

    spec: Spec = field(default_factory=Spec)
    net: object = None
    engine: str = "NumPy fp32"
    seen: list = field(default_factory=list)
    asked: list = field(default_factory=list)

    def each(self, crops, blob_of, w):
        self.asked.append((len(crops), w))
        for crop in crops:
            blob = blob_of(crop)
            assert (blob.shape, blob.dtype) == ((3, self.spec.size, self.spec.size), np.float32)
            assert blob.flags.c_contiguous
            self.seen.append(blob)
            yield self.net(blob) if self.net else blob, self.engine


def job(fidelity):
    return FaceJob(1, Face(Box(0, 0, 9, 9), 1.0), "restore", "", Treatment(fidelity=fidelity), Pose(0, 0, 0), 0.5)


def fixed(runner, fidelities, images=None):
    images = images or [EVERY_BYTE] * len(fidelities)
    crops = [Crop(image, np.eye(2, 3)) for image in images]
    made = Restorer(runner).fix(crops, [job(fidelity) for fidelity in fidelities])
    results = [one.patch for one in made]
    assert {(result.dtype.name, result.shape) for result in results} == {("uint8", (512, 512, 3))}
    return results


def grey(value):
    return np.full((512, 512, 3), value, np.uint8)


def answers(value):
    return lambda blob: np.full((3, 512, 512), value, np.float32)


def test_strength_is_exact_at_both_ends_and_falls_between():
    assert (strength(0.0), strength(1.0)) == (1, 0)
    assert all(one > other for one, other in pairwise(strength(step / 1000) for step in range(1001)))


def test_a_blend_is_exact_at_both_ends_and_rounded():
    crop, restored = grey(10), np.full((512, 512, 3), 20.6, np.float32)
    assert (blend(crop, restored, 1.0) == 21).all()
    assert (blend(crop, restored, 0.0) == 10).all()
    assert (blend(crop, restored, 0.5) == 15).all()
    assert (blend(crop, np.full_like(restored, 300), 1.0) == 255).all()
    assert (blend(crop, np.full_like(restored, -9), 1.0) == 0).all()
    assert (crop == 10).all()


@pytest.mark.parametrize("limits", [(-1.0, 1.0), (0.0, 1.0), (0.0, 255.0)], ids=str)
def test_a_net_that_changes_nothing_gives_every_byte_back(limits):
    runner = FakeRunner(Spec(*limits))
    for fidelity in (0.0, 0.3, 0.6):
        [result] = fixed(runner, [fidelity])
        assert (result == EVERY_BYTE).all()
    assert (runner.seen[0].min(), runner.seen[0].max()) == pytest.approx(limits, abs=1e-6)


def test_the_net_gets_rgb_as_the_crop_has_it():
    runner = FakeRunner()
    image = np.zeros((512, 512, 3), np.uint8)
    image[:, :, 0], image[3, 5, 2] = 255, 255
    fixed(runner, [0.0], [image])
    [blob] = runner.seen
    assert (blob[0] == 1).all()
    assert (blob[1] == -1).all()
    assert np.argwhere(blob[2] > 0).tolist() == [[3, 5]]


def test_the_answer_is_rounded_not_cut_off():
    for value, wanted in ((0.6 / 127.5 - 1, 1), (0.4 / 127.5 - 1, 0), (5.0, 255), (-5.0, 0)):
        [result] = fixed(FakeRunner(net=answers(value)), [0.0])
        assert (result == wanted).all()


def test_a_net_that_enlarges_gets_the_crop_made_smaller():
    runner = FakeRunner(Spec(0.0, 1.0, size=128), lambda blob: blob.repeat(4, 1).repeat(4, 2))
    image = np.random.default_rng(1).integers(0, 256, (128, 128, 3), np.uint8).repeat(4, 0).repeat(4, 1)
    [result] = fixed(runner, [0.0], [image])
    assert (result == image).all()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(np.full((3, 512, 512), np.nan, np.float32), id="no numbers"),
        pytest.param(np.full((3, 512, 512), np.inf, np.float32), id="infinite"),
        pytest.param(np.zeros((3, 256, 256), np.float32), id="too small"),
        pytest.param(np.zeros((1, 512, 512), np.float32), id="grey"),
        pytest.param(np.zeros((1, 3, 512, 512), np.float32), id="a batch"),
    ],
)
def test_an_answer_that_is_no_picture_is_told_in_a_sentence(answer):
    with pytest.raises(BadCrop, match=r"returned no image on NumPy fp32\. Try the precision 'exact'"):
        fixed(FakeRunner(net=lambda blob: answer), [0.5])


def test_fidelity_1_gives_the_crop_itself_and_runs_nothing():
    runner = FakeRunner(net=answers(0.0))
    [result] = fixed(runner, [1.0])
    assert result is EVERY_BYTE
    assert runner.seen == []


def test_faces_of_different_fidelity_share_a_pass_and_keep_their_order():
    runner = FakeRunner(net=lambda blob: blob + np.float32(20 / 127.5))
    images = [grey(value) for value in (10, 20, 30, 40)]
    results = fixed(runner, [0.0, 1.0, 0.5, 1.0], images)
    assert [int(result[0, 0, 0]) for result in results] == [30, 20, 49, 40]
    assert results[1] is images[1]
    assert runner.asked == [(2, 0.0)]


def test_every_step_of_the_slider_brings_the_face_closer_to_the_original():
    runner = FakeRunner(net=lambda blob: np.float32(-0.83) * blob)  # between the bytes, as a net's answers are
    results = fixed(runner, STEPS)
    distance = [np.abs(result.astype(int) - EVERY_BYTE).mean() for result in results]
    assert all(one > other for one, other in pairwise(distance))
    assert distance[-1] == 0
    rough = [np.abs(result.astype(int) - EVERY_BYTE) for result in results]
    assert all((one >= other).all() for one, other in pairwise(rough)), "a pixel went the other way"


def test_codeformer_is_given_the_fidelity_as_its_w_and_its_answer_is_not_blended():
    runner = FakeRunner(Spec(fused=True), answers(0.0))
    for fidelity in (0.0, 0.4, 1.0):
        [result] = fixed(runner, [fidelity])
        assert (result == 128).all()
    assert runner.asked == [(1, 0.0), (1, 0.4), (1, 1.0)]


def test_a_pass_shares_the_fidelity_only_where_it_goes_into_the_net():
    one, other = job(0.2), job(0.8)
    plain, fused = Restorer(FakeRunner()), Restorer(FakeRunner(Spec(fused=True)))
    assert plain.batch_key(one) == plain.batch_key(other)
    assert fused.batch_key(one) != fused.batch_key(other)
    assert fused.batch_key(one) == fused.batch_key(job(0.2))


def test_crops_are_512_px_and_stay_as_they_were():
    image = EVERY_BYTE.copy()
    runner = FakeRunner(net=answers(0.0))
    assert Restorer(runner).framing(job(0.0)).size == 512
    fixed(runner, [0.3], [image])
    assert (image == EVERY_BYTE).all()


def test_nothing_is_run_before_the_first_picture_is_asked_for_and_none_ahead_of_need():
    runner = FakeRunner()
    crops = [Crop(EVERY_BYTE, np.eye(2, 3))] * 3
    pictures = Restorer(runner).fix(crops, [job(0.0)] * 3)
    assert runner.seen == []
    next(pictures)
    assert len(runner.seen) == 1


def test_the_report_names_what_ran_the_net():
    restorer = Restorer(FakeRunner())
    made = restorer.fix([Crop(EVERY_BYTE, np.eye(2, 3))] * 2, [job(0.5), job(1.0)])
    assert [one.engine for one in made] == ["NumPy fp32", ""]  # a face that is to stay as it is was run by nothing
