"""The journal of a folder of results, at every moment at which a run can be killed."""

import contextlib
import os
import re
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from lib_facefix.batch import journal_lock
from lib_facefix.batch.journal import Journal
from lib_facefix.batch.journal_entries import FOLDER
from lib_facefix.batch.journal_lines import pack_line
from lib_facefix.batch.shard import SPAN, Shard, place_of
from lib_facefix.errors import BadSetting, CannotWrite
from lib_facefix.fsio import Handover, atomic_write


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "in" / "photo.bmp"
    path.parent.mkdir()
    path.write_bytes(b"old bytes")
    return path


begun = []


def begin(folder, config="a", **more):
    journal = Journal(folder, config, **more)
    begun.append(journal)
    journal.look()
    journal.start({})
    return journal


@pytest.fixture(autouse=True)
def _end():
    yield
    while begun:
        begun.pop().close()


def write(journal, source, target, content, *, changed=True, killed=""):
    """Write a result as a batch does; `killed` before or after the file takes its place."""

    class Killed(Exception):
        pass

    read = source.stat()

    def ready(part):
        if killed == "before the line":
            raise Killed
        journal.expect(source, (read.st_size, read.st_mtime_ns), target, part, changed=changed)
        if killed == "before the step":
            raise Killed

    with contextlib.suppress(Killed):
        atomic_write(target, lambda file: file.write(content), Handover(ready, journal.run))


def test_a_finished_image_is_done_for_the_next_run(photo, tmp_path):
    target = tmp_path / "out" / "photo.bmp"
    first = begin(tmp_path / "out")
    assert not first.is_done(photo, target)
    write(first, photo, target, b"new bytes")
    first.close()

    second = begin(tmp_path / "out")
    assert second.is_done(photo, target)
    assert second.has_written(target)


@pytest.mark.parametrize("killed", ["before the line", "before the step"])
@pytest.mark.parametrize("place", ["another folder", "its own"])
def test_an_image_is_done_again_if_the_run_was_killed_before_the_step(photo, tmp_path, killed, place):
    target = photo if place == "its own" else tmp_path / "out" / "photo.bmp"
    first = begin(target.parent)
    write(first, photo, target, b"new bytes", killed=killed)
    first.close()

    second = begin(target.parent)
    assert not second.is_done(photo, target)  # although its size is that of the result, and it is a second old
    assert not second.was_changed(target)


def test_an_image_in_its_own_place_is_never_done_twice_whatever_the_settings(photo):
    first = begin(photo.parent)
    write(first, photo, photo, b"new bytes")
    first.close()
    assert begin(photo.parent, "b").is_done(photo, photo)
    assert not begin(photo.parent, "b", again=True).is_done(photo, photo)


def test_an_image_in_its_own_place_that_had_no_faces_is_tried_with_other_settings(photo):
    first = begin(photo.parent)
    write(first, photo, photo, photo.read_bytes(), changed=False)
    first.close()
    assert begin(photo.parent).is_done(photo, photo)
    assert not begin(photo.parent, "b").is_done(photo, photo)


@pytest.mark.parametrize("change", ["settings", "image", "time of the image", "result gone", "result changed"])
def test_what_has_changed_is_done_again(photo, tmp_path, change):
    target = tmp_path / "out" / "photo.bmp"
    first = begin(tmp_path / "out")
    write(first, photo, target, b"new bytes")
    first.close()
    if change == "image":
        photo.write_bytes(b"another image")
    elif change == "time of the image":
        os.utime(photo, (1000, 1000))
    elif change == "result gone":
        target.unlink()
    elif change == "result changed":
        target.write_bytes(b"my  bytes")

    second = begin(tmp_path / "out", "b" if change == "settings" else "a")
    assert not second.is_done(photo, target)
    assert second.has_written(target) == (change not in ("result gone", "result changed"))


