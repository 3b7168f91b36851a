"""The calls, as a client sees them."""

import base64
import io
import json
import os
import struct
import threading
import zlib

import numpy as np
import pytest
from PIL import Image
from sending import ended, sent, where
from yolo_made import yolo_onnx

from lib_facefix import __version__
from lib_facefix.server.app import HEADERS
from lib_facefix.server.routes import PREFIX
from lib_facefix.settings.face_settings import FaceSettings
from lib_facefix.weights import locate_models

RESTORE = {"settings": {"method": "restore"}}


def test_models_says_what_is_on_offer_and_what_is_here(client):
    told = client.get(f"{PREFIX}/models").json()
    masks = {"maskers", "parsers", "occluders"}
    lists = {"methods", "detectors", "landmarkers", "guessers", "restorers", "upscalers", *masks}
    assert set(told) == {"version", "facefix", *lists}
    assert told["facefix"] == __version__
    assert [one["name"] for one in told["landmarkers"] + told["guessers"]] == ["facemesh", "2d106", "genderage"]
    assert [one["here"] for one in told["methods"] if one["name"] == "re-diffuse"] == [False]
    lite = next(one for one in told["restorers"] if one["name"] == "lite")
    assert (lite["here"], lite["note"]) == (True, "")
    lacking = [one for one in told["restorers"] if not one["here"]]
    assert all(one["note"] and one["licence"] for one in lacking)


def test_models_tells_the_files_that_a_detector_may_be(client, engine, away_from_home, monkeypatch, tmp_path):
    (tmp_path / "face.onnx").write_bytes(yolo_onnx((640, 640), []))
    (tmp_path / "a, b.onnx").write_bytes(yolo_onnx((640, 640), [], names="{0: 'dog', 1: 'a, b'}"))
    monkeypatch.setattr(engine.models, "paths", locate_models([tmp_path]))
    told = client.get(f"{PREFIX}/models").json()["detectors"]
    facts = {"licence": "", "here": True, "note": ""}
    assert told[-2:] == [
        {"name": '"a, b.onnx"', "label": "a, b.onnx", **facts, "classes": ["dog", "1"]},
        {"name": "face.onnx", "label": "face.onnx", **facts, "classes": ["face"]},
    ]
    [scrfd] = [one for one in told if one["name"] == "buffalo_l"]
    assert not scrfd["here"]
    assert "needs det_10g.onnx from https" in scrfd["note"]


def test_models_tells_names_in_text_whatever_a_file_is_called(client, engine, away_from_home, monkeypatch, tmp_path):
    try:
        (tmp_path / os.fsdecode(b"\xff.onnx")).write_bytes(yolo_onnx((640, 640), []))
    except OSError:
        pytest.skip("this file system has no such names")
    monkeypatch.setattr(engine.models, "paths", locate_models([tmp_path]))
    assert client.get(f"{PREFIX}/models").status_code == 200


def test_settings_is_the_schema_of_the_command_line(client):
    told = client.get(f"{PREFIX}/settings").json()
    assert told["properties"]["fidelity"]["default"] == FaceSettings().fidelity
    assert not told["additionalProperties"]


def test_detect_finds_the_face(client, photo):
    told = client.post(f"{PREFIX}/detect", json=sent(photo)).json()
    [face] = told["faces"]
    assert (told["size"], face["number"]) == ([256, 256], 1)
    assert face["box"][0] < face["box"][2]


def test_a_plan_goes_out_and_comes_back_edited(client, photo):
    plan = client.post(f"{PREFIX}/plan", json=sent(photo, **RESTORE)).json()
    assert [face["decision"] for face in plan["faces"]] == ["restore"]
    plan["faces"][0]["parameters"]["fidelity"] = 0.1
    edited = client.post(f"{PREFIX}/fix", json=sent(photo, plan=plan)).json()
    straight = client.post(f"{PREFIX}/fix", json=sent(photo, settings={"method": "restore", "fidelity": 0.1})).json()
    assert edited["image"] == straight["image"]
    assert [face["outcome"] for face in edited["faces"]] == ["fixed"]


def test_a_face_is_left_by_its_number(client, photo):
    body = sent(photo, **RESTORE, overrides={"1": {"method": "leave"}})
    told = client.post(f"{PREFIX}/fix", json=body).json()
    assert [face["outcome"] for face in told["faces"]] == ["left"]
    assert base64.b64decode(told["image"]) == photo


def test_the_answer_says_what_the_result_does_not_contain(client, photo):
    video = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"
    assert client.post(f"{PREFIX}/fix", json=sent(photo, **RESTORE)).json()["notes"] == []
    [note] = client.post(f"{PREFIX}/fix", json=sent(photo + video, **RESTORE)).json()["notes"]
    assert "video" in note


