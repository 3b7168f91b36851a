"""`facefix doctor` finds what is broken, says what to do, and shows no private data."""

import ast
import json
import re
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import lib_facefix
from lib_facefix.cli.__main__ import main
from lib_facefix.cli.doctor import model_check, network, self_test, versions
from lib_facefix.cli.doctor.problems import hide_private
from lib_facefix.optional_imports import DEFAULTS
from lib_facefix.registry import REGISTRIES
from lib_facefix.weights import ASSETS, ModelPaths

LIBRARY = Path(lib_facefix.__file__).parent
PASSED = {"passed": True, "seconds": 0.1, "engine": "OpenCV", "faces": 5, "restored": 1}
OPENS = {"socket", "http.client", "urllib.request", "uvicorn", "webbrowser", "subprocess", "ftplib", "smtplib", "ssl"}
"""Modules that can open a socket, or start a program that can."""


@pytest.fixture
def quick(monkeypatch, away_from_home):
    """No self-test, and no model or setting of this machine."""
    monkeypatch.setattr(self_test, "run_self_test", lambda problems: PASSED)
    for name in DEFAULTS:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def paths(tmp_path):
    return ModelPaths(tmp_path / "models", (tmp_path / "models",), cache=tmp_path / "cache")


def doctor(capsys, *flags):
    """Run the command; return its exit code and its report."""
    code = main(["doctor", "--json", *flags])
    return code, json.loads(capsys.readouterr().out)


def test_a_sound_installation_has_no_errors(capsys, quick):
    code, report = doctor(capsys)
    assert [one for one in report["problems"] if one["level"] == "error"] == []
    assert (code, report["ok"], report["version"]) == (0, True, 1)
    assert report["versions"]["facefix"] == lib_facefix.__version__
    assert report["versions"]["numpy"] == np.__version__
    named = {(row["kind"], row["name"]) for row in report["models"]}
    models = [(one.kind, info) for one in REGISTRIES for info in one]
    assert {(kind, info.name) for kind, info in models if info.assets or info.weights_name} <= named
    [lite] = [row for row in report["models"] if row["name"] == "lite"]
    assert (lite["state"], lite["check"], len(lite["sha256"])) == ("built in", "as published", 64)
    assert lite["licence"] == "AGPL-3.0-or-later"


def test_the_text_names_models_network_and_self_test(capsys, quick):
    assert main(["doctor"]) == 0
    told = capsys.readouterr().out
    assert re.search(r"restorer lite +built in, as published +[0-9a-f]{12} AGPL", told)
    assert "This command opened no connection." in told
    assert "when you pass --remote" in told
    assert "openvino_telemetry is never imported" in told
    assert "passed in 0.1 s" in told
    assert max(len(line) for line in told.splitlines() if "built in" not in line and "=" not in line) <= 80


def test_a_missing_package_is_explained_and_ends_with_1(capsys, quick, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    code, report = doctor(capsys)
    assert code == 1
    [problem] = [one for one in report["problems"] if one["level"] == "error"]
    assert problem["what"] == "The Python package safetensors is not installed."
    assert problem["todo"].endswith("-m pip install 'safetensors>=0.4.2'")
    assert (report["models"], report["self_test"]) == ([], None)
    assert main(["doctor"]) == 1
    assert "not run, because a required package is missing" in capsys.readouterr().out


def test_an_old_package_is_explained(capsys, quick, monkeypatch):
    monkeypatch.setattr("tqdm.__version__", "4.1.0")
    code, report = doctor(capsys)
    assert code == 1
    assert "tqdm 4.1.0 is too old. FaceFix needs version 4.65 or newer." in [one["what"] for one in report["problems"]]


def test_the_requirements_are_those_of_the_project():
    project = (LIBRARY.parent / "pyproject.toml").read_text("utf-8")
    [declared] = re.findall(r"^dependencies = \[\n(.*?)^\]", project, re.MULTILINE | re.DOTALL)
    names = re.findall(r'"([\w-]+)>=([\d.]+)', declared)
    ours = [one.split(">=") for one in versions.REQUIRED.values()]
    assert {name: least.split(".")[:2] for name, least in names} == {name: one.split(".")[:2] for name, one in ours}


def test_a_damaged_or_missing_built_in_model_is_found(tmp_path, paths, monkeypatch):
    here = tmp_path / "assets"
    shutil.copytree(ASSETS, here)
    data = bytearray((here / "lite.onnx").read_bytes())
    data[1000] ^= 1
    (here / "lite.onnx").write_bytes(data)
    (here / "identity.onnx").unlink()
    monkeypatch.setattr(model_check, "ASSETS", here)
    problems = []
    rows = {row["name"]: row["check"] for row in model_check.check_models(paths, problems)}
    told = {one.what: one.todo for one in problems}
    assert told == {
        f"The built-in model lite.onnx in {here} is damaged or was changed.": "Install FaceFix again.",
        f"The built-in model identity.onnx is missing from {here}.": "Install FaceFix again.",
    }
    assert (rows["lite"], rows["centerface"]) == ("changed", "as published")


def test_a_broken_download_is_found_with_what_to_do(capsys, quick, tmp_path):
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "face_detection_yunet_2023mar.onnx").write_bytes(b"cut off")
    code, report = doctor(capsys, "--models", str(tmp_path / "weights"))
    [problem] = [one for one in report["problems"] if one["level"] == "error"]
    assert "is not the published face_detection_yunet_2023mar.onnx, or it is damaged" in problem["what"]
    assert problem["todo"] == "Delete the file, then run: facefix models get yunet"
    [row] = [row for row in report["models"] if row["name"] == "yunet"]
    assert (code, row["check"]) == (1, "changed")