def test_a_copy_of_the_folder_is_still_known(photo, tmp_path):
    first = begin(tmp_path / "out")
    write(first, photo, tmp_path / "out" / "photo.bmp", b"new bytes")
    first.close()
    subprocess.run(["cp", "-rp", tmp_path / "out", tmp_path / "copy"], check=True)
    assert begin(tmp_path / "copy").is_done(photo, tmp_path / "copy" / "photo.bmp")


def test_the_result_before_one_that_was_killed_stays_ours(photo, tmp_path):
    target = tmp_path / "out" / "photo.bmp"
    first = begin(tmp_path / "out")
    write(first, photo, target, b"new bytes")
    first.close()
    second = begin(tmp_path / "out", "b")
    write(second, photo, target, b"even newer", killed="before the step")
    second.close()
    third = begin(tmp_path / "out", "b")
    assert third.has_written(target)
    assert not third.is_done(photo, target)
    assert begin(tmp_path / "out").is_done(photo, target)


def test_lines_that_are_cut_off_or_damaged_cost_their_images_alone(photo, tmp_path):
    out = tmp_path / "out"
    first = begin(out)
    for name in ("a.bmp", "b.bmp", "c.bmp"):
        write(first, photo, out / name, name.encode())
    first.close()
    path = out / FOLDER / "journal"
    head, a, b, c = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(head + a + b.replace(b"b.bmp", b"x.bmp") + c[:-9])

    second = begin(out)
    assert [second.is_done(photo, out / name) for name in ("a.bmp", "b.bmp", "c.bmp")] == [True, False, False]
    assert second.damaged == 2
    write(second, photo, out / "c.bmp", b"c.bmp")
    second.close()
    assert begin(out).is_done(photo, out / "c.bmp")  # its line does not continue the one that was cut off


def test_every_line_begins_with_its_checksum(photo, tmp_path):
    journal = begin(tmp_path)
    write(journal, photo, tmp_path / "r.bmp", b"r")
    lines = (tmp_path / FOLDER / "journal").read_bytes().splitlines()
    assert len(lines) == 2
    assert all(int(line[:8], 16) == zlib.crc32(line[9:]) for line in lines)


def test_temporary_files_of_runs_that_ended_are_swept_and_no_others(photo, tmp_path):
    out = tmp_path / "out"
    first = begin(out)
    left, foreign = out / f".{first.run}00112233.part", out / f".{'f' * 16}.part"
    left.touch()
    foreign.touch()
    first.close()
    second = begin(out)
    own = out / f".{second.run}00112233.part"
    own.touch()
    second.sweep([out, tmp_path / "nowhere"])
    assert sorted(out.glob(".*.part")) == sorted([foreign, own])


