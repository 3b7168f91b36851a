"""How much memory there is, how much an image takes, and what becomes of images for which there is none."""

import struct
import sys
import threading
from pathlib import Path

import bulk_workers
import numpy as np
import pytest
from bulk_runs import contents, run
from PIL import Image as Pil

from lib_facefix.batch import Listed, Room, WorkerPool, count_free_memory, estimate_cost, limit_threads, memory
from lib_facefix.batch.memory import BYTES_A_PIXEL, PROCESS_BYTES
from lib_facefix.cli import fix_processes
from lib_facefix.pictures import read_dimensions
from lib_facefix.settings.output_size import Upscale


def test_images_wait_until_there_is_memory_but_one_is_always_let_in():
    room = Room(100, {"a": 60, "b": 50, "c": 40, "huge": 1000}.__getitem__)
    assert room.admit("a")
    assert not room.admit("b")
    assert room.admit("c")
    room.release("a")
    assert room.admit("b")
    assert not room.admit("huge")
    room.release("b")
    room.release("c")
    assert room.admit("huge")
    assert not room.admit("c")


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.webp", "a.bmp"])
def test_the_size_of_an_image_is_read_from_its_header(tmp_path, name):
    Pil.fromarray(np.zeros((30, 40, 3), np.uint8)).save(tmp_path / name)
    assert read_dimensions(tmp_path / name) == (40, 30)
    assert estimate_cost(tmp_path / name, None) == 2 * 40 * 30 * BYTES_A_PIXEL
    assert estimate_cost(tmp_path / name, Upscale(2)) == 5 * 40 * 30 * BYTES_A_PIXEL


def test_the_size_of_a_large_image_takes_no_memory(tmp_path):
    """Of a BMP of 40,000 x 40,000 pixels there is only the header."""
    header = b"BM" + struct.pack("<IHHI", 54, 0, 0, 54)
    (tmp_path / "a.bmp").write_bytes(header + struct.pack("<IiiHHIIiiII", 40, 40_000, 40_000, 1, 24, 0, 0, 0, 0, 0, 0))
    assert read_dimensions(tmp_path / "a.bmp") == (40_000, 40_000)


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n", b"II*\0"])
def test_a_file_that_cannot_be_read_has_no_size_and_costs_little(tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)
    assert read_dimensions(tmp_path / "a.png") is None
    assert estimate_cost(tmp_path / "a.png", None) < 1 << 20
    assert estimate_cost(tmp_path / "gone.png", None) == 0


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="as Linux tells it")
@pytest.mark.parametrize("version", [1, 2])
def test_the_limit_of_a_container_counts(tmp_path, monkeypatch, version):
    free = count_free_memory()
    assert 1 << 20 < free < 1 << 50
    names, *_ = [names for name, names in memory._LIMITS.items() if bool(name) == (version == 1)]
    place = tmp_path / "memory" / "box" if version == 1 else tmp_path / "box"
    place.mkdir(parents=True)
    for name, text in zip(
        (*names[:2], "memory.stat"), ("1000000", "400000", f"{names[2]} 100000\nother 7"), strict=True
    ):
        (place / name).write_text(text)
    monkeypatch.setattr(memory, "_CGROUPS", tmp_path)
    real, groups = Path.read_text, "4:memory:/box\n" if version == 1 else "0::/box\n"
    monkeypatch.setattr(
        Path, "read_text", lambda self, *more: groups if str(self) == "/proc/self/cgroup" else real(self, *more)
    )
    assert count_free_memory() == 700_000


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_processes_hold_no_more_than_there_is_memory_for_and_the_person_is_told_once(tmp_path):
    held, most, guard = set(), [0], threading.Lock()

    class Counted(Room):
        def admit(self, source):
            with guard:
                if super().admit(source):
                    held.add(source)
                    most[0] = max(most[0], len(held))
                    return True
            return False

        def release(self, source):
            held.discard(source)
            super().release(source)

    notes, found, room = [], [], Counted(250, lambda _: 100)
    jobs = bulk_workers.jobs_named(tmp_path, *(f"{number}.png" for number in range(12)))
    threads = limit_threads(3, 2, {})
    WorkerPool(3, bulk_workers.make_sleeper, threads=threads, note=notes.append, room=room).fix(jobs, found.append)
    assert len(found) == 12
    assert most == [2]
    assert len({done.record["process"] for done in found}) >= 2  # not one that has taken all
    [note] = notes
    assert note.startswith("memory is short: 2 of 3 processes work")


def test_one_process_reads_ahead_only_if_there_is_memory(tmp_path):
    jobs = bulk_workers.jobs_named(tmp_path, "a.png", "b.png")
    source = Listed(jobs, Room(150, lambda _: 100))
    assert source.is_ready()
    assert source.take() == jobs[0]
    assert not source.is_ready()
    source.release(jobs[0].source)
    assert source.is_ready()
    assert source.take() == jobs[1]
    assert source.is_ready()  # to tell that this was all
    assert source.take() is None


def test_with_little_memory_a_run_is_the_same(album, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(fix_processes, "count_free_memory", lambda: PROCESS_BYTES)
    assert run("fix", album, "-o", tmp_path / "one", "--jobs", 3) == 0
    assert "1 of 3 processes are started, as 0.4 GB of memory are free" in capsys.readouterr().err
    monkeypatch.undo()
    assert run("fix", album, "-o", tmp_path / "many") == 0
    assert contents(tmp_path / "one") == contents(tmp_path / "many")
