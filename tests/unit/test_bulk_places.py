"""Where results and journals are: beside images, in their place, in folders inside each other, on full disks."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from bulk_runs import contents, run, start, targets_noted

ON_POSIX = pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")


@pytest.mark.parametrize("suffix", [[], ["--suffix", "-new"]])
def test_results_beside_their_images_are_done_once_and_are_no_images(album, tmp_path, monkeypatch, capsys, suffix):
    before = set(contents(album))
    assert run("fix", album, *suffix) == 0
    expected = contents(album)
    assert len(expected) == 20
    for folder in (album, album / "deep", album):
        monkeypatch.setenv("FACEFIX_CACHE", str(tmp_path / f"cache of {folder.name}"))  # where results are logged
        capsys.readouterr()
        assert run("fix", folder, *suffix) == 0
        assert "were done by an earlier run; nothing to do" in capsys.readouterr().out
        assert contents(album) == expected
    assert run("fix", album, "-o", tmp_path / "out") == 0
    assert set(contents(tmp_path / "out")) == before


@ON_POSIX
def test_results_beside_their_images_survive_a_kill(album, tmp_path):
    running = start(album, "--suffix", "-new", "--jobs", 2)
    while running.poll() is None and len(targets_noted(album)) < 2:
        time.sleep(0.005)
    running.kill()
    running.communicate()
    images = {path.relative_to(album).as_posix() for path in album.rglob("*.*") if path.is_file()}
    assert run("fix", album, "--suffix", "-new") == 0
    names = {name for name in contents(album) if "-new" not in name}
    assert {name for name in contents(album) if "-new" in name} == {
        Path(name).with_stem(f"{Path(name).stem}-new").as_posix() for name in names
    }
    assert len(names) == 10
    assert len(images) >= 10


def test_folders_that_are_named_together_have_a_journal_each(album, tmp_path, capsys):
    (tmp_path / "more").mkdir()
    (album / "plain0.png").rename(tmp_path / "more" / "plain0.png")
    assert run("fix", album, tmp_path / "more", "--in-place") == 0
    capsys.readouterr()
    assert run("fix", tmp_path / "more", "--in-place") == 0
    assert "1 of 1 images were done by an earlier run" in capsys.readouterr().out
    assert run("fix", f"{album}/*", "--in-place", "--jobs", 2) == 0
    assert "9 of 9 images were done by an earlier run" in capsys.readouterr().out


def test_an_earlier_output_folder_inside_the_album_gives_no_images(album, tmp_path, monkeypatch):
    assert run("fix", album, "-o", album / "first") == 0
    monkeypatch.setenv("FACEFIX_CACHE", str(tmp_path / "another"))
    assert run("fix", album, "-o", album / "second") == 0
    assert sorted(contents(album / "second")) == sorted(contents(album / "first"))
    assert run("fix", album / "first", "-o", tmp_path / "third") == 0  # named itself, it is meant
    assert len(contents(tmp_path / "third")) == 10


def test_a_folder_that_is_a_link_is_the_same_folder(album, tmp_path, capsys):
    (tmp_path / "link").symlink_to(album, target_is_directory=True)
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "real", target_is_directory=True)
    assert run("fix", album, "-o", tmp_path / "real") == 0
    capsys.readouterr()
    assert run("fix", tmp_path / "link", "-o", tmp_path / "out") == 0
    assert "10 of 10 images were done by an earlier run" in capsys.readouterr().out
    assert run("fix", album, "--in-place") == 0
    capsys.readouterr()
    assert run("fix", tmp_path / "link", "--in-place") == 0
    assert "10 of 10 images were done by an earlier run" in capsys.readouterr().out


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 600 kB."""
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", place], capture_output=True).returncode:
        pytest.skip("no disk can be mounted here")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


@ON_POSIX
def test_a_full_disk_loses_and_repeats_nothing(album, tmp_path, small_disk, capsys):
    run("fix", album, "-o", tmp_path / "whole")
    expected, out = contents(tmp_path / "whole"), small_disk / "out"
    filler = small_disk / "filler"
    filler.write_bytes(bytes(500 << 10))
    assert run("fix", album, "-o", out) == 1
    assert "the disk is full" in capsys.readouterr().err
    made = contents(out)
    assert made.items() < expected.items()
    filler.unlink()
    assert run("fix", album, "-o", out) == 0
    assert f"{len(made)} of 10 images were done by an earlier run" in capsys.readouterr().out
    assert contents(out) == expected
    assert len(targets_noted(out)) == 10


@ON_POSIX
def test_a_disk_that_cannot_be_written_is_told_before_any_work(album, tmp_path, small_disk, capsys):
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    assert run("fix", album, "-o", small_disk / "out") == 1
    assert "the disk is read-only" in capsys.readouterr().err


@ON_POSIX
@pytest.mark.parametrize("flag", ["--report", "--gallery"])
def test_a_report_that_cannot_be_written_is_told_before_any_work(album, tmp_path, small_disk, capsys, flag):
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    assert run("fix", album, "-o", tmp_path / "out", flag, small_disk / "new" / "page.html") == 1
    assert "the disk is read-only" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
