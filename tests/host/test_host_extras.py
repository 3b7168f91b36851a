"""The extras tab's calls of the host's own API, which know nothing of FaceFix, and FaceFix's own calls in the host."""

import base64
import io
import subprocess
from pathlib import Path

import driving
import numpy as np
import pytest
import server
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from server import Refused

REPOSITORY = Path(__file__).parents[2]
PHOTO = REPOSITORY / "tests" / "data" / "faceapi_sample4.jpg"
"""Four faces."""
TUNED = {"2": {"method": "leave"}, "3": {"fidelity": 0.9}}
INFOTEXT = (
    "two couples\nNegative prompt: blurry\n"
    "Steps: 3, Sampler: Euler, Schedule type: Automatic, CFG scale: 6.5, Seed: 77, Size: 64x64, Model hash: 265d52239a"
)


def coded(content):
    return base64.b64encode(content).decode()


def opened(text):
    with Image.open(io.BytesIO(base64.b64decode(text))) as picture:
        return np.asarray(picture.convert("RGB"))


@pytest.fixture(scope="module")
def photo():
    return coded(PHOTO.read_bytes())


def test_the_hosts_own_calls_leave_it_off(host, photo):
    answer = host.webui.post("/sdapi/v1/extra-single-image", {"image": photo, "upscaler_1": "None"})
    assert (opened(answer["image"]) == opened(photo)).all()
    assert "FaceFix" not in answer["html_info"]
    several = {"imageList": [{"data": photo, "name": "a.jpg"}, {"data": photo, "name": "b.jpg"}], "upscaler_1": "None"}
    answer = host.webui.post("/sdapi/v1/extra-batch-images", several)
    assert all((opened(image) == opened(photo)).all() for image in answer["images"])


def test_its_calls_stand_in_the_hosts_docs(host):
    paths = host.webui.get("/openapi.json")["paths"]
    assert {"/facefix/v1/fix", "/facefix/v1/plan", "/sdapi/v1/txt2img"} <= set(paths)


def test_the_same_settings_give_the_same_bytes_as_the_command_line(host, photo, tmp_path):
    fixed = host.webui.post("/facefix/v1/fix", {"image": photo, "settings": {"method": "restore"}, "overrides": TUNED})
    single = [f"{number}:{name}={value}" for number, own in TUNED.items() for name, value in own.items()]
    flags = ["--method", "restore", *(flag for one in single for flag in ("--face", one))]
    command = [server.python(), "-m", "lib_facefix.cli", "fix", PHOTO, "-o", tmp_path / "fixed.jpg", *flags]
    subprocess.run(command, cwd=REPOSITORY, check=True)  # by the WebUI's Python: other versions round differently
    assert base64.b64decode(fixed["image"]) == (tmp_path / "fixed.jpg").read_bytes()
    assert [face["outcome"] for face in fixed["faces"]] == ["fixed", "left", "fixed", "fixed"]


def test_a_plan_gives_what_its_settings_gave(host, photo):
    body = {"image": photo, "settings": {"method": "restore"}, "overrides": TUNED}
    plan = host.webui.post("/facefix/v1/plan", body)
    planned = host.webui.post("/facefix/v1/fix", {"image": photo, "plan": plan})
    assert planned["image"] == host.webui.post("/facefix/v1/fix", body)["image"]


def test_faces_are_re_diffused_by_what_the_picture_says_of_itself(host):
    text, file = PngInfo(), io.BytesIO()
    text.add_text("parameters", INFOTEXT)
    with Image.open(PHOTO) as drawn:
        drawn.save(file, "PNG", pnginfo=text)
    settings = {"method": "re-diffuse", "width": 64, "height": 64, "guard": "report"}
    fixed = host.webui.post("/facefix/v1/fix", {"image": coded(file.getvalue()), "settings": settings})
    assert [face["outcome"] for face in fixed["faces"]] == ["fixed"] * 4
    [run] = host.all_runs()
    assert (run["prompts"], run["negative_prompts"]) == (["two couples"] * 4, ["blurry"] * 4)
    assert run["seeds"] == [77, 78, 79, 80]
    assert (run["steps"], run["cfg_scale"], run["sampler"]) == (3, 6.5, "Euler")
    with Image.open(io.BytesIO(base64.b64decode(fixed["image"]))) as picture:
        assert picture.info["parameters"] == INFOTEXT


def test_what_the_host_was_told_is_as_it_was_afterwards(host, photo):
    before = host.state()
    settings = {"method": "re-diffuse", "width": 64, "height": 64, "steps": 2, "clip_skip": 2}
    host.webui.post("/facefix/v1/fix", {"image": photo, "settings": settings})
    after = host.state()
    assert after["settings"] == before["settings"]
    assert after["last prompt"] == before["last prompt"]


def test_server_folders_are_refused(host, tmp_path):
    with pytest.raises(Refused) as refused:
        host.webui.post("/facefix/v1/batch", {"folder": str(tmp_path), "output": str(tmp_path / "out")})
    assert refused.value.status == 403


def test_what_is_wrong_is_named(host, photo):
    with pytest.raises(Refused) as refused:
        host.webui.post("/facefix/v1/fix", {"image": photo, "settings": {"fidelity": 3}})
    assert refused.value.status == 422
    [complaint] = refused.value.answer["detail"]
    assert complaint["loc"] == ["body", "settings", "fidelity"]


def test_a_sampler_that_the_host_lacks_is_named(host, photo):
    settings = {"method": "re-diffuse", "width": 64, "height": 64, "steps": 2, "sampler": "Nope"}
    answer = host.webui.post("/facefix/v1/fix", {"image": photo, "settings": settings})
    assert [face["outcome"] for face in answer["faces"]] == ["failed"] * 4
    for face in answer["faces"]:
        assert "Sampling method 'Nope' is not available. Available: " in face["error"]


def test_pictures_made_meanwhile_wait_their_turn(host, photo):
    assert driving.difference(host.txt2img().picture, host.txt2img().picture) == 0
    host.webui.post("/facefix/v1/detect", {"image": photo})
    assert host.state()["at work"]["job"] == ""
