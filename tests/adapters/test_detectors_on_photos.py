"""CenterFace, several detectors at once, and choosing by likeness, on real photos."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pil

from lib_facefix import FaceFix, FaceSettings
from lib_facefix.analysis.embedding import Embedder
from lib_facefix.detectors.centerface import CenterFace
from lib_facefix.errors import BadModel, BadPicture
from lib_facefix.weights import asset, read_onnx

PHOTOS = Path(__file__).parents[1] / "data"
COUNTS = {"astronaut": 1, "faceapi_sample3": 3, "faceapi_sample5": 5}


def photo(name, side=640):
    with Pil.open(PHOTOS / f"{name}.jpg") as picture:
        small = picture.convert("RGB")
        small.thumbnail((side, side))
        return np.array(small)


@pytest.fixture(scope="module")
def engine():
    return FaceFix()


@pytest.mark.parametrize("detector", ["centerface", "blazeface + centerface", "2 of blazeface, centerface"])
def test_every_face_is_found_and_nothing_else(engine, detector):
    for name, count in COUNTS.items():
        assert len(engine.detect(photo(name), FaceSettings(detector=detector))) == count, name


def test_what_both_find_is_nobodys_alone(engine):
    assert engine.detect(photo("faceapi_sample5"), FaceSettings(detector="blazeface - centerface")) == ()


def test_centerface_knows_how_a_head_is_tilted():
    upright = photo("astronaut")
    height, width = upright.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -30, 1)
    [face], [turned] = (
        CenterFace().detect(one, 0.5) for one in (upright, cv2.warpAffine(upright, turn, (width, height)))
    )
    assert turned.tilt - face.tilt == pytest.approx(30, abs=6)


def test_a_net_that_answers_with_no_number_is_an_error_and_not_no_faces(engine, monkeypatch):
    detector = CenterFace()
    monkeypatch.setattr(detector, "_net", lambda blob: [np.full((1, 1, 8, 8), np.nan)] * 4)
    with pytest.raises(BadModel, match="returned infinite or undefined values"):
        detector.detect(photo("astronaut"), 0.5)


def test_an_onnx_file_tells_its_inputs_and_outputs_without_any_package():
    said = read_onnx(asset("centerface.onnx"))
    assert said.inputs == {"input.1": (10, 3, 32, 32)}
    assert list(said.outputs.values())[-1] == (10, 10, 8, 8)
    assert read_onnx(asset("identity.onnx")).inputs == {"chips": (1, 3, 150, 150)}


def test_people_in_one_photo_are_told_apart_and_a_worse_picture_of_one_is_the_same(engine):
    picture = photo("faceapi_sample5", 1200)
    faces = engine.detect(picture)
    worse = cv2.GaussianBlur(picture, (0, 0), 1)
    identity = Embedder()
    places = [identity.embed(picture, face) for face in faces]
    for i, face in enumerate(faces):
        assert np.linalg.norm(identity.embed(worse, face) - places[i]) < 0.4
        assert min(np.linalg.norm(places[i] - other) for j, other in enumerate(places) if j != i) > 0.5


@pytest.fixture
def reference(tmp_path, engine):
    """The leftmost face of a photo, cut out, smaller, and compressed."""
    picture = photo("faceapi_sample5", 1200)
    box = min((face.box for face in engine.detect(picture)), key=lambda box: box.left)
    x, y = map(int, box.centre)
    reach = int(box.size)
    part = Pil.fromarray(picture[max(0, y - reach) : y + reach, max(0, x - reach) : x + reach])
    part.resize((int(part.width * 0.8), int(part.height * 0.8))).save(tmp_path / "her.jpg", quality=80)
    return str(tmp_path / "her.jpg")


@pytest.mark.parametrize(("means", "fixed"), [("only", [1]), ("all but", [2, 3, 4, 5])])
def test_faces_are_chosen_by_a_reference_photo(engine, reference, means, fixed):
    settings = FaceSettings(method="restore", person=reference, person_means=means)
    jobs = engine.plan(photo("faceapi_sample5", 1200), settings).jobs
    assert [job.number for job in jobs if job.decision == "restore"] == fixed
    left = "not the person" if means == "only" else "the person"
    assert all(job.reason.startswith(left) for job in jobs if job.decision == "leave")


def test_a_reference_photo_without_a_face_is_told(engine, tmp_path):
    Pil.new("RGB", (64, 64)).save(tmp_path / "nobody.png")
    with pytest.raises(BadPicture, match=r"no face was found in the reference photo .*nobody\.png"):
        engine.plan(photo("astronaut"), FaceSettings(person=str(tmp_path / "nobody.png")))
    with pytest.raises(BadModel, match=r"gone\.png cannot be read"):
        engine.plan(photo("astronaut"), FaceSettings(person=str(tmp_path / "gone.png")))
    with pytest.raises(BadModel, match=r"gone\.png cannot be read"):
        engine.plan(photo("astronaut"), FaceSettings(person="~nobody-of-that-name/gone.png"))
