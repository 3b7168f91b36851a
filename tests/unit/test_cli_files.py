"""What the command line does with odd files, names, and outputs."""

import json
import os

import numpy as np
import pytest
from PIL import Image as Pil

from lib_facefix import FaceFix
from lib_facefix.cli import __main__ as command

NASTY = "a\x1b]0;owned\x07\x9b31m\nfixed\u202egnp.png"


def run(*arguments):
    return command.main([str(argument) for argument in arguments])


@pytest.fixture(autouse=True)
def at_home(away_from_home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def photo(tmp_path):
    """A picture without a face, which is therefore copied."""
    path = tmp_path / "in" / "photo.png"
    path.parent.mkdir()
    Pil.fromarray(np.full((40, 60, 3), 90, np.uint8)).save(path)
    return path


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["fix", "ODD", "-o", "out"], id="fixed"),
        pytest.param(["fix", "ODD", "--dry-run"], id="planned"),
        pytest.param(["fix", "GONE", "-o", "out"], id="missing"),
        pytest.param(["fix", "ODD", "-o", "ODD"], id="wrong use"),
        pytest.param(["detect", "ODD"], id="detected"),
        pytest.param(["plan", "ODD"], id="a printed plan"),
        pytest.param(["plan", "ODD", "-o", "plan.json"], id="a written plan"),
        pytest.param(["fix", "ODD", "-o", "out", "--detector", NASTY], id="a setting"),
    ],
)
def test_control_characters_of_a_name_are_spelled_out(photo, capsys, arguments):
    odd = photo.with_name(NASTY)
    odd.write_bytes(photo.read_bytes())
    names = {"ODD": odd, "GONE": photo.with_name(f"gone{NASTY}")}
    run(*(names.get(argument, argument) for argument in arguments))

    told = "".join(capsys.readouterr())
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(told)
    assert "\nfixed" not in told
    assert "x1b]0;owned" in told or "u001b]0;owned" in told


def test_printed_json_still_has_the_name(photo, capsys):
    odd = photo.with_name(NASTY)
    odd.write_bytes(photo.read_bytes())
    assert run("detect", odd) == 0
    assert json.loads(capsys.readouterr().out)["pictures"][0]["path"] == str(odd)


def reported(path):
    records = json.loads(path.read_text())["pictures"]
    return {record["path"].rpartition("/")[2]: record for record in records}


UNREAD = ["1.heic", "2.HEIF", "3.jxl", "4.CR2", "5.dng", "6.psd", "7.nef", "8.tga", "9.hif"]


def test_pictures_in_a_folder_that_are_not_read_are_reported_and_fail_nothing(photo, tmp_path, capsys):
    for name in (*UNREAD, "notes.txt", ".hidden.heic", "clip.mp4"):
        photo.with_name(name).write_bytes(b"whatever it holds")

    assert run("fix", photo.parent, "-o", "out", "--report", "r.json") == 0

    records = reported(tmp_path / "r.json")
    assert sorted(records) == [*UNREAD, "photo.png"]
    assert records["photo.png"]["skipped"] is None
    assert all(records[name]["skipped"] and not records[name]["error"] for name in UNREAD)
    assert "HEIC" in records["1.heic"]["skipped"]
    assert "1.heic: skipped: it is HEIC, which is not read here" in capsys.readouterr().out
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["photo.png"]


def test_a_pattern_gives_them_too_and_one_named_in_full_fails(photo, tmp_path):
    heic = photo.with_name("1.heic")
    heic.write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    assert run("fix", f"{photo.parent}/*", "-o", "out", "--report", "r.json") == 0
    assert reported(tmp_path / "r.json")["1.heic"]["skipped"]
    assert run("fix", heic, photo, "-o", "out2", "--report", "r.json") == 1
    assert reported(tmp_path / "r.json")["1.heic"]["error"]


def test_a_folder_of_which_nothing_is_read_is_reported_and_not_a_success(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1.heic").write_bytes(b"whatever it holds")
    assert run("fix", "in", "-o", "out", "-q", "--report", "r.json") == 1
    assert reported(tmp_path / "r.json")["1.heic"]["skipped"]
    assert "1.heic: skipped" in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names there")
@pytest.mark.parametrize("command", ["fix", "plan", "detect"])
def test_what_is_no_file_in_a_folder_is_passed_over_and_named(photo, tmp_path, capsys, command):
    os.mkfifo(photo.with_name("pipe.jpg"))
    photo.with_name("self.jpg").symlink_to("self.jpg")
    photo.with_name("one.jpg").symlink_to("two.jpg")
    photo.with_name("two.jpg").symlink_to("one.jpg")
    photo.with_name("gone.jpg").symlink_to("nowhere.jpg")
    photo.with_name("null.jpg").symlink_to("/dev/null")
    photo.with_name("folder.jpg").symlink_to(photo.parent, target_is_directory=True)

    assert run(command, photo.parent, "-o", "out", *(["--report", "r.json"] if command == "fix" else [])) == 0

    told = "".join(capsys.readouterr())
    for name in ("pipe", "self", "one", "two", "gone", "null"):
        assert f"{name}.jpg: skipped: it is a" in told
    if command == "fix":
        records = reported(tmp_path / "r.json")
        assert records["pipe.jpg"]["skipped"] == "it is a pipe, a device, or a folder, not a file"
        assert records["self.jpg"]["skipped"].startswith("it is a link that leads nowhere")
        assert (tmp_path / "out" / "photo.png").read_bytes() == photo.read_bytes()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names there")
def test_what_is_no_file_and_named_in_full_fails_alone(photo, tmp_path, capsys):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "self.jpg").symlink_to("self.jpg")
    assert run("fix", "pipe.jpg", "self.jpg", photo, "/dev/null", "-o", "out") == 1
    told = capsys.readouterr().err
    assert "pipe.jpg is a pipe or a device, not a file" in told
    assert "/dev/null is a pipe or a device, not a file" in told
    assert "self.jpg: failed: self.jpg cannot be opened" in told
    assert (tmp_path / "out" / "photo.png").is_file()


