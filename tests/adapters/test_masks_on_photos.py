"""Masks on real faces: that they lie where they should, show no seam, and let no byte change outside.

Of a face parser and of XSeg, which nobody may ship, only the networks are not the real ones.
"""

import sys
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from masked import mask_of
from PIL import Image as Pil

from lib_facefix import FaceFix, FaceSettings
from lib_facefix.imaging.align import compose, inverse, transform_points
from lib_facefix.imaging.frames import Surrounded, Upright, cut
from lib_facefix.maskers import occluders, parser
from lib_facefix.maskers.parser import LAYOUTS
from lib_facefix.planning.planner import make_plan

sys.path.append(str(Path(__file__).parents[2] / "docs" / "figures"))
import stand_ins

DATA = Path(__file__).parents[1] / "data"
NAMES = ("astronaut.jpg", "faceapi_sample4.jpg")
KINDS = (
    "hull", "ellipse", "box", "skin", "eyes", "brows", "lips", "nose", "person",
    "eyes + lips", "hull & person", "box & person", "hull - eyes - lips", "ellipse - hull",
)  # fmt: skip
"""Every mask that needs no download, and some joined."""
BY_NETWORKS = (
    "parsing", "parsing:hair", "parsing:skin,nose", "parsing:eyes", "hull - parsing:hair,glasses", "occluders",
    "hull - occluders", "segmentation", "segmentation - parsing:eyes,lips",
)  # fmt: skip
"""Masks made with a network of the user's own, and some joined."""
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


def planned(image, faces, **settings):
    return make_plan(image, faces, FaceSettings(method="restore", **settings))


@lru_cache
def labels(pixels):
    """Return what each of 512 x 512 pixels is; all masks ask about the same faces."""
    return stand_ins.labels(np.frombuffer(pixels, np.uint8).reshape(512, 512, 3))


def parse(blob):
    """Do what BiSeNet does: (1, 3, 512, 512), normed as ImageNet, to the scores of 19 classes."""
    layout = LAYOUTS["BiSeNet"]
    image = np.rint((blob[0].transpose(1, 2, 0) * layout.deviation + layout.mean) * 255).astype(np.uint8)
    numbers = np.array([layout.classes.index(name) for name in stand_ins.NAMES])[labels(image.tobytes())]
    return [(numbers == np.arange(19)[:, None, None])[None].astype(np.float32)]


def see_the_face(blob):
    """Do what XSeg does: (1, 256, 256, 3), BGR, 0..1, to 1 where the face shows."""
    return [stand_ins.shows(np.rint(blob[0, ..., ::-1] * 255).astype(np.uint8))[None, ..., None].astype(np.float32)]


@pytest.fixture
def networks(tmp_path, monkeypatch):
    """The settings by which masks are made with a parser and an occluder model of the user's own."""
    for module, network in ((parser, parse), (occluders, see_the_face)):
        monkeypatch.setattr(module, "load", lambda path, device, network=network: network)
    paths = {"parser": tmp_path / "bisenet.onnx", "occluder": tmp_path / "xseg.onnx"}
    for path in paths.values():
        path.touch()
    return {name: str(path) for name, path in paths.items()}


def has_no_seam(image, plan, fix, step_at_edge):
    """Carry out the plan, and look around the mask."""
    shown = fix.mask(image, plan)
    [result] = fix.run([image], [plan])

    assert [(outcome.verdict, outcome.note) for outcome in result.outcomes] == [("fixed", "")] * len(plan.jobs)
    changed = (result.image != image).any(2)
    assert changed.sum() > 50  # a clean nose hardly changes
    assert not changed[shown == 0].any()
    assert step_at_edge(result.image, shown) <= SEEN * step_at_edge(image, shown)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("mask", KINDS)
def test_a_mask_shows_no_seam_and_no_byte_changes_outside_it(mask, name, photos, fix, step_at_edge):
    image, faces = photos[name]
    has_no_seam(image, planned(image, faces, mask=mask, fidelity=0.0), fix, step_at_edge)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("mask", BY_NETWORKS)
