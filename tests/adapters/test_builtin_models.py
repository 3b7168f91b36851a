"""The bundled weights on real photos."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pil

from lib_facefix import FaceFix, FaceSettings, FixPlan
from lib_facefix.detectors.blazeface import BlazeFace
from lib_facefix.errors import BadModel
from lib_facefix.imaging.boxes import grow
from lib_facefix.imaging.quality import pose
from lib_facefix.inference import CvNetwork, OrtNetwork, load
from lib_facefix.weights import ASSETS, asset

PHOTOS = Path(__file__).parents[1] / "data"
FACES = {
    "astronaut": 1,
    "faceapi_sample1": 3,
    "faceapi_sample2": 3,
    "faceapi_sample3": 3,
    "faceapi_sample4": 4,
    "faceapi_sample5": 5,
    "faceapi_sample6": 4,
}
RESTORE = FaceSettings(method="restore")


def photo(name):
    with Pil.open(PHOTOS / f"{name}.jpg") as picture:
        return np.array(picture.convert("RGB"))


@pytest.fixture(scope="module")
def engine():
    return FaceFix()


def degraded(clean, *, blur=2.0, noise=5.0, quality=50, factor=2):
    """The same picture made worse: blurred, reduced, noisy, compressed, and enlarged again."""
    height, width = clean.shape[:2]
    blurred = cv2.GaussianBlur(clean, (0, 0), blur)
    small = cv2.resize(blurred, (width // factor, height // factor), interpolation=cv2.INTER_AREA)
    noisy = np.clip(small + np.random.default_rng(5).normal(0, noise, small.shape), 0, 255).astype(np.uint8)
    _, packed = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.resize(cv2.imdecode(packed, cv2.IMREAD_COLOR), (width, height), interpolation=cv2.INTER_CUBIC)


def psnr(one, other, box):
    inside = np.s_[round(box.top) : round(box.bottom), round(box.left) : round(box.right)]
    return 10 * np.log10(255**2 / max(1e-9, np.mean((one[inside].astype(float) - other[inside]) ** 2)))


@pytest.mark.parametrize(("name", "count"), FACES.items(), ids=FACES)
def test_every_face_of_the_photo_is_found_and_nothing_else(engine, name, count):
    assert len(engine.detect(photo(name))) == count


@pytest.mark.parametrize("quarters", [1, 2, 3])
@pytest.mark.parametrize("name", ["faceapi_sample4", "faceapi_sample6"])
def test_turned_pictures_give_the_same_faces(engine, name, quarters):
    upright = photo(name)
    turned = np.ascontiguousarray(np.rot90(upright, quarters))

    faces = engine.detect(turned, FaceSettings(angles="all"))

    assert len(faces) == FACES[name]
    one = min(faces, key=lambda face: abs(face.box.width - 80))
    eyes, mouth = one.landmarks[:2].mean(0), one.landmarks[3:].mean(0)
    down = (mouth - eyes) / np.hypot(*(mouth - eyes))
    assert down @ {1: (1, 0), 2: (0, -1), 3: (-1, 0)}[quarters] > 0.7


def test_a_picture_on_its_head_is_searched_in_all_directions_without_asking(engine):
    turned = np.ascontiguousarray(photo("faceapi_sample6")[::-1, ::-1])
    assert len(engine.detect(turned)) == 4
    assert len(engine.detect(turned, FaceSettings(angles="off"))) < 4


def test_faces_of_20_px_are_found_in_a_picture_of_4096_px():
    clean = photo("faceapi_sample6")
    group = cv2.resize(clean, None, fx=20 / 84, fy=20 / 84, interpolation=cv2.INTER_AREA)
    height, width = group.shape[:2]
    wide = np.full((1400, 4096, 3), (96, 104, 112), np.uint8)
    places = [(x, y) for x in (37, 777, 1555, 2222, 3111, 3900) for y in (11, 631, 1250)]
    for x, y in places:
        wide[y : y + height, x : x + width] = group

    sizes = [face.box.size for face in BlazeFace().detect(wide, 0.5)]

    assert np.median(sizes) < 24
    assert 0.9 * 4 * len(places) <= len(sizes) <= 4 * len(places)


def test_the_mesh_places_landmarks_on_a_known_face(engine):
    [face] = engine.detect(photo("astronaut"))
    left, right, nose, left_mouth, right_mouth = face.landmarks
    assert face.mesh.score > 0.9
    assert left[0] < nose[0] < right[0]
    assert left_mouth[0] < right_mouth[0]
    assert max(left[1], right[1]) < nose[1] < min(left_mouth[1], right_mouth[1])
    inside = grow(face.box, 0.25)
    assert all(inside.left < x < inside.right and inside.top < y < inside.bottom for x, y in face.mesh.points[:, :2])


def test_the_mirror_changes_the_sign_of_yaw_and_roll_but_not_of_pitch(engine):
    picture = photo("faceapi_sample5")
    width = picture.shape[1]
    mirrored = engine.detect(np.ascontiguousarray(picture[:, ::-1]))
    for face in engine.detect(picture):
        x, y = face.box.centre
        twin = min(mirrored, key=lambda other: abs(other.box.centre[0] - (width - x)) + abs(other.box.centre[1] - y))
        here, there = pose(face), pose(twin)
        assert here.yaw == pytest.approx(-there.yaw, abs=7)
        assert here.roll == pytest.approx(-there.roll, abs=5)
        assert here.pitch == pytest.approx(there.pitch, abs=7)


def test_a_mesh_that_is_unsure_leaves_the_detectors_own_landmarks(engine):
    [face] = BlazeFace().detect(photo("astronaut"), 0.5)
    nothing = np.full_like(photo("astronaut"), 127)
    assert engine._landmarker.locate(nothing, face) is face


@pytest.mark.parametrize("name", ["astronaut", "faceapi_sample5"])  # neither was trained on
def test_lite_makes_degraded_faces_better_and_leaves_good_ones_alone(engine, name):
    clean = photo(name)
    boxes = [face.box for face in engine.detect(clean)]
    worse = degraded(clean)
    [better] = engine.fix([worse], RESTORE)
    [same] = engine.fix([clean], RESTORE)
    for box in boxes:
        assert psnr(better.image, clean, box) > psnr(worse, clean, box) + 0.3
        assert psnr(same.image, clean, box) > 38


def test_fidelity_moves_the_result_evenly_from_restored_to_original(engine):
    worse = degraded(photo("astronaut"))
    plan = engine.plan(worse, RESTORE)
    distances = []
    for fidelity in np.linspace(0, 1, 11):
        jobs = tuple(replace(job, treatment=job.treatment.but({"fidelity": float(fidelity)})) for job in plan.jobs)
        [result] = engine.run([worse], [replace(plan, jobs=jobs)])
        distances.append(float(np.abs(result.image.astype(float) - worse).sum()))
    assert all(later < earlier for earlier, later in pairwise(distances))
    assert distances[-1] == 0


@pytest.mark.parametrize("setting", [{"fidelity": 1.0}, {"visibility": 0.0}, {"method": "leave"}], ids=str)
def test_what_asks_for_no_change_changes_no_byte(engine, setting):
    worse = degraded(photo("faceapi_sample4"))
    [result] = engine.fix([worse], FaceSettings(**{"method": "restore", **setting}))
    assert (result.image == worse).all()


@pytest.mark.parametrize(
    ("change", "large_above", "decision", "reason"),
    [
        (lambda image: image, 64, "leave", "already sharp, large, and clean (107 px of detail)"),
        (lambda image: cv2.GaussianBlur(image, (0, 0), 4), 64, "restore", "enlarged about 6 times: 16 px of detail"),
        (
            lambda image: cv2.resize(image, None, fx=3, fy=3, interpolation=cv2.INTER_LANCZOS4),
            192,
            "restore",
            "enlarged about 3 times: ",
        ),
    ],
    ids=["sharp", "blurred", "enlarged"],
)
def test_auto_leaves_only_what_is_sharp_and_large_in_effect(engine, change, large_above, decision, reason):
    [job] = engine.plan(change(photo("astronaut")), FaceSettings(large_above=large_above)).jobs
    assert job.decision == decision
    assert job.reason.startswith(reason)


def test_a_plan_that_went_through_json_gives_the_same_bytes(engine):
    worse = degraded(photo("faceapi_sample5"))
    plan = engine.plan(worse, RESTORE)
    [direct] = engine.run([worse], [plan])
    [again] = engine.run([worse], [FixPlan.from_json(json.loads(json.dumps(plan.to_json())))])
    assert (direct.image == again.image).all()


def test_the_same_picture_twice_or_among_others_gives_the_same_bytes(engine):
    one, two = degraded(photo("faceapi_sample6")), degraded(photo("astronaut"))
    [alone] = engine.fix([one], RESTORE)
    _, among, again = engine.fix([two, one, one], RESTORE)
    assert (alone.image == among.image).all()
    assert (alone.image == again.image).all()


def test_onnx_runtime_and_opencv_agree_about_lite():
    pytest.importorskip("onnxruntime")
    crop = cv2.resize(degraded(photo("astronaut")), (512, 512)).transpose(2, 0, 1)[None].astype(np.float32) / 255
    quick, plain = (np.stack(net(asset("lite.onnx"))(crop)) for net in (OrtNetwork, CvNetwork))
    assert quick.shape == (2, 1, 3, 512, 512)  # the faithful and the vivid head, in this order
    assert np.abs(quick - plain).max() < 1e-4


def test_what_opencv_cannot_read_goes_to_onnx_runtime(monkeypatch):
    pytest.importorskip("onnxruntime")
    monkeypatch.setattr(CvNetwork, "__init__", refuse)
    assert isinstance(load(asset("lite.onnx")), OrtNetwork)


def refuse(*_):
    raise BadModel("not today")


def test_the_bundled_weights_are_small_and_listed_with_their_licence():
    assert asset("lite.onnx").stat().st_size <= 10_000_000
    listed = (ASSETS / "LICENSES.md").read_text("utf-8")
    assert all(path.name in listed for path in ASSETS.iterdir() if path.suffix != ".md")
