"""What `facefix serve` does if it is killed in the middle of folder jobs, again and again.

    python -m benchmarks.serve_kills [--images 300] [--kills 20] [--seed 19] [--in FOLDER]

It starts a server of its own on the loopback, sends it `POST batch`, and ends it at random moments: three times out of
four with SIGKILL, otherwise with SIGTERM; also while it starts. Each time it starts the server again, with the same
--state. When a job is done, it sends the next one, with other results.

After each kill, every result must have the bytes that one undisturbed run writes, no result may have been written a
second time, and the list of jobs must be an undamaged database. In the end, every job must be done, with every image in
its report, and no temporary file may be left. An image that the server was working on at three kills is left out; the
same job, sent again, must do it. Exit code 1 if any of this fails.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image as Pillow

from .photos import ONE_FACE, ROOT
from .report import say

SETTINGS = {"detector": "blazeface", "angles": "off", "method": "restore"}
"""Settings with which an image without a face takes some milliseconds."""
API = "/facefix/v1"
PATIENCE = 120.0
"""Longest time to wait for anything, seconds."""
EVERY = 10
"""One image of so many has a face."""
SIGTERM_SHARE = 0.25
LEFT_OUT = "was left out, as the server ended"
"""Part of the error of an image during which the server was killed three times, as it may be the reason."""


_STARTED: list[subprocess.Popen[str]] = []


class Failed(Exception):
    """Raised if the server has lost or damaged something."""


@dataclass(slots=True)
class Server:
    """A server that can be killed."""

    folder: Path
    process: subprocess.Popen[str] = field(init=False)
    port: int = 0

    def __post_init__(self) -> None:
        state = str(self.folder / "state")
        command = [sys.executable, "-m", "lib_facefix.cli", "serve", "--port", "0", "--state", state]
        variables = {"PYTHONPATH": str(ROOT), "FACEFIX_CACHE": str(self.folder / "cache"), "PYTHONUNBUFFERED": "1"}
        environ = {**os.environ, "OMP_NUM_THREADS": "1", "OPENCV_FOR_THREADS_NUM": "1", **variables}
        self.process = subprocess.Popen(
            [*command, "--folder", str(self.folder)], env=environ, stdout=subprocess.PIPE, text=True
        )
        _STARTED.append(self.process)

    def wait_for_start(self) -> None:
        """Wait until the server listens."""
        assert self.process.stdout
        told = re.search(r":(\d+)/", self.process.stdout.readline())
        if told is None:
            raise Failed("the server did not start")
        self.port = int(told[1])

    def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Return the response to a call. Raises `Failed` if it is an error."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, API + path, json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            said = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status >= 300:
            raise Failed(f"{method} {path}: {answer.status} {said}")
        return dict(said)

    def end(self, by: signal.Signals) -> float:
        """End the server with a signal; return the seconds that it took."""
        began = time.monotonic()
        self.process.send_signal(by)
        self.process.communicate(timeout=PATIENCE)
        return time.monotonic() - began


@dataclass(slots=True)
class Trial:
    """Folder jobs, what they must write, and what they have written so far."""

    folder: Path
    expected: dict[str, bytes]
    """Content of each result, by its path below its folder."""
    jobs: dict[str, str] = field(default_factory=dict)
    """Folder of the results of each job, by the job's id."""
    seen: dict[Path, tuple[int, int]] = field(default_factory=dict)
    """Time and inode of each result when it was first seen."""
    most_seconds: float = 0.0
    """Longest time from SIGTERM to the end of the server."""

    def begin(self, server: Server) -> str:
        """Send one more job; return its id."""
        output = f"new{len(self.jobs)}"
        job = str(server.ask("POST", "/batch", {"folder": "old", "output": output, "settings": SETTINGS})["job"])
        self.jobs[job] = output
        return job

    def check(self) -> int:
        """Return the number of results so far; raises `Failed` if one is wrong, or was written twice."""
        for output in self.jobs.values():
            for path in (self.folder / output).rglob("*.*"):
                below = path.relative_to(self.folder / output)
                if below.parts[0] == ".facefix" or path.name.endswith(".part"):
                    continue
                if path.read_bytes() != self.expected.get(below.as_posix()):
                    raise Failed(f"{output}/{below} is not what an undisturbed run writes")
                state = path.stat()
                now = state.st_mtime_ns, state.st_ino
                if self.seen.setdefault(path, now) != now:
                    raise Failed(f"{output}/{below} was written twice")
        return len(self.seen)

    def check_store(self) -> None:
        """Raise `Failed` if the list of jobs is damaged. A copy is opened, which the next server does not see."""
        copy = self.folder / "copy"
        shutil.copytree(self.folder / "state", copy)
        try:
            if damaged := list(copy.glob("*.damaged*")):
                raise Failed(f"the list of jobs was put aside as {damaged[0].name}")
            base = sqlite3.connect(copy / "jobs.sqlite3")
            [found] = base.execute("PRAGMA integrity_check").fetchone()
            base.close()
            if found != "ok":
                raise Failed(f"the list of jobs is damaged: {found}")
        finally:
            shutil.rmtree(copy)

    def check_end(self, server: Server) -> None:
        """Raise `Failed` unless all jobs are done and all results are there, and nothing else."""
        for job, output in self.jobs.items():
            state = wait_for(server, job)
            if LEFT_OUT in json.dumps(state):  # the journal knows the others
                again = {"folder": "old", "output": output, "settings": SETTINGS}
                state = wait_for(server, str(server.ask("POST", "/batch", again)["job"]))
            pictures = state["result"]["pictures"] if state["result"] else []
            errors = [one["error"] for one in pictures if one["error"]]
            if state["state"] != "done" or len(pictures) != len(self.expected) or errors:
                raise Failed(f"job {job}: {state['state']}, {len(pictures)} images, {state['error'] or errors[:3]}")
            if left := [path.name for path in (self.folder / output).rglob(".*.part")]:
                raise Failed(f"temporary files are left in {output}: {left[:3]}")
        if self.check() != len(self.jobs) * len(self.expected):
            raise Failed(f"there are {len(self.seen)} results of {len(self.jobs)} x {len(self.expected)}")


