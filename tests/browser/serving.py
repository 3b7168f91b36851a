"""`facefix serve` in a process of its own, and its page as a person uses it."""

from __future__ import annotations

import base64
import json
import mimetypes
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from playwright.sync_api import expect

REPOSITORY = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (str(REPOSITORY), os.getenv("PYTHONPATH"))))}
PATIENCE = 60_000
"""Milliseconds that the start, or fixing a picture, may take."""
REFUSALS = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")
"""What the browser says by itself when the server refuses something, as it should in some tests."""
GIVE = """([by, files]) => {
    const data = new DataTransfer();
    for (const { name, type, content } of files) {
        const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
        data.items.add(new File([bytes], name, { type }));
    }
    const how = { bubbles: true, cancelable: true, dataTransfer: data, clipboardData: data };
    document.body.dispatchEvent(new { drop: DragEvent, paste: ClipboardEvent }[by](by, how));
}"""


UNFOLD = """(field) => {
    for (let fold = field.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
}"""


def facefix(*arguments):
    """Run the command line; returns what it printed."""
    command = [sys.executable, "-m", "lib_facefix.cli", *map(str, arguments)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Server:
    """A running `facefix serve`."""

    def __init__(self, folder, *flags, program=("-m", "lib_facefix.cli", "serve")):
        """Start it and wait until it serves; what it says goes to folder/serve.log. program: what Python runs."""
        self.log = folder / "serve.log"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/"
        command = [sys.executable, *map(str, program), "--port", str(port), *flags]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=REPOSITORY, stdout=log, stderr=log, env=ENVIRONMENT)
        self._wait()

    def stop(self):
        self.process.terminate()
        self.process.wait(10)

    def _wait(self):
        until = time.monotonic() + PATIENCE / 1000
        while time.monotonic() < until and self.process.poll() is None:
            try:
                urllib.request.urlopen(self.url, timeout=5).close()
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise RuntimeError(f"facefix serve does not serve:\n{self.log.read_text()[-4000:]}")


class Visitor:
    """One page in the browser."""

    def __init__(self, page, server, album):
        self.page, self.server, self._album = page, server, album
        self.complaints, self.elsewhere = [], []
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda said: self._heard(said.type, said.text))
        page.on("pageerror", lambda error: self.complaints.append(f"{error} {error.stack}"))
        page.on("request", lambda request: self._asked(request.url))

    def open(self):
        self.page.goto(self.server.url)
        return self

    def drop(self, *paths, by="drop"):
        """Drop files onto the page, as from a folder; by: or "paste" them."""
        self.page.wait_for_selector("#all-method-label", state="attached")
        files = [
            {
                "name": path.name,
                "type": mimetypes.guess_type(path.name)[0] or "",
                "content": base64.b64encode(path.read_bytes()).decode(),
            }
            for path in paths
        ]
        self.page.evaluate(GIVE, [by, files])

    @property
    def boxes(self):
        """The numbers over the picture."""
        return self.page.locator("#stage .box").all_inner_texts()

    def found(self, words):
        """Wait until the page says how many faces there are, and has a plan for them."""
        expect(self.page.locator("#found")).to_have_text(words, timeout=PATIENCE)
        self.settled()

    def settled(self):
        """Wait until the plan that is shown is the one for the settings that are shown."""
        self.page.wait_for_selector("#viewer:not([aria-busy])")

    def choose(self, number):
        """Choose a face by its thumbnail; None: all."""
        self.page.locator(".face", has_text="All faces" if number is None else f"Face {number}").click()

    def control(self, name, form="face"):
        """The field of a setting, in the form of one face or in that of all."""
        field = self.page.locator(f"#{form}-{name}")
        if field.count():
            field.evaluate(UNFOLD)
        return field

    def type(self, name, value, form="face"):
        """Type a value into the field of a setting, and wait until the server has planned with it."""
        self.control(name, form).fill(str(value))
        self.control(name, form).press("Tab")
        self.settled()

    def row(self, number):
        """Return what the table says of a face, cell by cell."""
        self.page.locator("#table").evaluate(UNFOLD)
        row = self.page.locator("#table tbody tr").filter(has=self.page.get_by_role("button", name=f"Face {number}"))
        heads = self.page.locator("#table thead th").all_inner_texts()
        return dict(zip(heads, row.locator("th, td").all_inner_texts(), strict=True))

    def fix(self):
        """Press the button, and wait until before and after are shown."""
        self.page.locator("#fix").click()
        self.page.locator("#result-view facefix-compare").wait_for()
        self.page.locator("#save").wait_for()

    def slide(self, percent, name="strength"):
        """Drag the slider between natural and strong to a place, as with the mouse."""
        move = (
            "(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input', { bubbles: true })); }"
        )
        self.page.locator(f"#{name}").evaluate(move, percent)

    def detail(self, name):
        """Return a button under Details, which is opened."""
        self.page.locator("#table").evaluate(UNFOLD)
        return self.page.locator("#files-of-result").get_by_role("button", name=name)

    def saved(self, button, folder):
        """Press a button that saves a file; return where it lies now, under the name it was saved by."""
        with self.page.expect_download() as download:
            button.click()
        path = folder / download.value.suggested_filename
        download.value.save_as(path)
        return path

    def press_until(self, key, selector, most=150):
        """Press a key until the element has the focus, as one does who has no mouse."""
        wanted = self.page.locator(selector)
        for _ in range(most):
            if wanted.count() and wanted.first.evaluate("(element) => element.matches(':focus-within')"):
                return
            self.page.keyboard.press(key)
        raise AssertionError(f"{selector} is not reached with {key}")

    def shot(self, name, *, full=True):
        self.page.screenshot(path=self._album / f"{name}.png", full_page=full)

    def stored(self):
        """Return what the browser keeps beyond this tab."""
        return self.page.evaluate("() => [{ ...localStorage }, document.cookie]")

    def _heard(self, kind, text):
        if kind in ("error", "warning") and not REFUSALS.search(text):
            self.complaints.append(text)

    def _asked(self, url):
        if not url.startswith((self.server.url, f"blob:{self.server.url}", "data:")):
            self.elsewhere.append(url)


def plan_of(path):
    """Return the faces in a plan that was saved, by number."""
    [picture] = json.loads(path.read_text())["pictures"]
    return {face["number"]: face for face in picture["faces"]}
