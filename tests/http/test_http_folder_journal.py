"""Folder jobs of a server, and `facefix fix` on the same folder: they share one journal."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sending import PATIENCE, ended, packed, where

from lib_facefix.cli.__main__ import main
from lib_facefix.server.routes import PREFIX

ROOT = Path(__file__).parents[2]
QUICK = {"detector": "blazeface", "method": "restore", "angles": "off"}
FLAGS = ("--detector", "blazeface", "--method", "restore", "--angles", "off")
HOLDER = """
import sys
from pathlib import Path
from lib_facefix.batch import Journal
journal = Journal(Path(sys.argv[1]), "other")
journal.start({})
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An allowed folder with three images without faces."""
    monkeypatch.setenv("FACEFIX_CACHE", str(tmp_path / "cache"))
    (tmp_path / "allowed" / "old" / "sub").mkdir(parents=True)
    for name, shade in (("a.png", 0), ("b.png", 50), ("sub/c.png", 100)):
        (tmp_path / "allowed" / "old" / name).write_bytes(
            packed(Image.fromarray(np.full((48, 64, 3), shade, np.uint8)))
        )
    return tmp_path / "allowed"


@pytest.fixture
def hold():
    """Return a function that lets another process begin a run in a folder of results."""
    held = []

    def begin(folder):
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", HOLDER, str(folder)]
        held.append(subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        assert held[-1].stdout.readline() == "held\n"
        return held[-1]

    yield begin
    for process in held:
        process.communicate()


def begin(client, **more):
    return client.post(f"{PREFIX}/batch", json={"folder": "old", "output": "new", "settings": QUICK, **more})


def run_job(client, **more):
    """Run a job to its end; return its pictures by name."""
    state = ended(client, begin(client, **more).json()["job"])
    assert state["state"] == "done", state
    return {Path(one["path"]).name: one for one in state["result"]["pictures"]}


def skipped(pictures):
    return {name for name, one in pictures.items() if one["skipped"] == "done by an earlier run"}


def times(place):
    return {path.name: path.stat().st_mtime_ns for path in (place / "new").rglob("*.png")}


ALL = {"a.png", "b.png", "c.png"}


@pytest.mark.parametrize(
    ("flags", "more"),
    [
        ((), {}),
        (
            ("--fidelity", "0.3", "--face", "1:fidelity=0.8"),
            {"settings": {**QUICK, "fidelity": 0.3}, "overrides": {"1": {"fidelity": 0.8}}},
        ),
        (("--no-mark",), {"mark": False}),
    ],
    ids=["plain", "settings", "no mark"],
)
def test_a_job_and_the_command_line_agree_on_what_is_done(serve, place, capsys, flags, more):
    client = serve(folders=[place])
    command = ["fix", str(place / "old"), "-o", str(place / "new"), *FLAGS, *flags]
    assert main(command) == 0
    before = times(place)
    assert skipped(run_job(client, **more)) == ALL
    capsys.readouterr()
    assert main(command) == 0
    assert "3 of 3 images were done by an earlier run; nothing to do" in capsys.readouterr().out
    assert times(place) == before

    (place / "new" / "a.png").unlink()
    assert skipped(run_job(client, **more)) == ALL - {"a.png"}
    assert main(command) == 0
    assert "3 of 3 images were done by an earlier run" in capsys.readouterr().out


def test_changes_are_done_again_and_nothing_else(serve, place):
    client = serve(folders=[place])
    assert skipped(run_job(client)) == set()
    assert skipped(run_job(client)) == ALL
    (place / "old" / "b.png").write_bytes(packed(Image.new("RGB", (64, 48), "red")))
    assert skipped(run_job(client)) == ALL - {"b.png"}
    assert (place / "new" / "b.png").read_bytes() == (place / "old" / "b.png").read_bytes()
    assert skipped(run_job(client, settings={**QUICK, "fidelity": 0.9})) == set()
    assert skipped(run_job(client, settings={**QUICK, "fidelity": 0.9}, again=True)) == set()
    (place / "new" / "a.png").write_bytes(b"changed by somebody")
    state = ended(client, begin(client).json()["job"])
    assert (state["state"], (place / "new" / "a.png").read_bytes()) == ("failed", b"changed by somebody")
    assert "a.png would be overwritten" in state["error"]


def test_a_folder_that_another_process_uses_is_refused(serve, place, hold):
    client, other = serve(folders=[place]), hold(place / "new")
    told = where(begin(client), 409)
    assert told == {
        "body.output": f"another FaceFix is writing into {place / 'new'}. Wait until it has ended, or choose another "
        "output"
    }
    assert times(place) == {}
    other.communicate()
    assert run_job(client).keys() == ALL


def test_a_job_that_waited_and_finds_its_folder_used_fails(serve, place, hold, gate, engine, monkeypatch):
    prepare = type(engine).prepare

    def wait(self, *given):
        assert gate.wait(PATIENCE)
        prepare(self, *given)

    monkeypatch.setattr(type(engine), "prepare", wait)
    client = serve(folders=[place])
    job = begin(client).json()["job"]
    hold(place / "new")
    gate.set()
    state = ended(client, job)
    assert (state["state"], times(place)) == ("failed", {})
    assert "another FaceFix is writing into" in state["error"]


def test_a_second_job_on_a_folder_waits_for_the_first(serve, place, hold, engine, monkeypatch, gate):
    plan = type(engine).plan

    def wait(self, *given, **more):
        assert gate.wait(PATIENCE)
        return plan(self, *given, **more)

    monkeypatch.setattr(type(engine), "plan", wait)
    client = serve(folders=[place])
    first, second = (begin(client).json()["job"] for _ in range(2))
    while not (place / "new" / ".facefix" / "journal").exists():
        assert client.get(f"{PREFIX}/jobs/{first}").json()["state"] in ("waiting", "running")
    command = [sys.executable, "-m", "lib_facefix.cli", "fix", str(place / "old"), "-o", str(place / "new"), *FLAGS]
    third = begin(client).json()["job"]  # which did not end the lock of the first
    foreign = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (foreign.returncode, "another facefix is writing into" in foreign.stderr) == (2, True), foreign.stderr
    gate.set()
    assert ended(client, first)["state"] == "done"
    assert [one["skipped"] for one in ended(client, second)["result"]["pictures"]] == ["done by an earlier run"] * 3
    assert ended(client, third)["state"] == "done"
    hold(place / "new")  # which no lock prevents any more