def test_a_plan_is_carried_out_in_a_folder_with_other_pictures(photo, tmp_path):
    photo.with_name("1.heic").write_bytes(b"whatever it holds")
    assert run("plan", photo.parent, "-o", "p.json") == 0
    assert [record["path"] for record in json.loads((tmp_path / "p.json").read_text())["pictures"]] == [str(photo)]
    assert run("fix", photo.parent, "--plan", "p.json", "-o", "out") == 0
    assert (tmp_path / "out" / "photo.png").is_file()


@pytest.fixture
def no_work(monkeypatch):
    """Fail if a face is looked for."""

    def plan(*_, **__):
        raise AssertionError("the work has begun")

    monkeypatch.setattr(FaceFix, "plan", plan)


LONG = "x" * 300


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        pytest.param("x.heic", "'.heic' cannot be written", id="HEIC"),
        pytest.param("x.JXL", "'.JXL' cannot be written", id="JPEG XL"),
        pytest.param("new/x.psd", "'.psd' cannot be written", id="PSD"),
        pytest.param("x.pdf", "'.pdf' cannot be written", id="PDF"),
        pytest.param("x.ico", "'.ico' cannot be written", id="an icon"),
        pytest.param("x.mp4", "'.mp4' cannot be written", id="a video"),
        pytest.param("x.txt", "'.txt' cannot be written", id="a text"),
        pytest.param(f"{LONG}.png", "the name is too long", id="a long name"),
        pytest.param(f"new/{LONG}.png", "the name is too long", id="a long name in a new folder"),
        pytest.param(f"{LONG}/out.png", "the name is too long", id="a long folder and a name"),
        pytest.param(LONG, "the name is too long", id="a long folder"),
        pytest.param("/".join(["x" * 200] * 30), "the name is too long", id="a long path"),
        pytest.param("/dev/null", "its folder is a file", id="a device"),
        pytest.param("/dev/null/x.png", "its folder is a file", id="below a device"),
        pytest.param("in/photo.png/x.png", "its folder is a file", id="below a file"),
    ],
)
@pytest.mark.usefixtures("no_work")
def test_an_output_that_cannot_be_is_refused_before_the_work(photo, tmp_path, capsys, output, sentence):
    assert run("fix", photo, "-o", output) in (1, 2)
    assert sentence in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize("name", ["photo", "photo.xyz", f"{'y' * 248}.png"])
@pytest.mark.usefixtures("no_work")
def test_a_result_that_cannot_be_named_like_its_input_is_refused_before_the_work(photo, capsys, name):
    odd = photo.rename(photo.with_name(name))
    assert run("fix", odd) == 1
    told = capsys.readouterr().err
    assert "cannot be written" in told
    assert "the work has begun" not in told
    assert list(odd.parent.iterdir()) == [odd]


@pytest.mark.parametrize(
    "arguments",
    [
        ["fix", "PHOTO", "-o", "out", "--report", LONG],
        ["fix", "PHOTO", "-o", "out", "--report", "."],
        ["fix", "PHOTO", "-o", "out", "--compare", f"{LONG}.png"],
        ["plan", "PHOTO", "-o", LONG],
        ["detect", "PHOTO", "-o", LONG],
        ["detect", "PHOTO", "--draw", f"{LONG}.png"],
    ],
)
@pytest.mark.usefixtures("no_work")
def test_a_report_that_cannot_be_is_refused_before_the_work(photo, tmp_path, capsys, arguments):
    assert run(*(photo if argument == "PHOTO" else argument for argument in arguments)) == 1
    assert "cannot be written" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize("output", ["out", "2024.05", "album.v2", "x.heic/", "there.heic", "there.png"])
def test_other_names_of_outputs_are_folders(photo, tmp_path, output):
    for name in ("there.heic", "there.png"):
        (tmp_path / name).mkdir()
    assert run("fix", photo, "-o", output) == 0
    assert (tmp_path / output / "photo.png").read_bytes() == photo.read_bytes()


def test_a_name_as_long_as_names_can_be_is_no_trouble(photo, tmp_path):
    name = f"{'y' * 251}.png"
    odd = photo.rename(photo.with_name(name))
    assert run("fix", odd, "-o", "out", "--report", "r.json") == 0
    assert (tmp_path / "out" / name).is_file()
    assert reported(tmp_path / "r.json")[name]["notes"] == []
