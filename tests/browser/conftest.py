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

REFUSED = re.compile(r"^ *Traceback \(most recent call last\):\n(?: .*\n)*? *\S*compat\.Refused: .*\n", re.MULTILINE)
"""What some hosts print of a run that is refused in words."""


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


@pytest.fixture(scope="session")
def pages(browser, webui, album):
    """Open pages: one serves all tests, until a test fails on it."""
    from desk import Desk  # wants playwright, which `browser` has seen to be there

    pages = Pages(lambda page: Desk(page, webui, album), browser)
    yield pages
    pages.drop()


@pytest.fixture(scope="session")
def server(browser, tmp_path_factory):
    """Start `facefix serve`."""
    from serving import Server

    for package in ("fastapi", "uvicorn"):
        pytest.importorskip(package, reason="needs what `facefix serve` needs: pip install '.[serve]'")
    running = Server(tmp_path_factory.mktemp("serve"))
    yield running
    running.stop()


@pytest.fixture
def visit(browser, server, own_album):
    """Open the page; in the end see that nothing was complained of, and nothing asked of any other server."""
    from serving import Visitor

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


class Pages:
    """The page in the browser, and what it complains of."""

    def __init__(self, desk_on, browser):
        self._desk_on, self._browser = desk_on, browser
        self._desk = self._context = None
        self.usual = None
        """What is complained of while pictures are made without FaceFix; None before any was made."""

    def take(self):
        """Return the page with FaceFix as it is at first; a new one where there is none."""
        if self._desk:
            self._desk.clean()
            return self._desk
        self._context = self._browser.new_context(viewport={"width": 1400, "height": 1000})
        self._desk = self._desk_on(self._context.new_page())
        self._desk.open()
        assert complaints(self._desk) == []
        self.usual = self.usual or self._listened()
        return self._desk

    def drop(self):
        if self._desk:
            self._desk.forget()
            self._desk.settle()
            self._context.close()
            self._desk = None

    def _listened(self):
        tab = self._desk.tab("txt2img")
        tab.ask()
        tab.generate()
        return complaints(self._desk)


@pytest.fixture
def desk(pages, webui, request):
    """Return the page; in the end see that neither browser nor WebUI complained of what they usually do not."""
    desk, since = pages.take(), len(webui.log.read_bytes())
    yield desk
    desk.forget()
    if request.node.stash.get(FAILED, False):
        desk.shot(f"failed-{request.node.name}")
        pages.drop()
    assert [line for line in complaints(desk) if line not in pages.usual] == []
    said = REFUSED.sub("", webui.said(since))
    assert not ("Traceback" in said and "lib_facefix" in said), said[-4000:]


def complaints(desk):
    """Return what the browser complained of, told alike wherever the page is served."""
    lines = [re.sub(r"127\.0\.0\.1:\d+", "", line) for line in desk.complaints]
    return [line for line in lines if not NOT_OURS.search(line)]


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    item.stash[FAILED] = report.failed or item.stash.get(FAILED, False)