def wait_for(server: Server, job: str) -> dict[str, Any]:
    """Return the state of a job at its end; raises `Failed` if it makes no progress for long."""
    done, until = -1, 0.0
    while done != (state := server.ask("GET", f"/jobs/{job}"))["done"] or time.monotonic() < until:
        if state["state"] not in ("waiting", "running"):
            return state
        if done != state["done"]:
            done, until = state["done"], time.monotonic() + PATIENCE
        time.sleep(0.05)
    raise Failed(f"job {job} does not end: {state}")


def measure_kills(folder: Path, images: int, kills: int, seed: int) -> Trial:
    """Kill a server so many times, and check what it has done; raises `Failed`."""
    rng, trial = random.Random(seed), Trial(folder, make_album(folder, images))
    server = Server(folder)
    try:
        server = kill_often(server, trial, kills, rng)
        trial.check_end(server)
        server.end(signal.SIGTERM)
        trial.check_store()
    finally:
        for process in _STARTED:
            process.kill()
            process.wait()
    return trial


def kill_often(server: Server, trial: Trial, kills: int, rng: random.Random) -> Server:
    """Kill the server so many times, and check what it has done. Return the last one, which runs."""
    server.wait_for_start()
    job = trial.begin(server)
    for _ in range(kills):
        time.sleep(rng.expovariate(1.0))
        by = signal.SIGTERM if rng.random() < SIGTERM_SHARE else signal.SIGKILL
        seconds = server.end(by)
        if by == signal.SIGTERM:
            trial.most_seconds = max(trial.most_seconds, seconds)
        trial.check()
        trial.check_store()
        server = Server(trial.folder)
        if rng.random() < 0.2:  # while it starts
            time.sleep(rng.uniform(0, 2))
            server.end(signal.SIGKILL)
            trial.check()
            trial.check_store()
            server = Server(trial.folder)
        server.wait_for_start()
        if server.ask("GET", f"/jobs/{job}")["state"] == "done":
            job = trial.begin(server)
    return server


def make_album(folder: Path, count: int) -> dict[str, bytes]:
    """Make small images in the folder `old`; return what an undisturbed run makes of each."""
    with Pillow.open(ONE_FACE) as opened:
        face = opened.convert("RGB").resize((96, 90))
    for number in range(count):
        path = folder / "old" / f"sub{number % 3}" / f"{number:04}.{'jpg' if number % EVERY == 7 else 'png'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        plain = Pillow.fromarray(np.full((16, 16, 3), (number % 256, number // 256, 90), np.uint8))
        (face if path.suffix == ".jpg" else plain).save(path)
    flags = [flag for name, value in SETTINGS.items() for flag in (f"--{name}", value)]
    command = [
        sys.executable,
        "-m",
        "lib_facefix",
        "fix",
        str(folder / "old"),
        "-o",
        str(folder / "plain"),
        "-q",
        *flags,
    ]
    environ = {**os.environ, "OMP_NUM_THREADS": "1", "OPENCV_FOR_THREADS_NUM": "1"}
    subprocess.run(command, cwd=ROOT, env={**environ, "FACEFIX_CACHE": str(folder / "cache")}, check=True)
    plain_run = folder / "plain"
    return {path.relative_to(plain_run).as_posix(): path.read_bytes() for path in plain_run.rglob("[0-9]*.*")}


def main() -> int:
    """Print the figures. Return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serve_kills")
    parser.add_argument("--images", type=int, default=300, help="images of each job")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=19)
    parser.add_argument("--in", dest="folder", type=Path, help="folder for the files; default: a temporary one")
    options = parser.parse_args()
    began = time.monotonic()
    with TemporaryDirectory(dir=options.folder) as name:
        try:
            trial = measure_kills(Path(name).resolve(), options.images, options.kills, options.seed)
        except Failed as error:
            say(f"failed: {error}")
            return 1
    say(f"{options.kills} kills in {time.monotonic() - began:.0f} s; {len(trial.jobs)} jobs of {options.images} images")
    say(f"all {len(trial.seen)} results have the same bytes as an undisturbed run, and none was written twice")
    say(f"SIGTERM: ended after {trial.most_seconds:.1f} s at most")
    return 0


if __name__ == "__main__":
    sys.exit(main())
