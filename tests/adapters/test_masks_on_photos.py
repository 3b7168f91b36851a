"""Masks on real faces: that they lie where they should, show no seam, and let no byte change outside."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pil

from lib_facefix import FaceFix, FaceSettings
from lib_facefix.imaging.align import compose, inverse, move
from lib_facefix.imaging.framing import Surrounded, Upright, cut
from lib_facefix.masking import mask_of
from lib_facefix.planning import make_plan

DATA = Path(__file__).parents[1] / "data"
NAMES = ("astronaut.jpg", "faceapi_sample4.jpg")
KINDS = (
    "hull", "ellipse", "box", "skin", "eyes", "brows", "lips", "nose", "person",
    "eyes + lips", "hull & person", "box & person", "hull - eyes - lips", "ellipse - hull",
)  # fmt: skip
"""Every mask that needs no download, and some joined."""
SEEN = 1.01
"""A seam is a step at the edge of what was changed, larger by this than the steps that were there before."""


@pytest.fixture(scope="module")
def fix():
    return FaceFix()


@pytest.fixture(scope="module")
def photos(fix):
    """Photos with the faces in them that have a mesh."""

    def look(name):
        with Pil.open(DATA / name) as file:
            image = np.array(file.convert("RGB"))
        return image, [face for face in fix.detect(image) if face.mesh is not None]

    return {name: look(name) for name in NAMES}


def step_at_edge(image, mask):
    """Return the mean step between pixels next to each other, across the outer half of the mask's soft edge.

    In the direction in which the mask falls, in steps of 255: that is what is seen of a seam.
    """
    down, across = np.gradient(cv2.GaussianBlur(mask, (0, 0), 1))
    brighter_down, brighter_across = np.gradient(image.mean(2))
    steep = np.hypot(across, down)
    edge = (mask > 0) & (mask < 0.5) & (steep > 0)
    return np.mean(np.abs(brighter_across * across + brighter_down * down)[edge] / steep[edge])


def planned(image, faces, **settings):
    return make_plan(image, faces, FaceSettings(method="restore", **settings))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("mask", KINDS)
def test_a_mask_shows_no_seam_and_no_byte_changes_outside_it(mask, name, photos, fix):
    image, faces = photos[name]
    plan = planned(image, faces, mask=mask, fidelity=0.0)
    shown = fix.mask(image, plan)
    [result] = fix.run([image], [plan])

    assert {outcome.verdict for outcome in result.outcomes} == {"fixed"}
    changed = (result.image != image).any(2)
    assert changed.sum() > 100
    assert not changed[shown == 0].any()
    assert step_at_edge(result.image, shown) <= SEEN * step_at_edge(image, shown)


@pytest.mark.parametrize("mask", ["hull", "skin", "box & person"])
def test_a_seam_would_be_seen(mask, photos, fix):
    """What the test above measures rises at once where the same faces are brighter by 10 and end without soft edge."""
    image, faces = photos["faceapi_sample4.jpg"]
    hard = fix.mask(image, planned(image, faces, mask=mask, mask_feather=0)) >= 0.5
    pasted = np.where(hard[..., None], np.minimum(image.astype(int) + 10, 255), image)
    around = fix.mask(image, planned(image, faces, mask=mask, mask_feather=0))
    assert step_at_edge(pasted, around) > 1.15 * step_at_edge(image, around)


def mask_in(frame, image, face, mask, fix):
    crop = cut(image, frame.matrix(face), frame.size)
    [job] = planned(image, [face], mask=mask, mask_feather=0).jobs
    return mask_of(crop, job, fix), crop


@pytest.mark.parametrize(
    ("mask", "inside", "outside"),
    [
        ("eyes", [0, 1], [2, 3, 4]),
        ("nose", [2], [0, 1, 3, 4]),
        ("skin", [2], [0, 1]),
        ("hull", [0, 1, 2, 3, 4], []),
        ("person", [0, 1, 2, 3, 4], []),
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_masks_lie_on_the_landmarks_that_they_are_named_for(mask, inside, outside, name, photos, fix):
    """Landmarks: left eye, right eye, nose, corners of the mouth."""
    image, faces = photos[name]
    for face in faces:
        shown, crop = mask_in(Upright(512), image, face, mask, fix)
        at = [shown[int(y), int(x)] for x, y in move(face.landmarks, crop.matrix)]
        assert all(at[number] > 0.4 for number in inside)
        assert not any(at[number] for number in outside)


def test_lips_lie_between_the_corners_of_the_mouth_and_brows_above_the_eyes(photos, fix):
    for image, faces in photos.values():
        for face in faces:
            lips, crop = mask_in(Upright(512), image, face, "lips", fix)
            brows, _ = mask_in(Upright(512), image, face, "brows", fix)
            left_eye, right_eye, _, left, right = move(face.landmarks, crop.matrix)
            middle = ((left + right) / 2).astype(int)
            assert lips[middle[1] - 8 : middle[1] + 30, middle[0]].any()
            across = np.nonzero(lips)[1]
            assert left[0] - 20 < across.min() < across.max() < right[0] + 20
            for eye in (left_eye, right_eye):
                column = np.flatnonzero(brows[:, int(eye[0])])
                assert eye[1] - 90 < column.mean() < eye[1] - 10


@pytest.mark.parametrize("mask", [kind for kind in KINDS if "person" not in kind])
def test_a_face_has_the_same_mask_for_restoring_and_for_re_diffusing(mask, photos, fix):
    """In the picture, for both framings: what is drawn from mesh and box does not depend on the crop."""
    image, faces = photos["faceapi_sample4.jpg"]
    face = max(faces, key=lambda face: face.box.size)
    shown = []
    for frame in (Upright(512), Surrounded((576, 448), 0.6, 15)):
        mask_here, crop = mask_in(frame, image, face, mask, fix)
        whole = Upright(256).matrix(face)
        from_crop = cut(np.repeat(mask_here[..., None], 3, 2), compose(whole, inverse(crop.matrix)), 256).image
        shown.append(from_crop[..., 0] >= 0.5)
    assert (shown[0] & shown[1]).sum() / (shown[0] | shown[1]).sum() > 0.85


def test_the_person_ends_where_the_background_begins(photos, fix):
    """Hair and skin of the astronaut are in, the wall beside her head is not."""
    image, [face, *_] = photos["astronaut.jpg"]
    shown, crop = mask_in(Surrounded(512, 0.8), image, face, "person", fix)
    on_head, on_wall = face.box.centre, (face.box.left - 0.6 * face.box.width, face.box.top - 0.1 * face.box.height)
    at = [shown[int(y), int(x)] for x, y in move(np.array([on_head, on_wall]), crop.matrix)]
    assert at == [1, 0]
    assert 0.2 < shown.mean() < 0.7
