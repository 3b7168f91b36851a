"""The extras tab as a person uses it."""

from __future__ import annotations

import re

import driving
from controls_on_page import Control
from desk import PATIENCE
from PIL import Image
from playwright.sync_api import expect

ID = "#extras_facefix_"


class Extras:
    """The tab, with a picture in it and FaceFix open."""

    def __init__(self, desk, photo, *, query=""):
        """photo: path of the picture."""
        self._desk, self._page = desk, desk.page
        desk.open(query)
        desk.go_to("Extras")
        self.put_in(photo)
        self.part("enabled").locator("> .label-wrap").click()
        self.part("find").wait_for(state="visible")

    def put_in(self, photo):
        """Put a picture into Single Image, in the place of the one that is there."""
        place = self._page.locator("#extras_image")
        if place.locator("img").count():
            place.get_by_role("button", name=re.compile("Clear|Remove")).first.click()
            expect(place.locator("img")).to_have_count(0)
        place.locator("input[type=file]").set_input_files(photo)
        self._page.wait_for_function(
            "() => [...document.querySelectorAll('#extras_image img')].some(image => image.naturalWidth > 0)"
        )

    def part(self, name):
        """Return anything in FaceFix, by its name."""
        return self._page.locator(f"{ID}{name}").first

    def control(self, name):
        """Return a control of the face that is shown."""
        return Control(self._page, f"{ID}face_{name}")

    def common(self, name):
        """Return a control of the settings of all faces."""
        return Control(self._page, f"{ID}{name}")

    def unfold_all(self):
        """Open the settings of all faces."""
        self.part("all").locator(".label-wrap").first.click()
        self.common("method").wait()

    def tick(self, on=True):
        self._page.locator(f"{ID}enabled-visible-checkbox").set_checked(on)

    def can_upscale(self, upscaler):
        """Return whether the WebUI has this upscaler; some have none without a model file."""
        return upscaler in {one["name"] for one in self._desk.webui.get("/sdapi/v1/upscalers")}

    def upscale(self, upscaler=None, by=2):
        """Have the host enlarge the picture first, by one of its upscalers; None: not at all."""
        box = self._page.locator("#extras_upscale-visible-checkbox")
        box.set_checked(upscaler is not None)
        if upscaler:
            Control(self._page, "#extras_upscaler_1").choose(upscaler)
            Control(self._page, "#extras_upscaling_resize").type(by)

    def find(self):
        """Press Find faces; return what is said of them."""
        self.part("find").click()
        self.part("note").get_by_text("found").wait_for()
        return self.part("note").inner_text().strip()

    @property
    def thumbnails(self):
        return self.part("thumbnails").locator(".thumbnail-item")

    @property
    def captions(self):
        return [caption.strip() for caption in self.part("thumbnails").locator(".caption-label").all_inner_texts()]

    @property
    def numbers(self):
        """The numbers laid over the picture."""
        return [int(number) for number in self.part("overview").locator(".facefix-box b").all_inner_texts()]

    def choose(self, number):
        """Click on a thumbnail; wait until the controls are those of its face."""
        self.thumbnails.nth(number - 1).click()
        self.says(f"Face {number} ·")

    def says(self, words):
        """Wait until the line over the controls has these words."""
        expect(self.part("line")).to_contain_text(words)

    @property
    def line(self):
        return self.part("line").inner_text().strip()

    @property
    def table(self):
        """What the table says of each face, by number, then by column."""
        head, *rows = [
            [cell.strip() for cell in row.locator("th, td").all_inner_texts()]
            for row in self.part("table").locator("tr").all()
        ]
        return {int(row[0]): dict(zip(head, row, strict=True)) for row in rows}

    def table_says(self, number, column, value):
        """Wait until the table says this of a face."""
        row = self.part("table").locator("tbody tr").nth(number - 1)
        place = ["#", "fix", "method", "restorer", "fidelity", "visibility", "denoise", "why"].index(column)
        expect(row.locator("th, td").nth(place)).to_have_text(value)

    def try_face(self):
        """Press Try this face; return the slider."""
        self.part("try").click()
        slider = self.part("compare").locator("facefix-compare")
        slider.wait_for(state="visible", timeout=PATIENCE)
        return slider

    def take_from(self, folder):
        """Go to Batch from Directory, and name a folder."""
        self._page.locator("#mode_extras button", has_text="Batch from Directory").click()
        self._page.locator("#extras_batch_input_dir").locator("textarea, input").first.fill(str(folder))

    def generate(self):
        """Press Generate, and wait for the picture; return it as it was saved, PIL."""
        [picture] = self.generate_all(1)
        return picture

    def generate_all(self, count):
        """Press Generate, and wait for so many pictures; return them as they were saved, PIL, oldest first."""
        before, patience = self._saved(), PATIENCE // 100
        self._page.locator("#extras_generate").click()
        while len(made := self._saved() - before) < count and patience:
            self._page.wait_for_timeout(100)
            patience -= 1
        self._page.locator("#extras_gallery img").first.wait_for()
        self._page.locator("#html_log_extras .performance").first.wait_for()
        return [_read(path) for path in sorted(made, key=lambda path: path.stat().st_mtime_ns)]

    def compare(self):
        """Press Compare faces under the result; return the slider."""
        self.part("result").locator(".facefix-open").click()
        slider = self.part("result").locator("facefix-compare")
        slider.wait_for(state="visible")
        return slider

    def _saved(self):
        return set(self._desk.webui.folder.glob("output*/**/*.png"))


def record(picture):
    """Return what FaceFix wrote into a result."""
    return driving.record(picture.info["postprocessing" if "postprocessing" in picture.info else "extras"])


def said(picture):
    """Return the sentences that FaceFix wrote into a result."""
    text = " ".join(str(value) for value in picture.info.values())
    return re.search(r'FaceFix said: ("(?:[^"\\]|\\.)*"|[^,]*)', text)[1].strip('"')


def _read(path):
    with Image.open(path) as picture:
        picture.load()
        return picture
