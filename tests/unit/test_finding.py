"""Where detectors are found, how often they are loaded, and what is said of those that are not here."""

import os
import sys
import types
from pathlib import Path

import numpy as np
import pytest

import lib_facefix.finding as finding
from lib_facefix.catalog import Entry
from lib_facefix.errors import BadModel, MissingPackage
from lib_facefix.weights import locate_models

PICTURE = np.zeros((10, 10, 3), np.uint8)


@pytest.fixture
def made(monkeypatch):
    """Fakes in place of all detectors; what each was made of."""
    kept = []

    class Fake:
        def __init__(self, *facts):
            kept.append(facts)

        def detect(self, image, min_score):
            return ()

    monkeypatch.setattr(Entry, "load", lambda entry: Fake)
    return kept


@pytest.fixture
def webui(tmp_path, away_from_home):
    """The models folder of a WebUI that has ADetailer's."""
    folder = tmp_path / "webui" / "models" / "adetailer"
    folder.mkdir(parents=True)
    (folder / "face_yolov8n.pt").write_bytes(b"a pickle")
    return tmp_path / "webui"


def places(*hosts):
    return locate_models(hosts=hosts)


def test_adetailers_models_are_found_where_they_lie_by_their_names(made, webui):
    finding.detector("face_yolov8n.pt", "off", places(webui))
    finding.detector("face_yolov8n.pt[face, 1]", "off", places(webui / "models"))
    there = webui / "models" / "adetailer" / "face_yolov8n.pt"
    assert made == [(there, ()), (there, ("face", "1"))]


def test_a_detector_is_loaded_once_for_all_engines_and_anew_when_its_file_changes(made, webui):
    there = webui / "models" / "adetailer" / "face_yolov8n.pt"
    for _ in range(3):
        finding.detector("face_yolov8n.pt + blazeface", "auto", places(webui))
    assert made == [(there, ()), ()]
    os.utime(there, ns=(1, 1))
    finding.detector("face_yolov8n.pt", "off", places(webui))
    assert len(made) == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("face_yolov9c.pt", r"face_yolov9c\.pt is not here\. .*adetailer.*write \./face_yolov9c\.pt"),
        ("/nowhere/net.onnx", r"net\.onnx is not here"),
        ("yunet", r"YuNet needs .*, which is not here\. Get it with `facefix models get yunet`"),
        (
            "buffalo_l",
            r"needs det_10g\.onnx of https.*buffalo_l\.zip, which is not here\..*insightface/models/buffalo_l",
        ),
        ("blazeface + antelopev2", r"needs scrfd_10g_bnkps\.onnx"),
    ],
)
def test_what_is_not_here_is_told_with_what_to_do(made, webui, text, said):
    with pytest.raises(BadModel, match=said):
        finding.detector(text, "off", places(webui))


def test_gender_and_age_are_guessed_by_a_file_of_the_users_alone(made, webui):
    with pytest.raises(
        BadModel, match=r"needs genderage\.onnx of .*, which is not here\..*insightface/models/buffalo_l"
    ):
        finding.guesser(places(webui))
    there = webui / "models" / "insightface" / "models" / "antelopev2" / "genderage.onnx"
    there.parent.mkdir(parents=True)
    there.write_bytes(b"onnx")
    finding.guesser(places(webui))
    there.unlink()
    home = Path.home() / ".insightface" / "models" / "buffalo_l" / "genderage.onnx"
    home.parent.mkdir(parents=True)
    home.write_bytes(b"onnx")
    finding.guesser(places())
    assert made == [(there,), (home,)]


def test_published_weights_with_a_wrong_hash_are_refused(made, webui):
    (webui / "models" / "adetailer" / "yolov8n-face.onnx").write_bytes(b"someone else's")
    with pytest.raises(BadModel, match=r"is not the published yolov8n-face\.onnx"):
        finding.detector("yolov8n-face", "off", places(webui))


@pytest.mark.parametrize(("name", "said"), [("mediapipe_face_full", "<0.10.35"), ("insightface", "insightface")])
def test_a_missing_package_is_named_with_the_versions_that_will_do(webui, monkeypatch, name, said):
    package = name.partition("_")[0]
    there = webui / "models" / "insightface" / "models" / "buffalo_l"
    there.mkdir(parents=True)
    (there / "det_10g.onnx").write_bytes(b"onnx")
    monkeypatch.setitem(sys.modules, package, None)
    for module in ("mediapipe", "insight"):
        monkeypatch.delitem(sys.modules, f"lib_facefix.detectors.{module}", raising=False)
    with pytest.raises((MissingPackage, ModuleNotFoundError), match=package):
        finding.detector(name, "off", places(webui))
    assert said


def test_mediapipe_that_contacts_its_maker_is_warned_of(monkeypatch):
    monkeypatch.setitem(sys.modules, "mediapipe", types.SimpleNamespace(__version__="0.10.35"))
    monkeypatch.delitem(sys.modules, "lib_facefix.detectors.mediapipe", raising=False)
    from lib_facefix.detectors.mediapipe import FullRange

    with pytest.warns(UserWarning, match=r"mediapipe 0\.10\.35 contacts its maker.*<0\.10\.35"):
        FullRange()
    monkeypatch.delitem(sys.modules, "lib_facefix.detectors.mediapipe")
