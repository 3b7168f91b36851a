"""The change by any restorer keeps light, fine detail, and grain of the original, and is weaker in tiny faces."""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import pytest

from lib_facefix.imaging.blocks import measure_blocks
from lib_facefix.imaging.detail import keep_detail
from lib_facefix.imaging.fade import strength_at
from lib_facefix.imaging.frames import Upright
from lib_facefix.imaging.grain import keep_grain, measure_grain
from lib_facefix.imaging.lighting import keep_light
from lib_facefix.pipeline.run import fix_faces
from lib_facefix.planning.plan import FaceJob, FixPlan
from lib_facefix.protocols import Fixed
from lib_facefix.settings.treatment import Treatment
from lib_facefix.types import Pose

SIDE = 512
FACE = slice(180, 332), slice(180, 332)
"""Rows and columns that are well inside the mask."""
AROUND = slice(0, 60), slice(0, SIDE)
"""Rows and columns that are well outside of it."""


@dataclass
class Parts:
    """A restorer that blurs by `sigma` and adds `tint`, and a mask of a disc."""

    sigma: float = 6.0
    tint: tuple = (0, 0, 0)
    turn: int = 0

    def fixer(self, job):
        return self

    def masker(self, job):
        return self

    def framing(self, job):
        return Upright(SIDE)

    def batch_key(self, job):
        return self.turn if not self.turn else job.number

    def fix(self, crops, jobs):
        for crop in crops:
            blurred = cv2.GaussianBlur(crop.image, (0, 0), self.sigma) if self.sigma else crop.image
            yield Fixed(np.clip(blurred + np.float32(self.tint), 0, 255).astype(np.uint8), "a lens")

    def mask(self, crop, face):
        return disc(crop.image.shape[0])


def disc(side):
    rows, columns = np.indices((side, side)) + 0.5
    return (np.hypot(rows - side / 2, columns - side / 2) < side * 0.3).astype(np.float32)


@cache
def smooth_picture():
    rng = np.random.default_rng(3)
    return np.clip(cv2.GaussianBlur(rng.normal(128, 1200, (SIDE, SIDE, 3)), (0, 0), 24), 40, 215).astype(np.uint8)


def grainy(picture, sigma, size, *, coloured):
    noise = np.random.default_rng(4).normal(size=(*picture.shape[:2], 3 if coloured else 1))
    noise = cv2.GaussianBlur(noise, (0, 0), size).reshape(*picture.shape[:2], -1)
    return np.clip(np.rint(picture + sigma * noise / noise.std()), 0, 255).astype(np.uint8)


def level(picture, where, *, chroma=False):
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    plane = picture[..., 0] - luma if chroma else luma
    return float((plane - cv2.GaussianBlur(plane, (0, 0), 2))[where].std())


def fix(picture, face, parts=None, decision="restore", **settings):
    job = FaceJob(1, face, decision, "", Treatment(**settings), Pose(0, 0, 0), 0.5)
    [result] = fix_faces([picture], [FixPlan(picture.shape[1::-1], (job,))], parts or Parts())
    assert [outcome.verdict for outcome in result.outcomes] == ["fixed"]
    return result.image


@pytest.fixture
def face(face_at):
    return face_at(SIDE / 2, SIDE / 2, size=SIDE)


@pytest.mark.parametrize("coloured", [False, True], ids=["grey", "coloured"])
@pytest.mark.parametrize("size", [0.5, 0.8, 1.2])
@pytest.mark.parametrize("sigma", [4, 8, 16])
def test_a_restored_face_has_the_grain_of_its_surroundings(face, sigma, size, coloured):
    picture = grainy(smooth_picture(), sigma, size, coloured=coloured)
    fixed = fix(picture, face)
    for chroma in (False, True) if coloured else (False,):
        around = level(picture, AROUND, chroma=chroma)
        assert level(fixed, FACE, chroma=chroma) == pytest.approx(around, rel=0.2)
        assert level(fix(picture, face, grain=0.0), FACE, chroma=chroma) < 0.5 * around


def test_half_of_the_grain_is_between_none_and_all(face):
    picture = grainy(smooth_picture(), 8, 0.8, coloured=False)
    none, half, full = (level(fix(picture, face, grain=amount), FACE) for amount in (0.0, 0.5, 1.0))
    assert half == pytest.approx((none + full) / 2, rel=0.1)


def test_a_face_that_has_kept_its_grain_gets_no_more(face):
    picture = grainy(smooth_picture(), 8, 0.8, coloured=True)
    fixed = fix(picture, face, Parts(sigma=0.0, tint=(1, 1, 1)), match_colour=False)
    assert np.abs(fixed[FACE].astype(int) - picture[FACE]).max() <= 1


def test_a_photo_without_grain_gets_none(face):
    picture = smooth_picture()
    assert (fix(picture, face) == fix(picture, face, grain=0.0)).all()


def test_blotches_of_an_enlarged_image_are_no_grain():
    small = grainy(cv2.resize(smooth_picture(), (128, 128)), 6, 0.3, coloured=False)
    crop = cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    grain = measure_grain(crop, disc(SIDE), np.eye(2, 3), (SIDE, SIDE))
    assert grain.share == 0
    patch = cv2.GaussianBlur(crop, (0, 0), 4)
    assert keep_grain(patch, crop, grain, 1.0, 1.0) is patch


def test_jpeg_blocks_are_no_grain():
    done, data = cv2.imencode(".jpg", smooth_picture()[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 15])
    assert done
    crop = cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]
    assert measure_grain(np.ascontiguousarray(crop), disc(SIDE), np.eye(2, 3), (SIDE, SIDE)).share == 0


