"""Lanes: each needs one optional package, and runs the real thing. `make test-optional` gives each its environment."""

import os
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil

PHOTOS = Path(__file__).parents[1] / "data"
SECONDS = float(os.environ.get("FACEFIX_WATCHED_SECONDS", "3"))
"""How long a detector is used while it is watched; `make test-optional` takes 60."""
TABLES = ("tcp", "tcp6", "udp", "udp6")
_seen = []


def _hear(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.bind") and not str(args[-1]).startswith("/"):
        _seen.append((event, str(args)))


sys.addaudithook(_hear)


@pytest.fixture
def photo():
    def open_photo(name, side=640):
        with Pil.open(PHOTOS / f"{name}.jpg") as picture:
            small = picture.convert("RGB")
            small.thumbnail((side, side))
            return np.array(small)

    return open_photo


def inet_sockets():
    """The inet sockets that this very process holds, be they Python's or a library's."""
    own = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            own.add(str(entry.readlink()))
        except OSError:
            continue
    lines = [line.split() for table in TABLES for line in Path(f"/proc/self/net/{table}").read_text().splitlines()[1:]]
    return [line for line in lines if f"socket:[{line[9]}]" in own]


@pytest.fixture
def sockets_of():
    """Use a detector for a while; return every inet socket that was seen."""
    if not Path("/proc/self/net/tcp").exists():
        pytest.skip("this system does not tell which sockets are open")

    def watch(use):
        _seen.clear()
        found, done = [], threading.Event()

        def look():
            while not done.wait(0.02):
                found.extend(inet_sockets())

        watcher = threading.Thread(target=look)
        watcher.start()
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            use()
            time.sleep(0.2)  # what calls home does it in between
        done.set()
        watcher.join()
        return found + _seen

    return watch
