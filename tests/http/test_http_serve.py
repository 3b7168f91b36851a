"""`facefix serve` as a process, asked over the loopback."""

import io
import json
import re
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from sending import packed, sent
from serving_process import Served

from lib_facefix.cli.__main__ import main
from lib_facefix.server.routes import PREFIX

ROOT = Path(__file__).parents[2]
MOST_MEMORY = 1 << 30
"""Bytes that the process may take while a hundred calls are waiting."""


@pytest.fixture(scope="module")
def served():
    running = Served()
    yield running
    running.stop()


def deep(picture):
    """Return a 16-bit PNG of a picture."""
    import cv2

    samples = np.asarray(picture).astype(np.uint16)[..., ::-1] * 257 - 3
    return cv2.imencode(".png", np.clip(samples, 0, 65535).astype(np.uint16))[1].tobytes()


def with_text(picture):
    """Return a PNG that says what it was made from."""
    text = PngInfo()
    text.add_text("parameters", "an astronaut\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 5, Size: 256x256")
    return packed(picture, "PNG", pnginfo=text, dpi=(300, 300))


@pytest.mark.parametrize(
    ("suffix", "make"),
    [
        pytest.param(".png", with_text, id="PNG with text"),
        pytest.param(".jpg", lambda picture: packed(picture, "JPEG", quality=83, exif=_exif(picture)), id="JPEG"),
        pytest.param(".png", deep, id="16 bits"),
        pytest.param(".webp", lambda picture: packed(picture, "WEBP", quality=80), id="WebP"),
    ],
)
def test_the_same_plan_gives_the_same_bytes_here_and_on_the_command_line(served, tmp_path, photo, suffix, make):
    with Image.open(io.BytesIO(photo)) as picture:
        content = make(picture.convert("RGB"))
    old, plan, new = tmp_path / f"old{suffix}", tmp_path / "plan.json", tmp_path / f"new{suffix}"
    old.write_bytes(content)
    assert main(["plan", str(old), "-o", str(plan), "--method", "restore", "--fidelity", "0.3"]) == 0
    assert main(["fix", "--plan", str(plan), "-o", str(new), "-q"]) == 0
    [made] = json.loads(plan.read_text())["pictures"]

    status, head, answer = served.ask(
        "POST", f"{PREFIX}/fix", sent(content, plan={**made, "path": None}), {"Accept": "image/*"}
    )
    same = {"method": "restore", "fidelity": 0.3}
    _, _, planned = served.ask("POST", f"{PREFIX}/plan", sent(content, settings=same))

    assert (status, answer == new.read_bytes()) == (200, True), head
    assert answer != content
    assert json.loads(planned)["faces"] == made["faces"]


def test_a_hundred_calls_at_once_are_served_or_refused_and_none_is_lost(served, photo):
    before = served.peak
    barrier = threading.Barrier(100, timeout=60)
    big = sent(photo + bytes(2 << 20))  # what stands behind a JPEG's end is passed over

    def ask(number):
        barrier.wait()
        status, head, answer = served.ask("POST", f"{PREFIX}/detect", big)
        return status, status != 503 or int(head["Retry-After"]) > 0, answer

    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(ask, range(100)))
    statuses = [status for status, _, _ in answers]
    assert set(statuses) <= {200, 503}
    assert statuses.count(200) >= 50
    assert all(told for _, told, _ in answers)
    assert len({answer for status, _, answer in answers if status == 200}) == 1
    assert served.peak - before < MOST_MEMORY
    assert served.ask("GET", f"{PREFIX}/settings")[0] == 200


def test_a_token_is_asked_for_and_no_other_place_is_listened_at_without_one(photo):
    running = Served("--token", "s3cret")
    try:
        assert running.ask("POST", f"{PREFIX}/detect", sent(photo))[0] == 401
        assert running.ask("POST", f"{PREFIX}/detect", sent(photo), {"Authorization": "Bearer nope"})[0] == 401
        assert running.ask("POST", f"{PREFIX}/detect", sent(photo), {"Authorization": "Bearer s3cret"})[0] == 200
    finally:
        running.stop()


@pytest.mark.parametrize("host", ["0.0.0.0", "127.evil.com"])
def test_others_are_not_let_in_without_a_token(capsys, monkeypatch, host):
    monkeypatch.delenv("FACEFIX_TOKEN", raising=False)
    assert main(["serve", "--host", host]) == 2
    assert "set --token-file" in capsys.readouterr().err


def test_a_folder_that_is_none_is_refused(capsys):
    assert main(["serve", "--folder", "/no/such/folder"]) == 2
    assert "this folder does not exist" in capsys.readouterr().err


def test_a_missing_package_is_told_with_what_brings_it(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["serve"]) == 2
    told = capsys.readouterr().err
    assert "needs the Python package 'uvicorn'" in told
    assert "pip install 'fastapi>=0.94' 'uvicorn>=0.22'" in told


@pytest.mark.parametrize("port", ["99999", "-1"])
def test_a_port_that_does_not_exist_is_a_sentence(capsys, port):
    assert main(["serve", "--port", port]) == 2
    assert capsys.readouterr().err == f"facefix: --port must be between 0 and 65535, not {port}\n"


def test_a_port_in_use_is_a_sentence_that_says_what_to_do(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == 2
    says = f"port {port} is in use, perhaps by another `facefix serve`; stop that program, or choose another port"
    assert capsys.readouterr().err == f"facefix: {says}, such as --port {port + 1}\n"


def test_an_address_of_another_machine_is_a_sentence(capsys, monkeypatch):
    monkeypatch.setenv("FACEFIX_TOKEN", "secret")
    assert main(["serve", "--host", "203.0.113.7"]) == 2
    assert "cannot listen on 203.0.113.7, port 7861" in capsys.readouterr().err


def test_the_page_is_opened_at_its_own_address(monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or True)
    monkeypatch.setattr("lib_facefix.server.connections.EndingServer.run", lambda self, sockets: None)
    monkeypatch.setenv("FACEFIX_TOKEN", "secret")
    for host in ("127.0.0.1", "0.0.0.0", "::1"):
        assert main(["serve", "--port", "0", "--host", host, "--open"]) == 0
    assert [re.sub(r":\d+/", ":PORT/", address) for address in opened] == [
        "http://127.0.0.1:PORT/", "http://127.0.0.1:PORT/", "http://[::1]:PORT/"
    ]  # fmt: skip


def test_what_the_description_allows_and_forbids_never_breaks_the_server(served):
    schema = schemathesis.openapi.from_url(f"http://127.0.0.1:{served.port}/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) == 16
    for operation in operations:
        for mode in schemathesis.GenerationMode:
            statuses = asked(operation, mode)
            assert [status for status in statuses if status >= 500 and status != 503] == [], operation.label
            if mode.is_negative and "POST" in operation.label:
                assert 422 in statuses


def asked(operation, mode):
    """Return the statuses of what schemathesis makes up for one call, as described or not as described."""
    statuses = []

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=25, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    def ask(case):
        statuses.append(case.call().status_code)

    with suppress(Unsatisfiable):  # a call without parts has nothing that could be wrong
        ask()
    return statuses


def _exif(picture):
    exif = picture.getexif()
    exif[0x010E] = "an astronaut"
    return exif.tobytes()
