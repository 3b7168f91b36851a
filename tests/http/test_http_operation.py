"""What those who run a server ask it: is it well, and what has it done."""

import re
import sys
import threading

import pytest
from fastapi.testclient import TestClient
from sending import PATIENCE, ended, sent

from lib_facefix.errors import BadModel
from lib_facefix.server.app import StandaloneHost, app
from lib_facefix.server.handlers import Limits
from lib_facefix.server.health import warm_up
from lib_facefix.server.job import Answer
from lib_facefix.server.job_queue import JobQueue
from lib_facefix.server.routes import PREFIX

parser = pytest.importorskip("prometheus_client.parser")
openmetrics_parser = pytest.importorskip("prometheus_client.openmetrics.parser")
READY = {"version": 1, "ok": True, "problems": []}


@pytest.fixture
def line():
    made = JobQueue(1, 1 << 30)
    yield made
    made.end()


@pytest.fixture
def hold(line, gate):
    """Return a function that makes the queue busy with a job that waits at the gate."""

    def wait(_):
        begun.set()
        assert gate.wait(PATIENCE)
        return Answer({})

    def add():
        job = line.add(wait, 0, keep=False)
        assert begun.wait(PATIENCE)
        return job

    begun = threading.Event()
    return add


def client_of(engine, line, *, token="", start=None):
    return TestClient(
        app(StandaloneHost(engine, (), Limits()), token, line=line, start=start), base_url="http://localhost"
    )


def problems(client, status=503):
    answer = client.get("/healthz")
    assert answer.status_code == status
    assert status == 200 or int(answer.headers["Retry-After"]) > 0
    assert answer.json()["ok"] == (status == 200)
    return answer.json()["problems"]


def test_a_server_is_ready_once_its_models_are_loaded(engine, line, gate, hold):
    hold()
    client = client_of(engine, line, start=warm_up(line, engine))
    assert problems(client) == ["the queue is full", "the models are being loaded"]
    assert client.get("/healthz/live").json() == READY
    gate.set()
    while problems_now := client.get("/healthz").json()["problems"]:
        assert problems_now == ["the models are being loaded"]
    assert problems(client, 200) == []


def test_a_server_without_its_models_is_not_ready_but_lives(engine, line):
    def fail(_):
        raise BadModel("/home/me/net.pth is damaged")

    start = line.add(fail, 0, keep=False)
    client = client_of(engine, line, start=start)
    assert start.future.exception(PATIENCE)
    assert problems(client) == ["the models cannot be loaded"]  # and it names no file
    assert client.get("/healthz/live").status_code == 200


def test_a_server_that_drains_is_not_ready_and_takes_no_work(engine, line, hold, photo, gate):
    running = hold()
    client = client_of(engine, line)
    line.drain()
    assert problems(client) == ["the server is stopping"]
    assert client.get("/healthz/live").status_code == 200
    refused = client.post(f"{PREFIX}/detect", json=sent(photo))
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert not running.should_stop()
    gate.set()
    assert running.future.result(PATIENCE).report == {}


def test_health_needs_no_token_and_metrics_need_it(engine, line):
    client = client_of(engine, line, token="s3cret")
    assert client.get("/healthz").json() == READY
    assert client.get("/healthz/live").json() == READY
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer s3cret"}).status_code == 200


def read(client):
    """Return the values of all samples, by name and labels."""
    answer = client.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in parser.text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_requests_jobs_and_faces_are_counted(engine, line, photo):
    client = client_of(engine, line)
    body = sent(photo, settings={"method": "restore"})
    assert client.post(f"{PREFIX}/fix", json=body).status_code == 200
    assert client.post(f"{PREFIX}/fix", json={"image": "secret-name.jpg"}).status_code == 422
    background = client.post(f"{PREFIX}/fix", json={**body, "wait": False}).json()["job"]
    assert ended(client, background)["state"] == "done"
    assert client.get("/../secret-name.jpg").status_code == 404
    client.request("MADEUP", "/facefix/v1/fix")
    found = read(client)
    fix = f"{PREFIX}/fix"
    assert found["facefix_requests_total", "POST", fix, "200"] == 1
    assert found["facefix_requests_total", "POST", fix, "422"] == 1
    assert found["facefix_requests_total", "POST", fix, "202"] == 1
    assert found["facefix_requests_total", "GET", "page", "404"] == 1
    assert found["facefix_request_seconds_count", fix] == 3
    assert found["facefix_jobs_ended_total", "fix", "done"] == 2
    assert found["facefix_job_seconds_count", "fix"] == 2
    assert found["facefix_faces_total", "restore", "fixed"] == 2  # one in each
    assert found["facefix_jobs", "waiting"] == found["facefix_jobs", "running"] == 0
    assert found["facefix_queue_limit",] == 1
    assert sum(value for (name, *_), value in found.items() if name == "facefix_model_loads_total") >= 2
    assert found["facefix_received_bytes_total",] > 2 * len(photo)
    assert found["facefix_sent_bytes_total",] > len(photo)
    assert found["facefix_uptime_seconds",] > 0
    text = client.get("/metrics").text
    assert "secret" not in text
    assert "MADEUP" not in text
    assert background not in text


def test_openmetrics_is_given_to_those_who_ask_for_it(engine, line):
    answer = client_of(engine, line).get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_names_follow_the_conventions_of_prometheus(engine, line, photo):
    """The rules of `promtool check metrics`, for both formats."""
    client = client_of(engine, line)
    assert client.post(f"{PREFIX}/fix", json=sent(photo, settings={"method": "restore"})).status_code == 200
    text = client.get("/metrics").text
    openmetrics = client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"}).text
    families = list(parser.text_string_to_metric_families(text))
    strict = {family.name: family for family in openmetrics_parser.text_string_to_metric_families(openmetrics)}
    assert {family.name for family in families} == {
        f"{name}_info" if family.type == "info" else name for name, family in strict.items()
    }
    for family in families:
        assert re.fullmatch(r"(facefix|process)(_[a-z]+)+", family.name)
        assert family.documentation.endswith(".")
        assert family.type in ("counter", "gauge", "histogram")
        words = family.name.split("_")
        assert not {"counter", "gauge", "histogram", "summary", "bucket", "count", "sum"} & {*words}
        assert not {"ms", "milliseconds", "minutes", "hours", "kilobytes", "megabytes", "mb", "percent"} & {*words}
        for sample in family.samples:
            assert sample.name.endswith("_total") == (family.type == "counter")
            assert not {"job", "instance", "quantile"} & sample.labels.keys()  # Prometheus itself adds these
    timed = {family.name for family in families if family.type == "histogram"}
    assert timed == {"facefix_request_seconds", "facefix_job_seconds"}


def test_without_the_package_all_but_metrics_works(engine, line, monkeypatch):
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    monkeypatch.delitem(sys.modules, "lib_facefix.server.metrics", raising=False)
    client = client_of(engine, line)
    assert client.get("/healthz").json() == READY
    answer = client.get("/metrics")
    assert answer.status_code == 424
    assert "prometheus-client" in answer.json()["detail"][0]["msg"]
