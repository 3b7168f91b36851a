"""Where detectors are found, how often they are loaded, and what is said of those that are not here."""

import os
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from lib_facefix import optional_imports
from lib_facefix.analysis.detector_factory import make_detector
from lib_facefix.errors import BadModel, MissingPackage
from lib_facefix.models.store import ModelStore
from lib_facefix.registry import GUESSERS, ModelInfo
from lib_facefix.settings.runtime import Runtime

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

    monkeypatch.setattr(ModelInfo, "load", lambda info: Fake)
    return kept


@pytest.fixture
def webui(tmp_path, away_from_home):
    """The models folder of a WebUI that has ADetailer's."""
    folder = tmp_path / "webui" / "models" / "adetailer"
    folder.mkdir(parents=True)
    (folder / "face_yolov8n.pt").write_bytes(b"a pickle")
    return tmp_path / "webui"


def store(*hosts):
    return ModelStore(Runtime(webui=os.pathsep.join(map(str, hosts))))


def test_adetailers_models_are_found_where_they_lie_by_their_names(made, webui):
    make_detector(store(webui), "face_yolov8n.pt", "off")
    make_detector(store(webui / "models"), "face_yolov8n.pt[face, 1]", "off")
    there = webui / "models" / "adetailer" / "face_yolov8n.pt"
    assert made == [(there, ()), (there, ("face", "1"))]


def test_a_detector_is_loaded_once_for_a_store_and_anew_when_its_file_changes(made, webui):
    there, models = webui / "models" / "adetailer" / "face_yolov8n.pt", store(webui)
    for _ in range(3):
        make_detector(models, "face_yolov8n.pt + blazeface", "auto")
    assert made == [(there, ()), (), ()]  # the file, BlazeFace, and the mesh that confirms its faces
    os.utime(there, ns=(1, 1))
    make_detector(models, "face_yolov8n.pt", "off")
    assert made[3:] == [(there, ())]


def test_another_store_has_detectors_of_its_own(made, webui):
    make_detector(store(webui), "blazeface", "off")
    make_detector(store(webui), "blazeface", "off")
    assert made == [(), ()] * 2  # a detector and the mesh, in each store


def test_a_yolo_net_is_told_the_precision_of_the_store(made, webui):
    (webui / "models" / "adetailer" / "net.onnx").write_bytes(b"onnx")
    make_detector(ModelStore(Runtime(webui=str(webui), precision="fast")), "net.onnx[face]", "off")
    assert made == [(webui / "models" / "adetailer" / "net.onnx", ("face",), "fast")]


def test_beyond_eight_detectors_of_files_the_one_used_longest_ago_is_let_go(made, webui):
    models, folder = store(webui), webui / "models" / "adetailer"
    for number in range(9):
        (folder / f"{number}.pt").write_bytes(b"a pickle")
        make_detector(models, f"{number}.pt", "off")
    make_detector(models, "8.pt", "off")
    assert len(made) == 9
    make_detector(models, "0.pt", "off")
    assert made[-1] == (folder / "0.pt", ())
    assert len(made) == 10


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("face_yolov9c.pt", r"face_yolov9c\.pt is not installed\. .*adetailer.*write \./face_yolov9c\.pt"),
        ("/nowhere/net.onnx", r"net\.onnx is not installed"),
        ("yunet", r"YuNet needs .*, which is not installed\. Get it with `facefix models get yunet`"),
        (
            "buffalo_l",
            r"needs det_10g\.onnx from https.*buffalo_l\.zip, which is not installed\..*insightface/models/buffalo_l",
        ),
        ("blazeface + antelopev2", r"needs scrfd_10g_bnkps\.onnx"),
    ],
)
def test_what_is_not_here_is_told_with_what_to_do(made, webui, text, said):
    with pytest.raises(BadModel, match=said):
        make_detector(store(webui), text, "off")


def test_gender_and_age_are_guessed_by_a_file_of_the_users_alone(made, webui):
    with pytest.raises(
        BadModel, match=r"needs genderage\.onnx from .*, which is not installed\..*insightface/models/buffalo_l"
    ):
        store(webui).load(GUESSERS, "genderage")
    there = webui / "models" / "insightface" / "models" / "antelopev2" / "genderage.onnx"
    there.parent.mkdir(parents=True)
    there.write_bytes(b"onnx")
    store(webui).load(GUESSERS, "genderage")
    there.unlink()
    home = Path.home() / ".insightface" / "models" / "buffalo_l" / "genderage.onnx"
    home.parent.mkdir(parents=True)
    home.write_bytes(b"onnx")
    store().load(GUESSERS, "genderage")
    assert made == [(there,), (home,)]


def test_published_weights_with_a_wrong_hash_are_refused(made, webui):
    (webui / "models" / "adetailer" / "yolov8n-face.onnx").write_bytes(b"someone else's")
    with pytest.raises(BadModel, match=r"is not the published yolov8n-face\.onnx"):
        make_detector(store(webui), "yolov8n-face", "off")


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
        make_detector(store(webui), name, "off")
    assert said


def test_mediapipe_that_contacts_its_maker_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "mediapipe", types.SimpleNamespace(__version__="0.10.35"))
    monkeypatch.delitem(sys.modules, "lib_facefix.detectors.mediapipe", raising=False)
    from lib_facefix.detectors.mediapipe import FullRange

    with pytest.raises(BadModel, match=r"mediapipe 0\.10\.35 contacts its maker.*<0\.10\.35"):
        FullRange()
    monkeypatch.delitem(sys.modules, "lib_facefix.detectors.mediapipe")


@pytest.mark.parametrize("package", ["mediapipe", "insightface", "ultralytics"])
def test_matplotlib_keeps_its_list_of_fonts_in_our_cache(monkeypatch, tmp_path, package):
    monkeypatch.setattr(optional_imports, "FORCED", {})
    monkeypatch.delitem(sys.modules, "matplotlib", raising=False)
    monkeypatch.setenv("MPLCONFIGDIR", "")
    monkeypatch.delenv("MPLCONFIGDIR")
    monkeypatch.setenv("FACEFIX_CACHE", str(tmp_path))
    optional_imports.disable_telemetry(package)
    assert os.environ.pop("MPLCONFIGDIR") == str(tmp_path / "matplotlib")
