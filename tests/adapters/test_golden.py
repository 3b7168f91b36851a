"""Where the built-in models see what, beside references that know nothing of FaceFix: see golden/make_golden.py."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil

from lib_facefix.analysis.embedding import CHIP, Embedder
from lib_facefix.detectors.blazeface import BlazeFace
from lib_facefix.detectors.centerface import CenterFace
from lib_facefix.fixers.lite import Lite
from lib_facefix.imaging.align import FFHQ_512
from lib_facefix.imaging.boxes import iou
from lib_facefix.imaging.quality import pose
from lib_facefix.landmarks.facemesh import FaceMesh
from lib_facefix.maskers.person import PersonMasker
from lib_facefix.planning.plan import FaceJob
from lib_facefix.settings.treatment import Treatment
from lib_facefix.types import Box, Crop, Face, Pose

HERE = Path(__file__).parent
PHOTOS = ["astronaut", "group"]
PIXELS = 0.5
"""How far a position may be from the reference's."""


def photo(name):
    with Pil.open(HERE.parents[1] / "examples" / f"{name}.jpg") as picture:
        return np.array(picture.convert("RGB"))


def golden(model, name):
    return json.loads((HERE / "golden" / f"{model}.json").read_text("utf-8"))[name]


def corners(box):
    return np.array([box.left, box.top, box.right, box.bottom])


def farthest(one, other):
    return float(np.abs(np.subtract(one, other)).max())


def pairs(faces, wanted):
    """Each face with the reference's face in the same place."""
    assert len(faces) == len(wanted)
    return [(max(faces, key=lambda face: iou(face.box, Box(*one["box"]))), one) for one in wanted]


@pytest.mark.parametrize("name", PHOTOS)
def test_blazeface_boxes_and_points_are_where_mediapipes_own_graph_puts_them(name):
    for face, one in pairs(BlazeFace().detect(photo(name), 0.5), golden("blazeface", name)):
        assert farthest(corners(face.box), one["box"]) < PIXELS
        assert farthest(face.landmarks[:3], one["points"][:3]) < PIXELS
        assert farthest(face.landmarks[3:].mean(0), one["points"][3]) < PIXELS
        assert face.score == pytest.approx(one["score"], abs=0.005)


@pytest.mark.parametrize("name", PHOTOS)
def test_centerface_boxes_and_points_are_where_its_makers_put_them(name):
    for face, one in pairs(CenterFace().detect(photo(name), 0.5), golden("centerface", name)):
        assert farthest(corners(face.box), one["box"]) < PIXELS
        assert farthest(face.landmarks, one["points"]) < PIXELS
        assert face.score == pytest.approx(one["score"], abs=0.005)


@pytest.mark.parametrize("name", PHOTOS)
def test_the_mesh_and_the_pose_are_those_of_mediapipes_own_graph(name):
    mesh, picture = FaceMesh(), photo(name)
    for one in golden("facemesh", name):
        face = mesh.locate(picture, Face(Box(*one["box"]), 0.9, None, one["tilt"]))
        index, places = np.array(one["points"])[:, 0].astype(int), np.array(one["points"])[:, 1:]
        assert farthest(face.mesh.points[index], places) < PIXELS
        assert face.mesh.score == pytest.approx(one["score"], abs=0.001)
        seen = pose(face)
        assert farthest((seen.yaw, seen.pitch, seen.roll), one["pose"]) < 0.5  # degrees


@pytest.mark.parametrize("name", PHOTOS)
def test_the_person_is_where_mediapipes_own_graph_sees_them(name):
    picture = photo(name)
    face = Face(Box(*golden("blazeface", name)[0]["box"]), 0.9)
    for one in golden("person", name):
        left, top, right, bottom = one["crop"]
        matrix = np.array([(1.0, 0.0, -left), (0.0, 1.0, -top)])
        mask = PersonMasker().mask(Crop(picture[top:bottom, left:right], matrix), face)
        rows = np.array_split(mask, 8, 0)
        share = [[cell.mean() for cell in np.array_split(row, 8, 1)] for row in rows]
        assert farthest(share, one["share"]) < 0.03


def test_the_embedding_is_shown_the_chip_that_dlib_cuts(monkeypatch):
    chips = []

    def show(blob):
        chips.append(blob[0] * 255)
        return [np.zeros((1, 128), np.float32)]

    identity = Embedder()
    monkeypatch.setattr(identity, "_net", show)
    middles = np.arange(256) + 0.5
    across, down = np.meshgrid(middles, middles)
    image = np.stack([across, down, down], -1).astype(np.float32)  # each pixel tells its place
    identity.embed(image, Face(Box(0, 0, 256, 256), 0.9, FFHQ_512 / 2))
    shown = chips[0][:2, 20:-20, 20:-20].mean((1, 2))  # the middle of the picture that the chip shows
    scale = np.diff(chips[0][0].mean(0))[20:-20].mean()
    # mean face of dlib's get_face_chip_details, padding 0.25: where the middles of both eyes are in the chip
    eyes = [(0.2273300616664, 0.2213958034390), (0.7528140379567, 0.2212326463262)]
    left, right = (np.array(eyes) + 0.25) / 1.5 * CHIP
    wanted = (FFHQ_512[1, 0] - FFHQ_512[0, 0]) / 2 / (right[0] - left[0])
    assert scale == pytest.approx(wanted, rel=0.005)
    middle = FFHQ_512[:2].mean(0) / 2 + (CHIP / 2 - (left + right) / 2) * wanted
    assert farthest(shown, middle) < PIXELS * wanted  # half a pixel of the chip


@pytest.mark.parametrize("name", PHOTOS)
def test_the_embedding_of_dlibs_chip_is_that_of_onnx_runtime_and_near_dlibs_own(name):
    identity, picture = Embedder(), photo(name)
    for one, dlib in zip(golden("identity", name), golden("dlib", name), strict=True):
        place = identity.embed(picture, Face(Box(0, 0, 9, 9), 0.9, np.array(one["landmarks"])))
        assert farthest(place[:24], one["components"]) < 0.03
        assert np.linalg.norm(place - dlib) < 0.35  # by its own five points and its own net; others are 0.6 away


@pytest.mark.parametrize(("head", "fidelity"), [("faithful", 0.8), ("vivid", 0.0)])
@pytest.mark.parametrize("name", PHOTOS)
def test_the_built_in_restorer_adds_to_each_pixel_what_onnx_runtime_says(name, head, fidelity):
    one = golden("lite", name)
    left, top, right, bottom = one["crop"]
    coarse = photo(name)[top:bottom, left:right][::2, ::2].repeat(2, 0).repeat(2, 1)
    treatment = Treatment(fidelity=fidelity)
    job = FaceJob(1, Face(Box(0, 0, 9, 9), 1.0), "restore", "", treatment, Pose(0, 0, 0), 0.5)
    [fixed] = Lite().fix([Crop(coarse, np.eye(2, 3))], [job])
    columns, rows = np.array(one["pixels"]).T
    wanted = np.clip(coarse[rows, columns] + one[head], 0, 255)
    assert farthest(fixed.patch[rows, columns], wanted) < 0.75
