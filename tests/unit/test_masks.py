import cv2
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from lib_facefix.errors import MissingPart
from lib_facefix.imaging.align import inverse, rotation, translate
from lib_facefix.imaging.align import transform_points as move_points
from lib_facefix.imaging.masks import (
    NEVER,
    ellipse,
    fill_outline,
    keep_touching,
    limit,
    move,
    polygon,
    remove_specks,
    soften,
    subtract,
    union,
)
from lib_facefix.maskers.parts import (
    BROWS,
    EYES,
    LIPS,
    BrowsMasker,
    EyesMasker,
    LipsMasker,
    NoseMasker,
    SkinMasker,
)
from lib_facefix.maskers.shape import BoxMasker, EllipseMasker, HullMasker, SegmentationMasker
from lib_facefix.types import Box, Crop, Face, Mesh

SIDE = 200


def disc(radius=40):
    return polygon(ellipse(Box(100 - radius, 100 - radius, 100 + radius, 100 + radius), 0), (SIDE, SIDE))


def from_centre():
    y, x = np.indices((SIDE, SIDE)) + 0.5
    return np.hypot(x - 100, y - 100)


def test_a_polygon_is_1_inside_and_0_outside():
    mask = polygon(Box(10, 10, 20, 20).corners, (30, 30))
    assert (mask.dtype, mask.shape) == (np.float32, (30, 30))
    assert (mask[10:20, 10:20] == 1).all()
    mask[9:21, 9:21] = 0
    assert not mask.any()


def test_a_box_fills_exactly_its_pixels():
    assert polygon(Box(10, 10, 20, 20).corners, (30, 30)).sum() == 100


@given(st.floats(5, 80), st.floats(5, 80), st.floats(0, 360))
def test_an_ellipse_has_its_area_within_half_a_pixel_of_its_edge(a, b, degrees):
    area, around = np.pi * a * b, 2 * np.pi * max(a, b)
    mask = polygon(ellipse(Box(100 - a, 100 - b, 100 + a, 100 + b), degrees), (SIDE, SIDE))
    assert abs(mask.sum() - area) <= around * 0.6 + 4
    y, x = np.argwhere(mask).mean(0) + 0.5
    assert (x, y) == pytest.approx((100, 100), abs=0.55)


def test_an_ellipse_turns_clockwise():
    mask = polygon(ellipse(Box(20, 90, 180, 110), 45), (SIDE, SIDE))
    assert (mask[145, 145], mask[55, 145]) == (1, 0)


def test_a_polygon_over_the_edge_is_cut_off():
    assert (polygon(Box(-500, -500, 500, 500).corners, (20, 30)) == 1).all()
    assert not polygon(Box(100, 100, 120, 120).corners, (20, 30)).any()


@pytest.mark.parametrize("far", [1e6, 1e9, 1e15])
def test_a_polygon_may_reach_as_far_as_it_likes(far):
    assert (polygon(Box(-far, -far, far, far).corners, (20, 30)) == 1).all()
    assert polygon(Box(10, -far, far, far).corners, (20, 30)).sum() == 20 * 20
    assert not polygon(Box(far, far, 2 * far, 2 * far).corners, (20, 30)).any()


@given(st.integers(-250, 250), st.integers(-250, 250))
def test_moving_never_wraps_round_the_edge(x, y):
    mask = np.random.default_rng(5).random((SIDE, SIDE), np.float32)
    expected = np.zeros_like(mask)
    if abs(x) < SIDE and abs(y) < SIDE:
        there = expected[max(y, 0) : SIDE + min(y, 0), max(x, 0) : SIDE + min(x, 0)]
        there[:] = mask[max(-y, 0) : SIDE - max(y, 0), max(-x, 0) : SIDE - max(x, 0)]
    assert np.abs(move(mask, x, y) - expected).max() < 1e-6


@pytest.mark.parametrize("feather", [0, 5, 20, 35], ids=lambda feather: f"feather {feather}")
@pytest.mark.parametrize("grow", [0, 8, -15], ids=lambda grow: f"grow {grow}")
def test_softening_keeps_the_shape_and_ends_beyond_the_feather(grow, feather):
    soft, distance = soften(disc(), grow, feather), from_centre()
    assert (soft[distance < 39 + min(grow, 1.03 * grow)] == 1).all()
    beyond = 41 + (grow + max(feather, 1)) * 1.03  # cv2's distances are 2% short
    assert not soft[distance > beyond].any()
    assert soft[distance < 39 + grow + 0.7 * feather].all()


@pytest.mark.parametrize("grow", [0, 10, -10])
def test_softening_falls_steadily_outwards(grow):
    row = soften(disc(), grow, 30)[100, 100:]
    assert (np.diff(row) <= 0).all()
    assert np.abs(np.diff(row)).max() < 0.08  # no step


