"""`facefix models` with its actions; nothing here reaches the network."""

import io
import json
import os

import numpy as np
import pytest
from yolo_made import yolo_onnx

from lib_facefix.cli import __main__ as command
from lib_facefix.cli import models, models_get
from lib_facefix.errors import BadSetting, CannotFetch, CannotWrite, MissingPackage, Offline
from lib_facefix.registry import REGISTRIES, model_info
from lib_facefix.weights import PUBLISHED, ModelPaths
from lib_facefix.weights.packaged import as_raw
from lib_facefix.weights.tensorfile import Source, write_tensors

ELSEWHERE = ("mediapipe_face_full", "mediapipe_face_short", "buffalo_l", "antelopev2", "insightface", "2d106")
"""What needs a package, or the file of another program."""
GFPGAN, CODEFORMER = PUBLISHED["GFPGANv1.4.pth"], PUBLISHED["codeformer-v0.1.0.pth"]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def alone(away_from_home, monkeypatch):
    """No package, no folder of this machine, no network."""
    monkeypatch.setattr(models, "find_installed", lambda record: None)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "models"
    made.mkdir()
    return made


@pytest.fixture
def fetched(monkeypatch):
    """Replace the download: a small file appears, as if converted."""
    done = []

    def fetch(one, places, *, offline, mirror, progress):
        if offline:
            raise Offline("not to be used")
        progress(1, 2)
        done.append((one.name, mirror))
        return put_converted(places.own, one)

    monkeypatch.setattr(models_get, "download", fetch)
    monkeypatch.setattr(models_get, "convert", lambda path: path)
    return done


def put_converted(folder, one):
    path = (folder / one.name).with_suffix(".safetensors")
    write_tensors(path, as_raw({"a": np.ones(3, np.float32)}), Source(one.name, one.sha256, one.bytes))
    return path


def run(*arguments):
    return command.main([str(one) for one in arguments])


def test_the_list_says_what_is_built_in_what_is_found_and_how_to_get_the_rest(folder, capsys):
    path = put_converted(folder, GFPGAN)
    assert run("models", "--json", "--models", folder) == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed["version"] == 1
    rows = {(row["kind"], row["name"]): row for row in listed["models"]}
    assert rows["restorer", "lite"]["state"] == "built in"
    assert rows["restorer", "gfpgan"]["state"] == "found"
    assert rows["restorer", "gfpgan"]["where"] == str(path)
    assert rows["restorer", "codeformer"]["where"] == "not installed: facefix models get codeformer"
    assert rows["restorer", "codeformer"]["bytes"] == CODEFORMER.bytes
    assert "non-commercial" in rows["restorer", "codeformer"]["licence"]
    assert len(rows) == len(listed["models"])


@pytest.mark.parametrize("flag", ["--webui", "--models", "--yolo"])
def test_detectors_that_nobody_has_on_offer_are_listed_as_the_setting_names_them(tmp_path, capsys, flag):
    top = tmp_path / "top"
    path = (top / "models" / "yolo" if flag == "--webui" else top) / "drawn - face.onnx"
    path.parent.mkdir(parents=True)
    path.write_bytes(yolo_onnx((640, 640), []))
    assert run("models", "--json", flag, top) == 0
    [row] = [row for row in json.loads(capsys.readouterr().out)["models"] if row["where"] == str(path)]
    assert (row["kind"], row["name"], row["state"]) == ("detector", '"drawn - face.onnx"', "found")
    assert row["bytes"] == path.stat().st_size


def test_what_needs_a_package_or_another_programs_file_is_listed_with_what_it_needs(tmp_path, monkeypatch, capsys):
    def rows():
        assert run("models", "--json", "--webui", tmp_path) == 0
        return {row["name"]: row for row in json.loads(capsys.readouterr().out)["models"]}

    monkeypatch.setattr(model_info, "find_spec", lambda name: None)
    before = rows()
    assert {before[name]["state"] for name in ELSEWHERE} == {"missing"}
    assert before["mediapipe_face_full"]["where"] == "not installed: Python package mediapipe"
    assert before["insightface"]["where"] == "not installed: Python package insightface"
    assert before["buffalo_l"]["where"] == "not installed: det_10g.onnx of insightface's buffalo_l"
    assert before["genderage"]["where"] == "not installed: genderage.onnx of insightface's buffalo_l"
    assert "needs the Python package 'mediapipe'" in before["mediapipe_face_full"]["note"]
    assert "needs the Python package 'insightface'" in before["insightface"]["note"]
    assert "needs det_10g.onnx" in before["buffalo_l"]["note"]
    assert "insightface/models/antelopev2" in before["antelopev2"]["note"]
    assert "needs 2d106det.onnx" in before["2d106"]["note"]

    pack = tmp_path / "models" / "insightface" / "models" / "buffalo_l"
    pack.mkdir(parents=True)
    (pack / "det_10g.onnx").write_bytes(b"a detector")
    monkeypatch.setattr(model_info, "find_spec", lambda name: name)
    after = rows()
    assert after["mediapipe_face_full"]["where"] == "in the Python package mediapipe"
    assert after["buffalo_l"]["note"] == ""
    assert {after[name]["where"] for name in ("buffalo_l", "insightface")} == {str(pack / "det_10g.onnx")}
    assert {name for name in ELSEWHERE if after[name]["state"] == "missing"} == {"antelopev2", "2d106"}


