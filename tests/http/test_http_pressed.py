"""`facefix serve` under pressure: hostile bodies, slow clients, and its end."""

import http.client
import json
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sending import sent
from serving_process import Served, head_of

from lib_facefix.server.routes import PREFIX

MIB = 1 << 20
MOST_MEMORY = 400 * MIB
MOST_SECONDS = 0.5
"""Of CPU that another client's call takes meanwhile."""
ENDS = 10
"""Seconds."""


@pytest.fixture(scope="module")
def served():
    running = Served()
    yield running
    running.stop()


def fill(pattern, size, before=b"", after=b""):
    return before + pattern * ((size - len(before) - len(after)) // len(pattern)) + after


HOSTILE = [
    pytest.param(lambda size: fill(b"[],", size, b"[", b"0]"), id="empty lists"),
    pytest.param(lambda size: fill(b'{"a":0},', size, b"[", b"0]"), id="small objects"),
    pytest.param(lambda size: fill(b"[", size), id="nested"),
    pytest.param(lambda size: fill(b"1", size, b'{"image":"","x":', b"}"), id="one number"),
    pytest.param(lambda size: fill(b"\xf0\x9f\x98\x80a", size, b'{"image":"","x":"', b'"}'), id="wide letters"),
    pytest.param(lambda size: fill(b"\\u00e9", size, b'{"image":"', b'"}'), id="escaped letters"),
    pytest.param(lambda size: fill(b"QUJD", size, b'{"image":"', b'"}'), id="base64 of no picture"),
    pytest.param(lambda size: fill(b"QUJD", size, b'{"image":"', b'!"}'), id="no base64"),
    pytest.param(lambda size: fill(b'"image":"', size, b"{", b"}"), id="image again and again"),
    pytest.param(
        lambda size: b'{"image":"","settings":{' + b",".join(b'"n%d":1' % n for n in range(size // 12)) + b"}}",
        id="unknown settings",
    ),
    pytest.param(
        lambda size: b'{"image":"","overrides":{' + b",".join(b'"x%d":{}' % n for n in range(size // 12)) + b"}}",
        id="unknown faces",
    ),
]


@pytest.mark.parametrize("size", [3 * MIB, 60 * MIB], ids=["3 MiB", "60 MiB"])
@pytest.mark.parametrize("make", HOSTILE)
def test_hostile_json_takes_little_memory_and_nobody_else_waits(served, make, size):
    body = make(size)
    before, began = served.seconds, time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        hostile = pool.submit(lambda: raw(served, f"{PREFIX}/plan", body))
        waits = []
        while not hostile.done() or not waits:
            asked = time.monotonic()
            assert served.ask("GET", f"{PREFIX}/settings")[0] == 200
            waits.append(time.monotonic() - asked)
            time.sleep(0.05)
        status, answer = hostile.result()
    assert status in (413, 422), answer[:500]
    assert len(answer) < 64 << 10
    assert len(json.loads(answer)["detail"]) <= 20
    assert max(waits) < 2  # of wall time, on a machine that has other work
    assert served.seconds - before < 5 + (time.monotonic() - began) / 2
    assert served.peak < MOST_MEMORY


def raw(served, path, body, kind="application/json"):
    made = served.connect(head_of(path, len(body), kind))
    with made:
        made.sendall(body)
        answer = http.client.HTTPResponse(made)
        answer.begin()
        return answer.status, answer.read()


@pytest.mark.parametrize(
    ("body", "where"),
    [
        pytest.param({"settings": {"faces": "1," * 70_000}}, "settings.faces", id="face numbers"),
        pytest.param({"settings": {"detector": "a + " * 60_000}}, "settings.detector", id="a detector"),
        pytest.param({"settings": {"detector": '"' * 240_000}}, "settings.detector", id="quotes"),
        pytest.param({"settings": {"mask": "(" * 240_000}}, "settings.mask", id="brackets"),
        pytest.param({"settings": {"upscale": "9" * 240_000}}, "settings.upscale", id="a factor"),
        pytest.param({"settings": {"prompt": "[SEP][face:1-9999]" * 60_000}}, "settings.prompt", id="a prompt"),
        pytest.param({"settings": {"detector": "\x007\x00"}}, "settings.detector", id="zeros"),
        pytest.param({"settings": {"mask": "\x007\x00"}}, "settings.mask", id="zeros in a mask"),
        pytest.param({"overrides": {"9" * 5000: {}}}, "overrides", id="a long number"),
        pytest.param({"overrides": {"1": {"mask": "hull+" * 50_000}}}, "overrides", id="in an override"),
        pytest.param({"settings": {"min_size": 10**4000}}, "settings.min_size", id="a huge number"),
        pytest.param({"origin": {"prompt": "a" * 1_000_000}}, "origin", id="an origin"),
    ],
)
def test_long_texts_are_refused_before_they_are_read(served, photo, body, where):
    before = served.seconds
    status, _, answer = served.ask("POST", f"{PREFIX}/plan", sent(photo, **body))
    assert status == 422
    assert len(answer) < 10_000
    assert ".".join(json.loads(answer)["detail"][0]["loc"]).startswith(f"body.{where}")
    assert served.seconds - before < MOST_SECONDS


def test_eight_slow_uploads_keep_nobody_else_out(served, photo):
    slow = [served.connect(head_of(f"{PREFIX}/detect", 63 * MIB)) for _ in range(8)]
    try:
        for one in slow:
            one.sendall(b'{"image":"' + b"A" * (62 * MIB))
        for _ in range(3):
            assert served.ask("POST", f"{PREFIX}/detect", sent(photo + bytes(2 * MIB)))[0] == 200
    finally:
        for one in slow:
            one.close()


def test_300_slow_clients_are_cut_and_others_served(photo):
    running = Served()
    kinds = [b"", b"POST ", head_of(f"{PREFIX}/detect", 1000), head_of(f"{PREFIX}/detect", 1000) + b"{"]
    try:
        slow = [running.connect(kinds[n % 4]) for n in range(300)]
        began, open_ones = time.monotonic(), list(slow)
        while open_ones and time.monotonic() - began < 30:
            assert running.ask("POST", f"{PREFIX}/detect", sent(photo))[0] == 200
            still = []
            for one in open_ones:
                one.settimeout(0.001)
                try:
                    one.sendall(b"a")
                    if one.recv(4096) == b"":
                        continue
                except TimeoutError:
                    pass
                except OSError:
                    continue
                still.append(one)
            open_ones = still
            time.sleep(0.5)
        assert open_ones == []
    finally:
        for one in slow:
            one.close()
        running.stop()


def test_an_upload_that_is_cut_prints_one_line():
    running = Served()
    with running.connect(head_of(f"{PREFIX}/detect", 1000) + b"{"):
        time.sleep(0.5)
    time.sleep(0.5)
    _, said = running.stop()
    assert [line for line in said.splitlines() if "disconnected" in line] == said.splitlines()
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_while_calls_wait_and_a_body_is_half_sent(tmp_path, photo, by):
    running = Served(TMPDIR=str(tmp_path))
    large = photo + bytes(2 * MIB)
    settings = {"method": "restore", "detector": " + ".join(["blazeface"] * 60), "angles": "all"}
    with ThreadPoolExecutor(16) as pool:
        asked = [pool.submit(running.ask, "POST", f"{PREFIX}/fix", sent(large, settings=settings)) for _ in range(16)]
        half = running.connect(head_of(f"{PREFIX}/detect", 1000) + b"{")
        time.sleep(2)
        seconds, said = running.stop(by)
        statuses = [one.result()[0] for one in asked]
    with half:
        assert b" 503 " in half.recv(4096)
    assert seconds < ENDS
    assert set(statuses) <= {200, 422, 503}
    assert statuses.count(503) >= 8
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def test_a_token_is_read_from_a_file_and_one_in_a_flag_is_said(tmp_path, photo):
    file = tmp_path / "token"
    file.write_text("s3cret\n")
    running = Served("--token-file", str(file))
    assert running.ask("POST", f"{PREFIX}/detect", sent(photo))[0] == 401
    assert running.ask("POST", f"{PREFIX}/detect", sent(photo), {"Authorization": "Bearer s3cret"})[0] == 200
    assert running.stop()[1] == ""
    running = Served("--token", "s3cret")
    assert "--token is visible in the process list" in running.stop()[1]


def test_a_refused_page_has_the_security_headers(served):
    status, headers, _ = served.ask("GET", "/", headers={"Host": "evil.example"})
    assert status == 403
    assert headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
