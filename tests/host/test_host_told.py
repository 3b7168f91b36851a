"""What could not be done is told in the API's answer: refused before the run, or with its reason in the infotext."""

import pictures
import pytest
from driving import QUICK, changed
from server import Refused
from yolo_made import yolo_onnx

TWO = pictures.sheet(2)
RESTORER, FILE = "codeformer", "codeformer-v0.1.0.pth"


@pytest.mark.parametrize("unit", [{"restorer": RESTORER}, {"restorer": RESTORER, "method": "restore"}])
def test_a_restorer_that_is_not_installed_is_refused_before_anything_is_drawn(host, unit):
    with pytest.raises(Refused) as refused:
        host.txt2img(unit, draws=[TWO])
    assert refused.value.status in (422, 500)
    assert "pass 1: CodeFormer is not installed." in str(refused.value.answer)
    assert sum(len(run["items"]) for run in host.all_runs()) == 0


def test_a_file_that_is_no_detector_is_refused_before_anything_is_drawn(host):
    path = host.webui.folder / "models" / "adetailer" / "odd.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(yolo_onnx(TWO.size, [(10, 10, 90, 90)], names="{0: 'a', 1: 'b', 2: 'c'}"))
    try:
        with pytest.raises(Refused) as refused:
            host.txt2img({**QUICK, "detector": path.name}, draws=[TWO])
    finally:
        path.unlink()
    assert refused.value.status in (422, 500)
    assert "pass 1: This is not a YOLO model: its table (5, 1) does not fit 3 classes." in str(refused.value.answer)
    assert sum(len(run["items"]) for run in host.all_runs()) == 0


def test_a_restorer_that_is_not_used_need_not_be_installed(host):
    made = host.txt2img({**QUICK, "restorer": RESTORER}, draws=[TWO])
    assert [face["do"] for face in made.faces().values()] == ["re-diffuse"] * 2


def test_a_damaged_file_fails_the_faces_with_a_reason_and_without_its_folder(host):
    folder = host.webui.folder / "models" / "Codeformer"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_bytes(b"garbage\n")
    try:
        made = host.txt2img({"restorer": RESTORER, "method": "restore"}, draws=[TWO])
    finally:
        (folder / FILE).unlink()
    assert not changed(made.picture, pictures.array(TWO)).any()
    for face in made.faces().values():
        assert face["verdict"] == "failed"
        assert "Delete it and download it again" in face["error"]
    assert str(host.webui.folder) not in made.infotexts[0]
    assert "is not the published" in host.comments()


def test_a_face_that_the_model_spoils_has_its_reason_in_the_infotext_and_the_console(host):
    since = len(host.webui.log.read_bytes())
    host.order(nan_for="face")
    made = host.txt2img(QUICK, draws=[TWO])
    assert [face["error"].partition(";")[0] for face in made.faces().values()] == [
        "the model returned no image, only NaN"
    ] * 2
    assert "FaceFix, image 1: face 1, 2 not fixed: the model returned no image" in host.webui.said(since)


def test_the_infotext_does_not_claim_that_the_host_restored_faces_when_it_could_not(host):
    with host.options(face_restoration_model="FaceFix GFPGAN 1.4"):
        made = host.txt2img(draws=[TWO], restore_faces=True)
    assert "Face restoration failed: GFPGAN 1.4 is not installed." in made.infotexts[0]
    assert "Face restoration: " not in made.infotexts[0]
    assert "Restore faces changed nothing: GFPGAN 1.4 is not installed" in host.comments()
    assert not changed(made.picture, pictures.array(TWO)).any()


def test_the_infotext_names_the_restorer_with_which_the_host_restored_faces(host):
    with host.options(face_restoration_model="FaceFix built-in"):
        made = host.txt2img(draws=[TWO], restore_faces=True)
    assert "Face restoration: FaceFix built-in" in made.infotexts[0]
    assert "failed" not in made.infotexts[0]
    assert changed(made.picture, pictures.array(TWO)).any()


def test_the_noise_multiplier_of_the_hosts_settings_is_recorded_and_comes_back(host):
    plain = host.txt2img(QUICK, draws=[TWO])
    with host.options(initial_noise_multiplier=1.3):
        noisy = host.txt2img(QUICK, draws=[TWO])
    again = host.txt2img(noisy.record()["passes"][0], draws=[TWO])
    assert plain.record()["passes"] == [QUICK]
    assert noisy.record()["passes"] == [{**QUICK, "noise_multiplier": 1.3}]
    assert changed(noisy.picture, plain.picture).any()
    assert not changed(again.picture, noisy.picture).any()
    assert again.infotexts == noisy.infotexts


def test_a_noise_multiplier_of_the_pass_goes_before_that_of_the_hosts_settings(host):
    own = {**QUICK, "noise_multiplier": 1.1}
    plain = host.txt2img(own, draws=[TWO])
    with host.options(initial_noise_multiplier=1.3):
        other = host.txt2img(own, draws=[TWO])
    assert other.infotexts == plain.infotexts
    assert not changed(other.picture, plain.picture).any()
