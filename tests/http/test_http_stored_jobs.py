"""Folder jobs that outlive the server: the file they are kept in, and what another server makes of them."""

import json
import sqlite3

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from sending import PATIENCE, ended, packed

from lib_facefix.errors import BadSetting
from lib_facefix.server import job_store
from lib_facefix.server.app import StandaloneHost, app
from lib_facefix.server.handlers import Limits
from lib_facefix.server.job_queue import JobQueue
from lib_facefix.server.job_store import InUse, JobStore
from lib_facefix.server.routes import PREFIX

QUICK = {"detector": "blazeface", "method": "restore"}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An allowed folder with three images without faces."""
    monkeypatch.setenv("FACEFIX_CACHE", str(tmp_path / "cache"))
    (tmp_path / "allowed" / "old").mkdir(parents=True)
    for number in range(3):
        picture = Image.fromarray(np.full((48, 64, 3), 50 * number, np.uint8))
        (tmp_path / "allowed" / "old" / f"{number}.png").write_bytes(packed(picture))
    return tmp_path / "allowed"


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state"


@pytest.fixture
def start(engine, place, state):
    """Return a function that starts a server with the store: its client, its queue, and the store."""
    made = []

    def begin(folders=(place,)):
        line, store = JobQueue(9, 1 << 30), JobStore(state)
        client = TestClient(
            app(StandaloneHost(engine, folders, Limits()), line=line, store=store), base_url="http://localhost"
        )
        made.append((line, store))
        return client, line, store

    yield begin
    for line, store in made:
        line.end()
        store.close()


def stop(line, store):
    """End a server."""
    assert line.end()
    store.close()


def wanted(place, **more):
    """Return a request as it is stored."""
    return {"folder": str(place / "old"), "output": str(place / "new"), "settings": QUICK, **more}


def leave(state, place, *begun, **more):
    """Leave a job as a server that was killed does, which had begun these images. Return its id."""
    store = JobStore(state)
    store.add("left", wanted(place, **more))
    for name in begun:
        store.begin_image("left", str(place / "old" / name))
    store.close()
    return "left"


def errors(result):
    return {one["path"].rpartition("/")[2]: one["error"] for one in result["pictures"]}


def test_a_finished_job_can_be_asked_for_after_a_restart(start, place):
    client, line, store = start()
    job = client.post(f"{PREFIX}/batch", json=wanted(place)).json()["job"]
    before = ended(client, job)
    assert (before["state"], len(before["result"]["pictures"])) == ("done", 3)
    stop(line, store)
    client, line, _ = start()
    after = client.get(f"{PREFIX}/jobs/{job}").json()
    assert (after["state"], after["done"], after["result"]) == ("done", 3, before["result"])
    assert line.load.running == 0
    assert client.delete(f"{PREFIX}/jobs/{job}").json() == after
    assert client.get(f"{PREFIX}/jobs/unknown").status_code == 404


def test_a_job_that_was_left_is_continued_and_what_is_done_stays(start, place, state):
    client, line, store = start()
    job = client.post(f"{PREFIX}/batch", json=wanted(place)).json()["job"]
    before = ended(client, job)["result"]["pictures"]
    stop(line, store)
    base = sqlite3.connect(state / job_store.FILE)  # as if it had been killed before the end, of which two are noted
    base.execute("UPDATE jobs SET ended = NULL, state = 'waiting'")
    base.execute("UPDATE images SET record = NULL WHERE path LIKE '%2.png%'")
    base.commit()
    base.close()
    (place / "new" / "1.png").unlink()
    kept = (place / "new" / "0.png").stat().st_mtime_ns, (place / "new" / "2.png").stat().st_mtime_ns
    client, *_ = start()
    after = ended(client, job)["result"]["pictures"]
    assert after[0] == before[0]
    assert (after[1]["skipped"], after[1]["output"]) == (None, str(place / "new" / "1.png"))
    assert after[2]["skipped"] == "done by an earlier run"
    assert kept == ((place / "new" / "0.png").stat().st_mtime_ns, (place / "new" / "2.png").stat().st_mtime_ns)


def test_an_image_during_which_the_server_ended_three_times_is_left_out(start, place, state):
    job = leave(state, place, "1.png", "1.png", "1.png", "0.png", "0.png")
    client, *_ = start()
    told = errors(ended(client, job)["result"])
    assert "the server ended 3 times while it worked on this image" in told.pop("1.png")
    assert told == {"0.png": None, "2.png": None}
    assert [(place / "new" / name).exists() for name in ("0.png", "1.png", "2.png")] == [True, False, True]
    written = (place / "new" / ".facefix" / "journal").read_text()
    assert written.index("2.png") < written.index("0.png")  # which may have ended the server, too


def test_files_of_others_are_not_replaced_by_a_job_that_continues(start, place, state):
    job = leave(state, place, "0.png", "1.png")
    (place / "new").mkdir()
    for name in ("1.png", "2.png"):
        (place / "new" / name).write_bytes(b"precious")
    client, *_ = start()
    told = errors(ended(client, job)["result"])
    assert told["0.png"] is None
    assert all("would be overwritten, but FaceFix did not write it" in told[name] for name in ("1.png", "2.png"))
    assert [(place / "new" / name).read_bytes() for name in ("1.png", "2.png")] == [b"precious"] * 2


def test_a_cancelled_job_is_not_continued(start, place, state, gate):
    client, line, store = start()
    line.add(lambda _: gate.wait(PATIENCE), 0, keep=False)
    job = client.post(f"{PREFIX}/batch", json=wanted(place)).json()["job"]
    assert client.delete(f"{PREFIX}/jobs/{job}").status_code == 200
    line.drain()  # before its turn: as if the server were killed now
    gate.set()
    stop(line, store)
    client, line, store = start()
    assert store.list_unfinished() == []
    assert client.get(f"{PREFIX}/jobs/{job}").json()["state"] == "stopped"
    assert not (place / "new").exists()


def test_a_waiting_job_is_kept_when_the_server_stops(start, place, gate):
    client, line, store = start()
    line.add(lambda _: gate.wait(PATIENCE), 0, keep=False)
    job = client.post(f"{PREFIX}/batch", json=wanted(place)).json()["job"]
    line.drain()
    told = client.get(f"{PREFIX}/jobs/{job}").json()
    assert (told["state"], told["doing"]) == ("waiting", "continues as soon as the server runs again")
    gate.set()
    stop(line, store)
    client, *_ = start()
    assert ended(client, job)["state"] == "done"


def test_a_folder_that_is_not_allowed_any_more_is_told(start, place, state, tmp_path):
    job = leave(state, place)
    (tmp_path / "other").mkdir()
    client, *_ = start(folders=(tmp_path / "other",))
    told = client.get(f"{PREFIX}/jobs/{job}").json()
    assert (told["state"], told["result"]) == ("failed", None)
    assert "outside the folders that this server allows" in told["error"]


def test_a_request_of_another_version_is_told(start, place, state):
    job = leave(state, place, unknown=1)
    client, *_ = start()
    assert "unknown field 'unknown'" in client.get(f"{PREFIX}/jobs/{job}").json()["error"]


def test_the_file_holds_neither_images_nor_tokens_and_is_private(start, place, state):
    client, line, store = start()
    ended(client, client.post(f"{PREFIX}/batch", json=wanted(place)).json()["job"])
    stop(line, store)
    assert store.file.stat().st_mode & 0o777 == 0o600
    assert state.stat().st_mode & 0o777 == 0o700
    base = sqlite3.connect(store.file)
    columns = {row[1] for table in ("jobs", "images") for row in base.execute(f"PRAGMA table_info({table})")}
    base.close()
    assert columns == {"id", "created", "body", "state", "ended", "error", "job", "path", "place", "tries", "record"}
    assert b"IHDR" not in store.file.read_bytes()


@pytest.mark.parametrize(
    "content", [b"no database at all" * 99, b"SQLite format 3\0" + bytes(4080)], ids=["text", "zeros"]
)
def test_a_damaged_file_is_put_aside(state, content):
    state.mkdir()
    (state / job_store.FILE).write_bytes(content)
    store = JobStore(state)
    store.add("a", {})
    assert [job for job, _ in store.list_unfinished()] == ["a"]
    assert store.put_aside.read_bytes() == content
    store.close()


def test_a_file_whose_pages_are_damaged_is_put_aside(state):
    store = JobStore(state)
    for number in range(200):
        store.add(str(number), {"text": "a" * 500})
    store.close()
    content = bytearray(store.file.read_bytes())
    content[8192:20000] = b"\xa5" * (20000 - 8192)
    store.file.write_bytes(content)
    again = JobStore(state)
    assert again.put_aside
    assert again.list_unfinished() == []
    again.close()


def test_a_file_of_a_newer_version_is_left_alone(state):
    store = JobStore(state)
    store.close()
    base = sqlite3.connect(store.file)
    base.execute("PRAGMA user_version = 99")
    base.close()
    before = store.file.read_bytes()
    with pytest.raises(BadSetting, match="newer FaceFix"):
        JobStore(state)
    assert store.file.read_bytes() == before


def test_two_servers_do_not_share_a_file(state, monkeypatch):
    monkeypatch.setattr(job_store, "BUSY_SECONDS", 0.1)
    store = JobStore(state)
    with pytest.raises(InUse, match="in use by another"):
        JobStore(state)
    store.close()
    JobStore(state).close()


def test_old_jobs_are_deleted_and_unfinished_ones_never(state, monkeypatch):
    monkeypatch.setattr(job_store, "KEEP_JOBS", 2)
    store = JobStore(state)
    for name in "abcd":
        store.add(name, {})
    for name in "abc":
        store.end(name, "done", None, [{"path": f"/{name}.png"}])
    assert [store.describe(name) is not None for name in "abcd"] == [False, True, True, False]
    assert [job for job, _ in store.list_unfinished()] == ["d"]
    store.close()
    monkeypatch.setattr(job_store, "KEEP_SECONDS", -1)
    store = JobStore(state)
    assert [store.describe(name) for name in "bc"] == [None, None]
    assert [job for job, _ in store.list_unfinished()] == ["d"]
    store.close()


def test_names_that_are_no_text_are_kept(state):
    store = JobStore(state)
    store.add("a", {})
    path = "/old/\udcff.png"
    store.begin_image("a", path)
    store.end_image("a", {"path": path})
    assert json.dumps(store.read_images("a")[path].record) == json.dumps({"path": path})
    store.close()
