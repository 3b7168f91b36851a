"""Programs that tests start end with the tests, however those end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from loopback_process import LoopbackProcess, clean_environment

TESTS = Path(__file__).parents[1]
SERVER = "import os, time; print('ready', os.getpid(), flush=True); time.sleep(600)"
PARENT = """
import sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
from loopback_process import LoopbackProcess
LoopbackProcess([sys.executable, "-c", {server!r}], Path({log!r}), Path({folder!r})).wait_for("ready", 60)
print("started", flush=True)
time.sleep(600)
"""


def is_running(number):
    """Return whether a process runs; one that has ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="needs /proc to see processes")


@needs_proc
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["ended", "killed"])
def test_a_program_ends_with_the_process_that_started_it(tmp_path, how):
    log = tmp_path / "log"
    code = PARENT.format(tests=str(TESTS), server=SERVER, log=str(log), folder=str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout.readline() == "started\n"
        number = int(log.read_text().split()[1])
        assert is_running(number)
        os.kill(parent.pid, how)
        parent.wait()
    deadline = time.monotonic() + 30
    while is_running(number) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(number)


@needs_proc
def test_a_program_and_what_it_has_started_end_when_it_is_stopped(tmp_path):
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SERVER!r}])"
    running = LoopbackProcess([sys.executable, "-c", code], tmp_path / "log", tmp_path)
    running.wait_for("ready", 60)
    number = int(running.said().split()[1])
    running.stop()
    running.stop()  # a second time does no harm
    deadline = time.monotonic() + 30
    while is_running(number) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(number)


def test_a_program_that_ends_or_is_late_shows_its_log(tmp_path):
    ended = LoopbackProcess([sys.executable, "-c", "print('no room'); raise SystemExit(3)"], tmp_path / "1", tmp_path)
    with pytest.raises(RuntimeError, match=r"it ended with 3:\nno room"):
        ended.wait_for("ready", 60)
    ended.stop()
    late = LoopbackProcess([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path / "2", tmp_path)
    with pytest.raises(RuntimeError, match="not ready within 0 s"):
        late.wait_for("ready", 0)
    late.stop()


def test_a_program_finds_its_own_packages_and_no_network(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    assert "PYTHONPATH" not in clean_environment()
    assert clean_environment()["HF_HUB_OFFLINE"] == "1"
