import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from lib_facefix.detectors.windows import windows

MARGIN = 3
"""Pixels that a face must keep from an edge behind which the picture goes on."""
NET = 192
"""Side of the net's input; of a face that is at least 11 px across in it, it finds nine in ten."""

LEAST = 8
"""Pixels across that the hardest face, one on a seam of windows, still has in it."""

sides = st.one_of(st.integers(1, 1200), st.integers(1, 9000))


def shows_wholly(window, left, top, size, width, height):
    return (
        (window.left == 0 or left >= window.left + MARGIN)
        and (window.top == 0 or top >= window.top + MARGIN)
        and (window.right == width or left + size <= window.right - MARGIN)
        and (window.bottom == height or top + size <= window.bottom - MARGIN)
    )


@pytest.mark.parametrize("size", [(700, 700), (1024, 300), (1500, 1000), (4000, 3000), (9000, 2000)], ids=str)
def test_every_face_lies_wholly_in_a_window_that_shows_it_large_enough(size):
    check_faces_everywhere(*size)


@given(sides, sides)
def test_the_same_holds_for_pictures_of_any_size(width, height):
    check_faces_everywhere(width, height, places=4)


def check_faces_everywhere(width, height, places=40):
    looks = windows(width, height)
    finest = min(window.size for window in looks)
    smallest, largest = max(8.0, finest * 11 / NET), min(width, height)
    rng = np.random.default_rng(width)
    for size in np.geomspace(smallest, largest, 40) if smallest <= largest else ():
        seams = [(window.left + MARGIN - 1, window.top + MARGIN - 1) for window in looks]  # the hardest places
        for left, top in np.clip(rng.choice(seams, places), 0, (width - size, height - size)):
            seen = [window for window in looks if shows_wholly(window, left, top, size, width, height)]
            assert max(size * NET / window.size for window in seen) >= LEAST, (left, top, size)


@given(sides, sides)
def test_windows_are_whole_pixels_of_the_picture_and_the_first_is_all_of_it(width, height):
    first, *others = windows(width, height)
    assert (first.left, first.top, first.right, first.bottom) == (0, 0, width, height)
    for window in others:
        assert all(type(side) is int for side in (window.left, window.top, window.right, window.bottom))
        assert 0 <= window.left < window.right <= width
        assert 0 <= window.top < window.bottom <= height


@given(sides, sides)
def test_no_window_is_looked_at_twice(width, height):
    looks = windows(width, height)
    if min(width, height) > 4:
        assert len({(w.left, w.top, w.right, w.bottom) for w in looks}) == len(looks)


@pytest.mark.parametrize("size", [(1024, 1024), (1024, 900), (640, 640), (200, 210)], ids=str)
def test_small_pictures_take_five_looks(size):
    assert len(windows(*size)) == 5


@pytest.mark.parametrize("size", [(9000, 9000), (30000, 30000), (100_000, 100_000), (30000, 1), (1, 30000)], ids=str)
def test_gigantic_pictures_take_a_bounded_number_of_looks(size):
    assert 1 < len(windows(*size)) <= 560


def test_a_coarse_search_takes_fewer_looks_at_large_pictures_alone():
    assert windows(1024, 800, coarse=True) == windows(1024, 800)
    assert (len(windows(6000, 4000, coarse=True)), len(windows(6000, 4000))) == (97, 367)
    assert min(window.size for window in windows(4096, 3072, coarse=True)) == 480
