"""The lock of a run in an object store: one run at a time, also of those that start together."""

import json
import os
import platform
import threading
import time
from pathlib import Path

import pytest

fsspec = pytest.importorskip("fsspec")

from lib_facefix.batch import Shard, object_journal  # noqa: E402
from lib_facefix.batch.object_journal import ObjectJournal  # noqa: E402
from lib_facefix.errors import BadSetting  # noqa: E402
from lib_facefix.pictures.objects import forget_listed  # noqa: E402

FOLDER = "/album/out/.facefix"
HERE = {"run": "0" * 8, "host": platform.node(), "pid": os.getpid(), "span": [0, 1 << 20]}


@pytest.fixture
def store():
    """An empty store."""
    files = fsspec.filesystem("memory")
    files.store.clear()
    files.pseudo_dirs[:] = [""]
    forget_listed()
    yield files
    files.store.clear()
    forget_listed()


def open_journal(shard="1/1"):
    journal = ObjectJournal(Path("memory:/album/out"), "a", Shard.parse(shard))
    journal.look()
    return journal


def put_lock(store, name="lock", **said):
    store.pipe_file(f"{FOLDER}/{name}", json.dumps({**HERE, "time": time.time(), **said}).encode())


def list_locks(store):
    return [name.removeprefix(f"{FOLDER}/") for name in store.find(FOLDER) if "/lock" in name]


@pytest.mark.parametrize("owner", ["another machine", "a process that lives", "a process that is gone", "long ago"])
def test_a_lock_in_a_store_counts_while_its_run_may_live(store, owner):
    lock = {**HERE, "time": time.time()}
    lock |= {"host": "elsewhere"} if owner == "another machine" else {}
    lock |= {"pid": 2**22 + 1} if owner == "a process that is gone" else {}
    lock |= {"time": time.time() - 1000} if owner == "long ago" else {}
    store.pipe_file("/album/out/.facefix/lock", json.dumps(lock).encode())
    journal = ObjectJournal(Path("memory:/album/out"), "a")
    refused = owner == "another machine" or (owner == "a process that lives") or (
        owner == "a process that is gone" and not Path("/proc/self").exists()
    )  # fmt: skip
    if refused:
        with pytest.raises(BadSetting, match=r"memory://album/out"):
            journal.look()
    else:
        journal.look()


@pytest.mark.parametrize(
    "lock",
    [
        b"", b"[]", b"5", b"null", b"\xff", b"[" * 100_000, b'{"time": "x"}', b'{"span": [1]}',
        b'{"pid": 1, "time": 9e99, "span": "x"}', b'{"pid": 1, "time": NaN, "span": [0, 1048576]}',
        b'{"pid": 1, "time": 1%s, "span": [0, 1048576]}' % (b"0" * 400),
    ],
)  # fmt: skip
def test_a_damaged_lock_is_none(store, lock):
    store.pipe_file(f"{FOLDER}/lock", lock)
    with open_journal() as journal:
        journal.start({})
        assert len(list_locks(store)) == 2
    assert list_locks(store) == ["lock"]


def test_a_lock_with_an_odd_process_is_of_a_run_that_has_ended(store):
    put_lock(store, pid=10**400)
    open_journal()


def test_a_run_that_began_after_the_first_look_is_met(store):
    first, second = open_journal(), open_journal()
    first.start({})
    with pytest.raises(BadSetting, match=r"another facefix is writing into memory://album/out\. Wait"):
        second.start({})
    assert list_locks(store) == [f"lock.{first.run}"]
    first.close()
    assert list_locks(store) == []
    with open_journal("1/2") as half, open_journal("2/2") as apart:
        half.start({})
        apart.start({})
        assert len(list_locks(store)) == 2


def test_of_runs_that_start_together_one_works(store, monkeypatch):
    monkeypatch.setattr(object_journal, "TURN_SECONDS", 0.002)
    for _ in range(20):
        journals, together, refused = [open_journal() for _ in range(3)], threading.Barrier(3), []

        def begin(journal, together=together, refused=refused):
            together.wait()
            try:
                journal.start({})
            except BadSetting:
                refused.append(journal)

        threads = [threading.Thread(target=begin, args=(journal,)) for journal in journals]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        [works] = [journal for journal in journals if journal not in refused]
        assert list_locks(store) == [f"lock.{works.run}"]
        works.close()


def test_a_run_waits_for_one_that_will_see_it_and_ends_for_one_that_will_not(store, monkeypatch):
    monkeypatch.setattr(object_journal, "TURN_SECONDS", 0.01)
    journal = open_journal()
    put_lock(store, "lock.zzzzzzzz", waits=True)
    starting = threading.Thread(target=journal.start, args=({},))
    starting.start()
    starting.join(0.2)
    assert starting.is_alive()
    store.rm_file(f"{FOLDER}/lock.zzzzzzzz")
    starting.join(5)
    assert list_locks(store) == [f"lock.{journal.run}"]
    journal.close()

    journal = open_journal()
    put_lock(store, "lock.00000000", waits=True)
    with pytest.raises(BadSetting):
        journal.start({})
    assert list_locks(store) == ["lock.00000000"]


def test_the_lock_of_a_run_that_was_killed_is_deleted_by_the_next(store):
    put_lock(store, "lock.00000000", time=time.time() - 1000)
    with open_journal() as journal:
        journal.start({})
        assert list_locks(store) == [f"lock.{journal.run}"]


def check_for_seconds(journal):
    until = time.monotonic() + 5
    while time.monotonic() < until:
        journal.check_held()
        time.sleep(0.01)


def test_a_run_that_was_taken_for_dead_writes_no_more(store, monkeypatch):
    monkeypatch.setattr(object_journal, "FLUSH_SECONDS", 0.01)
    monkeypatch.setattr(object_journal, "FRESH_SECONDS", 0.1)
    with open_journal() as journal:
        journal.start({})
        time.sleep(0.2)
        journal.check_held()
        store.rm_file(f"{FOLDER}/lock.{journal.run}")
        put_lock(store, "lock.00000000")
        with pytest.raises(BadSetting, match="another facefix"):
            check_for_seconds(journal)
    assert list_locks(store) == ["lock.00000000"]
