import tracemalloc
from itertools import pairwise

import cv2
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from lib_facefix.imaging.tiles import Tiling, run_tiled


def noise(height, width):
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)


def whole(image, net):
    """What the network makes of the picture in one piece, rounded."""
    answer = net(image.transpose(2, 0, 1)[None].astype(np.float32) / np.float32(255))
    return np.clip(np.rint(answer[0].transpose(1, 2, 0) * 255), 0, 255).astype(np.uint8)


def tiled(image, net, scale, tiling):
    return np.concatenate(list(run_tiled(image, net, scale, tiling)))


def nearest(scale):
    return lambda blob: blob.repeat(scale, 2).repeat(scale, 3)


def small_net(blob):
    """Two convolutions that see 4 px around, zeros beyond the edge, then each pixel fourfold: a small SRVGG."""
    kernel = np.random.default_rng(2).normal(0, 0.1, (2, 5, 5)).astype(np.float32)
    kernel[:, 2, 2] += 1
    planes = []
    for plane in blob[0]:
        for weights in kernel:
            plane = np.maximum(cv2.filter2D(plane, -1, weights, borderType=cv2.BORDER_CONSTANT), 0.1 * plane)
        planes.append(plane)
    return nearest(2)(np.stack(planes)[None])


sides = st.integers(1, 260)


@given(sides, sides, st.sampled_from([(48, 4, 4), (64, 10, 8), (32, 0, 0), (33, 3, 1)]), st.sampled_from([1, 2, 3]))
def test_pixels_come_through_tiles_unchanged(height, width, tiling, scale):
    image = noise(height, width)
    made = tiled(image, nearest(scale), scale, Tiling(*tiling))
    assert (made == image.repeat(scale, 0).repeat(scale, 1)).all()


@given(st.integers(1, 3000), st.sampled_from([(48, 4, 4), (64, 10, 8), (128, 10, 8), (32, 0, 0), (33, 3, 1)]))
def test_spans_cover_every_pixel_and_keep_off_the_edges_of_their_tiles(length, numbers):
    tiling = Tiling(*numbers)
    spans = tiling.spans(length)
    assert (spans[0].start, spans[0].first, spans[-1].end) == (0, 0, length)
    for one, other in pairwise(spans):
        assert one.end - other.first == tiling.ramp
        assert one.end <= one.start + tiling.side - tiling.margin
        assert other.first >= other.start + tiling.margin
        assert one.first + (tiling.ramp if one.first else 0) <= other.first  # no pixel is made of three tiles
    assert all(span.start + tiling.side <= max(length, tiling.side) for span in spans)


@pytest.mark.parametrize("size", [(64, 64), (65, 64), (90, 301), (333, 127), (200, 200)], ids=str)
def test_a_net_that_sees_no_further_than_the_margin_gives_what_it_gives_for_the_whole(size):
    image = noise(*size)
    made = tiled(image, small_net, 2, Tiling(64, margin=4, ramp=8))
    difference = np.abs(made.astype(int) - whole(image, small_net))
    assert difference.max() <= 1  # of rounding, where two tiles of equal content run into one another
    assert (difference > 0).mean() < 1e-3


def test_a_net_that_sees_further_leaves_no_seam():
    """Its tiles differ where they meet; the step from one pixel to the next does not grow."""

    def drifts(blob):
        return blob + np.linspace(-0.1, 0.1, blob.shape[3], dtype=np.float32)

    flat = np.full((32, 400, 3), 128, np.uint8)
    made = tiled(flat, drifts, 1, Tiling(64, margin=4, ramp=16)).astype(int)
    assert np.abs(np.diff(made, axis=1)).max() <= 0.2 * 255 / 16 + 1


@pytest.mark.parametrize("size", [(1, 1), (1, 200), (3, 5), (200, 2), (30, 31)], ids=str)
def test_a_picture_smaller_than_a_tile_is_mirrored_into_it(size):
    seen = []

    def net(blob):
        seen.append(blob)
        return blob

    image = noise(*size)
    assert (tiled(image, net, 1, Tiling(64)) == image).all()
    assert {blob.shape for blob in seen} == {(1, 3, 64, 64)}
    first = np.rint(seen[0][0].transpose(1, 2, 0) * 255)
    height, width = size
    if height <= 32:
        assert (first[height : 2 * height, : min(width, 64)] == image[::-1, :64]).all()
    if width <= 32:
        assert (first[: min(height, 64), width : 2 * width] == image[:64, ::-1]).all()


def test_answers_are_rounded_and_cut_off_not_wrapped():
    made = [
        tiled(np.full((8, 8, 3), 100, np.uint8), lambda blob, a=add: blob + np.float32(a / 255), 1, Tiling(56))[0, 0, 0]
        for add in (0.6, 0.4, -0.6, 300, -300)
    ]
    assert made == [101, 100, 99, 255, 0]


def test_the_tiles_are_counted_before_they_are_run():
    calls = []
    tiling = Tiling(64)
    tiled(noise(150, 333), lambda blob: calls.append(1) or blob, 1, tiling)
    assert len(calls) == tiling.count(333, 150)


@pytest.mark.parametrize("numbers", [(16, 4, 4), (55, 10, 8), (64, -1, 8)], ids=str)
def test_tiles_without_room_are_refused(numbers):
    with pytest.raises(ValueError, match="are too small"):
        Tiling(*numbers)


def test_memory_holds_one_row_of_tiles():
    image = noise(1500, 600)
    band = 64 * 2 * 600 * 2 * 3 * 4
    tracemalloc.start()
    for rows in run_tiled(image, nearest(2), 2, Tiling(64)):
        assert len(rows) <= 128
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * band