HOLD = """
import sys, time
from pathlib import Path
from lib_facefix.batch.journal import Journal
from lib_facefix.batch.shard import Shard
journal = Journal(Path(sys.argv[1]), "a", Shard(*map(int, sys.argv[2].split("/"))), among=sys.argv[3] == "among")
if sys.argv[3] == "worker":
    journal.join("00000000")
else:
    journal.look()
    journal.start({})
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def hold(tmp_path):
    """Hold the folder `out` in another process."""
    running = []

    def start(shard="1/1", role="run", folder=tmp_path / "out"):
        command = [sys.executable, "-c", HOLD, str(folder), shard, role]
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ))
        assert running[-1].stdout.readline() == "held\n"
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.communicate()


def test_two_runs_at_once_in_one_folder_are_refused_until_the_first_is_killed(hold, tmp_path):
    other = hold()
    with pytest.raises(BadSetting, match="another facefix is writing into"):
        begin(tmp_path / "out")
    other.kill()
    other.wait()
    begin(tmp_path / "out").close()


def test_shards_share_a_folder_unless_they_have_images_in_common(hold, tmp_path):
    hold("2/4")
    begin(tmp_path / "out", shard=Shard(1, 4)).close()
    begin(tmp_path / "out", shard=Shard(2, 2)).close()
    for shard in (Shard(2, 4), Shard(1, 2), Shard()):
        with pytest.raises(BadSetting, match="--shard"):
            begin(tmp_path / "out", shard=shard)


def test_a_run_waits_for_the_processes_of_one_that_was_killed(hold, tmp_path, monkeypatch):
    begin(tmp_path / "out").close()
    worker = hold(role="worker")
    monkeypatch.setattr(journal_lock, "LOCK_SECONDS", 0.2)
    with pytest.raises(BadSetting, match="processes of a killed run"):
        begin(tmp_path / "out")
    begin(tmp_path / "elsewhere").close()
    worker.kill()
    worker.wait()
    begin(tmp_path / "out").close()


@pytest.mark.parametrize("of", [1, 2, 3, 7, 64])
def test_each_image_is_in_one_shard_whose_range_holds_its_place(of):
    shards = [Shard(number, of) for number in range(1, of + 1)]
    spans = [shard.span for shard in shards]
    assert sum(length for _, length in spans) == SPAN
    counts = dict.fromkeys(shards, 0)
    for number in range(2000):
        below = f"{number % 9}/p{number}.jpg"
        [shard] = [shard for shard in shards if shard.contains(below)]
        start, length = shard.span
        assert start <= place_of(below) < start + length
        counts[shard] += 1
    assert min(counts.values()) > 2000 / of * 0.4


def test_a_path_has_the_same_place_on_every_machine():
    assert place_of("album/old.jpg") == place_of("album\\old.jpg") == 550002
    assert place_of("u\u0308ber.jpg") == place_of("\u00fcber.jpg")


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "a/b", "1/0", "-1/2", "1/20000", ""])
def test_a_wrong_shard_is_explained(text):
    with pytest.raises(BadSetting, match="such as 1/4"):
        Shard.parse(text)


def test_the_journal_of_a_shard_is_a_file_of_its_own_that_all_runs_read(photo, tmp_path):
    out = tmp_path / "out"
    for number in (1, 2):
        shard = begin(out, shard=Shard(number, 2))
        write(shard, photo, out / f"{number}.bmp", b"new")
        shard.close()
    names = sorted(path.name for path in (out / FOLDER).iterdir())
    assert names == ["journal-1-of-2", "journal-2-of-2", "lock"]
    whole = begin(out)
    assert all(whole.is_done(photo, Path(out, f"{number}.bmp")) for number in (1, 2))


@pytest.mark.parametrize("damage", ["cut off", "a byte flipped", "zeros", "two lines in one", "of no journal"])
def test_damaged_lines_cost_only_their_own_images(photo, tmp_path, damage):
    out = tmp_path / "out"
    first = begin(out)
    for number in range(3):
        write(first, photo, out / f"{number}.bmp", b"new")
    first.close()
    path = out / FOLDER / "journal"
    lines = path.read_bytes().splitlines(keepends=True)
    if damage == "cut off":
        lines[-1] = lines[-1][:40]
    elif damage == "a byte flipped":
        lines[2] = lines[2].replace(b"1.bmp", b"8.bmp")
    elif damage == "zeros":
        lines[1] = bytes(len(lines[1]))
    elif damage == "two lines in one":  # a full disk took the end of the first
        lines[1] = lines[1][:40]
    else:
        text = b'{"target":"0.bmp"}'
        lines.append(b"%08x %s\n" % (zlib.crc32(text), text))
    path.write_bytes(b"".join(lines))

    second = begin(out)
    lost = {"cut off": {2}, "a byte flipped": {1}, "zeros": {0}, "two lines in one": {0}, "of no journal": set()}
    assert {number for number in range(3) if not second.is_done(photo, out / f"{number}.bmp")} == lost[damage]
    assert second.damaged == 1
    write(second, photo, out / "3.bmp", b"new")
    second.close()
    assert begin(out).is_done(photo, out / "3.bmp")


@pytest.mark.parametrize("content", [b"", b"my diary\n", bytes(5000), b"\xff\xfe\x00"])
def test_a_file_that_is_no_journal_is_moved_aside_and_not_added_to(photo, tmp_path, content):
    out = tmp_path / "out"
    (out / FOLDER).mkdir(parents=True)
    (out / FOLDER / "journal").write_bytes(content)
    first = begin(out)
    write(first, photo, out / "photo.bmp", b"new")
    first.close()
    aside = list((out / FOLDER).glob("damaged-journal-*"))
    assert [path.read_bytes() for path in aside] == ([content] if content else [])
    assert begin(out).is_done(photo, out / "photo.bmp")


@pytest.mark.parametrize("name", [FOLDER, f"{FOLDER}/journal", f"{FOLDER}/lock"])
def test_what_stands_in_the_way_of_a_journal_is_named(tmp_path, name):
    place = tmp_path / "out" / name
    if name == FOLDER:
        place.parent.mkdir(parents=True)
        place.write_bytes(b"")
    else:
        place.mkdir(parents=True)
    with pytest.raises(CannotWrite, match=re.escape(f"{place} cannot be written: it")):
        begin(tmp_path / "out")


def test_a_journal_of_a_newer_version_is_left_alone(tmp_path):
    place = tmp_path / "out" / FOLDER
    place.mkdir(parents=True)
    line = pack_line({"journal": 2, "run": "0" * 8})
    (place / "journal").write_bytes(line)
    with pytest.raises(BadSetting, match="a newer FaceFix"):
        begin(tmp_path / "out")
    assert (place / "journal").read_bytes() == line


@pytest.mark.skipif(os.name == "nt", reason="names there are text")
@pytest.mark.parametrize("name", [b"line\nbreak.bmp", b"caf\xe9.bmp", "ａé\u2028.bmp".encode(), b'"quote\\.bmp'])
def test_any_name_is_known_again(photo, tmp_path, name):
    source = photo.with_name(os.fsdecode(name))
    photo.rename(source)
    out = tmp_path / os.fsdecode(b"\xff out")
    first = begin(out)
    write(first, source, out / source.name, b"new")
    first.close()
    assert begin(out).is_done(source, out / source.name)


def test_a_clock_that_was_set_back_changes_nothing(photo, tmp_path, monkeypatch):
    first = begin(tmp_path / "out")
    os.utime(photo, (4e9, 4e9))  # in the year 2096
    write(first, photo, tmp_path / "out" / "photo.bmp", b"new")
    first.close()
    monkeypatch.setattr("time.time", lambda: 1000.0)
    second = begin(tmp_path / "out")
    assert second.is_done(photo, tmp_path / "out" / "photo.bmp")
    write(second, photo, tmp_path / "out" / "more.bmp", b"new")
    assert second.has_written(tmp_path / "out" / "more.bmp")


def test_a_replaced_image_of_the_same_size_and_time_is_not_noticed(photo, tmp_path):
    """As docs/bulk.md says: --again is for that."""
    first = begin(tmp_path / "out")
    write(first, photo, tmp_path / "out" / "photo.bmp", b"new")
    first.close()
    before = photo.stat()
    photo.write_bytes(b"old BYTES")
    os.utime(photo, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert begin(tmp_path / "out").is_done(photo, tmp_path / "out" / "photo.bmp")
    begun.pop().close()
    assert not begin(tmp_path / "out", again=True).is_done(photo, tmp_path / "out" / "photo.bmp")


def test_a_result_that_was_changed_is_told_from_one_that_was_not_and_from_none(photo, tmp_path):
    out = tmp_path / "out"
    first = begin(out)
    for name in ("a.bmp", "b.bmp", "c.bmp"):
        write(first, photo, out / name, b"new")
    first.close()
    (out / "a.bmp").write_bytes(b"mine")
    (out / "b.bmp").unlink()
    (out / "d.bmp").write_bytes(b"somebody's")
    second = begin(out)
    assert [name for name in "abcd" if second.was_edited(out / f"{name}.bmp")] == ["a"]


def test_a_run_among_images_knows_what_was_done_from_a_folder_above_or_below(photo, tmp_path):
    deep = photo.parent / "deep"
    deep.mkdir()
    for start, then in ((photo.parent, deep), (deep, photo.parent)):
        image = deep / f"{start.name}.bmp"
        image.write_bytes(b"old")
        first = begin_among(start, image)
        write(first, image, image, b"new")
        first.close()
        assert begin_among(then, image).is_done(image, image)
        begun.pop().close()


def begin_among(folder, *targets, config="a"):
    journal = Journal(folder, config, among=True)
    begun.append(journal)
    journal.look({str(target.parent) for target in targets})
    journal.start({})
    return journal


@pytest.mark.parametrize("other", ["above", "below"])
def test_runs_among_the_same_images_exclude_each_other(photo, hold, tmp_path, other):
    deep = tmp_path / "out" / "deep"
    (deep / "images").mkdir(parents=True)
    (tmp_path / "out" / "images").mkdir()
    own, another = (deep, tmp_path / "out") if other == "above" else (tmp_path / "out", deep)
    begin_among(own, deep / "images" / "a.bmp").close()
    running = hold(folder=another)
    with pytest.raises(BadSetting, match="another facefix is writing into"):
        begin_among(own, deep / "images" / "a.bmp")
    running.kill()
    running.wait()
    begin_among(own, deep / "images" / "a.bmp").close()


def test_runs_in_two_folders_of_one_that_was_done_do_not_exclude_each_other(hold, tmp_path):
    for name in ("one", "two"):
        (tmp_path / "out" / name).mkdir(parents=True)
    begin_among(tmp_path / "out").close()
    hold(folder=tmp_path / "out" / "one", role="among")
    begin_among(tmp_path / "out" / "two").close()
    with pytest.raises(BadSetting, match="another facefix"):
        begin_among(tmp_path / "out")


def test_a_run_in_several_folders_keeps_a_journal_in_each(tmp_path):
    images = [tmp_path / name / "photo.bmp" for name in ("one", "two", "alone")]
    for image in images:
        image.parent.mkdir()
        image.write_bytes(b"old")
    first = Journal(images[0].parent, "a", more=[images[1].parent], among=True)
    begun.append(first)
    first.look({str(image.parent) for image in images})
    first.start({})
    for image in images:
        write(first, image, image, b"new")
    first.close()
    assert not (images[2].parent / FOLDER).exists()  # it was named alone
    for image in images[:2]:
        assert begin_among(image.parent, image).is_done(image, image)


def test_a_run_that_begins_after_another_has_ended_looks_again(photo, tmp_path):
    out = tmp_path / "out"
    slow = Journal(out, "a")
    begun.append(slow)
    slow.look()
    quick = begin(out)
    write(quick, photo, out / "photo.bmp", b"new")
    quick.close()
    assert slow.start({})
    assert slow.is_done(photo, out / "photo.bmp")


def test_a_line_that_a_full_disk_cut_off_does_not_spoil_the_next(photo, tmp_path, monkeypatch):
    out = tmp_path / "out"
    first = begin(out)
    real = os.write
    monkeypatch.setattr(os, "write", lambda file, content: real(file, content[:50]))
    with pytest.raises(CannotWrite, match="the disk is full"):
        write(first, photo, out / "a.bmp", b"new")
    monkeypatch.undo()
    assert not (out / "a.bmp").exists()
    write(first, photo, out / "b.bmp", b"new")
    first.close()
    second = begin(out)
    assert not second.has_written(out / "a.bmp")
    assert second.is_done(photo, out / "b.bmp")
