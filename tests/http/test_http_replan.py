"""A plan with other settings, without the picture."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sending import coded, sent, where

from lib_facefix.server.routes import PREFIX

REPLAN = f"{PREFIX}/replan"


@pytest.fixture
def plan(client, photo):
    return client.post(f"{PREFIX}/plan", json=sent(photo, settings={"method": "leave"})).json()


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({}, id="the defaults"),
        pytest.param({"settings": {"fidelity": 0.9, "min_size": 500}}, id="a criterion"),
        pytest.param({"settings": {"upscale": "2"}, "overrides": {"1": {"method": "restore"}}}, id="one face"),
        pytest.param({"settings": {"prompt": "[PROMPT], old"}, "origin": {"prompt": "a man", "seed": 3}}, id="origin"),
    ],
)
def test_the_answer_is_that_of_a_plan_by_the_same_settings(client, photo, plan, asked):
    again = client.post(REPLAN, json={"plan": plan, **asked})
    assert again.json() == client.post(f"{PREFIX}/plan", json=sent(photo, **asked)).json()


def test_it_is_asked_with_a_form_too(client, plan):
    form = {"plan": (None, json.dumps(plan)), "settings": (None, '{"method": "restore"}')}
    assert client.post(REPLAN, files=form).json()["faces"][0]["decision"] == "restore"


def test_no_picture_is_taken_and_a_plan_is_wanted(client, photo):
    told = where(client.post(REPLAN, json={"image": coded(photo)}))
    assert told["body.image"] == "unknown field 'image'; available: plan, settings, overrides, origin, compared"
    assert told["body.plan"].startswith("plan is missing")


LOW = "Fidelity must be between 0 and 1, not 3"
UNKNOWN = "the plan has no gender and age of these faces. Detect the faces again"


@pytest.mark.parametrize(
    ("asked", "place", "sentence"),
    [
        ({"settings": {"fidelity": 3}}, "body.settings.fidelity", LOW),
        ({"overrides": {"1": {"fidelity": 3}}}, "body.overrides.1.fidelity", LOW),
        ({"settings": {"min_age": 3}}, "body", UNKNOWN),
        ({"plan": {"size": [1, 1]}}, "body.plan", "a plan lacks 'faces'. Cr"),
    ],
)
def test_what_cannot_be_planned_is_told_in_its_place(client, plan, asked, place, sentence):
    [(found, told)] = where(client.post(REPLAN, json={"plan": plan, **asked})).items()
    assert (found, told[: len(sentence)]) == (place, sentence)


def test_a_model_file_of_the_servers_may_not_be_named(client, plan, tmp_path):
    (tmp_path / "net.pth").write_bytes(b"")
    told = where(client.post(REPLAN, json={"plan": plan, "settings": {"restorer": str(tmp_path / "net.pth")}}))
    assert "is outside the model folders" in told["body.settings.restorer"]


def test_it_is_held_to_the_limits_of_the_other_calls(serve, plan):
    assert where(serve(body=200).post(REPLAN, json={"plan": plan}), 413)
    assert where(serve(held=200).post(REPLAN, json={"plan": plan}), 503)
    [sentence] = where(serve(faces=0).post(REPLAN, json={"plan": plan})).values()
    assert sentence == "the plan has 1 faces; this server accepts at most 0"
    assert where(serve(token="secret").post(REPLAN, json={"plan": plan}), 401)


def test_it_does_not_wait_for_the_picture_that_is_being_fixed(serve, engine, photo, plan, gate, monkeypatch):
    run = type(engine).run

    def waiting(self, *args, progress):
        assert gate.wait(30)
        return run(self, *args, progress=progress)

    monkeypatch.setattr(type(engine), "run", waiting)
    client = serve()
    with ThreadPoolExecutor(1) as pool:
        fixing = pool.submit(client.post, f"{PREFIX}/fix", json=sent(photo))
        assert client.post(REPLAN, json={"plan": plan}).is_success
        assert not fixing.done()
        gate.set()
        assert fixing.result(60).is_success


def test_the_largest_plan_that_the_server_gives_is_taken_back(client, plan):
    faces = [{**plan["faces"][0], "number": number} for number in range(1, 2002)]
    answer = client.post(REPLAN, json={"plan": {**plan, "faces": faces[:2000]}})
    assert answer.status_code == 200, answer.text[:300]
    assert [face["number"] for face in answer.json()["faces"]] == list(range(1, 2001))
    told = where(client.post(REPLAN, json={"plan": {**plan, "faces": faces}}))
    assert told == {"body.plan": "the plan has 2001 faces; this server accepts at most 2000"}


def test_a_plan_has_no_more_faces_than_are_taken_back(serve):
    group = (Path(__file__).parents[2] / "examples" / "group.jpg").read_bytes()
    client = serve(faces=2)
    plan = client.post(f"{PREFIX}/plan", json=sent(group, settings={"max_detections": 10_000})).json()
    assert [face["number"] for face in plan["faces"]] == [1, 2]
    assert client.post(REPLAN, json={"plan": plan}).status_code == 200
