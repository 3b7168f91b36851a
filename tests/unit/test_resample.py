import cv2
import numpy as np
import pytest

from lib_facefix.errors import DegenerateLandmarks
from lib_facefix.imaging.align import rotation, transform_points, translate
from lib_facefix.imaging.resample import warp

KINDS = pytest.mark.parametrize("kind", [np.uint8, np.int16, np.float32], ids=lambda kind: kind.__name__)
SCALES = pytest.mark.parametrize("scale", [0.25, 0.5, 1.0, 2.0, 4.0], ids=lambda scale: f"x{scale:g}")


def noise(height, width, kind=np.uint8):
    return np.random.default_rng(3).integers(0, 256, (height, width, 3)).astype(kind)


def centre_of_mass(image):
    """Return x, y of what is bright, in pixels from the top left corner."""
    weight = image.astype(np.float64)
    y, x = np.indices(image.shape) + 0.5
    return np.array([(x * weight).sum(), (y * weight).sum()]) / weight.sum()


@KINDS
def test_identity_returns_the_same_pixels(kind):
    image = noise(37, 53, kind)
    result = warp(image, np.eye(2, 3), (53, 37))
    assert result.dtype == kind
    assert (result == image).all()


@KINDS
@pytest.mark.parametrize("linear", [False, True], ids=["cubic", "linear"])
def test_a_whole_shift_moves_pixels_exactly(kind, linear):
    image = noise(60, 80, kind)
    how = {"interpolation": cv2.INTER_LINEAR} if linear else {}
    assert (warp(image, translate(np.eye(2, 3), (-11, -7)), (30, 20), **how) == image[7:27, 11:41]).all()


def test_one_channel_is_as_good_as_three():
    image = noise(40, 40)
    matrix = translate(rotation(20, 0.7), (10, 3))
    assert (warp(image, matrix, (30, 30))[..., 1] == warp(image[..., 1].copy(), matrix, (30, 30))).all()


@SCALES
@pytest.mark.parametrize("degrees", [0, 90, 37], ids=lambda degrees: f"{degrees} degrees")
def test_a_dot_lands_where_the_matrix_says(scale, degrees):
    dot = np.zeros((200, 200), np.float32)
    dot[96:104, 80:88] = 1  # centred on (84, 100)
    matrix = translate(rotation(degrees, scale), (450, 320))
    seen = centre_of_mass(np.clip(warp(dot, matrix, (1300, 1300)), 0, None))
    assert seen == pytest.approx(transform_points(np.array([(84.0, 100.0)]), matrix)[0], abs=0.04 * max(1.0, scale))


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_enlarging_agrees_with_cv2_resize(factor):
    image = cv2.GaussianBlur(noise(40, 50), (9, 9), 2)
    ours = warp(image, rotation(0, factor), (50 * factor, 40 * factor), interpolation=cv2.INTER_LINEAR)
    cv2s = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)
    assert np.abs(ours.astype(int) - cv2s).max() <= 2


@pytest.mark.parametrize("factor", [2, 4])
def test_shrinking_by_a_whole_factor_is_averaging(factor):
    image = noise(40, 48)
    ours = warp(image, rotation(0, 1 / factor), (48 // factor, 40 // factor))
    mean = image.reshape(40 // factor, factor, 48 // factor, factor, 3).mean((1, 3))
    assert np.abs(ours - mean).max() <= 1


@pytest.mark.parametrize("scale", np.arange(1, 10) / 10, ids=lambda scale: f"x{scale:g}")
def test_shrinking_a_fine_checkerboard_gives_grey(scale):
    board = (np.indices((300, 300)).sum(0) % 2 * 255).astype(np.uint8)
    small = warp(board, rotation(0, scale), (round(300 * scale), round(300 * scale)))
    # slightly below full size half a pixel of pattern is left by any filter; it must not come back as a coarse one
    coarse = cv2.blur(small.astype(np.float32), (9, 9))[5:-5, 5:-5]
    assert np.abs(coarse - 127.5).max() < 12
    if scale <= 0.5:
        assert np.abs(small[3:-3, 3:-3].astype(float) - 127.5).max() < 10


@SCALES
def test_a_flat_picture_stays_flat(scale):
    flat = np.full((50, 60, 3), (10, 200, 99), np.uint8)
    assert (warp(flat, translate(rotation(33, scale), (-20, 5)), (70, 70)) == (10, 200, 99)).all()


def test_beyond_the_edge_the_edge_repeats():
    image = noise(20, 30)
    seen = warp(image, translate(np.eye(2, 3), (10, 5)), (50, 30))
    assert (seen[5:25, 10:40] == image).all()
    assert (seen[5:25, :10] == image[:, :1]).all()
    assert (seen[5:25, 40:] == image[:, -1:]).all()
    assert (seen[:5, 10:40] == image[:1]).all()
    assert (seen[25:, 10:40] == image[-1:]).all()
    assert (seen[:5, :10] == image[0, 0]).all()


@SCALES
@pytest.mark.parametrize(("shift", "row"), [((9000, 9000), 0), ((-9000, -9000), -1)], ids=["before", "behind"])
def test_a_map_entirely_outside_shows_the_nearest_pixels(scale, shift, row):
    image = noise(40, 40)
    image[:9, :9] = image[0, 0]
    image[-9:, -9:] = image[-1, -1]
    seen = warp(image, translate(rotation(0, scale), shift), (16, 16))
    assert (seen == image[row, row]).all()


@pytest.mark.parametrize("shape", [(3, 40000), (40000, 3)], ids=["wide", "tall"])
@pytest.mark.parametrize("scale", [0.1, 1.0, 2.0])
def test_a_huge_narrow_picture_is_cut_like_any_other(shape, scale):
    image = np.full((*shape, 3), 50, np.uint8)
    middle = np.array([shape[1] / 2, shape[0] / 2])
    image[shape[0] // 2 - 1 : shape[0] // 2 + 2, shape[1] // 2 - 1 : shape[1] // 2 + 2] = 250
    seen = warp(image, translate(rotation(0, scale), tuple(128 - middle * scale)), (256, 256))
    assert seen[128, 128, 0] > (60 if scale < 1 else 200)
    assert (seen[[0, -1]][:, [0, -1]] == 50).all()


def test_a_whole_narrow_picture_fits_into_one_crop():
    image = np.full((3, 40000, 3), 77, np.uint8)
    assert (warp(image, rotation(0, 512 / 40000), (512, 512)) == 77).all()


def test_a_map_without_a_way_back_is_refused():
    with pytest.raises(DegenerateLandmarks):
        warp(noise(9, 9), np.array([(1.0, 0, np.nan), (0, 1, 0)]), (5, 5))


def test_the_picture_given_is_never_changed():
    image = noise(30, 30)
    before = image.copy()
    warp(image, np.eye(2, 3), (30, 30))[:] = 0
    assert (image == before).all()
