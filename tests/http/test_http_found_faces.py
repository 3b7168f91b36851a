"""The faces of an image are searched for once."""

import io
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from sending import packed, sent

from lib_facefix import FaceFix
from lib_facefix.server import found_faces, handlers
from lib_facefix.server.app import StandaloneHost, app
from lib_facefix.server.found_faces import Found, FoundFaces
from lib_facefix.server.job_queue import JobQueue
from lib_facefix.server.routes import PREFIX


@pytest.fixture
def searched(monkeypatch):
    """The settings of every search for faces."""
    seen, detect = [], FaceFix._detect
    monkeypatch.setattr(
        FaceFix, "_detect", lambda self, array, own, *of: seen.append(own) or detect(self, array, own, *of)
    )
    return seen


@pytest.fixture
def decoded(monkeypatch):
    """The size of every image that was decoded, in bytes."""
    seen, read = [], handlers.read_picture
    monkeypatch.setattr(
        handlers, "read_picture", lambda file, **how: seen.append(len(file.getvalue())) or read(file, **how)
    )
    return seen


def ask(client, call, photo, **values):
    answer = client.post(f"{PREFIX}/{call}", json=sent(photo, **values))
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("call", ["plan", "detect", "fix"])
def test_an_image_of_unknown_faces_is_hashed_once(serve, photo, monkeypatch, call):
    made, make_key = [], handlers._make_key
    monkeypatch.setattr(handlers, "_make_key", lambda *of: made.append(of) or make_key(*of))
    client = serve()
    ask(client, call, photo)
    assert len(made) == 1
    ask(client, call, photo)
    assert (len(made), made[0][0].image) == (2, made[1][0].image)


CHANGED = {"settings": {"fidelity": 0.9, "min_size": 500}, "overrides": {"1": {"visibility": 0.5}}}


def test_a_changed_setting_neither_searches_nor_decodes(serve, photo, searched, decoded):
    client = serve()
    first = ask(client, "plan", photo)
    again = ask(client, "plan", photo, **CHANGED)
    assert (len(searched), len(decoded)) == (1, 1)
    assert again == ask(serve(), "plan", photo, **CHANGED)
    assert [face["box"] for face in again["faces"]] == [face["box"] for face in first["faces"]]
    assert again["faces"][0]["parameters"]["visibility"] == 0.5


def test_detect_and_fix_use_the_faces_of_a_plan(serve, photo, searched):
    client, settings = serve(), {"method": "restore", "fidelity": 0.2}
    ask(client, "plan", photo)
    found, fixed = ask(client, "detect", photo), ask(client, "fix", photo, settings=settings)
    assert len(searched) == 1
    alone = serve()
    assert found == ask(alone, "detect", photo)
    assert fixed["image"] == ask(serve(), "fix", photo, settings=settings)["image"]


@pytest.mark.parametrize("settings", [{"min_score": 0.6}, {"detector": "blazeface"}, {"angles": "off"}])
def test_other_detection_settings_search_again(serve, photo, searched, settings):
    client = serve()
    ask(client, "plan", photo)
    ask(client, "plan", photo, settings=settings)
    assert len(searched) == 2


def test_another_image_or_a_damaged_one_is_searched_again(serve, photo, searched):
    client = serve()
    ask(client, "plan", photo)
    ask(client, "plan", photo + b"\0")
    ask(client, "plan", photo, salvage=True)
    assert len(searched) == 3


def test_a_changed_model_file_is_another_model(serve, photo, searched, monkeypatch):
    client, store = serve(), type(FaceFix().models)
    ask(client, "plan", photo)
    monkeypatch.setattr(store, "identify", lambda self, registry, name: (name, "changed"))
    ask(client, "plan", photo)
    assert len(searched) == 2


def test_the_parameters_in_an_image_are_kept_with_its_faces(serve, photo, searched):
    info = PngInfo()
    info.add_text("parameters", "an old man\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 3, Size: 256x256")
    with Image.open(io.BytesIO(photo)) as picture:
        picture = packed(picture, "PNG", pnginfo=info)
    client, own = serve(), {"settings": {"prompt": "[PROMPT], smiling", "method": "re-diffuse"}}
    ask(client, "plan", picture)
    assert ask(client, "plan", picture, **own) == ask(serve(), "plan", picture, **own)
    assert len(searched) == 2


def make_found(plan, faces):
    return Found(type(plan)(plan.size, plan.jobs[:1] * faces), None)


@pytest.fixture(scope="module")
def plan(engine):
    with Image.open(Path(__file__).parents[1] / "data" / "astronaut.jpg") as picture:
        return engine.plan(picture.resize((256, 256)))


def test_the_store_is_bounded_by_images_faces_and_time(plan, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(found_faces, "monotonic", lambda: now[0])
    store = FoundFaces()
    for key in range(40):
        store.add(key, make_found(plan, 1))
    assert (len(store), store.get(7), store.get(8) is None) == (32, None, False)
    store.add("many", make_found(plan, 3990))
    assert (len(store), store.get(29), store.get(30) is None) == (11, None, False)
    store.add("too many", make_found(plan, 4001))
    assert store.get("too many") is None
    now[0] = 600.0
    assert (store.get("many"), len(store)) == (None, 0)
    store.close()


def test_faces_are_forgotten_in_time_without_any_request(plan, monkeypatch):
    monkeypatch.setattr(found_faces, "SECONDS", 0.2)
    store = FoundFaces()
    store.add(1, make_found(plan, 1))
    assert len(store) == 1
    store._timer.join(30)
    assert len(store) == 0


def test_faces_are_forgotten_once_the_queue_is_closed(photo, engine, monkeypatch):
    made, line = [], JobQueue(4, 1 << 26)
    monkeypatch.setattr(handlers, "FoundFaces", lambda: made.append(FoundFaces()) or made[-1])
    client = TestClient(app(StandaloneHost(engine), line=line), base_url="http://localhost")
    ask(client, "plan", photo)
    assert len(made[0]) == 1
    timer = made[0]._timer
    line.close()
    assert (len(made[0]), made[0]._timer, timer.finished.is_set()) == (0, None, True)
    made[0].add("late", Found(engine.plan(np.zeros((64, 64, 3), np.uint8)), None))
    assert len(made[0]) == 0
    client.close()
