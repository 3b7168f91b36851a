"""The HTTP API in a WebUI: when it is there, whom it serves, and that it takes its turn. The host is made up."""

import base64
import sys
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from lib_facefix import FaceFix

fastapi = pytest.importorskip("fastapi", reason="needs fastapi, which every WebUI brings")
pytest.importorskip("httpx", reason="needs httpx, which fastapi's test client stands on")
from fastapi.testclient import TestClient  # noqa: E402 only where it is installed

from lib_facefix.webui import script  # noqa: E402 likewise

PHOTO = Path(__file__).parents[1] / "data" / "faceapi_sample4.jpg"
"""Four faces."""


@pytest.fixture
def webui(monkeypatch):
    """The host: its flags, and what it was taken for."""
    flags = SimpleNamespace(
        api=True, nowebui=False, api_auth=None, hide_ui_dir_config=False, facefix_allowed_folders=()
    )
    known, engine = SimpleNamespace(flags=flags, taken=[]), FaceFix()

    @contextmanager
    def host_taken():
        known.taken.append("begin")
        yield
        known.taken.append("end")

    rooms = {
        "modules": {},
        "modules.shared": {"cmd_opts": flags},
        "lib_facefix.webui.standalone": {"diffusing_engine": lambda watch=None: engine},
        "lib_facefix.webui.host.progress": {"HostProgress": object, "exclusive": host_taken},
    }
    for name, members in rooms.items():
        room = ModuleType(name)
        vars(room).update(members)
        monkeypatch.setitem(sys.modules, name, room)
    sys.modules["modules"].shared = sys.modules["modules.shared"]
    return known


def test_the_start_of_the_webui_does_not_wait_for_it(webui, monkeypatch):
    monkeypatch.delitem(sys.modules, "lib_facefix.webui.api", raising=False)
    app = fastapi.FastAPI()
    known = len(app.routes)
    script.mount_api(None, app)
    assert "lib_facefix.webui.api" not in sys.modules
    client = TestClient(app)
    assert client.get("/sdapi/v1/options").status_code == 404
    assert len(app.routes) == known + 1
    assert client.get("/facefix/v1/settings").status_code == 200
    assert client.get("/facefix/v1/nothing").status_code == 404
    added = len(app.routes) - known
    assert client.get("/facefix/v1/models").status_code == 200
    assert len(app.routes) - known == added > 5


def test_the_description_of_all_calls_has_it_from_the_first(serve):
    assert "/facefix/v1/fix" in serve().get("/openapi.json").json()["paths"]


def test_a_host_without_that_description_serves_it(webui):
    app = fastapi.FastAPI(openapi_url=None)
    script.mount_api(None, app)
    assert TestClient(app).get("/facefix/v1/settings").status_code == 200


@pytest.fixture
def serve(webui):
    """Start the host's app with these flags; returns a client."""

    def begin(**flags):
        vars(webui.flags).update(flags)
        app = fastapi.FastAPI()
        script.mount_api(None, app)
        return TestClient(app)

    return begin


def photo():
    return {"image": base64.b64encode(PHOTO.read_bytes()).decode()}


def test_it_is_there_with_the_hosts_own_api_and_stands_in_its_docs(serve):
    client = serve()
    assert client.get("/facefix/v1/settings").status_code == 200
    assert "/facefix/v1/fix" in client.get("/openapi.json").json()["paths"]


def test_it_is_there_where_the_host_has_nothing_but_its_api(serve):
    assert serve(api=False, nowebui=True).get("/facefix/v1/settings").status_code == 200


def test_without_the_hosts_api_there_is_none(serve):
    assert serve(api=False).get("/facefix/v1/settings").status_code == 404


@pytest.mark.parametrize(
    ("told", "status"),
    [
        pytest.param(None, 401, id="nobody"),
        pytest.param(("eve", "apple"), 401, id="a name that is not known"),
        pytest.param(("ann", "apple"), 401, id="somebody else's password"),
        pytest.param(("ann", ""), 401, id="no password"),
        pytest.param(("ann", "pear"), 200, id="one"),
        pytest.param(("bob", "apple"), 200, id="another"),
    ],
)
def test_a_client_names_itself_as_the_hosts_api_wants_it(serve, told, status):
    answer = serve(api_auth="ann:pear,bob:apple").get("/facefix/v1/settings", auth=told)
    assert answer.status_code == status
    if status == 401:
        assert answer.headers["www-authenticate"].startswith("Basic")


def test_a_name_that_is_not_known_has_no_blank_password(serve):
    assert serve(api_auth="ann:pear").get("/facefix/v1/settings", auth=("eve", "")).status_code == 401


def test_work_is_done_while_the_host_is_taken(serve, webui):
    answer = serve().post("/facefix/v1/detect", json=photo())
    assert len(answer.json()["faces"]) == 4
    assert webui.taken == ["begin", "end"]


def test_a_picture_is_fixed_as_on_the_command_line(serve, tmp_path):
    from lib_facefix.cli.__main__ import main

    answer = serve().post("/facefix/v1/fix", json={**photo(), "overrides": {"2": {"method": "leave"}}})
    assert main(["fix", str(PHOTO), "-o", str(tmp_path / "fixed.jpg"), "--face", "2:method=leave"]) == 0
    assert base64.b64decode(answer.json()["image"]) == (tmp_path / "fixed.jpg").read_bytes()


@pytest.mark.parametrize(("named", "hidden"), [(False, False), (True, True)], ids=["none named", "the host hides them"])
def test_server_folders_are_refused(serve, tmp_path, named, hidden):
    (tmp_path / "in").mkdir()
    client = serve(facefix_allowed_folders=[str(tmp_path)] if named else (), hide_ui_dir_config=hidden)
    body = {"folder": str(tmp_path / "in"), "output": str(tmp_path / "out")}
    assert client.post("/facefix/v1/batch", json=body).status_code == 403


def test_server_folders_that_were_named_are_worked_on(serve, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes(PHOTO.read_bytes())
    client = serve(facefix_allowed_folders=[str(tmp_path)])
    begun = client.post("/facefix/v1/batch", json={"folder": str(tmp_path / "in"), "output": str(tmp_path / "out")})
    assert begun.status_code == 202
    job, state = begun.json()["job"], "waiting"
    while state in ("waiting", "running"):
        state = client.get(f"/facefix/v1/jobs/{job}").json()["state"]
    assert state == "done"
    assert (tmp_path / "out" / "a.jpg").exists()
