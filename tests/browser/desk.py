"""The WebUI's page as a person uses it: what can be clicked, typed and read. Works with gradio 3.41 and 4.40."""

from __future__ import annotations

import hashlib
import io
import re
import time

import driving
import pictures
from controls_on_page import Control
from PIL import Image
from playwright.sync_api import expect
from server import SLOWNESS

READY = "#script_txt2img_facefix_enabled-visible-checkbox"
PLAIN = "nothing\nSteps: 2, Sampler: Euler, Schedule type: Automatic, CFG scale: 7, Seed: 1, Size: 64x64"
"""An infotext without FaceFix."""
PATIENCE = round(90_000 * SLOWNESS)
"""Milliseconds that a generation, or the page, may take."""


class Desk:
    """One page in the browser."""

    def __init__(self, page, webui, album):
        self.page, self.webui, self._album = page, webui, album
        self.complaints = []
        page.set_default_timeout(20_000 * SLOWNESS)
        expect.set_options(timeout=5_000 * SLOWNESS)
        self._sockets = []
        page.on("websocket", lambda socket: self._sockets.append(socket))
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(f"{error} {error.stack}"))

    def open(self, query=""):
        """Open the page, or open it anew; query: "?__theme=dark"."""
        self.settle()
        self.page.goto(f"http://127.0.0.1:{self.webui.port}/{query}")
        self._wait()

    def _wait(self):
        """Wait until the page is there, and has been told the settings, which comes last."""
        self.page.wait_for_selector(READY, timeout=PATIENCE)
        self.page.wait_for_function("typeof opts === 'object' && Object.keys(opts).length > 0", timeout=PATIENCE)

    def settle(self):
        """Wait until the page asks nothing of the WebUI: with a page that left its queue, gradio 3.41 never ends."""
        until = time.monotonic() + 10
        while any(not socket.is_closed() for socket in self._sockets) and time.monotonic() < until:
            self.page.wait_for_timeout(50)
        self._sockets.clear()

    def tab(self, kind):
        """Go to txt2img or img2img."""
        self.go_to(kind)
        return Tab(self, kind)

    def go_to(self, name):
        """Click on one of the tabs at the top."""
        self.page.locator("#tabs > .tab-nav button", has_text=re.compile(f"^\\s*{name}\\s*$", re.IGNORECASE)).click()

    def read_png_info_and_send(self, path, kind):
        """Put a picture into PNG Info and send what it was made with to txt2img or img2img."""
        self.go_to("PNG Info")
        place = self.page.locator("#tab_pnginfo")
        place.locator("#pnginfo_image input[type=file]").set_input_files(path)
        place.get_by_text("Steps:").first.wait_for()
        place.get_by_role("button", name=f"Send to {kind}").click()
        self.page.locator(f"#{kind}_generate").wait_for(state="visible")
        return Tab(self, kind)

    def settings(self, title):
        """Go to one of the pages of Settings."""
        self.go_to("Settings")
        buttons = self.page.locator("#settings .tab-nav button")
        buttons.filter(has_text=re.compile(f"^\\s*{title}\\s*$", re.IGNORECASE)).click()
        self.page.evaluate("window.scrollTo(0, 0)")

    def option(self, name):
        """Return the control of a setting."""
        return Control(self.page, f"#setting_{name}")

    def apply(self, *names):
        """Apply the settings, and wait until the WebUI says that these have changed."""
        self.page.locator("#settings_submit").click()
        for name in names:
            expect(self.page.locator("#settings_result").first).to_contain_text(name)

    def reload_ui(self):
        """Press Reload UI at the foot of the page, and wait for the page."""
        self.settle()
        self.page.evaluate("window.before = true")
        known = [*self.complaints]
        self.page.get_by_text("Reload UI", exact=True).last.click()
        self.page.wait_for_function("!window.before", timeout=PATIENCE)
        self._wait()
        self.complaints[:] = known  # the page is lost without a WebUI

    def draw(self, *drawings):
        """Let the model draw these PIL pictures from now on."""
        folder = self.webui.folder / "drawings"
        folder.mkdir(exist_ok=True)
        paths = []
        for drawing in drawings:
            path = folder / f"{hashlib.sha1(drawing.tobytes()).hexdigest()}.png"
            drawing.save(path)
            paths.append(str(path))
        self.webui.post("/sitter", paths)

    def runs(self):
        """Return the sampling runs inside others since the page was opened."""
        return [run for run in self.webui.get("/saboteur") if run["depth"] > 1]

    def clean(self):
        """Put FaceFix back as it is at first, by what a person can do: paste what was made without it."""
        self.complaints.clear()
        tab = self.tab("txt2img")
        tab.paste(PLAIN)
        tab.is_ticked(False)

    def forget(self):
        """Take back what was ordered."""
        for path in ("/sitter", "/saboteur"):
            self.webui.delete(path)

    def shot(self, name, *, of=None, full=False):
        """Keep a picture of what is seen, or of one element, in the album."""
        target = of if of is not None else self.page
        self.page.wait_for_timeout(300)  # folding is animated
        target.screenshot(path=self._album / f"{name}.png", **({"full_page": True} if full else {}))

    def _heard(self, message):
        if message.type == "error":
            self.complaints.append(f"{message.text} {message.location['url']}")


