"""Reports and galleries of many images, also of runs that were killed."""

import csv
import json
import os
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from bulk_runs import run, start
from PIL import Image as Pil

ON_POSIX = pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")


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


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_a_report_has_one_row_for_each_image_wherever_a_run_was_killed(album, tmp_path, kind):
    """Cut after each byte of its last two rows, of which one holds a name of two lines."""
    from lib_facefix.batch.report import new_record
    from lib_facefix.batch.report_file import keep_rows, may_continue, open_report

    path, names = tmp_path / f"r.{kind}", ["first.jpg", 'a\nb",.jpg', "a\rb.jpg", os.fsdecode(b"caf\xe9.jpg")]

    def write(names, **more):
        report = open_report(path, kind, **more)
        for name in names:
            report.add({**new_record(Path(name)), "error": f"{name} is\nbroken"})
        report.close()

    write(names)
    whole = path.read_bytes()
    write(names[:1])
    start = len(path.read_bytes())
    for end in range(start, len(whole) + 1):
        path.write_bytes(whole[:end])
        assert may_continue(path, kind)
        kept = keep_rows(path, kind, set())
        write([name for name in names if name not in kept], continues=True)
        assert path.read_bytes() == whole
    assert keep_rows(path, kind, {names[0]}) == set(names[1:])
    write(names[:1], continues=True)
    assert sorted(path.read_bytes().splitlines()) == sorted(whole.splitlines())


@ON_POSIX
def test_a_report_can_go_to_a_pipe(album, tmp_path):
    running = start(album, "-o", tmp_path / "out", "-q", "--report", "/dev/stdout", "--report-format", "jsonl")
    told, _ = running.communicate(timeout=120)
    assert running.returncode == 0
    assert len([json.loads(line) for line in told.splitlines()]) == 10