def test_a_result_that_takes_too_much_memory_is_refused_before_the_work(client, photo):
    plan = client.post(f"{PREFIX}/plan", json=sent(photo, **RESTORE)).json()
    plan["upscale"] = {"size": [20_000, 20_000], "upscaler": "lanczos"}
    answer = client.post(f"{PREFIX}/fix", json=sent(photo, plan=plan))
    assert answer.status_code >= 400
    assert "GiB" in answer.text


def test_a_form_and_an_answer_as_a_picture(client, photo):
    plain = client.post(f"{PREFIX}/fix", json=sent(photo, **RESTORE)).json()
    form = {"settings": json.dumps(RESTORE["settings"])}
    answer = client.post(f"{PREFIX}/fix", files={"image": ("old.jpg", photo)}, data=form, headers={"Accept": "image/*"})
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.content == base64.b64decode(plain["image"])


def test_a_preview_shows_numbers_and_what_may_change(client, photo):
    plan = client.post(f"{PREFIX}/plan", json=sent(photo, **RESTORE)).json()
    answer = client.post(f"{PREFIX}/preview", json=sent(photo, plan=plan), headers={"Accept": "image/png"})
    shown = np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB"), int)
    before = np.asarray(Image.open(io.BytesIO(photo)).convert("RGB"), int)
    assert shown.shape == before.shape
    assert 0.02 < (np.abs(shown - before).max(axis=2) > 8).mean() < 0.6


def test_a_job_is_begun_watched_and_its_result_fetched(client, photo):
    begun = client.post(f"{PREFIX}/fix", json=sent(photo, **RESTORE, wait=False))
    assert begun.status_code == 202
    state = ended(client, begun.json()["job"])
    assert (state["state"], state["done"], state["total"], state["error"]) == ("done", 1, 1, None)
    assert state["result"] == {
        **client.post(f"{PREFIX}/fix", json=sent(photo, **RESTORE)).json(),
        "faces": state["result"]["faces"],
    }


def test_a_job_that_fails_says_why(client):
    state = ended(client, client.post(f"{PREFIX}/fix", json=sent(b"no picture", wait=False)).json()["job"])
    assert (state["state"], state["result"]) == ("failed", None)
    assert state["error"].startswith("the image cannot be used: its format is not supported")


def test_a_job_is_stopped(serve, engine, photo, gate, monkeypatch):
    begun = threading.Event()
    run = engine.run

    def waiting(*args, progress):
        begun.set()
        assert gate.wait(10)
        return run(*args, progress=progress)

    monkeypatch.setattr(type(engine), "run", lambda self, *args, **more: waiting(*args, **more))
    client = serve()
    job = client.post(f"{PREFIX}/fix", json=sent(photo, **RESTORE, wait=False)).json()["job"]
    assert begun.wait(10)
    assert client.delete(f"{PREFIX}/jobs/{job}").json()["state"] == "running"
    gate.set()
    state = ended(client, job)
    assert state["state"] == "stopped"
    assert [face["outcome"] for face in state["result"]["faces"]] == ["left"]  # what is done by then is kept


def test_an_unknown_job_is_told_of(client):
    assert where(client.get(f"{PREFIX}/jobs/x"), 404).keys() == {"path.id"}
    assert where(client.delete(f"{PREFIX}/jobs/x"), 404).keys() == {"path.id"}


def test_a_wrong_setting_is_told_at_its_name(client, photo):
    told = where(client.post(f"{PREFIX}/fix", json=sent(photo, settings={"fidelity": 3})))
    assert told == {"body.settings.fidelity": "Fidelity must be between 0 and 1, not 3"}


def test_a_plan_for_another_picture_is_told_at_the_plan(client, photo):
    plan = {"size": [8, 8], "upscale": None, "faces": []}
    assert where(client.post(f"{PREFIX}/fix", json=sent(photo, plan=plan))).keys() == {"body.plan"}


@pytest.mark.parametrize(
    "restorer",
    ["/etc/passwd.pth", "../secret.safetensors", "x\0.pth", "//server/share/a.pth", "~/a.pth"],
)
def test_no_model_file_outside_the_folders_of_models_is_read(client, photo, restorer):
    told = where(client.post(f"{PREFIX}/fix", json=sent(photo, settings={"restorer": restorer})))
    assert told.keys() == {"body.settings.restorer"}
    plan = client.post(f"{PREFIX}/plan", json=sent(photo, **RESTORE)).json()
    plan["faces"][0]["parameters"]["restorer"] = restorer
    [place] = where(client.post(f"{PREFIX}/fix", json=sent(photo, plan=plan)))
    assert place == ("body.plan" if "\0" in restorer else "body.plan.restorer")


def test_a_model_that_is_not_here_fails_its_faces_with_the_sentence(client, photo, away_from_home):
    told = client.post(f"{PREFIX}/fix", json=sent(photo, settings={"method": "restore", "restorer": "gfpgan"})).json()
    assert [face["outcome"] for face in told["faces"]] == ["failed"]
    assert "facefix models get" in told["faces"][0]["error"] or "not installed" in told["faces"][0]["error"]


