"""Numbers on the live preview."""

import numpy as np
import pytest
from PIL import Image as Pil

from lib_facefix.webui.host.preview import count_columns, draw_numbers


@pytest.mark.parametrize(
    ("preview", "count", "size", "across"),
    [
        pytest.param((128, 128), 4, (64, 64), 2, id="two by two"),
        pytest.param((192, 128), 5, (64, 64), 3, id="the last row not full"),
        pytest.param((512, 64), 8, (64, 64), 8, id="one row"),
        pytest.param((64, 512), 8, (64, 64), 1, id="one column"),
        pytest.param((16, 16), 4, (512, 512), 2, id="as small as latents"),
        pytest.param((112, 72), 2, (448, 576), 2, id="tall crops"),
        pytest.param((512, 512), 1, (64, 64), 1, id="a single crop"),
        pytest.param((300, 70), 4, (64, 64), 0, id="a shape that no rows give"),
    ],
)
def test_how_many_stand_in_a_row_is_read_off_the_shape(preview, count, size, across):
    assert count_columns(preview, count, size) == across


def test_every_tile_gets_a_number_and_the_picture_given_stays():
    preview = Pil.new("RGB", (192, 128), "gray")
    drawn = np.asarray(draw_numbers(preview, [1, 2, 3, 4, 7], (64, 64))).astype(int)
    changed = (drawn != 128).any(2)
    tiles = [changed[y : y + 64, x : x + 64].any() for y in (0, 64) for x in (0, 64, 128)]
    assert tiles == [True, True, True, True, True, False]
    assert np.asarray(preview).min() == np.asarray(preview).max() == 128


def test_a_preview_that_cannot_be_told_is_shown_as_it_is():
    preview = Pil.new("RGB", (300, 70))
    assert draw_numbers(preview, [1, 2, 3, 4], (64, 64)) is preview
