"""A real browser, and for most tests a real WebUI; a test that fails on it leaves a picture in build/browser.

FACEFIX_CHROMIUM      the browser; else /usr/bin/chromium
FACEFIX_WEBUI_ROOT    the WebUI's folder, for the tests of its page; what else of it may be said stands in
                      tests/host/server.py
"""

import os
import re
import sys
from pathlib import Path

import pytest

HERE, HOST = Path(__file__).parent, Path(__file__).parents[1] / "host"
sys.path[:0] = [str(HOST)]

from server import WebUI  # noqa: E402 found by the line above

REPOSITORY = Path(__file__).parents[2]
EXTENSIONS = {path.name: path for home in (HOST, HERE) for path in (home / "extensions").iterdir()}
CHROMIUM = os.environ.get("FACEFIX_CHROMIUM", "/usr/bin/chromium")
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
WIDE = {"width": 1400, "height": 1000}
NOT_OURS = re.compile("Failed to load resource: net::ERR_|Wake Lock")
"""What the browser complains of at once: there is no network, and no screen that could stay on."""


@pytest.fixture(scope="session")
def root():
    """Return the WebUI's folder."""
    if not os.environ.get("FACEFIX_WEBUI_ROOT"):
        pytest.skip("needs a WebUI: set FACEFIX_WEBUI_ROOT to its folder")
    return Path(os.environ["FACEFIX_WEBUI_ROOT"])


@pytest.fixture(scope="session")
def browser():
    api = pytest.importorskip("playwright.sync_api", reason="needs the Python package playwright")
    if not Path(CHROMIUM).is_file():
        pytest.skip(f"needs Chromium: {CHROMIUM} is not there, set FACEFIX_CHROMIUM to it")
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS])
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def webui(root, browser, tmp_path_factory):
    """Start a WebUI; where its data lie elsewhere, it must be told that its page may be read from its own folder."""
    flags = ("--gradio-allowed-path", str(root))
    running = WebUI(tmp_path_factory.mktemp("webui"), {"facefix": REPOSITORY, **EXTENSIONS}, flags)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def album(root, own_album):
    """Return the folder where pictures of the WebUI's page are kept: build/browser/<host>."""
    folder = own_album / root.resolve().name
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def own_album():
    """Return the folder where pictures of pages of our own are kept."""
    folder = REPOSITORY / "build" / "browser"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def server(browser, tmp_path_factory):
    """Start `facefix serve`."""
    for package in ("fastapi", "uvicorn"):
        pytest.importorskip(package, reason="needs what `facefix serve` needs: pip install '.[serve]'")
    from serving import Server  # wants playwright, which `browser` has seen to be there

    running = Server(tmp_path_factory.mktemp("serve"))
    yield running
    running.stop()


@pytest.fixture
def visit(browser, server, own_album):
    """Open the page; in the end see that nothing was complained of, and nothing asked of any other server."""
    from serving import Visitor  # wants playwright, which `browser` has seen to be there

    album = own_album / "serve"
    album.mkdir(exist_ok=True)
    contexts, visitors = [], []

    def make(of=server, viewport=WIDE, **how):
        contexts.append(browser.new_context(viewport=viewport, **how))
        visitors.append(Visitor(contexts[-1].new_page(), of, album))
        return visitors[-1].open()

    yield make
    for context in contexts:
        context.close()
    assert [visitor.complaints for visitor in visitors] == [[] for _ in visitors]
    assert [visitor.elsewhere for visitor in visitors] == [[] for _ in visitors]


@pytest.fixture(scope="session")
def pages(browser, webui, album):
    """Open pages: one serves all tests, until a test fails on it."""
    from desk import Desk  # wants playwright, which `browser` has seen to be there

    pages = Pages(lambda page: Desk(page, webui, album), browser)
    yield pages
    pages.drop()
