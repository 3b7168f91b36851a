"""The slider between before and after, as a person sees and moves it."""

import io
from contextlib import contextmanager

import numpy as np
from PIL import Image


class Slider:
    """A `<facefix-compare>`, and the page that it is on."""

    def __init__(self, page, place):
        self.page, self.place = page, place
        self.line, self.frame = self.place.get_by_role("slider"), self.place.locator(".frame")

    def ready(self):
        self.frame.wait_for()
        return self

    @property
    def now(self):
        return int(self.line.get_attribute("aria-valuenow"))

    @property
    def told(self):
        return self.page.evaluate("told")

    @property
    def transforms(self):
        """The transforms of both pictures, as the browser computes them, once they move no more."""
        settled = """async (image) => {
            await Promise.allSettled(image.getAnimations().map((one) => one.finished))
            return getComputedStyle(image).transform
        }"""
        return [self.place.locator(f".{side} img").evaluate(settled) for side in ("before", "after")]

    def face(self, number):
        """Return the button that magnifies a face."""
        return self.place.get_by_role("button", name=f"Face {number}")

    def at(self, x, y):
        """Return the place on the page of a place in the frame, shares of it."""
        box = self.frame.bounding_box()
        return box["x"] + box["width"] * x, box["y"] + box["height"] * y

    def seen(self):
        """Return what the frame looks like, RGB (H, W, 3), float."""
        shot = Image.open(io.BytesIO(self.frame.screenshot(animations="disabled")))
        return np.asarray(shot.convert("RGB"), np.float32)

    def alone(self, position):
        """Return what the pictures look like with the line at a place, without what lies over them."""
        self.place.evaluate(
            """(slider, position) => {
                slider.position = position
                for (const over of slider.shadowRoot.querySelectorAll(".line, .word, .badges"))
                    over.style.visibility = "hidden"
            }""",
            position,
        )
        return self.seen()

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)


@contextmanager
def held(page, start, end):
    """Drag with the mouse between two places of the page, and hold it there."""
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=5)
    yield
    page.mouse.up()
