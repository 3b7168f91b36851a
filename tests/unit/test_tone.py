"""A face restored in a picture of one tone brings no colour into it."""

import cv2
import numpy as np
import pytest

from lib_facefix.imaging.tone import has_one_tone, keep_tone

SEPIA = lambda grey: np.stack([grey * 0.85 + 35, grey * 0.75 + 25, grey * 0.55 + 15], 2)  # noqa: E731
TONES = {
    "black and white": lambda grey: np.repeat(grey[..., None], 3, 2),
    "sepia": SEPIA,
    "blue duotone": lambda grey: np.stack([255 * (grey / 255) ** power for power in (1.4, 1.0, 0.8)], 2),
}


def grey_picture():
    noise = np.random.default_rng(1).normal(128, 400, (128, 128))
    return np.clip(cv2.GaussianBlur(noise, (0, 0), 4), 0, 255)


def lab(picture):
    return cv2.cvtColor(np.asarray(picture, np.float32) / 255, cv2.COLOR_RGB2LAB)


def coloured(crop):
    """What a restorer makes of it: brighter in places, and reddish."""
    change = np.zeros(crop.shape, np.float32)
    change[30:90, 30:90] = (40, 10, 4)
    return np.clip(crop + change, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("tone", TONES)
def test_a_crop_of_one_tone_keeps_it(tone):
    crop = np.clip(TONES[tone](grey_picture()), 0, 255).astype(np.uint8)
    kept = np.rint(keep_tone(coloured(crop), crop))
    assert np.abs(lab(kept) - lab(crop))[..., 1:].mean() <= 0.5
    assert np.percentile(np.abs(lab(kept) - lab(crop))[..., 2], 99) <= 2
    assert np.abs(kept - crop)[40:80, 40:80].mean() > 5
    if tone == "black and white":
        assert np.ptp(kept, 2).max() <= 1


@pytest.mark.parametrize("tone", TONES)
def test_scratches_and_jpeg_do_not_hide_the_tone(tone):
    crop = np.clip(TONES[tone](grey_picture()), 0, 255).astype(np.uint8)
    cv2.line(crop, (20, 0), (25, 127), (235, 230, 215), 1)
    done, data = cv2.imencode(".jpg", crop[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
    assert done
    assert has_one_tone(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])


def test_a_patch_equal_to_its_crop_stays_equal():
    crop = np.clip(SEPIA(grey_picture()), 0, 255).astype(np.uint8)
    assert np.array_equal(keep_tone(crop, crop), crop)


def test_colour_and_flat_crops_are_left_to_the_restorer():
    grey = grey_picture()
    colour = np.stack([grey, grey[::-1], grey[:, ::-1]], 2).astype(np.uint8)
    flat = np.full((64, 64, 3), 128, np.uint8)
    for crop in (colour, flat):
        patch = coloured(crop)
        assert keep_tone(patch, crop) is patch