def test_the_table_fits_a_terminal_and_says_state_size_and_licence(tmp_path, capsys):
    (tmp_path / "a_detector_with_quite_a_long_name_of_its_own.onnx").write_bytes(bytes(1_200_000))
    assert run("models", "--yolo", tmp_path) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "  lite                   9.2 MB  built in       AGPL-3.0-or-later" in lines
    assert "  gfpgan               348.6 MB  not installed  Apache-2.0, parts non-commercial" in lines
    at = lines.index("  a_detector_with_quite_a_long_name_of_its_own.onnx")
    assert lines[at + 1] == "                         1.2 MB  installed"
    assert not any(str(tmp_path) in line for line in lines)
    assert run("models", "--yolo", tmp_path, "--verbose") == 0
    told = capsys.readouterr().out
    assert f": {tmp_path}/a_detector" in told
    assert "GFPGAN 1.4: not installed: facefix models get gfpgan" in told


def test_a_file_that_vanishes_while_it_is_listed_stops_nothing(tmp_path, monkeypatch, capsys):
    gone = tmp_path / "gone.onnx"
    monkeypatch.setattr(models, "yolo_files", lambda places: (gone,))
    assert run("models", "--json") == 0
    [row] = [row for row in json.loads(capsys.readouterr().out)["models"] if row["name"] == "gone.onnx"]
    assert (row["bytes"], row["size"]) == (0, "?")


def test_every_action_is_called_what_the_help_calls_it(capsys):
    assert run("--help") == 0
    [line] = [line for line in capsys.readouterr().out.splitlines() if line.split()[:1] == ["models"]]
    for action in ("get", "verify", "convert"):
        assert action in line
        with pytest.raises(SystemExit, match="0"):
            run("models", action, "--help")


@pytest.mark.parametrize(
    "action", [["--verbose"], ["verify", "gfpgan"], ["get", "gfpgan"]], ids=["list", "verify", "get"]
)
def test_a_host_that_is_named_is_looked_into(tmp_path, folder, fetched, capsys, action):
    path = tmp_path / "webui" / "models" / "GFPGAN"
    path.mkdir(parents=True)
    path = put_converted(path, GFPGAN)
    assert run("models", *action, "--webui", tmp_path / "webui") == 0
    assert str(path) in capsys.readouterr().out
    assert fetched == []


@pytest.mark.parametrize("command", [["models"], ["models", "get", "gfpgan"], ["fix", "x.png"]], ids=" ".join)
def test_a_misspelt_host_is_told_instead_of_downloading_what_it_has(tmp_path, fetched, capsys, command):
    assert run(*command, "--webui", tmp_path / "wbui") == 2
    assert f"the folder {tmp_path / 'wbui'} does not exist; give the folder of a WebUI" in capsys.readouterr().err
    assert fetched == []


def test_several_folders_may_be_given_in_one_flag_as_in_path(tmp_path, folder, capsys):
    path = put_converted(folder, GFPGAN)
    assert run("models", "verify", "gfpgan", "--models", os.pathsep.join((str(tmp_path / "no"), str(folder)))) == 0
    assert str(path) in capsys.readouterr().out


@pytest.mark.parametrize("way", ["flag", "variable"])
def test_a_mirror_is_named_where_consent_is_asked(folder, fetched, monkeypatch, capsys, way):
    if way == "variable":
        monkeypatch.setenv("FACEFIX_MIRROR", "https://mirror.invalid/weights")
    flags = ["--mirror", "https://mirror.invalid/weights"] if way == "flag" else []
    assert run("models", "get", "gfpgan", "--yes", "--models", folder, *flags) == 0
    told = capsys.readouterr().err
    assert "from mirror.invalid, to" in told
    assert "github.com" not in told


def test_every_model_of_a_registry_names_published_weights():
    assert {info.weights_name for registry in REGISTRIES for info in registry if info.weights_name} <= PUBLISHED.keys()


