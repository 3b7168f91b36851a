"""Several processes at work on many images, and what becomes of the images of one that dies."""

import os
import sys

import bulk_workers
import pytest

from lib_facefix.batch import WorkerPool, limit_threads
from lib_facefix.batch.worker_pool import THREAD_VARIABLES, WorkerFailed

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")


def fix(folder, names, make=bulk_workers.make_sleeper, count=2):
    """Return the finished images by name, and what the person was told."""
    found, notes = {}, []
    pool = WorkerPool(count, make, threads=limit_threads(count, 2, {}), note=notes.append)
    pool.fix(bulk_workers.jobs_named(folder, *names), lambda done: found.update({done.record["path"]: done}))
    return found, notes


def test_every_image_is_finished_once_by_processes_with_their_share_of_the_threads(tmp_path):
    names = [f"{number}.png" for number in range(40)]
    before = dict(os.environ)
    found, notes = fix(tmp_path, names)
    assert sorted(found) == sorted(names)
    assert {done.record["threads"] for done in found.values()} == {"1"}
    assert os.getpid() not in {done.record["process"] for done in found.values()}
    assert notes == []
    assert dict(os.environ) == before


def test_an_image_that_kills_its_process_twice_fails_and_the_others_go_on(tmp_path):
    names = ["a.png", "kill.png", *(f"{number}.png" for number in range(12))]
    found, notes = fix(tmp_path, names)
    assert sorted(found) == sorted(names)
    failed = {name: done.record["error"] for name, done in found.items() if done.record["error"]}
    assert failed == {"kill.png": "kill.png: the process that worked on this image was killed, perhaps because memory "
                                  "was short, twice"}  # fmt: skip
    assert "kill.png" in notes[0]
    assert "tried once more" in notes[0]


def test_an_image_that_kills_its_process_once_is_tried_again(tmp_path):
    found, notes = fix(tmp_path, ["a.png", "once.png", "b.png"])
    assert sorted(found) == ["a.png", "b.png", "once.png"]
    assert not any(done.record["error"] for done in found.values())
    assert len(notes) == 1


def test_the_error_of_a_process_that_cannot_begin_is_raised(tmp_path):
    with pytest.raises(WorkerFailed, match="the model is not there"):
        fix(tmp_path, ["a.png"], bulk_workers.make_failing)


def test_processes_that_all_die_at_once_end_the_run(tmp_path):
    with pytest.raises(WorkerFailed, match="--jobs 1"):
        fix(tmp_path, [f"{number}.png" for number in range(20)], bulk_workers.make_dying)


@pytest.mark.parametrize(
    ("count", "cores", "given", "share"),
    [(1, 8, "", 8), (2, 8, "", 4), (3, 8, "", 2), (16, 8, "", 1), (2, 8, "1", 1), (2, 8, "64", 4), (2, 8, "x", 4)],
)
def test_threads_are_shared_among_the_processes(count, cores, given, share):
    chosen = limit_threads(count, cores, {"OMP_NUM_THREADS": given} if given else {})
    assert chosen == dict.fromkeys(THREAD_VARIABLES, str(share))
