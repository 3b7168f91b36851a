"""The API in this process, on the built-in models, and what is sent to it."""

import threading
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from sending import packed

from lib_facefix import FaceFix
from lib_facefix.server.app import StandaloneHost, app
from lib_facefix.server.handlers import Limits

DATA = Path(__file__).parents[1] / "data"
ADDRESS = "http://localhost"


@pytest.fixture(scope="session")
def photo():
    """A small JPEG of one face."""
    with Image.open(DATA / "astronaut.jpg") as picture:
        return packed(picture.convert("RGB").resize((256, 256)), "JPEG", quality=90)


@pytest.fixture(scope="session")
def engine():
    return FaceFix()


@pytest.fixture
def serve(engine):
    """Return a client of an app with these limits, folders and token."""
    clients = []

    def make(*, token="", folders=(), bound="127.0.0.1", **limits):
        made = app(StandaloneHost(engine, tuple(folders), Limits(**limits)), token, bound)
        client = TestClient(made, base_url=ADDRESS)
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(serve):
    return serve()


@pytest.fixture
def gate():
    """Holds work back until it is opened."""
    gate = threading.Event()
    yield gate
    gate.set()
