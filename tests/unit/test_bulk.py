"""Folders of many images: runs that are killed, and several processes."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from bulk_runs import contents, contents_without_parts, run, start, targets_noted
from PIL import Image as Pil

from lib_facefix.batch.journal_entries import FOLDER
from lib_facefix.facefix import FaceFix

ON_POSIX = pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")


def test_a_second_run_does_nothing_and_says_so(album, tmp_path, capsys):
    assert run("fix", album, "-o", tmp_path / "out") == 0
    before = contents(tmp_path / "out")
    assert sorted(before) == sorted(path.relative_to(album).as_posix() for path in album.rglob("*.*"))
    assert before["face.jpg"] != (album / "face.jpg").read_bytes()
    assert "10 of 10 images done; 0:00:" in capsys.readouterr().out

    assert run("fix", album, "-o", tmp_path / "out") == 0
    told = capsys.readouterr()
    assert told.out == "10 of 10 images were done by an earlier run; nothing to do. Add --again to fix them again\n"
    assert contents(tmp_path / "out") == before
    assert len(targets_noted(tmp_path / "out")) == 10


def test_only_what_is_new_or_has_changed_is_done(album, tmp_path, capsys):
    run("fix", album, "-o", tmp_path / "out")
    Pil.fromarray(np.full((20, 30, 3), 77, np.uint8)).save(album / "new.png")
    Pil.fromarray(np.full((20, 30, 3), 78, np.uint8)).save(album / "plain0.png")
    (tmp_path / "out" / "plain1.png").unlink()
    capsys.readouterr()

    assert run("fix", album, "-o", tmp_path / "out") == 0
    done = sorted(line.partition(":")[0] for line in capsys.readouterr().out.splitlines() if " -> " in line)
    assert [Path(name).name for name in done] == ["new.png", "plain0.png", "plain1.png"]

    assert run("fix", album, "-o", tmp_path / "out", "--fidelity", "0.9") == 0
    assert "were done by an earlier run" not in capsys.readouterr().out
    assert run("fix", album, "-o", tmp_path / "out", "--fidelity", "0.9", "--again") == 0
    assert "11 of 11 images done;" in capsys.readouterr().out


def test_a_file_that_is_named_is_fixed_without_a_journal(album, tmp_path):
    for _ in range(2):
        assert run("fix", album / "face.jpg", "-o", tmp_path / "out") == 0
    assert list(contents(tmp_path / "out")) == ["face.jpg"]
    assert not (tmp_path / "out" / FOLDER).exists()


@pytest.mark.parametrize("more", [[], ["--again"], ["--fidelity", "0.9"]], ids=["same", "again", "other settings"])
def test_a_result_that_somebody_changed_is_kept_and_the_others_are_done(album, tmp_path, capsys, more):
    run("fix", album, "-o", tmp_path / "out")
    (tmp_path / "out" / "face.png").write_bytes(b"mine")
    (tmp_path / "out" / "plain1.png").unlink()
    capsys.readouterr()
    assert run("fix", album, "-o", tmp_path / "out", *more) == 0
    told = capsys.readouterr().out
    assert "1 result was changed since FaceFix wrote it, and is kept" in told
    assert "face.png. Add --overwrite" in told
    assert (tmp_path / "out" / "face.png").read_bytes() == b"mine"
    assert (tmp_path / "out" / "plain1.png").exists()
    assert run("fix", album, "-o", tmp_path / "out", *more, "--overwrite") == 0
    assert (tmp_path / "out" / "face.png").read_bytes() != b"mine"


def test_a_file_of_somebody_else_is_not_replaced(album, tmp_path, capsys):
    run("fix", album, "-o", tmp_path / "out")
    Pil.fromarray(np.full((20, 30, 3), 77, np.uint8)).save(album / "new.png")
    (tmp_path / "out" / "new.png").write_bytes(b"mine")
    assert run("fix", album, "-o", tmp_path / "out") == 2
    assert "new.png would be overwritten" in capsys.readouterr().err
    assert (tmp_path / "out" / "new.png").read_bytes() == b"mine"


def test_the_journal_also_knows_results_that_the_log_has_forgotten(album, tmp_path, monkeypatch):
    run("fix", album, "-o", tmp_path / "out")
    monkeypatch.setenv("FACEFIX_CACHE", str(tmp_path / "another"))
    assert run("fix", album, "-o", tmp_path / "out", "--fidelity", "0.9") == 0


@ON_POSIX
def test_nothing_is_lost_half_written_or_done_twice_however_often_a_run_is_killed(album, tmp_path):
    run("fix", album, "-o", tmp_path / "whole")
    expected, out, kills = contents(tmp_path / "whole"), tmp_path / "out", 0
    random.seed(8)
    for jobs in (1, 2, 1, 2):
        running = start(album, "-o", out, "--jobs", jobs)
        wanted = len(targets_noted(out)) + random.randint(1, 2) if out.exists() else 1
        while running.poll() is None and len(targets_noted(out) if out.exists() else ()) < wanted:
            time.sleep(random.uniform(0, 0.02))
        kills += running.poll() is None
        running.kill()
        running.communicate()
        assert contents_without_parts(out).items() <= expected.items()

    assert kills >= 2
    assert run("fix", album, "-o", out) == 0
    assert contents(out) == expected
    assert len(targets_noted(out)) <= 10 + 4 * kills  # of each run, at most what was in flight was done again


@ON_POSIX
@pytest.mark.parametrize("jobs", [1, 2])
def test_photos_in_their_own_place_are_fixed_once_however_often_a_run_is_killed(album, tmp_path, jobs):
    run("fix", album, "-o", tmp_path / "whole")
    expected = contents(tmp_path / "whole")
    for _ in range(3):
        running = start(album, "--in-place", "--jobs", jobs)
        before = len(targets_noted(album))
        while running.poll() is None and len(targets_noted(album)) <= before:
            time.sleep(0.005)
        running.kill()
        running.communicate()

    assert run("fix", album, "--in-place") == 0
    assert contents(album) == expected
    assert run("fix", album, "--in-place", "--fidelity", "0.2") == 0
    assert contents(album) == expected


@pytest.mark.parametrize("more", [[], ["--format", "webp"], ["--in-place"]], ids=["as they are", "webp", "in place"])
def test_several_processes_write_the_same_bytes_as_one(album, tmp_path, more):
    made = []
    for jobs in (1, 2):
        source = tmp_path / f"in{jobs}"
        album.rename(source) if jobs == 2 else subprocess.run(["cp", "-rp", album, source], check=True)
        target = [] if more == ["--in-place"] else ["-o", tmp_path / f"out{jobs}"]
        assert run("fix", source, *target, *more, "--jobs", jobs) == 0
        made.append(contents(source if not target else tmp_path / f"out{jobs}"))
    assert made[0] == made[1]


@pytest.fixture
def hears_ctrl_c():
    """Let processes hear Ctrl-C, which shells ignore for work in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@ON_POSIX