@pytest.mark.parametrize("grow", [50, -25])
def test_a_disc_that_grows_or_shrinks_stays_a_disc(grow):
    soft, degrees = soften(disc(), grow, 1), np.linspace(0, 2 * np.pi, 360)
    radius = np.arange(5, 99, 0.1)
    x, y = (100 + np.multiply.outer(turn(degrees), radius).astype(np.float32) - 0.5 for turn in (np.cos, np.sin))
    edge = (cv2.remap(soft, x, y, cv2.INTER_LINEAR) >= 0.5).sum(1) * 0.1 + 5
    assert edge.mean() == pytest.approx(40 + grow, abs=1.2)
    assert np.ptp(edge) < 2.2


def test_growing_grows_and_shrinking_shrinks():
    areas = [soften(disc(), grow, 6).sum() for grow in (-60, -20, -5, 0, 5, 20)]
    assert areas[0] == 0
    assert areas == sorted(areas)
    assert len(set(areas)) == len(areas)


@pytest.mark.parametrize("feather", [0, 1, 12, 60])
def test_a_full_mask_falls_to_nothing_at_the_edge_of_the_crop(feather):
    soft = soften(np.ones((SIDE, SIDE), np.float32), 0, feather)
    border = np.concatenate([soft[0], soft[-1], soft[:, 0], soft[:, -1]])
    assert soft[100, 100] == 1
    assert border.max() <= (0.5 if feather < 2 else 0.6 / feather)


def test_an_empty_mask_stays_empty():
    assert not soften(np.zeros((SIDE, SIDE), np.float32), 50, 50).any()


@given(st.floats(-50, 100), st.floats(0, 100), st.integers(1, 60), st.integers(1, 60))
def test_softening_gives_a_mask_whatever_it_is_given(grow, feather, height, width):
    mask = (np.random.default_rng(height * width).random((height, width)) > 0.7).astype(np.float32)
    before = mask.copy()
    soft = soften(mask, grow, feather)
    assert (soft.dtype, soft.shape) == (np.float32, mask.shape)
    assert ((soft >= 0) & (soft <= 1)).all()
    assert (mask == before).all()


CROP = Crop(np.zeros((SIDE, SIDE, 3), np.uint8), np.array([(2.0, 0, -100), (0, 2.0, -100)]))


def test_the_box_masker_shows_the_box_in_the_crop():
    mask = BoxMasker().mask(CROP, Face(Box(75, 80, 125, 120), 0.9))
    assert (mask[60:140, 50:150] == 1).all()
    assert mask.sum() <= 102 * 82


def turned_box(degrees):
    """A crop that shows a box turned about its middle, and the face it is of."""
    return Crop(np.zeros((SIDE, SIDE, 3), np.uint8), translate(rotation(degrees), (100.3, 99.8))), Box(-50, -40, 50, 40)


@pytest.mark.parametrize("degrees", [0, 1, 17, 45, 90])
def test_a_pixel_that_the_edge_of_a_box_crosses_is_in_the_mask_by_as_much_as_is_covered(degrees):
    crop, box = turned_box(degrees)
    mask = BoxMasker().mask(crop, Face(box, 0.9))
    fine = (np.arange(SIDE * 16) + 0.5) / 16
    x, y = move_points(np.stack(np.meshgrid(fine, fine), -1).reshape(-1, 2), inverse(crop.matrix)).T
    inside = (np.abs(x) < 50) & (np.abs(y) < 40)
    covered = inside.reshape(SIDE, 16, SIDE, 16).mean((1, 3))
    assert np.abs(mask - covered).max() < 0.25
    assert np.abs(mask - covered)[(covered > 0) & (covered < 1)].mean() < 0.1
    assert mask.sum() == pytest.approx(box.area, rel=0.005)


@pytest.mark.parametrize("grow", [0, -15])
@pytest.mark.parametrize("feather", [8, 35])
@pytest.mark.parametrize("degrees", [1, 3, 8, 45])
def test_the_soft_edge_of_a_turned_box_has_no_steps(degrees, feather, grow):
    """It is half gone on a straight line; drawn in whole pixels, that went to and fro by a whole one."""
    crop, box = turned_box(degrees)
    soft = soften(BoxMasker().mask(crop, Face(box, 0.9)), grow, feather)
    outwards, along = np.arange(20, 100, 0.1), np.linspace(-20, 20, 100)
    at = move_points(np.stack(np.meshgrid(outwards, along), -1).reshape(-1, 2), crop.matrix).astype(np.float32) - 0.5
    shown = cv2.remap(soft, *at.T.reshape(2, len(along), -1), cv2.INTER_LINEAR)
    half = outwards[(shown >= 0.5).sum(1) - 1]
    assert np.ptp(half) < 0.5
    assert half.std() < 0.2


def test_the_ellipse_masker_reaches_past_brow_and_chin_but_not_into_the_corners():
    mask = EllipseMasker().mask(CROP, Face(Box(75, 75, 125, 125), 0.9))
    assert mask[100, 100] == mask[42, 100] == mask[158, 100] == 1
    assert mask[52, 52] == mask[148, 148] == mask[30, 100] == 0


def test_the_hull_masker_follows_the_mesh():
    points = np.zeros((468, 3))
    points[:, :2] = (100, 100)
    points[:3, :2] = [(80, 80), (120, 80), (100, 120)]
    mask = HullMasker().mask(CROP, Face(Box(75, 75, 125, 125), 0.9, mesh=Mesh(points, 0.9)))
    assert mask[100, 100] == 1
    assert mask[135, 60] == mask[135, 140] == mask[50, 100] == 0