class Tab:
    """txt2img or img2img."""

    def __init__(self, desk, kind):
        self._desk, self._page, self.kind = desk, desk.page, kind
        self.box = self._page.locator(f"#{self.id_of('enabled')}")
        self.tick_box = self._page.locator(f"#{self.id_of('enabled')}-visible-checkbox")

    def id_of(self, name):
        return f"script_{self.kind}_facefix_{name}"

    def tick(self):
        """Tick FaceFix, and do nothing else."""
        self.tick_box.check()

    def is_ticked(self, ticked=True):
        """Wait until FaceFix is ticked, or not."""
        expect(self.tick_box).to_be_checked(checked=ticked)

    def unfold(self):
        """Open FaceFix by its title, and see that it is ticked: hosts do that until the tick box itself is used."""
        _unfold(self.box.locator("> .label-wrap"))
        self.control("method").wait()
        self.tick_box.check()

    def unfold_section(self, name, nth_pass=1):
        """Open one of the parts of FaceFix, with its rare settings: "Which faces", "Mask", "More passes", "Presets"."""
        within = self.box if nth_pass == 1 else self.part(f"pass{nth_pass}_active").place
        title = self._page.get_by_text(name, exact=True)
        head = within.locator(".label-wrap").filter(has=title).first
        _unfold(head)
        for rare in head.locator("xpath=..").locator("details[id*=_more_] > summary").all():
            if rare.is_visible():  # not one of another pass
                _unfold(rare)

    def unfold_pass(self, number):
        """Open a further pass by its title; where it is not there, add it."""
        self.unfold_section("More passes")
        place = self.part(f"pass{number}_active").place
        if not place.count():
            self.press("add_pass")
        _unfold(place.locator("> .label-wrap"))

    def control(self, name, nth_pass=1):
        """Return one control of FaceFix by the name of its setting."""
        return self.part(f"pass{nth_pass}_{name}")

    def part(self, name):
        """Return anything else in FaceFix, by its name."""
        return Control(self._page, f"#{self.id_of(name)}")

    def own(self, name):
        """Return a control of the WebUI itself: "steps", "width", "seed", ..."""
        return Control(self._page, f"#{self.kind}_{name}")

    def ask(self, prompt="two faces", *, width=64, height=64, steps=2, seed=1):
        """Fill in what makes a quick picture."""
        self.prompt = prompt
        for name, value in {"width": width, "height": height, "steps": steps, "seed": seed}.items():
            self.own(name).type(value)

    @property
    def prompt(self):
        return self._prompt.input_value()

    @prompt.setter
    def prompt(self, text):
        self._prompt.fill(text)

    @property
    def _prompt(self):
        return self._page.locator(f"#{self.kind}_prompt textarea")

    def generate(self):
        """Press Generate, and wait for what is written under the picture."""
        self.start()
        return self.finish()

    def start(self):
        self._page.locator(f"#{self.kind}_generate").click()
        self._page.locator(f"#{self.kind}_interrupt").wait_for(state="visible")

    def finish(self):
        """Wait until what was started is done; return what is written under the picture."""
        self._page.locator(f"#{self.kind}_interrupt").wait_for(state="hidden", timeout=PATIENCE)
        self._page.wait_for_function(
            "kind => ![`#html_info_${kind}`, `#html_log_${kind}`].some("
            "  part => document.querySelector(part).querySelector('.pending'))"
            "  && document.querySelector(`#html_log_${kind}`).innerText.trim()",  # some hosts blank the other
            arg=self.kind,
            timeout=PATIENCE,
        )
        return self.infotext

    @property
    def infotext(self):
        return self._page.locator(f"#html_info_{self.kind}").first.inner_text().strip()

    @property
    def record(self):
        """What FaceFix wrote into the infotext that is shown; None where it wrote nothing."""
        return driving.record(self.infotext)

    @property
    def lines(self):
        """What stands under the picture besides the infotext and the time taken."""
        said = self._page.locator(f"#html_log_{self.kind} .comments")
        return [line for line in "\n".join(said.all_inner_texts()).splitlines() if line]

    @property
    def outcomes(self):
        """The lines without those about the identity: this model draws faces as mosaics."""
        return [line for line in self.lines if ": identity " not in line and ": backed off" not in line]

    @property
    def picture(self):
        """The picture that is shown, RGB uint8 (H, W, 3)."""
        shown = self._page.locator(f"#{self.kind}_gallery img").first
        answer = self._page.request.get(shown.evaluate("image => image.src"))
        return pictures.array(Image.open(io.BytesIO(answer.body())))

    @property
    def saved_picture(self):
        """The file that the WebUI saved last."""
        found = self._desk.webui.folder.glob("output*/**/*.png")
        return max(found, key=lambda path: path.stat().st_mtime_ns)

    def put_in(self, path):
        """Put a picture into img2img, where none is."""
        if self._page.locator("#img2img_image img[src]:not([src=''])").count():
            self._desk.open()
            self._desk.tab("img2img")
        self._page.locator("#img2img_image input[type=file]").set_input_files(path)
        self._page.wait_for_function(
            "() => [...document.querySelectorAll('#img2img_image img')].some(image => image.naturalWidth > 0)"
        )

    def send_to_img2img(self):
        """Press the button under the picture; return the other tab."""
        self._page.locator(f"#{self.kind}_send_to_img2img").click()
        self._page.locator("#img2img_generate").wait_for(state="visible")
        return Tab(self._desk, "img2img")

    def press(self, name):
        """Press one of FaceFix's own buttons."""
        self._page.locator(f"#{self.id_of(name)}").first.click()

    def says(self, sentence):
        """Wait until FaceFix's line for messages says this."""
        note = self._page.locator(f"#{self.id_of('presets_note')}").first
        note.get_by_text(sentence).wait_for()

    def progress_says(self, words):
        """Wait until the line over the picture says this."""
        self._page.locator(f"#{self.kind}_results_panel, #{self.kind}_results").locator(".progress").get_by_text(
            words
        ).first.wait_for(timeout=PATIENCE)

    def interrupt(self):
        self._page.locator(f"#{self.kind}_interrupt").click()

    def paste(self, infotext):
        """Put an infotext into the prompt and press the arrow that reads it."""
        self.prompt = infotext
        self._page.locator(f"#{self.kind}_tools #paste").click()
        if self._page.evaluate("window.gradio_config.version.startsWith('4')"):
            self._page.wait_for_timeout(2000 * SLOWNESS)  # Forge Neo leaves the prompt as it is
            return
        self._page.wait_for_function(
            "([kind, text]) => document.querySelector(`#${kind}_prompt textarea`).value != text",
            arg=[self.kind, infotext],
        )


def _unfold(title):
    """Open what the title belongs to, if it is closed."""
    if "open" not in (title.get_attribute("class") or "").split():
        title.click()
