"""What the command line does with odd files, names, and outputs."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil

from lib_facefix import FaceFix
from lib_facefix.cli import __main__ as command
from lib_facefix.cli.terminal import print_lines
from lib_facefix.pictures import ResultLog, result_log

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


@pytest.mark.parametrize(
    "arguments", [["fix", f"--{NASTY}"], [NASTY.removesuffix(".png")], ["fix", "a.png", "--fidelity", NASTY]]
)
def test_control_characters_of_wrong_flags_are_spelled_out_too(capsys, arguments):
    with suppress(SystemExit):  # which wrong flags raise
        assert run(*arguments) == 2
    told = capsys.readouterr().err
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(told)
    assert "x1b]0;owned" in told


def test_printed_json_still_has_the_name(photo, capsys):
    odd = photo.with_name(NASTY)
    odd.write_bytes(photo.read_bytes())
    assert run("detect", odd) == 0
    assert json.loads(capsys.readouterr().out)["pictures"][0]["path"] == str(odd)


def reported(path):
    records = json.loads(path.read_text())["pictures"]
    return {record["path"].rpartition("/")[2]: record for record in records}


UNREAD = ["1.heic", "2.HEIF", "3.jxl", "4.CR2", "5.dng", "6.psd", "7.nef", "8.tga", "9.hif"]


@pytest.fixture
def no_heif(monkeypatch):
    """Hide the package that reads HEIC."""
    monkeypatch.setitem(sys.modules, "pillow_heif", None)


@pytest.mark.usefixtures("no_heif")
def test_pictures_in_a_folder_that_are_not_read_are_reported_and_fail_nothing(photo, tmp_path, capsys):
    for name in (*UNREAD, "notes.txt", ".hidden.heic", "clip.mp4"):
        photo.with_name(name).write_bytes(b"whatever it holds")

    assert run("fix", photo.parent, "-o", "out", "--report", "r.json") == 0

    records = reported(tmp_path / "r.json")
    assert sorted(records) == [*UNREAD, "photo.png"]
    assert records["photo.png"]["skipped"] is None
    assert all(records[name]["skipped"] and not records[name]["error"] for name in UNREAD)
    assert "HEIC" in records["1.heic"]["skipped"]
    assert "1.heic: skipped: HEIC needs the Python package pillow-heif" in capsys.readouterr().out
    assert [path.name for path in (tmp_path / "out").glob("[!.]*")] == ["photo.png"]


@pytest.mark.usefixtures("no_heif")
def test_a_pattern_gives_them_too_and_one_named_in_full_fails(photo, tmp_path):
    heic = photo.with_name("1.heic")
    heic.write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    assert run("fix", f"{photo.parent}/*", "-o", "out", "--report", "r.json") == 0
    assert reported(tmp_path / "r.json")["1.heic"]["skipped"]
    assert run("fix", heic, photo, "-o", "out2", "--report", "r.json") == 1
    assert reported(tmp_path / "r.json")["1.heic"]["error"]


@pytest.mark.usefixtures("no_heif")
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


@pytest.mark.usefixtures("no_heif")
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
        pytest.param("x.heic", "pip install 'facefix[heif]'", id="HEIC"),
        pytest.param("x.heics", "'.heics' cannot be written", id="a HEIC sequence"),
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
@pytest.mark.usefixtures("no_work", "no_heif")
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


def other(path):
    """Make a picture of somebody else."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Pil.fromarray(np.full((20, 30, 3), 200, np.uint8)).save(path)
    return path.read_bytes()


@pytest.mark.parametrize("output", ["out/photo.png", "out", None], ids=["file", "folder", "beside"])
@pytest.mark.usefixtures("no_work")
def test_a_file_of_somebody_else_is_not_overwritten(photo, tmp_path, capsys, output):
    place = photo.with_name("photo.fixed.png") if output is None else tmp_path / "out" / "photo.png"
    before = other(place)
    assert run("fix", photo, *(["-o", output] if output else [])) == 2
    assert f"{place.name} would be overwritten" in capsys.readouterr().err
    assert place.read_bytes() == before


def test_it_is_overwritten_on_request(photo, tmp_path):
    other(tmp_path / "out.png")
    assert run("fix", photo, "-o", "out.png", "--overwrite") == 0
    assert (tmp_path / "out.png").read_bytes() == photo.read_bytes()


@pytest.mark.parametrize("output", ["out.png", "out", None], ids=["file", "folder", "beside"])
@pytest.mark.parametrize("more", [[], ["--upscale", "2"]], ids=["copied", "enlarged"])
def test_our_own_results_are_replaced_until_somebody_changes_them(photo, tmp_path, capsys, output, more):
    arguments = ["fix", photo, *(["-o", output] if output else []), *more]
    for _ in range(3):
        assert run(*arguments) == 0
    [result] = [path for path in tmp_path.rglob("*.png") if path != photo]
    changed = other(result)
    assert run(*arguments) == 2
    assert "FaceFix did not write it, or it was changed since" in capsys.readouterr().err
    assert result.read_bytes() == changed


