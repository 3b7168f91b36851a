"""Which files of the server a client may name in its settings."""

import pytest
from sending import coded, where

from lib_facefix import FaceFix, Runtime
from lib_facefix.server.allowed_paths import check_models
from lib_facefix.server.errors import Refusal
from lib_facefix.server.routes import PREFIX


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
        pytest.param({"restorer": "/etc/net.onnx"}, id="an ONNX restorer"),
        pytest.param({"restorer": "net.onnx"}, id="one in the folder of the server"),
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


def test_a_home_is_looked_through_before_a_path_is_allowed(engine, tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with pytest.raises(Refusal):
        check_models({"detector": "~/net.onnx"}, engine, [tmp_path / "work"])


FILES = [
    pytest.param({"restorer": "/etc/net.pth"}, id="a restorer"),
    pytest.param({"parser": "../net.onnx"}, id="a parser"),
    pytest.param({"occluder": "net.onnx"}, id="an occluder in the folder of the server"),
]


@pytest.fixture
def plan(client, photo):
    return client.post(f"{PREFIX}/plan", json={"image": coded(photo), "settings": {"method": "restore"}}).json()


@pytest.mark.parametrize("named", FILES)
@pytest.mark.parametrize("call", ["plan", "fix"])
def test_files_in_overrides_are_refused_in_every_call(client, photo, call, named):
    answer = client.post(f"{PREFIX}/{call}", json={"image": coded(photo), "overrides": {"1": named}})
    assert where(answer).keys() == {f"body.overrides.1.{next(iter(named))}"}


@pytest.mark.parametrize("named", FILES)
def test_files_in_overrides_and_plans_are_refused_when_it_is_planned_again(client, plan, photo, named):
    [name] = named
    answer = client.post(f"{PREFIX}/replan", json={"plan": plan, "overrides": {"1": named}})
    assert where(answer).keys() == {f"body.overrides.1.{name}"}
    plan["faces"][0]["parameters"] |= named
    for call in ("replan", "fix", "preview"):
        image = {} if call == "replan" else {"image": coded(photo)}
        assert where(client.post(f"{PREFIX}/{call}", json={"plan": plan, **image})).keys() == {f"body.plan.{name}"}


@pytest.mark.parametrize("named", FILES)
def test_files_in_the_settings_and_overrides_of_a_batch_are_refused_before_it_begins(serve, tmp_path, named):
    [name] = named
    (tmp_path / "allowed" / "old").mkdir(parents=True)
    client, folders = serve(folders=[tmp_path / "allowed"]), {"folder": "old", "output": "new"}
    for part, given in (("settings", named), ("overrides.2", {"2": named})):
        answer = client.post(f"{PREFIX}/batch", json={**folders, part.partition(".")[0]: given})
        assert where(answer).keys() == {f"body.{part}.{name}"}