def test_nor_does_a_mask_that_a_network_makes(mask, name, photos, fix, step_at_edge, networks):
    image, faces = photos[name]
    outlined = [replace(face, outline=stand_ins.outline(image, face)) for face in faces]
    has_no_seam(image, planned(image, outlined, mask=mask, fidelity=0.0, **networks), fix, step_at_edge)


@pytest.mark.parametrize("mask", ["hull", "skin", "box & person"])
def test_a_seam_would_be_seen(mask, photos, fix, step_at_edge):
    """What the test above measures rises at once where the same faces are brighter by 10 and end without soft edge."""
    image, faces = photos["faceapi_sample4.jpg"]
    hard = fix.mask(image, planned(image, faces, mask=mask, mask_feather=0)) >= 0.5
    pasted = np.where(hard[..., None], np.minimum(image.astype(int) + 10, 255), image)
    around = fix.mask(image, planned(image, faces, mask=mask, mask_feather=0))
    assert step_at_edge(pasted, around) > 1.15 * step_at_edge(image, around)


def mask_in(frame, image, face, mask, fix, **settings):
    crop = cut(image, frame.matrix(face), frame.size)
    [job] = planned(image, [face], mask=mask, mask_feather=0, **settings).jobs
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
        at = [shown[int(y), int(x)] for x, y in transform_points(face.landmarks, crop.matrix)]
        assert all(at[number] > 0.4 for number in inside)
        assert not any(at[number] for number in outside)


def test_lips_lie_between_the_corners_of_the_mouth_and_brows_above_the_eyes(photos, fix):
    for image, faces in photos.values():
        for face in faces:
            lips, crop = mask_in(Upright(512), image, face, "lips", fix)
            brows, _ = mask_in(Upright(512), image, face, "brows", fix)
            left_eye, right_eye, _, left, right = transform_points(face.landmarks, crop.matrix)
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
    at = [shown[int(y), int(x)] for x, y in transform_points(np.array([on_head, on_wall]), crop.matrix)]
    assert at == [1, 0]
    assert 0.2 < shown.mean() < 0.7


def alike(one, other):
    """Return the IoU of two masks."""
    return ((one >= 0.5) & (other >= 0.5)).sum() / ((one >= 0.5) | (other >= 0.5)).sum()


@pytest.mark.parametrize("frame", [Upright(512), Surrounded((576, 448), 0.6, 15)], ids=["upright", "surrounded"])
@pytest.mark.parametrize("part", ["eyes", "lips", "nose"])
def test_what_a_parser_names_comes_back_to_where_it_is_in_the_face(part, frame, photos, fix, networks):
    """The parser sees another crop than the mask is for; its mesh of the face differs by some pixels from ours."""
    for image, faces in photos.values():
        for face in faces:
            parsed, _ = mask_in(frame, image, face, f"parsing:{part}", fix, **networks)
            drawn, _ = mask_in(frame, image, face, part, fix)
            assert alike(parsed, drawn) > 0.5


def test_hair_is_taken_from_the_hull_and_the_rest_of_the_face_stays(photos, fix, networks):
    image, [face] = photos["astronaut.jpg"]
    hull, crop = mask_in(Upright(512), image, face, "hull", fix)
    hair, _ = mask_in(Upright(512), image, face, "parsing:hair", fix, **networks)
    fringe = (hull == 1) & (hair == 1)
    assert fringe.mean() > 0.01
    for mask in ("hull - parsing:hair,glasses", "hull - occluders"):
        left, _ = mask_in(Upright(512), image, face, mask, fix, **networks)
        assert not left[hull == 0].any()
        assert left[fringe].mean() < 0.2
        assert [left[int(y), int(x)] for x, y in transform_points(face.landmarks, crop.matrix)] == [1] * 5