def test_the_hull_masker_takes_the_ellipse_where_there_is_no_mesh():
    face = Face(Box(75, 80, 125, 120), 0.9, tilt=30)
    assert (HullMasker().mask(CROP, face) == EllipseMasker().mask(CROP, face)).all()


def square(left, top, side, value=1):
    mask = np.zeros((SIDE, SIDE), np.float32)
    mask[top : top + side, left : left + side] = value
    return mask


def test_an_outline_may_be_hollow():
    arrow = np.array([(20, 20), (180, 100), (20, 180), (60, 100)], float)
    mask = fill_outline(arrow, (SIDE, SIDE))
    assert (mask[100, 100], mask[100, 30], mask[100, 190]) == (1, 0, 0)
    assert 9600 <= mask.sum() <= 9600 + 150  # by the shoelace; an eighth of a pixel more along 580


def test_two_masks_are_joined():
    first, second = square(20, 20, 60), square(50, 50, 60)
    assert (union(first, second) == np.maximum(first, second)).all()
    assert (limit(first, second) == np.where(second, first, NEVER)).all()
    assert (subtract(first, second) == np.where(second, NEVER, first)).all()


def test_what_was_taken_away_stays_away_unless_it_is_put_back():
    holed = subtract(square(20, 20, 160), square(60, 60, 80))
    again = union(holed, square(90, 90, 20))
    assert (again[100, 100], again[70, 70], again[30, 30], again[10, 10]) == (1, NEVER, 1, 0)


def test_only_the_pieces_that_are_touched_are_kept():
    pieces = square(10, 10, 40) + square(100, 100, 40) + square(10, 150, 20)
    assert (keep_touching(pieces, square(45, 45, 60)) == square(10, 10, 40) + square(100, 100, 40)).all()
    assert not keep_touching(pieces, square(70, 10, 20)).any()
    assert not keep_touching(np.zeros_like(pieces), square(0, 0, SIDE)).any()


def test_specks_and_pinholes_are_dropped_and_larger_ones_are_not():
    drawn = square(20, 20, 100) - square(40, 40, 3) - square(60, 60, 4) + square(150, 20, 3) + square(150, 60, 4)
    assert (remove_specks(drawn, 9) == square(20, 20, 100) - square(60, 60, 4) + square(150, 60, 4)).all()
    assert (remove_specks(drawn, 0) == drawn).all()
    for plain in (np.zeros((SIDE, SIDE), np.float32), np.ones((SIDE, SIDE), np.float32)):
        assert (remove_specks(plain, 9) == plain).all()


@pytest.mark.parametrize("grow", [0, 30, -10])
def test_no_soft_edge_enters_what_may_never_show(grow):
    hole = square(80, 80, 40)
    soft = soften(subtract(square(40, 40, 120), hole), grow, 40)
    assert not soft[hole > 0].any()
    assert soft[60, 60] == 1
    assert 0 < soft[79, 100] < 0.2  # it rises inside the mask ...
    row = soft[100, 50:80]
    assert (np.diff(row[10 + max(0, -grow) :]) <= 0).all()
    assert np.abs(np.diff(row)).max() < 0.2  # ... without a step


def test_what_may_never_show_moves_with_the_mask_and_does_not_wrap_round():
    holed = subtract(square(40, 40, 120), square(80, 80, 40))
    moved = move(holed, 90, 0)
    assert (moved[:, 130:] == holed[:, 40:110]).all()
    assert not moved[:, :130].any()


@pytest.mark.parametrize("masker", [EyesMasker, BrowsMasker, LipsMasker, NoseMasker, SkinMasker])
def test_a_part_without_a_mesh_is_told_with_what_to_do(masker):
    with pytest.raises(MissingPart, match=r"needs the face mesh, which is unsure .*\. Use the mask 'hull' or"):
        masker().mask(CROP, Face(Box(75, 80, 125, 120), 0.9))


def test_the_outlines_of_parts_run_round_without_crossing():
    for outline in (*EYES, *BROWS, *LIPS):
        assert len(set(outline)) == len(outline)
        assert max(outline) < 468
    assert not set(EYES[0]) & set(EYES[1])


def test_the_segmentation_masker_fills_what_the_detector_outlined():
    outline = np.array([(80.0, 80), (120, 80), (100, 95), (120, 120), (80, 120)])
    mask = SegmentationMasker().mask(CROP, Face(Box(75, 75, 125, 125), 0.9, outline=outline))
    assert (mask[65, 80], mask[100, 80], mask[130, 80]) == (1, 1, 1)  # each at twice the place, less 100
    assert (mask[90, 130], mask[50, 50], mask[150, 150]) == (0, 0, 0)


def test_the_segmentation_masker_takes_the_ellipse_where_nothing_is_outlined():
    face = Face(Box(75, 80, 125, 120), 0.9)
    assert (SegmentationMasker().mask(CROP, face) == EllipseMasker().mask(CROP, face)).all()
