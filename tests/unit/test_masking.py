"""Where the faces of a plan will show."""

from dataclasses import replace

import numpy as np

from lib_facefix import FaceFix, FaceSettings
from lib_facefix.masking import masks_of
from lib_facefix.planning import make_plan


def test_the_mask_covers_all_that_changes_and_little_else(picture, face_at):
    faces = [face_at(200, 200), face_at(560, 380, size=90, degrees=40)]
    settings = FaceSettings(method="restore", fidelity=0.0, mask="ellipse")
    plan = make_plan(picture, faces, settings)
    fix = FaceFix()

    mask = masks_of(picture, plan, fix)
    [result] = fix.run([picture], [plan])

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