@pytest.mark.parametrize("name", ["gfpgan", "GFPGANv1.4.pth"])
def test_yes_gets_it_and_shows_the_licence(folder, fetched, capsys, name):
    assert run("models", "get", name, "--yes", "--models", folder, "--mirror", "https://m") == 0
    shown = capsys.readouterr()
    assert fetched == [(GFPGAN.name, "https://m")]
    assert GFPGAN.notice in shown.err
    assert str(folder / "GFPGANv1.4.safetensors") in shown.out
    assert run("models", "get", name, "--models", folder) == 0  # here already: nothing is asked
    assert len(fetched) == 1


@pytest.mark.parametrize(
    ("answer", "gets"), [("y\n", True), ("YES\n", True), ("n\n", False), ("\n", False), ("", False)]
)
def test_a_terminal_is_asked(folder, fetched, monkeypatch, capsys, answer, gets):
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    assert run("models", "--models", folder, "get", "codeformer") == (0 if gets else 2)
    assert [name for name, _ in fetched] == [CODEFORMER.name] * gets
    assert (folder / "accepted-licences.json").exists() == gets
    assert "for non-commercial use only" in capsys.readouterr().err


def test_without_a_terminal_and_without_consent_nothing_is_fetched(folder, fetched, capsys):
    assert run("models", "get", "gfpgan", "--models", folder) == 2
    assert "--yes" in capsys.readouterr().err
    assert fetched == []


def test_all_free_leaves_out_what_is_not(folder, fetched):
    assert run("models", "get", "--all-free", "--yes", "--models", folder) == 0
    got = {name for name, _ in fetched}
    assert got == {one.name for one in PUBLISHED.values() if one.free}
    assert CODEFORMER.name not in got


def test_offline_is_told_and_nobody_is_asked(folder, fetched, capsys):
    assert run("models", "get", "gfpgan", "--offline", "--models", folder) == 1
    assert "not to be used" in capsys.readouterr().err


def test_one_that_fails_does_not_stop_the_others(folder, fetched, monkeypatch, capsys):
    working = models_get.download

    def fetch(one, *rest, **more):
        if one is GFPGAN:
            raise CannotFetch("no way to gfpgan")
        return working(one, *rest, **more)

    monkeypatch.setattr(models_get, "download", fetch)
    assert run("models", "get", "gfpgan", "codeformer", "--yes", "--models", folder) == 1
    assert "no way to gfpgan" in capsys.readouterr().err
    assert [name for name, _ in fetched] == [CODEFORMER.name]


@pytest.mark.parametrize("error", [MissingPackage("reading", "torch"), CannotWrite("the disk is full")])
def test_what_cannot_be_converted_is_kept_as_it_came(folder, fetched, monkeypatch, error):
    def convert(path):
        raise error

    monkeypatch.setattr(models_get, "convert", convert)
    assert run("models", "get", "gfpgan", "--yes", "--models", folder) == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["get"], "at least one name"),
        (["get", "nothing"], "Available: yunet"),
        (["get", "lite"], "nothing to do"),
        (["verify", "nothing"], "Available"),
    ],
)
def test_wrong_use_is_told_in_a_sentence(capsys, arguments, told):
    assert run("models", *arguments) == 2
    assert told in capsys.readouterr().err


def test_the_first_use_finds_before_it_asks(folder, fetched):
    places = ModelPaths(folder, (folder,), cache=folder)
    with pytest.raises(BadSetting, match="--yes"):
        models_get.ask_to_fetch(GFPGAN, places)
    with pytest.raises(Offline):
        models_get.ask_to_fetch(GFPGAN, places, offline=True)
    path = models_get.ask_to_fetch(GFPGAN, places, yes=True)
    assert models_get.ask_to_fetch(GFPGAN, places) == path
    assert len(fetched) == 1


def test_verify_tells_good_from_bad(folder, capsys):
    put_converted(folder, GFPGAN)
    assert run("models", "verify", "--models", folder) == 0
    assert "as published" in capsys.readouterr().out
    (folder / "codeformer.pth").write_bytes(b"something else")
    assert run("models", "verify", "--models", folder) == 1
    assert "not the published codeformer-v0.1.0.pth" in capsys.readouterr().err
    assert run("models", "verify", "restoreformer", "--models", folder) == 1
    assert "not installed" in capsys.readouterr().err


def test_convert_goes_on_after_a_bad_file(folder, capsys):
    (folder / "x.bin").write_bytes(b"?")
    assert run("models", "convert", folder / "gone.pth", folder / "x.bin") == 1
    told = capsys.readouterr().err
    assert "gone.pth cannot be read" in told
    assert "x.param is missing" in told