def test_an_image_that_failed_and_then_was_done_has_one_row(album, tmp_path):
    good = (album / "plain0.png").read_bytes()
    (album / "plain0.png").write_bytes(good[:40])
    flags = "-o", tmp_path / "out", "--report", tmp_path / "r.csv"
    assert run("fix", album, *flags) == 1
    (album / "plain0.png").write_bytes(good)
    assert run("fix", album, *flags) == 0
    with (tmp_path / "r.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 10
    assert {row["status"] for row in rows} == {"fixed", "unchanged"}


def rows_of(report):
    with report.open(newline="") as file:
        return {Path(row["path"]).relative_to(report.parent).as_posix(): row for row in csv.DictReader(file)}


@pytest.mark.parametrize("more", [[], ["--again"], ["--overwrite"]])
def test_shards_one_after_the_other_share_a_report(album, tmp_path, more):
    (album / "phone.dng").touch()
    for number in (1, 2):
        run("fix", album, "-o", tmp_path / "out", "--report", tmp_path / "r.csv", "--shard", f"{number}/2", *more)
    assert len(rows_of(tmp_path / "r.csv")) == 11
    assert len((tmp_path / "r.csv").read_text().splitlines()) == 12
    assert {row["status"] for row in rows_of(tmp_path / "r.csv").values()} == {"fixed", "unchanged", "skipped"}


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_the_rows_of_another_album_stay_in_a_report(album, tmp_path, kind):
    report = tmp_path / f"r.{kind}"
    run("fix", album, "-o", tmp_path / "out", "--report", report)
    before = report.read_text().splitlines()
    run("fix", album / "deep", "-o", tmp_path / "more", "--report", report)
    assert len(report.read_text().splitlines()) == len(before)  # the photo is in both
    shutil.copytree(album, tmp_path / "other")
    run("fix", tmp_path / "other", "-o", tmp_path / "third", "--report", report)
    after = report.read_text().splitlines()
    assert len(after) == len(before) + 10
    assert len(set(before) - set(after)) == 1


def test_photos_that_are_skipped_keep_their_rows(album, tmp_path):
    flags = "-o", tmp_path / "out", "--report", tmp_path / "r.csv"
    run("fix", album, *flags)
    whole = (tmp_path / "r.csv").read_text()
    run("fix", album, *flags, "--skip-existing")
    assert (tmp_path / "r.csv").read_text() == whole


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_a_dry_run_replaces_no_report_of_results(album, tmp_path, kind, capsys):
    report, flags = tmp_path / f"r.{kind}", ["-o", tmp_path / "out"]
    (album / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n no more")
    for _ in range(2):  # plans may be replaced by others, and by results
        assert run("fix", album, *flags, "--dry-run", "--report", report) == 1
        assert len(report.read_text().splitlines()) == (12 if kind == "csv" else 11)
    assert run("fix", album, *flags, "--report", report) == 1
    whole = report.read_text()
    assert len(whole.splitlines()) == (12 if kind == "csv" else 11)
    assert run("fix", album, *flags, "--dry-run", "--report", report) == 2
    assert "has the results of an earlier run, and --dry-run has only plans" in capsys.readouterr().err
    assert report.read_text() == whole
    assert run("fix", album, *flags, "--dry-run", "--report", report, "--overwrite") == 1
    assert str(tmp_path / "out") not in report.read_text()
    run("fix", album, *flags)
    assert run("fix", album, *flags, "--report", report) == 1  # photos that are done, of which the file has plans
    assert report.read_text().count("done by an earlier run") == 10


@pytest.mark.parametrize("kind", ["json", "jsonl", "csv"])
def test_a_report_with_the_name_of_a_hard_link_leaves_the_photo(album, tmp_path, kind):
    report, photo = tmp_path / f"r.{kind}", album / "plain0.png"
    before = photo.read_bytes()
    os.link(photo, report)
    assert run("fix", album, "-o", tmp_path / "out", "--report", report, "--overwrite") == 0
    assert photo.read_bytes() == before
    assert "plain0.png" in report.read_text()


@ON_POSIX
@pytest.mark.parametrize("kind", ["json", "jsonl", "csv"])
def test_a_report_to_a_pipe_that_nobody_reads_is_refused(album, tmp_path, kind):
    os.mkfifo(tmp_path / "pipe")
    running = start(album, "-o", tmp_path / "out", "--report", tmp_path / "pipe", "--report-format", kind)
    try:
        _, told = running.communicate(timeout=120)
    finally:
        running.kill()
    assert running.returncode == 1
    assert "nothing reads from it. Start its reader first" in told


@pytest.mark.parametrize("flag", ["--report", "--gallery"])
@pytest.mark.parametrize("name", ["journal", "new/r.csv"])
def test_reports_do_not_go_where_the_journal_is(album, tmp_path, flag, name, capsys):
    run("fix", album, "-o", tmp_path / "out")
    journal = (tmp_path / "out" / ".facefix" / "journal").read_bytes()
    assert run("fix", album, "-o", tmp_path / "out", flag, tmp_path / "out" / ".facefix" / name, "--overwrite") == 2
    assert "where FaceFix keeps its journal. Choose another folder" in capsys.readouterr().err
    assert (tmp_path / "out" / ".facefix" / "journal").read_bytes() == journal


@pytest.mark.parametrize("damage", [(b'"pictures"', b'"pictuges"'), (b'"kind"', b'"kinf"'), (b'{"', b'{"\xff')])
def test_damaged_lines_of_a_gallery_are_ignored(album, tmp_path, damage):
    flags = "-o", tmp_path / "out", "--gallery", tmp_path / "page.html"
    run("fix", album, *flags)
    whole, waiting = (tmp_path / "page.html").read_text(), tmp_path / "out" / ".facefix" / "gallery"
    content = waiting.read_bytes()
    assert damage[0] in content
    waiting.write_bytes(content.replace(*damage, 1))
    assert run("fix", album, *flags) == 0
    again = (tmp_path / "page.html").read_text()
    assert {name for _, name in CARD.findall(again)} == {name for _, name in CARD.findall(whole)}
    assert again.count('src="data:image/jpeg;base64,') == whole.count('src="data:image/jpeg;base64,')