@pytest.mark.usefixtures("hears_ctrl_c")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_several_processes_stop_cleanly(album, tmp_path, sent):
    running = start(album, "-o", tmp_path / "out", "--jobs", 2, start_new_session=True)
    while running.poll() is None and not targets_noted(tmp_path / "out"):
        time.sleep(0.01)
    os.killpg(running.pid, sent) if sent == signal.SIGINT else running.send_signal(sent)  # as a terminal does
    _, told = running.communicate(timeout=60)
    assert running.returncode == 130
    assert re.search(r"stopped.*; \d+ of 10 images done", told)
    assert "Traceback" not in told
    assert len(contents(tmp_path / "out")) == len(targets_noted(tmp_path / "out"))
    assert run("fix", album, "-o", tmp_path / "out") == 0
    assert len(contents(tmp_path / "out")) == 10


def test_shards_together_do_all_images_once(album, tmp_path, capsys):
    for number in (1, 2, 3):
        assert run("fix", album, "-o", tmp_path / "out", "--shard", f"{number}/3") in (0, 1)
    assert len(targets_noted(tmp_path / "out")) == len(contents(tmp_path / "out")) == 10
    capsys.readouterr()
    assert run("fix", album, "-o", tmp_path / "out") == 0
    assert "10 of 10 images were done by an earlier run" in capsys.readouterr().out


def test_memory_holds_no_records_of_images_that_are_done(album, tmp_path, monkeypatch):
    from lib_facefix.batch import Batch

    seen = []
    real = Batch.open
    monkeypatch.setattr(Batch, "open", lambda self, item: (seen.append(len(self.records)), real(self, item))[1])
    run("fix", album, "-o", tmp_path / "out")
    assert seen == [0] * 10


def test_pictures_of_a_preview_are_small_and_show_the_whole_image():
    from lib_facefix.batch.preview import SIDE, make_preview

    before = np.zeros((300, 600, 3), np.uint8)
    before[:, 300:] = (200, 30, 40)
    preview = make_preview(before, cv2.resize(before, (1200, 600)))
    for packed in (preview.before, preview.after):
        shown = cv2.imdecode(np.frombuffer(packed, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
        assert shown.shape == (SIDE // 2, SIDE, 3)
        assert np.abs(shown[40, 20].astype(int)).max() < 20
        assert shown[40, 150].astype(int) == pytest.approx((200, 30, 40), abs=20)


def test_a_changed_model_file_is_a_change(album, tmp_path, capsys, monkeypatch):
    from lib_facefix.batch import fingerprint

    run("fix", album, "-o", tmp_path / "out")
    monkeypatch.setattr(fingerprint, "_hash", lambda name, _: f"another {name}")
    capsys.readouterr()
    assert run("fix", album, "-o", tmp_path / "out") == 0
    assert "10 of 10 images done;" in capsys.readouterr().out


def test_a_restorer_that_auto_now_stands_for_is_a_change(album, tmp_path, capsys, monkeypatch):
    describe = FaceFix.describe
    run("fix", album, "-o", tmp_path / "out")
    monkeypatch.setattr(FaceFix, "describe", lambda engine: replace(describe(engine), restorer="GFPGAN 1.4"))
    capsys.readouterr()
    assert run("fix", album, "-o", tmp_path / "out", "--restorer", "lite") == 0
    assert run("fix", album, "-o", tmp_path / "out", "--restorer", "lite") == 0
    assert "10 of 10 images were done by an earlier run" in capsys.readouterr().out
    run("fix", album, "-o", tmp_path / "out")
    assert "10 of 10 images done;" in capsys.readouterr().out
