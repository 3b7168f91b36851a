"""A face restored in a picture of one tone brings no colour into it."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from lib_facefix import FaceFix, FaceSettings
from lib_facefix.fixers.lite import Lite
from lib_facefix.imaging.blend import paste
from lib_facefix.imaging.tone import learn_tone
from lib_facefix.pictures import read_picture
from lib_facefix.protocols import Fixed

SEPIA = lambda grey: np.stack([grey * 0.85 + 35, grey * 0.75 + 25, grey * 0.55 + 15], 2)  # noqa: E731
KINKS = (0, 110, 150, 255)
SPLIT = ((10, 105, 165, 255), (15, 112, 150, 240), (40, 130, 130, 215))
TONES = {
    "black and white": lambda grey: np.repeat(grey[..., None], 3, 2),
    "sepia": SEPIA,
    "blue duotone": lambda grey: np.stack([255 * (grey / 255) ** power for power in (1.4, 1.0, 0.8)], 2),
    "blue shadows, yellow lights": lambda grey: np.stack([25 + grey * 0.88, 30 + grey * 0.8, 80 + grey * 0.4], 2),
    "split": lambda grey: np.stack([np.interp(grey, KINKS, at) for at in SPLIT], 2),
}


@pytest.fixture(scope="module")
def photo():
    return read_picture(Path(__file__).parents[2] / "examples" / "astronaut.jpg").image


@pytest.fixture(scope="module")
def portrait(photo):
    return cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float64)


def grey_picture():
    noise = np.random.default_rng(1).normal(128, 400, (128, 128))
    return np.clip(cv2.GaussianBlur(noise, (0, 0), 4), 0, 255)


def lab(picture):
    return cv2.cvtColor(np.asarray(picture, np.float32) / 255, cv2.COLOR_RGB2LAB)


def coloured(crop):
    """What a restorer makes of it: brighter in one place and darker in another, and reddish."""
    change = np.zeros(crop.shape, np.float32)
    change[30:60, 30:90] = (70, 40, 34)
    change[60:90, 30:90] = (-20, -50, -56)
    return np.clip(crop + change, 0, 255).astype(np.uint8)


def off_tone(picture, tone):
    """How far a* and b* of each pixel are from those of the tone at its lightness, (N, 2), where the tone is so."""
    curve = lab(np.clip(TONES[tone](np.arange(256.0)[None]), 0, 255))[0]
    pixels = lab(picture.reshape(1, -1, 3))[0]
    pixels = pixels[(pixels[:, 0] > curve[0, 0]) & (pixels[:, 0] < curve[-1, 0])]
    return np.stack([np.abs(pixels[:, k] - np.interp(pixels[:, 0], curve[:, 0], curve[:, k])) for k in (1, 2)], 1)


@pytest.mark.parametrize("shown", [1.0, 0.4])
@pytest.mark.parametrize("tone", TONES)
def test_a_crop_of_one_tone_keeps_it_at_every_brightness(tone, shown):
    crop = np.clip(np.rint(TONES[tone](grey_picture())), 0, 255).astype(np.uint8)
    canvas, mask = crop.copy(), np.full(crop.shape[:2], shown, np.float32)
    paste(canvas, coloured(crop), mask, np.eye(2, 3), base=crop, tone=learn_tone(crop))
    assert np.percentile(off_tone(canvas, tone), 99, axis=0).max() <= 2
    change = lab(canvas)[..., 0] - lab(crop)[..., 0]
    assert change[35:55, 35:85].mean() > 15 * shown
    assert change[65:85, 35:85].mean() < -10 * shown
    assert np.array_equal(canvas[100:], crop[100:])
    if tone == "black and white":
        assert np.ptp(canvas, 2).max() <= 1


@pytest.mark.parametrize("added", [(25, -12, -20), (60, 60, 60)], ids=["a tint", "lightness"])
@pytest.mark.parametrize("tone", ["black and white", "sepia", "blue shadows, yellow lights", "split"])
def test_a_toned_portrait_keeps_its_tone_with_a_fixer_that_tints(portrait, tone, added):
    picture = np.rint(TONES[tone](portrait)).clip(0, 255).astype(np.uint8)

    class Tinting(Lite):
        def fix(self, crops, jobs):
            for fixed in super().fix(crops, jobs):
                yield Fixed(np.clip(fixed.patch + np.float32(added), 0, 255).astype(np.uint8), "a test")

    engine = FaceFix()
    engine.fixer = lambda job: Tinting()
    settings = FaceSettings(method="restore", fidelity=0.0, match_colour=False)
    [result] = engine.fix([picture], settings)
    changed = (result.image != picture).any(2)
    assert changed.sum() > 2000
    off = off_tone(result.image[changed], tone)
    assert np.percentile(off, 99, axis=0).max() <= 2
    if tone == "black and white":
        assert np.ptp(result.image, 2).max() <= 1


@pytest.mark.parametrize("tone", TONES)
def test_scratches_and_jpeg_do_not_hide_the_tone(tone):
    crop = np.clip(TONES[tone](grey_picture()), 0, 255).astype(np.uint8)
    cv2.line(crop, (20, 0), (25, 127), (235, 230, 215), 1)
    done, data = cv2.imencode(".jpg", crop[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
    assert done
    assert learn_tone(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])


def test_a_patch_equal_to_its_crop_stays_equal():
    crop = np.clip(SEPIA(grey_picture()), 0, 255).astype(np.uint8)
    canvas = crop.copy()
    paste(canvas, crop, np.ones(crop.shape[:2], np.float32), np.eye(2, 3), base=crop, tone=learn_tone(crop))
    assert np.array_equal(canvas, crop)


def test_colour_and_flat_crops_are_left_to_the_restorer():
    grey = grey_picture()
    colour = np.stack([grey, grey[::-1], grey[:, ::-1]], 2).astype(np.uint8)
    flat = np.full((64, 64, 3), 128, np.uint8)
    assert learn_tone(colour) is None
    assert learn_tone(flat) is None


def test_a_portrait_in_colour_is_not_taken_for_a_toned_one(photo):
    assert learn_tone(photo[20:240, 120:340]) is None
