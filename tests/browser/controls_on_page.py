"""One control on the page, whatever its kind: moved as a person moves it, and read."""

from __future__ import annotations

import re
from contextlib import contextmanager

from playwright.sync_api import expect

OTHER = "Other …"
"""Choice of a list below which any text can be typed."""


class Control:
    """A slider, number, text, tick box, row of buttons, or list."""

    def __init__(self, page, selector):
        self._page, self.place = page, page.locator(selector)

    def wait(self):
        self.place.wait_for(state="visible")

    @property
    def shown(self):
        return self.place.is_visible()

    @property
    def kind(self):
        """Tell what it is by what it is made of."""
        kinds = {"range": "slider", "radio": "radio", "number": "number", "checkbox": "checkbox"}
        has = {kind for kind in kinds if self.place.locator(f"input[type={kind}]").count()}
        if self.place.locator("select").count():
            return "select"
        if has:
            return kinds[next(kind for kind in kinds if kind in has)]
        return "list" if self.place.locator(".secondary-wrap input").count() else "text"

    @property
    def value(self):
        """What it shows: a number, a text, or whether it is ticked."""
        kind = self.kind
        if kind == "checkbox":
            return self._input.is_checked()
        if kind == "radio":
            return self.place.locator("label:has(input:checked)").inner_text().strip()
        if kind == "select":
            chosen = self._select.locator("option:checked").text_content()
            return self._typed.input_value() if chosen == OTHER else chosen
        shown = self._input.input_value()
        return float(shown) if kind in ("slider", "number") else shown

    def becomes(self, value):
        """Wait until it shows this."""
        self.place.locator("input, textarea, select").first.wait_for(state="attached")  # a form may not be made yet
        if self.kind in ("checkbox", "radio"):
            target = self._input if self.kind == "checkbox" else self.place.get_by_label(value, exact=True)
            expect(target).to_be_checked(checked=value is not False)
        elif self.kind == "select":
            self._becomes_chosen(value)
        elif isinstance(value, str):
            expect(self._input).to_have_value(value)
        else:
            self._page.wait_for_function("([element, value]) => +element.value === value",
                                         arg=[self._input.element_handle(), value])  # fmt: skip

    def filled(self):
        """Wait until it is not blank."""
        expect(self._input).not_to_have_value("")

    @property
    def hint(self):
        """The sentence under its label, or beside it; forms of our own show it on demand."""
        return self.place.text_content()

    @property
    def idle(self):
        """Whether it is greyed."""
        return self.place.locator("input, textarea").first.is_disabled()

    def becomes_idle(self, idle=True):
        """Wait until it is greyed, or no more."""
        field = expect(self.place.locator("input, textarea").first)
        field.to_be_disabled() if idle else field.to_be_enabled()

    def slide(self, share):
        """Drag a slider to a share of its range; returns the number it then shows."""
        rail = self.place.locator("input[type=range]")
        if not rail.is_visible() and self._box.count():
            self._box.check()
        rail.scroll_into_view_if_needed()
        at = rail.bounding_box()
        low, high, now = (float(rail.evaluate(f"rail => rail.{what}")) for what in ("min", "max", "value"))
        height = at["y"] + at["height"] / 2
        self._page.mouse.move(at["x"] + at["width"] * (now - low) / (high - low), height)
        self._page.mouse.down()
        self._page.mouse.move(at["x"] + at["width"] * share, height, steps=4)
        self._page.mouse.up()
        return self.value

    def type(self, value):
        """Type into it, in place of what is there."""
        if self.kind == "select":
            self._select.select_option(label=OTHER)
        elif not self._input.is_visible() and self._box.count():
            self._box.check()
        self._input.click()
        self._page.keyboard.press("ControlOrMeta+A")
        self._page.keyboard.type(str(value)) if value != "" else self._page.keyboard.press("Delete")

    def tick(self, on=True):
        self._input.set_checked(on)

    def choose(self, text):
        """Choose by what is shown: in a row of buttons, or in a list."""
        if self.kind == "radio":
            self.place.get_by_label(text, exact=True).check()
            return
        if self.kind == "select":
            self._select.select_option(label=text)
            return
        self._input.click()
        told = re.compile(rf"^\s*✓?\s*{re.escape(text)}\s*$")
        self._page.locator("ul.options li").filter(has_text=told).click()

    @property
    def choices(self):
        """What a list offers."""
        if self.kind == "select":
            return [text for text in self._select.locator("option").all_inner_texts() if text != OTHER]
        with self.unfolded() as offered:
            return [text.removeprefix("✓").strip() for text in offered.all_inner_texts()]

    @contextmanager
    def unfolded(self):
        """Open a list for a while; gives what it offers."""
        if self.kind == "select":  # the browser shows it outside the page
            yield self._select.locator("option")
            return
        self._input.click()
        offered = self._page.locator("ul.options li")
        offered.first.wait_for()
        yield offered
        self._input.blur()

    def offers(self, text):
        """Wait until a list offers this."""
        for _ in range(50):
            if text in self.choices:
                return
            self._page.wait_for_timeout(100)
        raise AssertionError(f"{text} is not among {self.choices}")

    def _becomes_chosen(self, value):
        for _ in range(50):
            if self.value == value:
                return
            self._page.wait_for_timeout(100)
        raise AssertionError(f"it shows {self.value!r}, not {value!r}")

    @property
    def _select(self):
        return self.place.locator("select")

    @property
    def _typed(self):
        return self.place.locator("input[type=text]")

    @property
    def _box(self):
        """The box that must be ticked before a number can be set."""
        return self.place.locator("input[type=checkbox]")

    @property
    def _input(self):
        made_of = {
            "select": "input[type=text]",
            "slider": "input[type=number]", "number": "input[type=number]", "checkbox": "input[type=checkbox]",
            "list": ".secondary-wrap input", "text": "textarea, input",
        }  # fmt: skip
        return self.place.locator(made_of[self.kind]).first
