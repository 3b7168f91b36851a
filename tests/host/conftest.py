"""A real WebUI for the tests of this folder: started once, shown in full where a test fails, always ended."""

import os
from pathlib import Path

import pytest
from driving import Host
from server import WebUI

REPOSITORY = Path(__file__).parents[2]
EXTENSIONS = {path.name: path for path in Path(__file__).with_name("extensions").iterdir()}


@pytest.fixture(scope="session")
def start(tmp_path_factory):
    """Start a WebUI with FaceFix, the extensions of the tests, and more: `start(name=folder, flags=())`."""
    if not os.environ.get("FACEFIX_WEBUI_ROOT"):
        pytest.skip("needs a WebUI: set FACEFIX_WEBUI_ROOT to its folder")
    running = []

    def begin(flags=(), **more):
        folder = tmp_path_factory.mktemp("webui")
        running.append(WebUI(folder, {"facefix": REPOSITORY, **EXTENSIONS, **more}, flags))
        return running[-1]

    yield begin
    for webui in running:
        webui.stop()


@pytest.fixture(scope="session")
def webui(start):
    """The WebUI that most tests share."""
    return start()


@pytest.fixture
def host(webui):
    """Drive the shared WebUI, with a clean slate."""
    host = Host(webui)
    yield host
    host.forget()


@pytest.fixture(autouse=True)
def log_of_this_test(request):
    """Note where the log stands, so that a failing test can show what was said meanwhile."""
    webui = next((request.getfixturevalue(name) for name in ("webui", "crowded") if name in request.fixturenames), None)
    request.node.said = (webui, len(webui.log.read_bytes())) if webui else None


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed and getattr(item, "said", None):
        webui, since = item.said
        report.sections.append(("what the WebUI said", webui.said(since)[-8000:]))
