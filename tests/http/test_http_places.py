"""Which files of the server a client may name in its settings."""

import pytest

from lib_facefix import FaceFix, Runtime
from lib_facefix.server.allowed_paths import check_models
from lib_facefix.server.errors import Refusal


@pytest.fixture
def engine(tmp_path):
    return FaceFix(Runtime(models=str(tmp_path / "models")))


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"detector": "/etc/net.onnx"}, id="a detector"),
        pytest.param({"detector": "blazeface + ../../net.onnx[face]"}, id="one of several"),
        pytest.param({"person": "/etc/passwd"}, id="a reference photo"),
        pytest.param({"restorer": "/etc/net.pth"}, id="a restorer"),
    ],
)
def test_a_file_outside_the_folders_of_models_is_refused(engine, settings):
    with pytest.raises(Refusal):
        check_models(settings, engine, [])


def test_names_and_files_in_the_folders_are_allowed(engine, tmp_path):
    inside = tmp_path / "models" / "net.onnx"
    for text in ("blazeface", "face_yolov8n.pt", f"blazeface - {inside}"):
        check_models({"detector": text, "person": "", "restorer": "lite"}, engine, [])
    check_models({"person": str(tmp_path / "ann.jpg")}, engine, [tmp_path])
