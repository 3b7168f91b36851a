"""GET and POST setup: who may install what. Nothing is downloaded."""

import threading

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from lib_facefix.models.environment import Environment
from lib_facefix.models.setup import Done
from lib_facefix.server import setup
from lib_facefix.server.app import StandaloneHost, app
from lib_facefix.server.routes import make_router

PATH = "/facefix/v1/setup"
BODY = {"models": ["gfpgan"], "accept_licences": True, "install_packages": True}
FIELDS = {
    *("name", "label", "about", "licence", "notice", "free", "bytes", "sources", "packages", "missing_packages"),
    *("weights_here", "ready", "accepted"),
}


@pytest.fixture
def lacking(monkeypatch, away_from_home):
    """A machine without PyTorch, in a venv."""
    monkeypatch.setattr("lib_facefix.models.setup.find_spec", lambda name: None)
    monkeypatch.setattr(setup, "find_environment", lambda: Environment("venv", "/v/bin/python"))


@pytest.fixture
def ask(engine, lacking):
    """Return a client at an address, of a server that is bound to another."""
    clients = []

    def make(address="127.0.0.1", bound="127.0.0.1", token="", name="localhost"):
        made = app(StandaloneHost(engine), token, bound)
        clients.append(TestClient(made, base_url=f"http://{name}", client=(address, 50000)))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def carried_out(monkeypatch):
    """Replace the installation; it can be held back."""
    begun, gate, done = threading.Event(), threading.Event(), []

    def carry_out(offers, paths, *, tell, should_stop, environment):
        tell(0, 0, "installing torch")
        begun.set()
        while not gate.wait(0.01):
            if should_stop():
                raise setup.refuse(499, "stopped")
        done.append([offer.info.name for offer in offers])
        return Done(("torch",), ("gfpgan",), True)

    monkeypatch.setattr(setup, "carry_out", carry_out)
    carry_out.begun, carry_out.gate, carry_out.done = begun, gate, done
    yield carry_out
    gate.set()


def wait_for(client, job, *states):
    for _ in range(2000):
        told = client.get(f"/facefix/v1/jobs/{job}").json()
        if told["state"] in states:
            return told
        threading.Event().wait(0.005)
    raise AssertionError(told)


def test_the_list_has_what_a_page_shows(ask):
    told = ask().get(PATH).json()
    models = told.pop("models")
    assert told == {
        "version": 1,
        "allowed": True,
        "why_not": "",
        "environment": "venv",
        "command": "/v/bin/python -m pip install 'torch>=2.1' 'spandrel>=0.3.4,<0.5' "
        "'spandrel_extra_arches>=0.1.1,<0.3' 'onnxruntime>=1.17'",
        "can_install": True,
        "missing_packages": ["torch", "spandrel", "spandrel_extra_arches", "onnxruntime"],
        "package_bytes": told["package_bytes"],
        "job": None,
    }
    assert told["package_bytes"] in (300_000_000, 3_000_000_000)
    assert [model["name"] for model in models][:3] == ["gfpgan", "gfpgan-1.3", "codeformer"]
    assert all(set(model) == FIELDS for model in models)
    assert (models[0]["bytes"], models[0]["free"], models[0]["sources"]) == (348632874, False, ["github.com"])
    assert (models[0]["weights_here"], models[0]["ready"]) == (False, False)


def test_a_set_up_runs_beside_other_calls_and_is_polled(ask, carried_out):
    client = ask()
    answer = client.post(PATH, json=BODY)
    assert answer.status_code == 202
    job = answer.json()["job"]
    carried_out.begun.wait(10)
    assert client.get(PATH).json()["job"] == job
    assert wait_for(client, job, "running")["doing"] == "installing torch"
    assert client.post("/facefix/v1/replan", json={}).status_code == 422  # answered meanwhile
    second = client.post(PATH, json=BODY)
    assert (second.status_code, second.headers["Retry-After"]) == (503, "5")
    assert second.json()["detail"][0]["msg"] == "another set-up is running; wait for its end"
    carried_out.gate.set()
    result = wait_for(client, job, "done")["result"]
    assert result == {"version": 1, "installed_packages": ["torch"], "models": ["gfpgan"], "restart": True}
    assert client.get(PATH).json()["job"] is None
    assert carried_out.done == [["gfpgan"]]


