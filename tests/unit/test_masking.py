"""Where the faces of a plan will show."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from masked import mask_of

from lib_facefix import FaceFix, FaceSettings
from lib_facefix.fixers.lite import Lite
from lib_facefix.imaging.align import transform_points
from lib_facefix.imaging.boxes import grow
from lib_facefix.imaging.frames import Upright, cut
from lib_facefix.imaging.masks import polygon
from lib_facefix.maskers.person import PersonMasker
from lib_facefix.pipeline.face_masks import AROUND, affected_box
from lib_facefix.pipeline.run import masks_of
from lib_facefix.planning.planner import make_plan
from lib_facefix.types import Mesh


def test_the_mask_covers_all_that_changes_and_little_else(picture, face_at):
    faces = [face_at(200, 200), face_at(560, 380, size=90, degrees=40)]
    settings = FaceSettings(method="restore", fidelity=0.0, mask="ellipse")
    plan = make_plan(picture, faces, settings)
    fix = FaceFix()

    mask = masks_of(picture, plan, fix)
    [result] = fix.run([picture], [plan], keep_masks=True)

    np.testing.assert_array_equal(result.mask, mask)  # what a preview shows is what was used
    assert fix.run([picture], [plan])[0].mask is None
    changed = (result.image != picture).any(2)
    assert changed.sum() > 5000
    assert not changed[mask == 0].any()
    assert (mask > 0).sum() < 3 * changed.sum()


def test_faces_that_are_left_or_cannot_be_framed_are_not_in_it(picture, face_at):
    unframed = replace(face_at(560, 380), landmarks=None)
    plan = make_plan(picture, [face_at(200, 200), unframed], FaceSettings(method="restore"), {1: {"method": "leave"}})
    assert not masks_of(picture, plan, FaceFix()).any()


def test_faces_that_overlap_make_one_mask_of_at_most_one(picture, face_at):
    plan = make_plan(picture, [face_at(200, 200), face_at(240, 200)], FaceSettings(method="restore", mask="box"))
    mask = FaceFix().mask(picture, plan)
    assert mask.shape == picture.shape[:2]
    assert mask.dtype == np.float32
    assert mask.max() == 1.0
    assert mask[200, 220] == 1.0


def job_of(picture, face, **settings):
    [job] = make_plan(picture, [face], FaceSettings(method="restore", **settings)).jobs
    return job


def as_found(face):
    """Return the face with the box that a detector gives: half as wide as what an aligned crop shows."""
    return replace(face, box=grow(face.box, -0.25))


def mask_in_crop(picture, face, **settings):
    """Return the mask of a face, and the crop it is for."""
    job = job_of(picture, face, **settings)
    crop = cut(picture, Upright(512).matrix(face), 512)
    return mask_of(crop, job, FaceFix()), crop


def test_an_inverted_mask_leaves_the_face_alone_and_keeps_to_its_box(picture, face_at):
    face = as_found(face_at(300, 300, size=320))
    mask, crop = mask_in_crop(picture, face, mask="ellipse", mask_grow=-0.1, mask_invert=True, mask_feather=0.05)
    plain, _ = mask_in_crop(picture, face, mask="ellipse", mask_grow=-0.1, mask_feather=0)

    assert not mask[plain == 1].any()
    corner = transform_points(face.box.corners[:1], crop.matrix)[0] + 12
    assert mask[int(corner[1]), int(corner[0])] == 1
    box = transform_points(grow(face.box, AROUND + 0.1).corners, crop.matrix)
    assert not mask[polygon(box, mask.shape) == 0].any()


def test_a_larger_mask_leaves_less_when_it_is_inverted(picture, face_at):
    face, shown = as_found(face_at(300, 300)), []
    for wider in (-0.2, -0.1, 0.0):
        mask, _ = mask_in_crop(picture, face, mask="ellipse", mask_grow=wider, mask_invert=True)
        shown.append((mask > 0).sum())
    assert shown == sorted(shown, reverse=True)
    assert len(set(shown)) == 3


@pytest.mark.parametrize("settings", [
    pytest.param({"mask": "ellipse"}, id="ellipse"),
    pytest.param({"mask": "box", "mask_grow": 0.3, "mask_feather": 0.4}, id="grown and soft"),
    pytest.param({"mask": "box", "mask_x": 0.5, "mask_y": -0.7}, id="moved"),
    pytest.param({"mask": "box", "mask_invert": True, "mask_grow": -0.3}, id="inverted"),
    pytest.param({"mask": "person"}, id="as far as the crop"),
    pytest.param({"mask": "ellipse + person"}, id="one of two as far as the crop"),
    pytest.param({"mask": "box & person", "mask_grow": 0.2}, id="limited"),
])  # fmt: skip
@pytest.mark.parametrize("degrees", [0, 40])
def test_no_mask_passes_what_a_face_is_said_to_touch_at_most(settings, degrees, picture, face_at, monkeypatch):
    monkeypatch.setattr(PersonMasker, "mask", lambda self, crop, face: np.ones(crop.image.shape[:2], np.float32))
    face = as_found(face_at(400, 300, size=180, degrees=degrees))
    plan = make_plan(picture, [face], FaceSettings(method="restore", **settings))
    y, x = np.nonzero(FaceFix().mask(picture, plan))
    reach = affected_box(plan.jobs[0], Lite())
    assert reach.left <= x.min() <= x.max() + 1 <= reach.right
    assert reach.top <= y.min() <= y.max() + 1 <= reach.bottom


def test_a_face_that_cannot_be_framed_reaches_no_further_than_its_box(picture, face_at):
    face = replace(face_at(560, 380), landmarks=None)
    assert affected_box(job_of(picture, face, mask="person"), Lite()) == face.box


@pytest.mark.parametrize(("mask", "noted"), [("hull", True), ("ellipse & hull", True), ("ellipse", False)])
def test_an_ellipse_in_place_of_the_hull_is_noted_in_the_outcome(mask, noted, picture, face_at):
    plan = make_plan(picture, [face_at(300, 300)], FaceSettings(method="restore", mask=mask))
    [outcome] = FaceFix().run([picture], [plan])[0].outcomes  # noise: no mesh is found in it
    assert outcome.verdict == "fixed"
    assert outcome.to_json()["note"] == (
        "an ellipse instead of hull, as the mesh is unsure of this face" if noted else ""
    )


def test_an_ellipse_in_place_of_a_segmentation_is_noted_and_no_face_loses_its_mask(picture, face_at):
    outline = face_at(560, 380, size=60).box.corners
    faces = [face_at(200, 200), replace(face_at(560, 380), outline=outline)]
    plan = make_plan(
        picture, faces, FaceSettings(method="restore", fidelity=0.0, mask="segmentation", mask_feather=0.0)
    )
    [result] = FaceFix().run([picture], [plan])
    notes = [outcome.note for outcome in result.outcomes]
    assert notes == ["an ellipse instead of segmentation, as this detector gives no outlines", ""]
    changed = np.argwhere((result.image != picture).any(2))[:, ::-1]
    at_second = changed[np.abs(changed - (560, 380)).max(1) < 100]
    assert np.abs(at_second - (559.5, 379.5)).max() <= 32


def test_a_part_without_a_mesh_fails_its_face_alone_and_says_so(picture, face_at):
    faces, settings = [face_at(200, 200), face_at(560, 380)], FaceSettings(method="restore", mask="ellipse")
    plan = make_plan(picture, faces, settings, {1: {"mask": "skin"}})
    [result] = FaceFix().run([picture], [plan])
    assert [outcome.verdict for outcome in result.outcomes] == ["failed", "fixed"]
    assert "The mask 'skin' needs the face mesh" in str(result.outcomes[0].error)
    assert (result.image[:300, :300] == picture[:300, :300]).all()


def test_a_face_with_nothing_in_its_mask_is_left_and_nothing_is_run_for_it(picture, face_at):
    plan = make_plan(picture, [face_at(300, 300)], FaceSettings(method="restore", mask="ellipse - ellipse"))
    [result] = FaceFix().run([picture], [plan])
    [outcome] = result.outcomes
    assert (outcome.verdict, outcome.engine, outcome.note) == ("left", "", "the mask of this face is empty")
    assert (result.image == picture).all()


def test_masks_of_faces_that_a_preview_cannot_make_are_left_out_of_it(picture, face_at):
    plan = make_plan(picture, [face_at(200, 200)], FaceSettings(method="restore", mask="skin"))
    assert not FaceFix().mask(picture, plan).any()


@pytest.mark.parametrize("mask", ["hull", "skin", "box & person"])
def test_masks_take_memory_by_their_faces_not_by_the_picture(mask, face_at):
    """40 faces: the masks that a peer makes, one as large as the picture for each, would take 670 MB or more."""
    faces = [with_a_mesh(face_at(300 + 450 * (n % 8), 300 + 700 * (n // 8), size=160)) for n in range(40)]
    peaks = {}
    for side in (2048, 4096):
        picture = np.full((side, side, 3), 90, np.uint8)
        fix, crops = FaceFix(), []
        jobs = make_plan(picture, faces, FaceSettings(method="restore", mask=mask)).jobs
        fix.masker(jobs[0])
        tracemalloc.start()
        for job in jobs:
            crop = cut(picture, Upright(512).matrix(job.face), 512)
            crops.append(replace(crop, mask=mask_of(crop, job, fix)))
        peaks[side] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    crop = 512 * 512 * (3 + 4)  # bytes of its picture and of its mask
    at_work = 48 * 512 * 512
    assert peaks[4096] < 40 * crop + at_work
    assert peaks[4096] == pytest.approx(peaks[2048], rel=0.02)


def test_an_outline_beyond_the_box_is_within_reach(picture, face_at):
    face = as_found(face_at(400, 300, size=160))
    face = replace(face, outline=grow(face.box, 0.4).corners)
    plan = make_plan(picture, [face], FaceSettings(method="restore", mask="segmentation", mask_feather=0.0))
    y, x = np.nonzero(FaceFix().mask(picture, plan))
    reach = affected_box(plan.jobs[0], Lite())
    assert reach.left <= x.min() <= x.max() + 1 <= reach.right
    assert reach.top <= y.min() <= y.max() + 1 <= reach.bottom
    assert x.max() - x.min() > 1.7 * face.box.width


def with_a_mesh(face):
    """Return the face with a mesh that fills its box, every outline somewhere inside."""
    points = np.zeros((468, 3))
    around = np.exp(2j * np.pi * np.arange(468) / 468) * face.box.size / 2
    points[:, :2] = np.column_stack([around.real, around.imag]) + face.box.centre
    return replace(face, mesh=Mesh(points, 0.9))
