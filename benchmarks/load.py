"""What `facefix serve` does under load, against the same work in this process.

    python -m benchmarks.load [PHOTO] [--requests 100] [--clients 4] [--jobs 1] [--side 512] [--seconds 300]
        [--json FILE]

It starts a server of its own on the loopback, and sends it `POST fix` from several clients at once: so many requests,
or for so long, whichever comes first. It prints throughput, latencies, memory, and errors, and compares the throughput
with a plain loop over the same steps without HTTP: decode, plan, run, encode. --jobs is passed to `facefix serve`. Exit
code 1 if a request failed.
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image as Pillow

from lib_facefix import FaceFix
from lib_facefix.pictures import encode, read_picture
from lib_facefix.settings.face_settings import FaceSettings

from .photos import ONE_FACE, ROOT, photo

FIX = "/facefix/v1/fix"
MAX_REQUESTS, MAX_CLIENTS, MAX_SECONDS = 100_000, 100, 3600
"""Limits of the flags."""
TIMEOUT = 120.0
"""Longest time to wait for a response, seconds."""
SETTINGS = {"method": "restore"}


@dataclass(slots=True)
class Tally:
    """What the clients have seen so far."""

    left: int
    """Requests that are still to be sent."""
    until: float
    """Time when the last request may be sent, as `time.monotonic()`."""
    seconds: list[float] = field(default_factory=list)
    """Latencies of the successful requests."""
    statuses: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> int | None:
        """Return the number of the next request, None if there is none."""
        with self.lock:
            self.left -= 1
            return self.left if self.left >= 0 and time.monotonic() < self.until else None

    def note(self, status: str, seconds: float) -> None:
        """Note the outcome of a request."""
        with self.lock:
            self.statuses[status] += 1
            if status == "200":
                self.seconds.append(seconds)


def send(port: int, content: bytes, tally: Tally) -> None:
    """Send requests over one connection until there are no more.

    Bytes behind the end of the image make each one differ, as the server remembers the faces of an image.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    headers = {"Content-Type": "multipart/form-data; boundary=load", "Accept": "image/*"}
    while (number := tally.take()) is not None:
        body = make_form(content + number.to_bytes(8, "big"))
        began = time.perf_counter()
        try:
            connection.request("POST", FIX, body, headers)
            answer = connection.getresponse()
            answer.read()
            status = str(answer.status)
        except (OSError, http.client.HTTPException) as error:
            status = type(error).__name__
            connection.close()  # the next request opens it again
        tally.note(status, time.perf_counter() - began)
    connection.close()


def make_form(content: bytes) -> bytes:
    """Return a form with the image, and with the settings of the comparison."""
    settings = f'--load\r\nContent-Disposition: form-data; name="settings"\r\n\r\n{json.dumps(SETTINGS)}\r\n'
    head = '--load\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'
    return settings.encode() + head.encode() + content + b"\r\n--load--\r\n"


def measure_server(content: bytes, arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what a new server does with the requests."""
    command = [sys.executable, "-m", "lib_facefix.cli", "serve", "--port", "0", "--jobs", str(arguments.jobs)]
    with tempfile.TemporaryDirectory() as cache:
        variables = {**os.environ, "PYTHONPATH": str(ROOT), "FACEFIX_CACHE": cache, "PYTHONUNBUFFERED": "1"}
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=variables)
        assert server.stdout
        try:
            told = re.search(r":(\d+)/", server.stdout.readline())
            if told is None:
                raise SystemExit("the server did not start")
            port = int(told[1])
            send(port, content, Tally(1, time.monotonic() + TIMEOUT))  # models, and what a first call does
            memory = read_memory(server.pid, "VmRSS")
            tally = Tally(arguments.requests, time.monotonic() + arguments.seconds)
            clients = [threading.Thread(target=send, args=(port, content, tally)) for _ in range(arguments.clients)]
            began = time.perf_counter()
            for client in clients:
                client.start()
            for client in clients:
                client.join()
            took = time.perf_counter() - began
            peak = read_memory(server.pid, "VmHWM")
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)
    done = sorted(tally.seconds)
    return {
        "requests": sum(tally.statuses.values()),
        "errors": sum(tally.statuses.values()) - len(done),
        "statuses": dict(tally.statuses),
        "seconds": round(took, 2),
        "per_second": round(len(done) / took, 3),
        "p50_s": round(statistics.median(done), 3) if done else None,
        "p95_s": round(done[int(0.95 * (len(done) - 1))], 3) if done else None,
        "first_memory_mib": memory,
        "peak_memory_mib": peak,
    }


def measure_plain(content: bytes, arguments: argparse.Namespace, count: int) -> float:
    """Return how many images a second this process fixes, one after another and without HTTP."""
    engine, settings = FaceFix(), FaceSettings.from_json(SETTINGS)

    def fix() -> None:
        picture = read_picture(io.BytesIO(content))
        [result] = engine.run([picture.image], [engine.plan(picture.image, settings)])
        encode(picture, result.image, io.BytesIO())

    fix()
    began, done = time.perf_counter(), 0
    while done < count and time.perf_counter() - began < arguments.seconds:
        fix()
        done += 1
    return done / (time.perf_counter() - began)


def read_memory(process: int, name: str) -> int | None:
    """Return a figure of /proc/PID/status in MiB, or None where there is no such file."""
    status = Path(f"/proc/{process}/status")
    found = re.search(rf"{name}:\s+(\d+)", status.read_text()) if status.is_file() else None
    return int(found[1]) >> 10 if found else None


def read_arguments() -> argparse.Namespace:
    """Return the flags, within their limits."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load")
    parser.add_argument("photo", type=Path, nargs="?", default=ONE_FACE)
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--jobs", type=int, default=1, help="requests that the server works on at a time")
    parser.add_argument("--side", type=int, default=512, help="longer side of the photo, pixels")
    parser.add_argument("--seconds", type=float, default=300, help="longest time for the requests, and for the loop")
    parser.add_argument("--json", type=Path, help="file for the figures")
    arguments = parser.parse_args()
    for name, most in (("requests", MAX_REQUESTS), ("clients", MAX_CLIENTS), ("seconds", MAX_SECONDS)):
        if not 0 < getattr(arguments, name) <= most:
            parser.error(f"--{name} must be between 1 and {most}")
    return arguments


def main() -> int:
    """Print the figures. Return the exit code."""
    arguments = read_arguments()
    file = io.BytesIO()
    Pillow.fromarray(photo(arguments.photo, arguments.side)).save(file, "JPEG", quality=92)
    before = measure_plain(file.getvalue(), arguments, max(1, arguments.requests // 4))
    found = measure_server(file.getvalue(), arguments)
    after = measure_plain(file.getvalue(), arguments, max(1, arguments.requests // 4))
    plain = (before + after) / 2  # around the server's turn, as other work on the machine comes and goes
    found |= {"plain_per_second": round(plain, 3), "ratio": round(found["per_second"] / plain, 3)}
    sys.stdout.write("".join(f"{name:18} {value}\n" for name, value in found.items()))
    if arguments.json:
        arguments.json.write_text(
            json.dumps(
                {"clients": arguments.clients, "jobs": arguments.jobs, "side": arguments.side, **found}, indent=1
            )
        )
    return 1 if found["errors"] else 0


if __name__ == "__main__":
    sys.exit(main())
