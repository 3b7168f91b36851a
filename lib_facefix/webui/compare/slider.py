"""The before/after slider of the page: under the results of txt2img and img2img, and in the extras tab."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ..ui.gradio_compat import button, hidden_text, then_script, when
from .history import find_comparison

RESULTS = ("txt2img", "img2img")
"""Names of the tabs with a slider under their results."""


@dataclass(frozen=True, slots=True)
class Slider:
    """A before/after slider on the page, hidden until there is something to compare."""

    elem_id: str
    told: Any
    """Hidden component that takes `Comparison.to_text()` as a handler's output."""

    def show_after(self, event: Any) -> None:
        """After the handler of an event, show the comparison in `told`. event: return value of `click` or the like."""
        then_script(event, f"(told) => facefix.show({self.elem_id!r}, told)", [self.told])

    def ask(self, do: Callable[..., str], given: Sequence[Any], script: str = "") -> None:
        """Make a hidden button with which `facefix.ask(elem_id)` requests a comparison.

        do: gets the values of `given` and returns `Comparison.to_text()`. script: JavaScript that changes the values.
        """
        asked = button("", f"{self.elem_id}_ask", visible=False)
        self.show_after(when(asked.click, do, given, [self.told], script))

    def follow(self) -> Callable[..., Any]:
        """Make a hidden button that the page presses when it shows another result; return the event of its press.

        In gradio 4, the event "change" of the host's own text also comes when anything else on the page changes.
        """
        press: Callable[..., Any] = button("", f"{self.elem_id}_follow", visible=False).click
        return press


def make_slider(elem_id: str, result: str = "") -> Slider:
    """Make a slider. result: tab whose results it compares, with a button for results with fixed faces; blank: none."""
    gr.HTML(f'<div class="facefix-place" data-result="{result}" hidden></div>', elem_id=elem_id)
    return Slider(elem_id, hidden_text(f"{elem_id}_told"))


class CompareHook:
    """A hook for some finished components of the page that adds sliders under the galleries."""

    WATCHED = (*(f"{tab}_gallery" for tab in RESULTS), *(f"generation_info_{tab}" for tab in RESULTS))
    """Ids of these components."""

    def __init__(self) -> None:
        self._sliders: dict[str, Slider] = {}

    def __call__(self, component: Any, elem_id: str | None = None, **_: Any) -> None:
        """Make a slider below a gallery; connect it once the component it reads exists."""
        for tab in RESULTS:
            if elem_id == f"{tab}_gallery":
                self._sliders[tab] = make_slider(f"facefix_compare_{tab}", tab)
            elif elem_id == f"generation_info_{tab}" and tab in self._sliders:
                slider = self._sliders[tab]
                slider.ask(_answer, [component, slider.told], f"(info) => [info, String(facefix.chosen({tab!r}))]")


def _answer(generation_info: str, chosen: str) -> str:
    return find_comparison(generation_info, int(chosen)).to_text()
