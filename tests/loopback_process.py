"""A program that serves on this machine, in a process of its own: started, waited for, and always ended.

It ends with the process that started it, however that ends: a watcher reads from a pipe that the system closes then.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

NO_NETWORK = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "OMP_WAIT_POLICY": "PASSIVE",  # else threads that wait use up processor time
    "PYTHONUNBUFFERED": "1",
    "PYTHONDONTWRITEBYTECODE": "1",  # extensions and packs are links into the repository
    "no_proxy": "127.0.0.1,localhost",
    "NO_PROXY": "127.0.0.1,localhost",
}
NOT_OF_THE_TESTS = ("PYTHONPATH", "PYTHONHOME")
"""Variables of the tests that would give a program other packages than its own."""
WATCH = """
import contextlib, os, signal, sys
sys.stdin.read()
with contextlib.suppress(ProcessLookupError):
    os.killpg(int(sys.argv[1]), signal.SIGKILL)
"""
"""Waits for the end of the process that started it, then ends a group of processes."""


class LoopbackProcess:
    """A running program."""

    def __init__(self, command: Iterable[str], log: Path, folder: Path, more: Mapping[str, str] | None = None) -> None:
        """Start it in `folder`; what it says goes to the file `log`. more: variables of its environment."""
        self.log = log
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                [*command], cwd=folder, env={**clean_environment(), **(more or {})}, stdin=subprocess.DEVNULL,
                stdout=file, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self._watcher = subprocess.Popen(
            [sys.executable, "-S", "-c", WATCH, str(self.process.pid)], stdin=subprocess.PIPE, start_new_session=True
        )

    def wait_for(self, line: str, seconds: float) -> None:
        """Wait until its log has a line; raises RuntimeError, with the end of the log, if it ends or is late."""
        deadline = time.monotonic() + seconds
        while line not in self.said():
            if self.process.poll() is not None:
                raise RuntimeError(f"it ended with {self.process.returncode}:\n{self.said()[-4000:]}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"it was not ready within {seconds:.0f} s:\n{self.said()[-4000:]}")
            time.sleep(0.1)

    def said(self, since: int = 0) -> str:
        """Return the log from byte `since`."""
        return self.log.read_bytes()[since:].decode("utf-8", "replace")

    def stop(self) -> None:
        """End it, and whatever it has started."""
        self._watcher.kill()  # first, as another process may soon have the same number
        self._watcher.communicate()
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def clean_environment() -> dict[str, str]:
    """Return the variables of this process, without those that are only for the tests, and without a network."""
    own = {name: value for name, value in os.environ.items() if name not in NOT_OF_THE_TESTS}
    return {**own, **NO_NETWORK}


def free_port() -> int:
    """Return a port of this machine that no program uses."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
