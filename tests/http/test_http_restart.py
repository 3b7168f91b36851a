"""A server that is stopped or killed in the middle of its work, and starts again."""

import json
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image
from sending import sent
from serving_process import Served

from lib_facefix.cli.__main__ import main
from lib_facefix.server.routes import PREFIX

PATIENCE = 300
"""Seconds that a server may take on a machine that has other work."""
STOPS = 4 + 10
"""Seconds within which a server ends, as documented; twice as long on such a machine."""
COUNT = 9
SETTINGS = {"method": "restore", "detector": "blazeface"}
SLOW = {"method": "restore", "detector": " + ".join(["blazeface"] * 12), "angles": "all"}


@pytest.fixture
def place(tmp_path, photo):
    """A folder with photos of one face."""
    for number in range(COUNT):
        path = tmp_path / "old" / f"sub{number % 2}" / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photo)
    return tmp_path


def serve(place, *flags):
    return Served("--folder", str(place), "--state", str(place / "state"), *flags, FACEFIX_CACHE=str(place / "cache"))


def begin(running, output="new", **more):
    body = {"folder": "old", "output": output, "settings": SETTINGS, **more}
    status, _, answer = running.ask("POST", f"{PREFIX}/batch", body)
    assert status == 202, answer
    return json.loads(answer)["job"]


def state_of(running, job):
    status, _, answer = running.ask("GET", f"{PREFIX}/jobs/{job}")
    assert status == 200, answer
    return json.loads(answer)


def watch(running, job, until):
    """Return the first state of a job that `until` accepts."""
    latest = time.monotonic() + PATIENCE
    while time.monotonic() < latest:
        state = state_of(running, job)
        if until(state):
            return state
        time.sleep(0.02)
    raise AssertionError(state)


def results(place):
    """Return when each result was written; each of them must be whole."""
    found = {}
    for path in (place / "new").rglob("*.jpg"):
        if not path.name.startswith("."):
            with Image.open(path) as picture:
                picture.load()  # raises for half a file
            found[path.relative_to(place / "new")] = path.stat().st_mtime_ns
    return found


def test_a_folder_job_outlives_sigterm_and_kill(place):
    running = serve(place)
    job = begin(running)
    watch(running, job, lambda state: state["done"] >= 2)
    seconds, said = running.stop(signal.SIGTERM)
    assert (running.process.returncode, said) == (0, "")
    assert seconds < 2 * STOPS
    first = results(place)
    assert 2 <= len(first) < COUNT

    running = serve(place)
    state = watch(running, job, lambda state: state["done"] >= len(first) + 2)
    assert state["state"] == "running"
    running.process.kill()
    running.process.communicate()
    second = results(place)
    assert len(second) < COUNT
    assert first.items() <= second.items()  # what was done before a signal is not done again

    running = serve(place)
    ended = watch(running, job, lambda state: state["state"] not in ("waiting", "running"))
    last = results(place)
    running.stop()
    assert (ended["state"], ended["done"]) == ("done", COUNT)
    assert [one["error"] for one in ended["result"]["pictures"]] == [None] * COUNT
    assert all(face["outcome"] == "fixed" for one in ended["result"]["pictures"] for face in one["faces"])
    assert len(last) == COUNT
    assert second.items() <= last.items()  # whenever it was killed: the journal knows what is there
    assert len({(place / "new" / name).read_bytes() for name in last}) == 1


def test_a_finished_folder_job_outlives_kill(place):
    running = serve(place)
    job = begin(running)
    before = watch(running, job, lambda state: state["state"] == "done")
    running.process.kill()
    running.process.communicate()
    written = results(place)
    running = serve(place)
    assert state_of(running, job)["result"] == before["result"]
    running.stop()
    assert results(place) == written


def test_a_server_that_drains_finishes_its_call_and_says_that_it_takes_no_more(place, photo):
    running = serve(place, "--drain", "200")
    while running.ask("GET", "/healthz")[0] != 200:
        time.sleep(0.05)
    with ThreadPoolExecutor(2) as pool:
        call = pool.submit(running.ask, "POST", f"{PREFIX}/fix", sent(photo, settings=SLOW))
        folder = None
        while b'facefix_jobs{state="running"} 1' not in running.ask("GET", "/metrics")[2]:
            time.sleep(0.01)
        folder = begin(running)
        running.process.send_signal(signal.SIGTERM)
        while (health := running.ask("GET", "/healthz"))[0] == 200:
            time.sleep(0.01)
        assert json.loads(health[2])["problems"] == ["the server is stopping"]
        assert running.ask("GET", "/healthz/live")[0] == 200
        status, head, _ = running.ask("POST", f"{PREFIX}/detect", sent(photo))
        assert (status, head["Retry-After"]) == (503, "5")
        assert state_of(running, folder)["state"] == "waiting"
        assert call.result()[0] == 200
    assert running.process.wait(30) == 0
    running.process.communicate()
    running = serve(place)
    assert watch(running, folder, lambda state: state["state"] == "done")["done"] == COUNT
    running.stop()


def test_a_second_server_keeps_its_jobs_for_itself(place, capsys):
    first = Served("--folder", str(place), FACEFIX_CACHE=str(place / "cache"))
    second = Served("--folder", str(place), FACEFIX_CACHE=str(place / "cache"))
    assert second.ask("GET", "/healthz/live")[0] == 200
    _, said = second.stop()
    assert "jobs.sqlite3 is in use by another `facefix serve`" in said
    assert "folder jobs of this server end with it" in said
    assert first.stop()[1] == ""
    explicit = ["--state", str(place / "cache" / "serve")]
    keeper = Served("--folder", str(place), *explicit)
    assert main(["serve", "--port", "0", "--folder", str(place), *explicit]) == 2
    assert "Choose another --state" in capsys.readouterr().err
    keeper.stop()


def test_no_file_is_written_without_a_folder(tmp_path, photo):
    running = Served(FACEFIX_CACHE=str(tmp_path / "cache"))
    assert running.ask("POST", f"{PREFIX}/fix", sent(photo, settings=SETTINGS))[0] == 200
    running.stop()
    assert not (tmp_path / "cache" / "serve").exists()