def test_a_large_file_is_hashed_only_if_asked(paths, monkeypatch):
    paths.own.mkdir()
    (paths.own / "GFPGANv1.4.pth").write_bytes(bytes(100))
    monkeypatch.setattr(model_check, "QUICK_BYTES", 99)
    quickly, fully = [], []
    [row] = [row for row in model_check.check_models(paths, quickly) if row["name"] == "gfpgan"]
    assert (quickly, row["check"]) == ([], "not checked")
    [row] = [row for row in model_check.check_models(paths, fully, full=True) if row["name"] == "gfpgan"]
    assert (len(fully), row["check"]) == (1, "changed")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("/data/anna/models/a.onnx", "~/models/a.onnx", id="this user's home"),
        pytest.param("/data/anna2/a.onnx", "/data/anna2/a.onnx", id="a folder whose name begins alike"),
        pytest.param("/home/bob/a.pth is broken", "~/a.pth is broken", id="home on Linux"),
        pytest.param("in /Users/bob: nothing", "in ~: nothing", id="home on macOS"),
        pytest.param(r"C:\Users\bob\a.pth", r"~\a.pth", id="home on Windows"),
        pytest.param("https://anna:secret@example.org/x", "https://***@example.org/x", id="password"),
    ],
)
def test_private_data_is_hidden(text, shown):
    assert hide_private({"a": [text]}, "/data/anna") == {"a": [shown]}


def test_the_report_holds_neither_tokens_nor_home(capsys, quick, monkeypatch, tmp_path):
    monkeypatch.setenv("FACEFIX_TOKEN", "swordfish")
    monkeypatch.setenv("FACEFIX_USER", "anna:hunter2")
    monkeypatch.setenv("FACEFIX_MIRROR", "https://anna:hunter3@example.org/")
    monkeypatch.setenv("FACEFIX_MODELS", str(tmp_path / "home" / "nets"))
    for flags in ([], ["--json"]):
        main(["doctor", *flags])
        told = capsys.readouterr().out
        assert "FACEFIX_MODELS" in told
        assert "***@example.org" in told
        assert [word for word in ("swordfish", "hunter", str(tmp_path / "home")) if word in told] == []


def test_reports_that_the_user_allows_are_a_warning(capsys, quick, monkeypatch):
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")
    code, report = doctor(capsys)
    [problem] = [one for one in report["problems"] if "ORT_DISABLE_TELEMETRY" in one["what"]]
    assert (code, problem["level"], problem["todo"]) == (0, "warning", "Unset ORT_DISABLE_TELEMETRY, or set it to 1.")


def imported_modules(path):
    """Return the names of all modules that a file imports, with their packages."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))


def test_every_file_that_could_open_a_socket_declares_it():
    uses = network.list_network_uses()
    assert all({"what", "when", "with", "files"} == set(use) and use["files"] for use in uses)
    declared = {name for use in uses for name in use["files"]}
    files = [*LIBRARY.rglob("*.py"), LIBRARY.parent / "install.py"]
    able = [path for path in files if OPENS & {*imported_modules(path)}]
    names = {path.relative_to(LIBRARY).as_posix() if LIBRARY in path.parents else f"../{path.name}" for path in able}
    assert names - declared == set()
    assert len(names) >= 8
    assert [name for name in declared if not (LIBRARY / name).is_file()] == []


def test_a_declaration_is_read_without_an_import(tmp_path):
    (tmp_path / "a.py").write_text(
        'import nothing_of_this_name\nNETWORK_USE = {"what": "a", "when": "b", "with": "c", "files": ("a.py",)}\n',
        "utf-8",
    )
    (tmp_path / "b.py").write_text("ELSE = 1\n", "utf-8")
    assert network.list_network_uses(tmp_path) == [{"what": "a", "when": "b", "with": "c", "files": ["a.py"]}]


def test_a_self_test_that_changes_other_pixels_fails(monkeypatch):
    from dataclasses import replace

    from lib_facefix import FaceFix

    def careless(self, images, plans, **flags):
        [result] = real(self, images, plans, **flags)
        image = result.image.copy()
        image[0, 0] ^= 1
        return [replace(result, image=image)]

    real = FaceFix.run
    monkeypatch.setattr(FaceFix, "run", careless)
    problems = []
    assert self_test.run_self_test(problems)["passed"] is False
    assert [one.what for one in problems] == ["The self-test failed: pixels outside the face have changed (1)."]


def test_a_self_test_that_hangs_or_raises_is_reported(monkeypatch):
    problems = []
    monkeypatch.setattr(self_test, "_restore_one_face", lambda photo: time.sleep(1))
    assert self_test.run_self_test(problems, limit=0.02)["passed"] is False
    monkeypatch.setattr(self_test, "_restore_one_face", lambda photo: [][0])
    assert self_test.run_self_test(problems)["passed"] is False
    assert [one.what for one in problems] == [
        "The self-test failed: it did not finish within 0.02 s.",
        "The self-test failed: IndexError: list index out of range.",
    ]