def test_scratches_are_not_given_back_as_grain(face):
    picture = grainy(smooth_picture(), 5, 0.8, coloured=False)
    scratched = picture.copy()
    scratched[:, 255:257] = 250
    fixed = fix(scratched, face, match_colour=False)
    beside, on_it = fixed[FACE][:, 40:60].mean(), fixed[FACE][:, 75:77].mean()
    assert on_it - beside < 0.35 * (250 - picture[FACE][:, 75:77].mean())


def test_the_same_photo_gives_the_same_bytes_alone_and_in_a_batch(face):
    picture = grainy(smooth_picture(), 8, 0.8, coloured=True)
    job = FaceJob(1, face, "restore", "", Treatment(), Pose(0, 0, 0), 0.5)
    plan = FixPlan(picture.shape[1::-1], (job,))
    alone = fix(picture, face)
    for result in fix_faces([picture, smooth_picture(), picture], [plan] * 3, Parts())[::2]:
        assert (result.image == alone).all()


def test_a_re_diffused_face_is_not_held_back(face):
    picture = grainy(smooth_picture(), 8, 0.8, coloured=False)
    redrawn = fix(picture, face, decision="re-diffuse", match_colour=False)
    assert level(redrawn, FACE) < 0.3 * level(picture, AROUND)


@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_a_beard_keeps_the_energy_of_its_finest_octave(noise):
    hairs = np.zeros((SIDE, SIDE, 3), np.uint8) + 120
    rng = np.random.default_rng(5)
    for x, y in rng.integers(150, 350, (1500, 2)).tolist():
        cv2.line(hairs, (x, y), (x + int(rng.integers(-4, 5)), y + 7), (90, 80, 70), 1, cv2.LINE_AA)
    erased = cv2.GaussianBlur(hairs, (0, 0), 3)
    kept = keep_detail(erased, hairs, 1.0, noise).astype(np.uint8)
    assert level(erased, FACE) < 0.2 * level(hairs, FACE)
    assert level(kept, FACE) > 0.8 * level(hairs, FACE)


@pytest.mark.parametrize("sigma", [3, 8, 16])
def test_noise_is_not_given_back_as_detail(face, sigma):
    picture = grainy(smooth_picture(), sigma, 0.4, coloured=False)
    assert level(fix(picture, face, grain=0.0), FACE) < 0.2 * level(picture, FACE)


def test_jpeg_blocks_are_not_given_back_as_detail(face):
    picture = grainy(smooth_picture(), 12, 6, coloured=True)
    done, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 10])
    assert done
    blocky = np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])
    before = measure_blocks(blocky[FACE])
    assert before > 1
    assert measure_blocks(fix(blocky, face)[FACE]) < 0.2 * before


@pytest.mark.parametrize(("quality", "low", "high"), [(None, 0.0, 0.2), (50, 0.5, 4.0), (10, 1.0, 8.0)])
def test_blocks_are_measured_wherever_they_begin(quality, low, high):
    picture = grainy(smooth_picture(), 12, 6, coloured=True)
    if quality:
        _, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]
    for start in (0, 3):
        assert low <= measure_blocks(picture[start:, start:]) <= high
    assert measure_blocks(picture[:12, :12]) == 0


def test_a_slow_shift_of_colour_is_removed_and_a_clearer_eye_has_no_halo():
    crop = smooth_picture()
    patch = crop + np.float32((12, -8, 5)) + np.linspace(-6, 6, SIDE, dtype=np.float32)[:, None, None]
    cv2.circle(patch, (200, 240), 12, (10.0, 10.0, 10.0), -1)
    off = np.abs(keep_light(patch, crop, 300.0) - crop)
    eye = np.hypot(*(np.indices((SIDE, SIDE)) - np.array([240, 200])[:, None, None])) < 15
    assert off[~eye].max() < 2.5
    assert off[~eye].mean() < 0.5
    assert off[eye].mean() > 20


def test_light_keeps_an_unchanged_crop():
    crop = smooth_picture()
    assert (keep_light(crop, crop, 300.0) == crop).all()


def test_match_colour_says_whether_the_light_is_kept(face):
    picture, tinting = smooth_picture(), Parts(sigma=0.0, tint=(20, 0, -20))
    shift = {
        match: fix(picture, face, tinting, match_colour=match)[FACE] - picture[FACE].astype(float)
        for match in (True, False)
    }
    assert np.abs(shift[True]).max() <= 1
    assert np.abs(shift[False]).mean((0, 1)) == pytest.approx((20, 0, 20), abs=1)


def test_strength_rises_from_tiny_faces_to_those_of_40_px():
    assert [strength_at(size) for size in (0, 16, 40, 4000)] == [0.25, 0.25, 1.0, 1.0]
    steps = np.diff([strength_at(size) for size in np.arange(16, 41)])
    assert (steps > 0).all()
    assert steps.max() < 0.05


def test_a_tiny_face_changes_less_than_a_large_one(face_at):
    picture, tinting = smooth_picture(), Parts(sigma=0.0, tint=(40, 40, 40))
    changes = [
        (
            fix(picture, face_at(256, 256, size=size), tinting, match_colour=False)[256, 256]
            - picture[256, 256].astype(int)
        )
        for size in (16, 24, 60)
    ]
    assert [change.mean() for change in changes] == pytest.approx([10, 17.6, 40], abs=1.5)
