"""ADetailer beside us, from the folder FACEFIX_ADETAILER: its hooks, and both at work in one picture."""

import os
from pathlib import Path

import pictures
import pytest
from driving import QUICK, Host, changed, difference
from yolo_made import yolo_onnx

MODEL = {"ad_model": "mediapipe_face_full", "ad_inpaint_width": 64, "ad_inpaint_height": 64, "ad_confidence": 0.3}
FAINT = {**QUICK, "visibility": 0.1}
"""ADetailer must still find the faces that we have drawn."""
BOTH = [pictures.sheet(2), pictures.sheet(2, first=2)]


@pytest.fixture(scope="module")
def crowded(start):
    """A WebUI with ADetailer."""
    if not os.environ.get("FACEFIX_ADETAILER"):
        pytest.skip("needs ADetailer: set FACEFIX_ADETAILER to its folder")
    webui = start(adetailer=Path(os.environ["FACEFIX_ADETAILER"]).resolve())
    assert webui.post("/counter/watch/ADetailer")
    return webui


@pytest.fixture
def host(crowded):
    return Host(crowded)


def detailed(enabled):
    return {"ADetailer": {"args": [enabled, False, MODEL]}}


@pytest.mark.parametrize("enabled", [False, True], ids=["off", "on"])
def test_hooks_of_adetailer_run_exactly_as_often_as_without_us(host, enabled):
    def counts(*passes):
        host.forget()
        host.txt2img(*passes, draws=BOTH, batch_size=2, scripts=detailed(enabled))
        return host.counts()

    without, beside = counts(), counts(FAINT)
    assert beside == without
    assert without["ADetailer.postprocess_image"] >= 2


def test_both_do_their_work_once_for_each_face(host):
    alone = host.txt2img(draws=BOTH[:1], scripts=detailed(True))
    by_adetailer = len(host.runs())
    host.forget()
    both = host.txt2img(FAINT, draws=BOTH[:1], scripts=detailed(True))
    assert by_adetailer == 2
    assert sorted(run["batch_size"] for run in host.runs()) == [1, 1, 2]
    assert len(both.faces()) == 2
    assert changed(both.picture, alone.picture).any()


def test_with_adetailer_installed_and_off_the_picture_is_that_of_facefix_alone(host):
    ours = host.txt2img(QUICK, draws=BOTH[:1])
    beside = host.txt2img(QUICK, draws=BOTH[:1], scripts=detailed(False))
    assert difference(ours.picture, beside.picture) == 0


def test_models_in_the_folders_of_its_setting_are_listed_and_used(host, tmp_path):
    [picture] = BOTH[:1]
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces" / "right.onnx").write_bytes(yolo_onnx(picture.size, [(240, 50, 336, 146)]))

    def listed():
        return [one["name"] for one in host.webui.get("/facefix/v1/models")["detectors"]]

    assert "right.onnx" not in listed()
    with host.options(ad_extra_models_dir=f"{tmp_path / 'gone'}|{tmp_path}"):
        assert listed()[-1] == "right.onnx"
        made = host.txt2img({**QUICK, "detector": "right.onnx"}, draws=[picture])
    [face] = made.faces().values()
    assert (face["do"], face["box"][0] > 192) == ("re-diffuse", True)
    assert "right.onnx" not in listed()
