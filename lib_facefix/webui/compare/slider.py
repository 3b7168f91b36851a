"""Where the page compares pictures: under the results of txt2img and img2img, and wherever else a place is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..ui.gradio_compat import button, hidden_text, html, then_script, when
from .history import find_comparison

RESULTS = ("txt2img", "img2img")
"""Tabs whose results can be compared."""


@dataclass(frozen=True, slots=True)
class Slider:
    """A part of the page with the slider in it, which is not seen until there is something to compare."""

    elem_id: str
    told: Any
    """Component, never seen: takes `Comparison.to_text()` as a handler's output."""

    def show_after(self, event: Any) -> None:
        """When the handler of an event (what its `click` and the like return) is done, show what `told` then holds."""
        then_script(event, f"(told) => facefix.show({self.elem_id!r}, told)", [self.told])

    def ask(self, do: Callable[..., str], given: Sequence[Any], script: str = "") -> None:
        """Let the page ask for what to show, with `facefix.ask(elem_id)`.

        do: is called with the values of `given`, returns `Comparison.to_text()`; script: changes these in the page.
        """
        asked = button("", f"{self.elem_id}_ask", visible=False)
        self.show_after(when(asked.click, do, given, [self.told], script))


def make_slider(elem_id: str, result: str = "") -> Slider:
    """Make a place. result: the tab whose results it compares; it then has a button, for results with fixed faces."""
    html(f'<div class="facefix-place" data-result="{result}" hidden></div>', elem_id)
    return Slider(elem_id, hidden_text(f"{elem_id}_told"))


class CompareHook:
    """Called for each component of the page once it is made: puts places under the galleries."""

    def __init__(self) -> None:
        self._places: dict[str, Slider] = {}

    def __call__(self, component: Any, elem_id: str | None = None, **_: Any) -> None:
        """Make a place after the buttons under a gallery; let it ask once what it asks with is there."""
        for tab in RESULTS:
            if elem_id == f"download_files_{tab}":
                self._places[tab] = make_slider(f"facefix_compare_{tab}", tab)
            elif elem_id == f"generation_info_{tab}" and tab in self._places:
                here = self._places[tab]
                here.ask(_answer, [component, here.told], f"(info) => [info, String(facefix.chosen({tab!r}))]")


def _answer(generation_info: str, chosen: str) -> str:
    return find_comparison(generation_info, int(chosen)).to_text()
