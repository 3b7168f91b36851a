from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest

from lib_facefix.errors import BadModel
from lib_facefix.imaging.lanczos import lanczos
from lib_facefix.upscalers.lanczos import Lanczos
from lib_facefix.upscalers.net import NetUpscaler


@dataclass
class Repeats:
    """A network that repeats each pixel."""

    scale: int = 4
    engine: str = "NumPy fp32"
    shapes: list = field(default_factory=list)

    def __call__(self, blob):
        assert blob.dtype == np.float32
        assert 0 <= blob.min() <= blob.max() <= 1
        self.shapes.append(blob.shape)
        return blob.repeat(self.scale, 2).repeat(self.scale, 3), self.engine


@dataclass
class Watcher:
    stop_after: int = 1000
    told: list = field(default_factory=list)

    def step(self, done, total, doing):
        self.told.append((done, total, doing))

    def should_stop(self):
        return len(self.told) >= self.stop_after


@pytest.fixture
def photo():
    noise = np.random.default_rng(1).integers(0, 256, (150, 210, 3), np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 3)


UPSCALERS = pytest.mark.parametrize("make", [Lanczos, lambda: NetUpscaler(Repeats(), 64)], ids=["lanczos", "net"])


@UPSCALERS
@pytest.mark.parametrize("size", [(210, 150), (420, 300), (315, 225), (1680, 1200), (1000, 301), (100, 40)], ids=str)
def test_the_result_has_exactly_the_size_that_was_asked_for(photo, make, size):
    before = photo.copy()
    made = make().enlarge(photo, size).image
    assert (made.shape, made.dtype) == ((size[1], size[0], 3), np.uint8)
    assert (photo == before).all()
    assert not np.shares_memory(made, photo)
    assert np.abs(cv2.resize(made, (21, 15), interpolation=cv2.INTER_AREA).astype(int)
                  - cv2.resize(photo, (21, 15), interpolation=cv2.INTER_AREA)).max() <= 6  # fmt: skip


@UPSCALERS
def test_a_single_pixel_is_enlarged_too(make):
    assert (make().enlarge(np.full((1, 1, 3), 77, np.uint8), (4, 4)).image == 77).all()


def test_at_its_own_factor_the_network_has_the_last_word(photo):
    made = NetUpscaler(Repeats(4), 64).enlarge(photo, (840, 600)).image
    assert (made == photo.repeat(4, 0).repeat(4, 1)).all()


@pytest.mark.parametrize(("scale", "factor"), [(4, 2), (2, 8), (4, 8), (1, 2)])
def test_another_factor_is_made_of_the_networks_answer_in_one_run(photo, scale, factor):
    runner, size = Repeats(scale), (210 * factor, 150 * factor)
    made = NetUpscaler(runner, 64).enlarge(photo, size).image
    wanted = lanczos(photo.repeat(scale, 0).repeat(scale, 1), size)
    assert np.abs(made.astype(int) - wanted).max() <= 1
    assert {shape[2:] for shape in runner.shapes} == {(64, 64)}


def test_tiles_become_512_px_by_default(photo):
    runner = Repeats(4)
    NetUpscaler(runner).enlarge(photo, (420, 300))
    assert set(runner.shapes) == {(1, 3, 128, 128)}


def test_every_tile_is_told(photo):
    watcher, runner = Watcher(), Repeats()
    NetUpscaler(runner, 64).enlarge(photo, (420, 300), watcher)
    total = len(runner.shapes)
    assert watcher.told == [(i, total, f"upscaling, tile {i}/{total}") for i in range(1, total + 1)]


def test_a_stop_gives_nothing_and_runs_no_further_tile(photo):
    watcher, runner = Watcher(stop_after=3), Repeats()
    assert NetUpscaler(runner, 64).enlarge(photo, (420, 300), watcher) is None
    assert len(runner.shapes) == 3


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda blob: blob, r"returned \(1, 3, 64, 64\) instead of \(1, 3, 256, 256\)"),
        (
            lambda blob: np.full((1, 3, 256, 256), np.nan, np.float32),
            r"undefined values on NumPy fp16\. Choose another prec",
        ),
    ],
    ids=["of the wrong size", "not a number"],
)
def test_an_answer_that_is_no_picture_is_refused(photo, answer, said):
    class Broken(Repeats):
        def __call__(self, blob):
            return answer(blob), self.engine

    with pytest.raises(BadModel, match=said):
        NetUpscaler(Broken(engine="NumPy fp16"), 64).enlarge(photo, (420, 300))


def test_upscalers_say_what_ran_them(photo):
    assert Lanczos().enlarge(photo, (420, 300)).engine.startswith("Pillow ")
    assert NetUpscaler(Repeats()).enlarge(photo, (420, 300)).engine == "NumPy fp32"