def test_a_set_up_is_counted_like_other_jobs(ask, carried_out):
    pytest.importorskip("prometheus_client")
    client = ask()
    job = client.post(PATH, json=BODY).json()["job"]
    assert carried_out.begun.wait(30)
    assert "\nfacefix_setups 1.0\n" in client.get("/metrics").text
    carried_out.gate.set()
    while client.get(f"/facefix/v1/jobs/{job}").json()["state"] == "running":
        pass
    text = client.get("/metrics").text
    assert 'facefix_jobs_ended_total{call="setup",state="done"} 1.0' in text
    assert 'facefix_job_seconds_count{call="setup"} 1.0' in text


def test_a_set_up_can_be_stopped(ask, carried_out):
    client = ask()
    job = client.post(PATH, json=BODY).json()["job"]
    carried_out.begun.wait(10)
    assert client.delete(f"/facefix/v1/jobs/{job}").status_code == 200
    assert wait_for(client, job, "failed", "stopped")["result"] is None
    assert carried_out.done == []


@pytest.mark.parametrize(
    ("options", "headers", "says"),
    [
        pytest.param({"address": "192.168.1.9"}, {}, setup.ELSEWHERE, id="another machine"),
        pytest.param({"bound": "0.0.0.0", "token": "t"}, {}, setup.EXPOSED, id="a server that is open to others"),
        pytest.param({"name": "photos.example.com", "token": "t"}, {}, setup.ELSEWHERE, id="by another name"),
        pytest.param({}, {"X-Forwarded-For": "203.0.113.7"}, setup.ELSEWHERE, id="through a proxy"),
        pytest.param({}, {"Forwarded": "for=203.0.113.7"}, setup.ELSEWHERE, id="through a proxy of today"),
    ],
)
def test_others_may_look_but_not_install(ask, carried_out, options, headers, says):
    client = ask(**options)
    if "token" in options:
        headers = {**headers, "Authorization": "Bearer t"}
    told = client.get(PATH, headers=headers).json()
    assert (told["allowed"], told["why_not"]) == (False, says)
    refused = client.post(PATH, json=BODY, headers=headers)
    assert (refused.status_code, refused.json()["detail"][0]["msg"]) == (403, says)
    assert not carried_out.begun.is_set()


def test_pages_of_other_sites_are_refused(ask, carried_out):
    refused = ask().post(PATH, json=BODY, headers={"Origin": "https://evil.example"})
    assert refused.status_code == 403
    assert not carried_out.begun.is_set()


def test_a_webui_only_lists(engine, lacking, carried_out):
    mounted = FastAPI()
    mounted.include_router(make_router(StandaloneHost(engine)))
    with TestClient(mounted, base_url="http://localhost", client=("127.0.0.1", 50000)) as client:
        told = client.get(PATH).json()
        assert (told["allowed"], told["why_not"]) == (False, setup.IN_WEBUI)
        assert len(told["models"]) == 11
        assert client.post(PATH, json=BODY).status_code == 403
    assert not carried_out.begun.is_set()


def test_offline_is_a_reason(ask, carried_out, monkeypatch):
    monkeypatch.setenv("FACEFIX_OFFLINE", "1")
    client = ask()
    assert client.get(PATH).json()["why_not"] == setup.OFFLINE
    assert client.post(PATH, json=BODY).status_code == 403


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"accept_licences": False}, "accept_licences", "accept the licences of the models first"),
        ({"install_packages": False}, "install_packages", "need the Python packages torch, spandrel"),
        ({"models": []}, "models", "a list of 1 to 32 names, not []"),
        ({"models": "gfpgan"}, "models", "a list of 1 to 32 names"),
        ({"models": ["gfpgn"]}, "models", "Did you mean 'gfpgan'?"),
        ({"packages": ["evil"]}, "packages", "unknown field 'packages'"),
    ],
)
def test_a_wrong_request_says_what_is_wrong(ask, carried_out, change, field, says):
    refused = ask().post(PATH, json={**BODY, **change})
    [complaint] = refused.json()["detail"]
    assert (refused.status_code, complaint["loc"]) == (422, ["body", field])
    assert says in complaint["msg"]
    assert not carried_out.begun.is_set()


def test_a_python_of_the_system_is_left_alone(ask, carried_out, monkeypatch):
    monkeypatch.setattr(setup, "find_environment", lambda: Environment("externally managed", "/usr/bin/python3"))
    client = ask()
    assert client.get(PATH).json()["can_install"] is False
    refused = client.post(PATH, json=BODY)
    assert refused.status_code == 422
    assert "run: /usr/bin/python3 -m venv --system-site-packages ~/.facefix && " in refused.json()["detail"][0]["msg"]
    assert not carried_out.begun.is_set()