def test_re_diffusing_without_stable_diffusion_fails_its_faces_with_the_sentence(client, photo):
    told = client.post(f"{PREFIX}/fix", json=sent(photo, settings={"method": "re-diffuse"})).json()
    assert [face["outcome"] for face in told["faces"]] == ["failed"]
    assert "needs Stable Diffusion" in told["faces"][0]["error"]


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n" + bytes(40), b"\xff\xd8\xff"])
def test_what_is_no_picture_is_told(client, content):
    told = where(client.post(f"{PREFIX}/detect", json=sent(content)))
    assert "the image" in next(iter(told.values()))
    assert "/tmp" not in str(told)


def test_a_bomb_is_refused_by_its_header(client):
    head = struct.pack(">IIBBBBB", 20_000, 10_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(10**6))), (b"IEND", b""))
    )
    told = where(client.post(f"{PREFIX}/fix", json=sent(bomb)))
    assert "20000 x 10000 pixels (limit: 50 million)" in told["body"]


def test_a_request_that_is_too_large_is_refused_before_it_is_whole(serve, photo):
    client = serve(body=10_000)
    assert where(client.post(f"{PREFIX}/fix", json=sent(bytes(20_000))), 413)

    def endless():
        for _ in range(1000):
            yield bytes(1000)

    json_type = {"Content-Type": "application/json"}
    assert where(client.post(f"{PREFIX}/fix", content=endless(), headers=json_type), 413)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        pytest.param(b"{", "application/json", id="broken"),
        pytest.param(b"[" * 100_000, "application/json", id="deep"),
        pytest.param(b'"\\ud800"', "application/json", id="half a letter"),
        pytest.param(b"\xff\xfe\x00", "application/json", id="no UTF-8"),
        pytest.param(b"{}", "text/plain", id="another kind"),
        pytest.param(b"", "multipart/form-data", id="a form without an edge"),
        pytest.param(b"--x\r\nhello", "multipart/form-data; boundary=x", id="a broken form"),
        pytest.param(b"null", "application/json", id="nothing"),
    ],
)
def test_a_body_that_cannot_be_read_is_told(client, content, kind):
    assert where(client.post(f"{PREFIX}/fix", content=content, headers={"Content-Type": kind}))


def test_a_call_that_finds_no_place_is_asked_to_come_again(serve, photo):
    answer = serve(held=1000).post(f"{PREFIX}/detect", json=sent(photo))
    assert where(answer, 503)
    assert int(answer.headers["retry-after"]) > 0


def test_the_description_names_every_call_and_its_parts(client):
    told = client.get("/openapi.json").json()
    assert told["info"]["version"] == __version__
    paths = {path.removeprefix(PREFIX) for path in told["paths"]}
    names = (
        "models",
        "settings",
        "detect",
        "plan",
        "replan",
        "fix",
        "layers",
        "preview",
        "batch",
        "setup",
        "jobs/{id}",
    )
    assert paths == {f"/{name}" for name in names} | {"/healthz", "/healthz/live", "/metrics"}
    again = told["paths"][f"{PREFIX}/replan"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert (list(again["properties"]), again["required"]) == (
        ["plan", "settings", "overrides", "origin", "compared"],
        ["plan"],
    )
    form = told["paths"][f"{PREFIX}/fix"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["properties"]["image"] == {"type": "string", "format": "binary"}


def test_a_token_is_wanted_where_one_is_set(serve, photo):
    client = serve(token="secret")
    for headers in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic secret"},
        {"Authorization": "Bearer \u00e9".encode()},
    ):
        answer = client.post(f"{PREFIX}/detect", json=sent(photo), headers=headers)
        assert where(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer"
    assert client.post(f"{PREFIX}/detect", json=sent(photo), headers={"Authorization": "Bearer secret"}).is_success
    assert client.get("/").is_success  # the page itself is no secret: it asks for the token


def test_a_name_that_is_not_this_machine_is_not_answered(client, serve):
    for name in ("evil.example", "localhost.evil.example", "evil.example:7861", "", "[::1"):
        assert where(client.get(f"{PREFIX}/settings", headers={"Host": name}), 403)
    for name in ("LOCALHOST", "localhost:7861", "[::1]:7861", "my.machine:80"):
        assert serve(bound="my.machine").get(f"{PREFIX}/settings", headers={"Host": name}).is_success


def test_a_page_of_another_site_may_not_ask(client, photo):
    form = {"files": {"image": ("a.jpg", photo)}, "headers": {"Origin": "http://evil.example"}}
    assert where(client.post(f"{PREFIX}/detect", **form), 403)
    own = {"Origin": "http://localhost"}
    assert client.post(f"{PREFIX}/detect", files={"image": ("a.jpg", photo)}, headers=own).is_success


def test_the_page_loads_nothing_from_elsewhere(client):
    answer = client.get("/")
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert b"facefix" in answer.content.lower()
    assert client.get("/../pyproject.toml").status_code == 404
    assert client.get("/%2e%2e/api.py").status_code == 404
