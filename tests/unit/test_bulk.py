"""Folders of many images: runs that are killed, several processes, reports and galleries."""

import csv
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pil

from lib_facefix.batch.journal_entries import FOLDER
from lib_facefix.cli import __main__ as command

PHOTO = Path(__file__).parents[2] / "examples" / "astronaut.jpg"
QUICK = ["--detector", "blazeface", "--angles", "off", "--method", "restore"]
ON_POSIX = pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FACEFIX_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def album(tmp_path):
    """Ten images: three with a face, of which one cannot hold a mark, and plain ones; one of them in a folder."""
    folder = tmp_path / "album"
    (folder / "deep").mkdir(parents=True)
    with Pil.open(PHOTO) as opened:
        small = opened.convert("RGB").resize((256, 240))
    for name in ("face.jpg", "face.png", "face.bmp"):
        small.save(folder / name)
    for number in range(6):
        Pil.fromarray(np.full((20, 30, 3), 40 * number, np.uint8)).save(folder / f"plain{number}.png")
    Pil.fromarray(np.full((20, 30, 3), 9, np.uint8)).save(folder / "deep" / "plain.png")
    return folder


def run(*arguments):
    return command.main([*map(str, arguments), *QUICK])


def start(*arguments, **more):
    words = [sys.executable, "-m", "lib_facefix", "fix", *map(str, arguments), *QUICK]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(words, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)


def contents(folder):
    """The content of all images below a folder, by their paths; hidden files must be the journal's."""
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    images = {name: content for name, content in files.items() if not name.startswith(FOLDER)}
    assert not [name for name in images if Path(name).name.startswith(".")]
    return images


def targets_noted(folder):
    """The targets in the journals of a folder, once for each line."""
    lines = [line for path in (folder / FOLDER).glob("journal*") for line in path.read_text().splitlines()]
    return re.findall(r'"target":"([^"]*)"', "\n".join(lines))


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


def test_a_result_that_somebody_changed_is_not_replaced(album, tmp_path, capsys):
    run("fix", album, "-o", tmp_path / "out")
    (tmp_path / "out" / "face.png").write_bytes(b"mine")
    assert run("fix", album, "-o", tmp_path / "out") == 2
    assert "face.png would be overwritten" in capsys.readouterr().err
    assert (tmp_path / "out" / "face.png").read_bytes() == b"mine"


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


def contents_without_parts(folder):
    files = [path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".part")]
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in files if FOLDER not in path.parts
    }  # fmt: skip


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


def test_a_report_as_json_lines_is_continued(album, tmp_path):
    report = tmp_path / "report.jsonl"
    run("fix", album, "-o", tmp_path / "out", "--report", report)
    whole = [json.loads(line) for line in report.read_text().splitlines()]
    assert {record["version"] for record in whole} == {1}
    assert len(whole) == 10
    report.write_text("\n".join(report.read_text().splitlines()[:3]) + '\n{"version": 1, "pa')  # as killed

    (album / "plain0.png").write_bytes((album / "plain1.png").read_bytes())
    assert run("fix", album, "-o", tmp_path / "out", "--report", report) == 0
    records = [json.loads(line) for line in report.read_text().splitlines()]
    assert {record["path"] for record in records} == {record["path"] for record in whole}
    assert [record["path"] for record in records if not record["skipped"]][3:] == [str(album / "plain0.png")]


def test_a_report_as_csv_has_a_row_for_each_image(album, tmp_path):
    (album / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n no more")
    (album / "phone.dng").touch()
    assert run("fix", album, "-o", tmp_path / "out", "--report", tmp_path / "r.csv") == 1
    with (tmp_path / "r.csv").open(newline="") as file:
        rows = {Path(row["path"]).name: row for row in csv.DictReader(file)}
    assert len(rows) == 12
    face = rows["face.jpg"]
    assert [face[name] for name in ("status", "faces", "fixed", "width", "height")] == ["fixed", "1", "1", "256", "240"]
    assert 0 < float(face["identity"]) < 1
    assert rows["plain0.png"]["status"] == "unchanged"
    assert rows["phone.dng"]["status"] == "skipped"
    assert rows["broken.png"]["status"] == "failed"
    assert "damaged" in rows["broken.png"]["why"] or "cut off" in rows["broken.png"]["why"]


def test_a_json_report_is_the_document_that_it_was(album, tmp_path):
    run("fix", album, "-o", tmp_path / "out", "--report", tmp_path / "r.json")
    text = (tmp_path / "r.json").read_text()
    document = json.loads(text)
    assert text == json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    assert list(document) == ["version", "pictures"]
    assert len(document["pictures"]) == 10


def test_the_kind_of_a_report_can_be_chosen(album, tmp_path, capsys):
    assert run("fix", album, "-o", tmp_path / "out", "--report", tmp_path / "r.txt", "--report-format", "csv") == 0
    assert (tmp_path / "r.txt").read_text().startswith("path,output,status")
    assert run("fix", album, "-o", tmp_path / "more", "--report-format", "csv") == 2
    assert "--report-format has no effect" in capsys.readouterr().err


def test_a_report_of_somebody_else_is_not_added_to(album, tmp_path, capsys):
    (tmp_path / "r.csv").write_text("name,size\n")
    assert run("fix", album, "-o", tmp_path / "out", "--report", tmp_path / "r.csv") == 2
    assert "r.csv would be overwritten" in capsys.readouterr().err


CARD = re.compile(r'<article class="card (\w+)".*?data-name="([^"]*)".*?</article>')


def test_a_gallery_shows_failures_first_and_all_pictures_in_one_file(album, tmp_path):
    (album / "z broken.png").write_bytes(b"\x89PNG\r\n\x1a\n no more")
    page = tmp_path / "page.html"
    assert run("fix", album, "-o", tmp_path / "out", "--gallery", page) == 1
    text = page.read_text()
    cards = [(kind, Path(name).name) for kind, name in CARD.findall(text)]
    assert cards[0] == ("failed", "z broken.png")
    assert {name for kind, name in cards[1:4] if kind == "fixed"} == {"face.jpg", "face.png", "face.bmp"}
    assert len(cards) == 11
    assert text.count('src="data:image/jpeg;base64,') == 2 * 10
    assert 'alt="face.jpg before"' in text
    assert 'href="out/face.jpg"' in text
    assert not re.search(r'(?:src|href)="(?!data:image/jpeg|out/)', text)


def test_a_gallery_of_a_run_that_was_continued_shows_what_was_done_before(album, tmp_path):
    run("fix", album, "--in-place", "--gallery", tmp_path / "first.html")
    Pil.fromarray(np.full((20, 30, 3), 77, np.uint8)).save(album / "new.png")
    run("fix", album, "--in-place", "--gallery", tmp_path / "page.html")
    first, second = ((tmp_path / name).read_text() for name in ("first.html", "page.html"))
    assert len(CARD.findall(second)) == 11
    pictures = re.findall(r'alt="face.jpg before" src="([^"]*)"', first)
    assert pictures  # of which nothing else is left
    assert re.findall(r'alt="face.jpg before" src="([^"]*)"', second) == pictures


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
