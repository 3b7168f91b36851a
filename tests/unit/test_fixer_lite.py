import numpy as np
import pytest

from lib_facefix.fixers import lite
from lib_facefix.planning.plan import FaceJob
from lib_facefix.settings.treatment import Treatment
from lib_facefix.types import Box, Crop, Face, Pose

GREY = np.full((512, 512, 3), 100, np.uint8)


def job(fidelity):
    return FaceJob(1, Face(Box(0, 0, 9, 9), 1.0), "restore", "", Treatment(fidelity=fidelity), Pose(0, 0, 0), 0.5)


@pytest.fixture
def runs():
    """The crops that the net has been run on."""
    return []


@pytest.fixture
def adds(monkeypatch, runs):
    """Make a Lite whose heads say that so much of 255 is missing everywhere, the faithful one and the vivid one."""

    def make(missing, vivid=None):
        def net(blob):
            assert (blob.shape, blob.dtype) == ((1, 3, 512, 512), np.float32)
            assert 0 <= blob.min() <= blob.max() <= 1
            runs.append(blob)
            both = missing, missing if vivid is None else vivid
            return [filled(blob, np.reshape(np.broadcast_to(one, 3), (1, 3, 1, 1)) / 255) for one in both]

        net.engine = "a test"
        monkeypatch.setattr(lite, "load", lambda path, device: net)
        return lite.Lite()

    return make


def filled(blob, values):
    residual = np.zeros_like(blob)
    residual[:] = values
    return residual


def fixed(fixer, fidelity, image=GREY):
    [(result, *_)] = fixer.fix([Crop(image, np.eye(2, 3))], [job(fidelity)])
    assert (result.dtype, result.shape) == (np.uint8, image.shape)
    return result


def test_fidelity_goes_from_the_vivid_head_over_the_faithful_one_to_nothing(adds):
    fixer = adds(50, vivid=100)
    seen = [int(fixed(fixer, fidelity)[0, 0, 0]) for fidelity in (0.0, 0.3, 0.6, 0.7, 0.8, 0.9, 1.0)]
    assert seen == [200, 190, 180, 165, 150, 125, 100]


@pytest.mark.parametrize("fidelity", [0.0, 0.6, 0.8])
def test_where_both_heads_agree_all_of_it_is_added(adds, fidelity):
    assert (fixed(adds(40), fidelity) == 140).all()


def test_less_vivid_detail_is_added_at_every_step_of_fidelity():
    shares = np.array([lite.find_shares(fidelity) for fidelity in np.linspace(0, 1, 51)])
    assert (np.diff(shares[:, 1]) <= 0).all()
    assert shares.sum(1)[:41] == pytest.approx(1), "up to 0.8, one head makes room for the other"


@pytest.mark.parametrize("fidelity", [0.0, 0.25, 0.6, 0.7, 0.8, 0.95, 1.0])
def test_every_result_is_a_blend_of_the_two_that_are_listed(adds, fidelity):
    fixer = adds(40, vivid=90)
    blended = 100.0
    for blend in fixer.list_blends():
        change = float(fixed(fixer, blend.fidelity)[0, 0, 0]) - 100
        blended += float(np.interp(fidelity, *zip(*blend.shares, strict=True))) * change
    assert fixed(fixer, fidelity)[0, 0, 0] == pytest.approx(blended, abs=0.5)


def test_another_fidelity_does_not_run_the_net_again(adds, runs):
    fixer = adds(50, vivid=100)
    first, again = fixed(fixer, 0.8), fixed(fixer, 0.0)
    assert (first[0, 0, 0], again[0, 0, 0], len(runs)) == (150, 200, 1)


def test_only_the_last_faces_are_kept(adds, runs):
    fixer = adds(50)
    others = [np.full_like(GREY, level) for level in range(lite.KEPT)]
    for image in (GREY, *others, others[0], GREY):
        assert (fixed(fixer, 0.0, image) == image + 50).all()
    assert len(runs) == lite.KEPT + 2  # GREY was the oldest when one more came, and is run again


def test_fidelity_1_gives_the_crop_itself(adds):
    assert fixed(adds(100), 1.0) is GREY


@pytest.mark.parametrize(("missing", "result"), [(0.6, 101), (0.4, 100), (-0.6, 99), (-0.4, 100)])
def test_the_answer_is_rounded_not_cut_off(adds, missing, result):
    assert (fixed(adds(missing), 0.0) == result).all()


@pytest.mark.parametrize(("missing", "result"), [(300, 255), (-300, 0)])
def test_the_answer_does_not_wrap_round(adds, missing, result):
    assert (fixed(adds(missing), 0.0) == result).all()


def test_colours_keep_their_order(adds):
    assert fixed(adds((10, -20, 30)), 0.0)[7, 9].tolist() == [110, 80, 130]


def test_each_crop_gets_the_strength_of_its_own_job(adds):
    crops = [Crop(GREY, np.eye(2, 3))] * 2
    (first, *_), (second, *_) = adds(100).fix(crops, [job(0.0), job(1.0)])
    assert (first[0, 0, 0], second[0, 0, 0]) == (200, 100)


def test_the_crop_given_is_not_changed(adds):
    image = GREY.copy()
    fixed(adds(50), 0.0, image)
    assert (image == GREY).all()


def test_all_jobs_share_one_frame_and_those_of_one_fidelity_a_round(adds):
    fixer = adds(0)
    assert fixer.batch_key(job(0.1)) == fixer.batch_key(job(0.1))
    assert fixer.batch_key(job(0.1)) != fixer.batch_key(job(0.9))  # whoever blends by themselves must ask again
    assert fixer.framing(job(0.1)).size == 512


def test_the_report_names_what_runs_it(adds):
    [made] = adds(0).fix([Crop(GREY, np.eye(2, 3))], [job(0.0)])
    assert made.engine == "a test fp32"
