"""Who hangs up is not worked for any longer."""

import socket
import threading
import time
from contextlib import contextmanager

import pytest
import uvicorn
from sending import coded

from lib_facefix import FaceFix
from lib_facefix.errors import Stopped
from lib_facefix.server.app import app
from lib_facefix.server.handlers import Limits
from lib_facefix.server.routes import PREFIX

PATIENCE = 30


class Slow:
    """A host whose work lasts until somebody wants it to end."""

    folders, limits = (), Limits()

    def __init__(self):
        self.begun, self.noticed = threading.Event(), threading.Event()
        self.engine = FaceFix()

    def engine_for_queries(self):
        return self.engine

    @contextmanager
    def working(self, origin, progress):
        self.begun.set()
        until = time.monotonic() + PATIENCE
        while not progress.should_stop():
            assert time.monotonic() < until, "nobody wanted it to end"
            time.sleep(0.01)
        self.noticed.set()
        raise Stopped("stopped")
        yield


@pytest.fixture
def listening():
    """Return a host, and the port that a server listens at for it."""
    host = Slow()
    with socket.create_server(("127.0.0.1", 0)) as door:
        server = uvicorn.Server(uvicorn.Config(app(host), log_level="error"))
        thread = threading.Thread(target=server.run, args=([door],))
        thread.start()
        yield host, door.getsockname()[1]
        server.should_exit = True
        thread.join(PATIENCE)


def test_work_is_stopped_when_who_asked_hangs_up(listening, photo):
    host, port = listening
    body = f'{{"image": "{coded(photo)}"}}'
    head = f"POST {PREFIX}/detect HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", port)) as asking:
        asking.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        assert host.begun.wait(PATIENCE)
        assert not host.noticed.is_set()
    assert host.noticed.wait(PATIENCE)