def test_what_a_link_points_to_is_not_overwritten(photo, tmp_path, capsys):
    before = other(tmp_path / "originals" / "photo.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "photo.png").symlink_to(tmp_path / "originals" / "photo.png")
    (tmp_path / "linked").symlink_to(tmp_path / "originals", target_is_directory=True)
    (tmp_path / "out.png").symlink_to("originals/photo.png")
    for output in ("out", "linked", "out.png"):
        assert run("fix", photo, "-o", output) == 2
        assert "would be overwritten" in capsys.readouterr().err
        assert (tmp_path / "originals" / "photo.png").read_bytes() == before


def test_one_of_many_that_is_in_the_way_stops_all_before_the_work(photo, tmp_path, capsys):
    for name in ("a", "b", "c"):
        photo.with_name(f"{name}.png").write_bytes(photo.read_bytes())
        other(tmp_path / "out" / f"{name}.png")
    assert run("fix", photo.parent, "-o", "out") == 2
    assert "a.png would be overwritten, but FaceFix did not write it, or it was changed since (2 more" in (
        capsys.readouterr().err
    )
    assert not (tmp_path / "out" / "photo.png").exists()
    assert run("fix", photo.parent, "-o", "out", "--dry-run") == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["fix", "PHOTO", "-o", "out", "--report", "mine.png"],
        ["fix", "PHOTO", "-o", "out", "--compare", "mine.png"],
        ["plan", "PHOTO", "-o", "mine.png"],
        ["detect", "PHOTO", "-o", "mine.png"],
        ["detect", "PHOTO", "--draw", "mine.png"],
    ],
)
def test_reports_and_drawings_overwrite_no_file_of_somebody_else(photo, tmp_path, capsys, arguments):
    arguments = [photo if argument == "PHOTO" else argument for argument in arguments]
    before = other(tmp_path / "mine.png")
    assert run(*arguments) == 2
    assert "mine.png would be overwritten" in capsys.readouterr().err
    assert (tmp_path / "mine.png").read_bytes() == before
    assert run(*arguments, "--overwrite") == 0
    assert run(*arguments) == 0
    assert (tmp_path / "mine.png").read_bytes() != before


def test_the_log_of_results_has_no_names_and_does_not_grow_for_ever(tmp_path, monkeypatch):
    log = ResultLog(tmp_path / "cache" / "results.txt")
    other(tmp_path / "a.png")
    assert not log.may_replace(tmp_path / "a.png")
    assert log.may_replace(tmp_path / "b.png")
    log.add(tmp_path / "a.png")
    assert log.may_replace(tmp_path / "a.png")
    assert b"a.png" not in (tmp_path / "cache" / "results.txt").read_bytes()

    with (tmp_path / "cache" / "results.txt").open("ab") as file:
        file.write(b"\xff cut of\n" * 200)
    monkeypatch.setattr(result_log, "MAX_BYTES", 1000)
    log = ResultLog(tmp_path / "cache" / "results.txt")
    log.add(tmp_path / "a.png")
    assert (tmp_path / "cache" / "results.txt").stat().st_size < 1000
    assert ResultLog(tmp_path / "cache" / "results.txt").may_replace(tmp_path / "a.png")


SLOW = """
import signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # which shells ignore for work in the background
from lib_facefix.cli.__main__ import entry
from lib_facefix.pictures import write

real = write.write_png

def slow(*arguments):
    if arguments[0].max() < 50:  # the second picture
        arguments[3].write(b"half")
        print("now", flush=True)
        time.sleep(60)
    real(*arguments)

write.write_png = slow
entry()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_sigterm_is_like_ctrl_c(photo, tmp_path, sent):
    Pil.fromarray(np.full((40, 60, 3), 9, np.uint8)).save(photo.with_name("second.png"))
    command = [sys.executable, "-c", SLOW, "fix", photo.parent, "-o", "out", "--upscale", "2", "--report", "r.json"]
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=paths, text=True) as running:
        while running.stdout.readline().strip() != "now":
            assert running.poll() is None
        running.send_signal(sent)
        _, told = running.communicate(timeout=30)

    assert running.returncode == 130
    assert "second.png; 1 of 2 images done" in told
    assert "Traceback" not in told
    assert [path.name for path in (tmp_path / "out").glob("[!.]*")] == ["photo.png"]
    records = reported(tmp_path / "r.json")
    assert records["photo.png"]["output"] == "out/photo.png"
    assert records["second.png"]["error"] == "stopped before this file was finished"


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files have no names there")
def test_a_report_goes_to_standard_output_wherever_that_leads(photo, tmp_path):
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "lib_facefix.cli", "fix", photo, "-o", "out", "-q", "--report", "/dev/stdout"]
    for _ in range(2):
        with (tmp_path / "told").open("ab") as told:
            told.write(b"before\n")
            told.flush()
            subprocess.run(command, stdout=told, env=paths, check=True, timeout=60)
    first, second = (tmp_path / "told").read_text().removeprefix("before\n").split("before\n")
    assert [len(json.loads(text)["pictures"]) for text in (first, second)] == [1, 1]


@pytest.mark.parametrize(
    ("arguments", "swept"),
    [
        (["--version"], False),
        (["fix", "--help"], False),
        (["settings"], False),
        (["plan", "in/photo.png"], False),
        (["fix", "in/photo.png", "-o", "out.png"], True),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
@pytest.mark.skipif(sys.platform == "win32", reason="no permissions of this kind there")
def test_only_commands_that_write_sweep_the_temporary_folder(photo, tmp_path, monkeypatch, arguments, swept):
    temp, left = tmp_path / "temp", tmp_path / "temp" / "facefix-ab_cd123"
    monkeypatch.setenv("TMPDIR", str(temp))
    temp.mkdir()
    left.mkdir(mode=0o700)
    os.utime(left, (1000, 1000))
    with contextlib.suppress(SystemExit):  # argparse's own
        assert run(*arguments) == 0
    assert left.exists() != swept


def test_a_name_that_is_not_utf_8_is_printed_with_its_bytes_spelled_out(capsys):
    print_lines(["caf\udce9.jpg: failed"], error=True)
    assert capsys.readouterr().err == "caf\\udce9.jpg: failed\n"
