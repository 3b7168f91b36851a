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
def adds(monkeypatch):
    """Make a Lite whose net says that so much of 255 is missing everywhere."""

    def make(missing):
        def net(blob):
            assert (blob.shape, blob.dtype) == ((1, 3, 512, 512), np.float32)
            assert 0 <= blob.min() <= blob.max() <= 1
            residual = np.zeros_like(blob)
            residual[:] = np.reshape(np.broadcast_to(missing, 3), (1, 3, 1, 1)) / np.float32(255)
            return [residual]

        net.engine = "a test"
        monkeypatch.setattr(lite, "load", lambda path: net)
        return lite.Lite()

    return make


def fixed(fixer, fidelity, image=GREY):
    [(result, _)] = fixer.fix([Crop(image, np.eye(2, 3))], [job(fidelity)])
    assert (result.dtype, result.shape) == (np.uint8, image.shape)
    return result


def test_strength_falls_with_fidelity(adds):
    fixer = adds(100)
    seen = [int(fixed(fixer, fidelity)[0, 0, 0]) for fidelity in (i / 10 for i in range(11))]
    assert seen == sorted(seen, reverse=True)
    assert (seen[0], seen[6], seen[10]) == (200, 187, 100)


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
    (first, _), (second, _) = adds(100).fix(crops, [job(0.0), job(1.0)])
    assert (first[0, 0, 0], second[0, 0, 0]) == (200, 100)


def test_the_crop_given_is_not_changed(adds):
    image = GREY.copy()
    fixed(adds(50), 0.0, image)
    assert (image == GREY).all()


def test_all_jobs_share_one_round_and_one_frame(adds):
    fixer = adds(0)
    assert fixer.batch_key(job(0.1)) == fixer.batch_key(job(0.9))
    assert fixer.framing(job(0.1)).size == 512


def test_the_report_names_what_runs_it(adds):
    [made] = adds(0).fix([Crop(GREY, np.eye(2, 3))], [job(0.0)])
    assert made.engine == "a test fp32"
