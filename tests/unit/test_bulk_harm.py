"""What must not be lost, whatever was in the folders before: other images, reports, and journals that are damaged."""

import os
import shutil
import sys

import pytest
from bulk_runs import contents, run

from lib_facefix.batch.journal_lines import pack_line

REFUSED = 2
ON_POSIX = pytest.mark.skipif(sys.platform == "win32", reason="no such files there")


def test_a_report_is_no_image_of_another_shard(album, capsys):
    assert run("fix", album, "--in-place") == 0
    before = contents(album)
    for name in before:
        assert run("fix", album, "--in-place", "--shard", "1/2", "--report", album / name) == REFUSED
        assert f"{name} would be overwritten, but it is an input" in capsys.readouterr().err
    assert contents(album) == before


def test_a_report_is_no_result_of_another_shard(album, tmp_path, capsys):
    out = tmp_path / "out"
    assert run("fix", album, "-o", out) == 0
    before = contents(out)
    for name in before:
        assert run("fix", album, "-o", out, "--shard", "1/2", "--report", out / name) == REFUSED
        assert f"{name} would be overwritten, but a result has this path" in capsys.readouterr().err
    assert contents(out) == before


@pytest.mark.parametrize("known_by", ["log", "journal"])
def test_an_image_that_was_fixed_in_its_place_is_not_replaced_by_another_one(
    album, tmp_path, monkeypatch, capsys, known_by
):
    """Cameras give the same names again."""
    other = tmp_path / "other"
    shutil.copytree(album, other)
    (other / "face.jpg").write_bytes((album / "face.jpg").read_bytes() + b"\0")
    assert run("fix", album, "--in-place") == 0
    if known_by == "journal":
        monkeypatch.setenv("FACEFIX_CACHE", str(tmp_path / "another"))
    before = contents(album)
    assert run("fix", other, "-o", album) == REFUSED
    assert "would be overwritten, but FaceFix did not write it" in capsys.readouterr().err
    assert contents(album) == before


@pytest.mark.parametrize("place", ["in place", "away"])
def test_what_is_done_stays_done_if_only_its_time_changes(album, tmp_path, monkeypatch, capsys, place):
    flags = ("--in-place",) if place == "in place" else ("-o", tmp_path / "out")
    results = album if place == "in place" else tmp_path / "out"
    assert run("fix", album, "--no-mark", *flags) == 0
    before = contents(results)
    monkeypatch.setenv("FACEFIX_CACHE", str(tmp_path / "another"))  # where results are logged
    for name in before:
        os.utime(results / name, (1_000_000_000, 1_000_000_000))
    capsys.readouterr()
    assert run("fix", album, "--no-mark", *flags) == 0
    assert "were done by an earlier run; nothing to do" in capsys.readouterr().out
    assert contents(results) == before


def test_a_damaged_line_keeps_its_result_and_stops_no_other_image(album, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    assert run("fix", album, "-o", out) == 0
    journal = out / ".facefix" / "journal"
    lines = journal.read_bytes().splitlines(keepends=True)
    lines[3] = lines[3].replace(b'"changed"', b'"chbnged"')
    journal.write_bytes(b"".join(lines))
    before = contents(out)
    (gone,) = [name for name in before if f'"{name}"'.encode() in lines[4]]
    (out / gone).unlink()
    monkeypatch.setenv("FACEFIX_CACHE", str(tmp_path / "another"))
    capsys.readouterr()
    assert run("fix", album, "-o", out) == 0
    said = capsys.readouterr().out
    assert "1 line of the journal is damaged" in said
    assert "1 result was changed since FaceFix wrote it, or its line was damaged, and is kept" in said
    assert contents(out) == before


@pytest.mark.parametrize(
    "line",
    [
        {"target": "a.png", "source": "a.png", "read": [1, 2, 3], "written": [1, 2, 3], "digest": "", "config": ""},
        {"target": "a.png", "source": "a.png", "read": [], "written": [], "digest": "", "config": "", "changed": True},
        {"where": "beside"},
        {"where": "beside", "target": 5},
        {"where": ["beside"], "target": "a.png"},
    ],
)
def test_lines_of_another_program_are_ignored(album, tmp_path, line):
    for folder in (album, tmp_path / "out"):
        (folder / ".facefix").mkdir(parents=True)
        (folder / ".facefix" / "journal").write_bytes(pack_line({"where": "beside", **line}))
    assert run("fix", album, "-o", tmp_path / "out") == 0
    assert len(contents(tmp_path / "out")) == 10


@ON_POSIX
@pytest.mark.parametrize("name", ["journal", "journal-2-of-3"])
def test_a_pipe_in_the_place_of_a_journal_does_not_stop_the_run(album, tmp_path, name):
    for folder in (album, tmp_path / "out"):
        (folder / ".facefix").mkdir(parents=True)
        os.mkfifo(folder / ".facefix" / name)
    assert run("fix", album, "-o", tmp_path / "out") == 0
    assert len(contents(tmp_path / "out")) == 10


@ON_POSIX
def test_a_folder_that_cannot_be_read_stops_no_other(album, tmp_path, monkeypatch, capsys):
    """As `lost+found` of a drive."""
    real = os.scandir

    def scan(folder):
        if str(folder).endswith("deep"):
            raise PermissionError(13, "Permission denied", folder)
        return real(folder)

    monkeypatch.setattr(os, "scandir", scan)
    assert run("fix", album, "-o", tmp_path / "out") == 0
    assert "deep: skipped: this folder cannot be read (Permission denied)" in capsys.readouterr().out
    assert {name for name in contents(tmp_path / "out") if "deep" in name} == set()
    assert len(contents(tmp_path / "out")) >= 5
