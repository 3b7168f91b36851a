"""The list of folder jobs, damaged in every way that a disk, a person, or another program can damage it."""

import logging
import os
import random
import shutil
import sqlite3

import pytest
from fastapi.testclient import TestClient

from lib_facefix.errors import BadSetting, CannotWrite
from lib_facefix.server import job_store
from lib_facefix.server.app import StandaloneHost, app
from lib_facefix.server.job_queue import JobQueue
from lib_facefix.server.job_store import JobStore, Unreadable
from lib_facefix.server.routes import PREFIX


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state"


def fill(state, count=40):
    """Make a file with some jobs as a killed server leaves it: most of it is in the write-ahead log."""
    store = JobStore(state)
    for number in range(count):
        store.add(f"job{number}", {"folder": f"/old/{number}", "text": "a" * 200})
        store.begin_image(f"job{number}", f"/old/{number}/a.png")
    copy = state.with_name("left")
    shutil.copytree(state, copy)
    store.close()
    return copy


def execute(state, *statements):
    base = sqlite3.connect(state / job_store.FILE)
    for statement in statements:
        base.execute(statement)
    base.commit()
    base.close()


@pytest.mark.parametrize("end", ["", "-wal"], ids=["file", "log"])
@pytest.mark.parametrize("how", ["cut off", "overwritten"])
def test_a_damaged_file_is_read_or_put_aside_and_the_server_starts(state, end, how):
    left, rng = fill(state), random.Random(f"{end}{how}")
    for trial in range(25):
        torn = state.with_name(f"torn{trial}")
        shutil.copytree(left, torn)
        path = torn / f"{job_store.FILE}{end}"
        content = bytearray(path.read_bytes())
        place = rng.randrange(len(content))
        if how == "cut off":
            del content[place:]
        else:
            content[place : place + 300] = rng.randbytes(len(content[place : place + 300]))
        path.write_bytes(content)
        store = JobStore(torn)
        known = store.list_unfinished()
        if end:  # a log costs only its last notes
            assert store.put_aside is None
        assert [body["folder"] for _, body in known if body] == [f"/old/{job[3:]}" for job, body in known if body]
        for job, _ in known:
            store.read_images(job)
        store.add("new", {"folder": "/new"})
        store.close()
        again = JobStore(torn)
        assert again.put_aside is None
        assert ("new", {"folder": "/new"}) in again.list_unfinished()
        again.close()


def test_a_row_that_is_damaged_fails_alone(state, engine, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    store = JobStore(state)
    for name in ("a", "b"):
        store.add(name, {"folder": str(tmp_path / name), "output": str(tmp_path / "new")})
        store.begin_image(name, "/x.png")
    store.close()
    execute(state, "UPDATE jobs SET body = '{\"folder' WHERE id = 'a'", "UPDATE images SET record = '[1]'")
    store, line = JobStore(state), JobQueue(9, 1 << 30)
    host = StandaloneHost(engine, (tmp_path,))
    client = TestClient(app(host, line=line, store=store), base_url="http://localhost")
    told = client.get(f"{PREFIX}/jobs/a").json()
    assert (told["state"], told["result"]) == ("failed", None)
    assert "JSON object" in told["error"]
    assert store.read_images("b")["/x.png"] == (1, None)
    assert line.end()
    store.close()


def test_a_file_that_breaks_while_it_is_used_is_told(state, engine, tmp_path, caplog):
    store, line = JobStore(state), JobQueue(9, 1 << 30)
    client = TestClient(app(StandaloneHost(engine, (tmp_path,)), line=line, store=store), base_url="http://localhost")
    store._base.execute("DROP TABLE images")
    store._base.execute("DROP TABLE jobs")
    answer = client.get(f"{PREFIX}/jobs/a")
    assert answer.status_code == 500
    assert "cannot be read: no such table: jobs. Start the server again" in answer.text
    with pytest.raises(Unreadable):
        store.read_images("a")
    with caplog.at_level(logging.WARNING):
        store.end_image("a", {"path": "/x.png"})
    assert "so this job may be done again after a restart" in caplog.text
    (tmp_path / "old").mkdir()
    answer = client.post(f"{PREFIX}/batch", json={"folder": "old", "output": "new"})
    assert (answer.status_code, "cannot be stored" in answer.text) == (503, True)
    assert line.end()
    store.close()


def test_a_full_disk_refuses_new_jobs_and_stops_no_running_one(state, engine, tmp_path, caplog):
    store = JobStore(state)
    store.add("running", {})
    [pages] = store._base.execute("PRAGMA page_count").fetchone()
    store._base.execute(f"PRAGMA max_page_count = {pages}")  # SQLite then says what it says of a full disk
    with pytest.raises(CannotWrite, match="database or disk is full"):
        store.add("large", {"text": "a" * 999_999})
    with caplog.at_level(logging.WARNING):
        for number in range(100):
            store.begin_image("running", f"/{number:09999}.png")
    assert "database or disk is full" in caplog.text
    assert [job for job, _ in store.list_unfinished()] == ["running"]
    store.close()


def test_a_folder_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CannotWrite, match=r"cannot be written: .*Choose another --state"):
        JobStore(tmp_path / "file" / "state")
    real = os.open

    def refuse(path, *given, **more):
        if str(path).endswith(job_store.FILE):
            raise PermissionError(13, "Permission denied")
        return real(path, *given, **more)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(CannotWrite, match=r"jobs.sqlite3 cannot be written: Permission denied. Choose another --state"):
        JobStore(tmp_path / "state")


def test_a_database_of_another_program_is_left_alone(state):
    state.mkdir()
    execute(state, "CREATE TABLE jobs (mine TEXT)", "INSERT INTO jobs VALUES ('precious')")
    before = (state / job_store.FILE).read_bytes()
    with pytest.raises(BadSetting, match=r"a database of another program\. Choose another --state"):
        JobStore(state)
    assert sqlite3.connect(state / job_store.FILE).execute("SELECT mine FROM jobs").fetchall() == [("precious",)]
    assert len((state / job_store.FILE).read_bytes()) == len(before)


@pytest.mark.parametrize("change", ["ALTER TABLE jobs DROP COLUMN error", "DROP TABLE images"])
def test_a_file_that_lacks_a_table_or_a_column_is_put_aside(state, change):
    JobStore(state).close()
    execute(state, change)
    store = JobStore(state)
    assert store.put_aside
    store.add("a", {})
    store.close()


def test_a_file_that_was_deleted_meanwhile_stops_no_job(state):
    store = JobStore(state)
    store.add("a", {})
    shutil.rmtree(state)
    store.begin_image("a", "/x.png")
    store.end("a", "done", None, [{"path": "/x.png"}])
    assert store.describe("a")["state"] == "done"
    store.close()
    again = JobStore(state)
    assert again.list_unfinished() == []
    again.close()
