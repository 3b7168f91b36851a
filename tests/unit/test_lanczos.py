import tracemalloc

import numpy as np
import pytest
from PIL import Image as Pil

from lib_facefix.imaging import lanczos as module
from lib_facefix.imaging.lanczos import lanczos, lanczos_of_bands

SIZES = [(157, 211), (311, 433), (80, 77), (400, 40), (40, 400), (157, 433), (1, 1)]


def noise(*shape, kind=np.uint8):
    return np.random.default_rng(1).integers(0, np.iinfo(kind).max + 1, shape, kind)


def in_one_piece(pixels, size):
    """Pillow's own answer, rows first."""
    wide = Pil.fromarray(pixels).resize((size[0], pixels.shape[0]), Pil.Resampling.LANCZOS)
    return np.asarray(wide.resize(size, Pil.Resampling.LANCZOS))


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("band", [1 << 24, 4000, 1], ids=["whole", "bands", "row by row"])
def test_any_bands_give_what_pillow_gives_in_one_piece(monkeypatch, size, band):
    monkeypatch.setattr(module, "BAND_SAMPLES", band)
    image = noise(211, 157, 3)
    made = lanczos(image, size).astype(int)
    difference = np.abs(made - in_one_piece(image, size))
    assert made.shape == (size[1], size[0], 3)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 1e-3


def test_bands_of_uneven_height_are_as_good_as_the_whole():
    image = noise(100, 60, 3)
    bands = [image[:1], image[1:3], image[3:90], image[90:]]
    made = lanczos_of_bands(bands, (60, 100), (90, 170)).astype(int)
    assert np.abs(made - lanczos(image, (90, 170))).max() <= 1


@pytest.mark.parametrize("channels", [(), (1,), (3,), (4,)], ids=str)
@pytest.mark.parametrize("kind", [np.uint8, np.uint16], ids=lambda kind: kind.__name__)
def test_every_channel_is_enlarged_alike_in_its_own_depth(kind, channels):
    pixels = noise(40, 30, *channels, kind=kind)
    made = lanczos(pixels, (75, 66))
    assert (made.dtype, made.shape) == (kind, (66, 75, *channels))
    for i in range(channels[0] if channels else 0):
        assert np.abs(made[..., i].astype(int) - lanczos(pixels[..., i].copy(), (75, 66))).max() <= 1


def test_sixteen_bits_keep_what_eight_would_lose():
    ramp = np.broadcast_to(np.arange(1000, 1256, dtype=np.uint16), (8, 256))
    made = lanczos(ramp, (512, 16))
    inner = made[8, 20:-20].astype(int)
    assert (np.diff(inner) >= 0).all()
    assert len(np.unique(inner)) > 200


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (300, 200), (20, 300)], ids=str)
@pytest.mark.parametrize("colour", [0, 1, 128, 255])
def test_a_plain_colour_stays_itself(size, colour):
    assert (lanczos(np.full((20, 30, 3), colour, np.uint8), size) == colour).all()


def test_nothing_shifts():
    dot = np.zeros((40, 40, 3), np.uint8)
    dot[18:22, 10:14] = 200
    made = lanczos(dot, (100, 60))[..., 0].astype(float)
    y, x = np.indices(made.shape) + 0.5
    assert ((x * made).sum() / made.sum(), (y * made).sum() / made.sum()) == pytest.approx((30.0, 30.0), abs=0.1)


def test_what_is_given_is_not_changed_and_not_handed_back():
    image = noise(20, 20, 3)
    made = lanczos(image, (20, 20))
    assert (made == image).all()
    assert not np.shares_memory(made, image)


def test_memory_holds_a_band_besides_the_result(monkeypatch):
    monkeypatch.setattr(module, "BAND_SAMPLES", 1 << 18)
    image = noise(2000, 500, 3)
    tracemalloc.start()
    made = lanczos(image, (1000, 4000))
    beyond = tracemalloc.get_traced_memory()[1] - made.nbytes
    tracemalloc.stop()
    assert beyond < 0.3 * made.nbytes
