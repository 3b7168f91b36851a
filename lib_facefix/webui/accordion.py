"""The accordion "FaceFix" of txt2img and img2img."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr

from .detection.panel import DetectionPanel
from .presets.last_used import LastUsed
from .presets.panel import PresetPanel
from .ui import gradio_compat
from .ui.controls import ONLY_IMG2IMG, ONLY_TXT2IMG
from .ui.form import Form

TITLE = "FaceFix"


@dataclass(frozen=True, slots=True)
class Accordion:
    """The components whose values the script receives."""

    enabled: Any
    passes: tuple[Mapping[str, Any], ...]
    """Components of each pass by setting, in the order of OFFERED."""

    @property
    def components(self) -> list[Any]:
        """All components in one list, as a script's `ui()` returns them."""
        return [self.enabled, *(made for parts in self.passes for made in parts.values())]

    @property
    def defaults(self) -> list[Any]:
        """The initial value of each component, in an object that has nothing else."""
        return [SimpleNamespace(value=component.value) for component in self.components]


def build_accordion(
    is_img2img: bool, passes: int, *, presets: Path, last_used: LastUsed, elem_id: Callable[[str], str]
) -> Accordion:
    """Make the accordion, closed and off.

    passes: number of passes, at least 1. presets: the file of presets, which is only read. last_used: settings that the
    page gets when it is opened. elem_id: returns a component's id on the page for its name in the accordion.
    """
    panel, preview = PresetPanel(presets, passes, elem_id, last_used), DetectionPanel(elem_id)
    forms = [_PassForm(number, is_img2img, values, elem_id) for number, values in enumerate(panel.at_start, start=1)]
    with gradio_compat.input_accordion(TITLE, False, elem_id("enabled")) as enabled:
        with gradio_compat.row():
            with gr.Column(scale=3, min_width=310):
                forms[0].show("method")
            with gr.Column(scale=2, min_width=200), gradio_compat.row():
                panel.show_choice()
        panel.show_note()
        forms[0].show("active", visible=False)
        forms[0].show_rest()
        if forms[1:]:
            with gr.Accordion("More passes", open=False, elem_id=elem_id("more_passes")):
                for form in forms[1:]:
                    form.show_as_pass()
        preview.show()
        panel.show_more()
    made = tuple(form.in_order() for form in forms)
    settings = [component for parts in made for component in parts.values()]
    panel.listen(settings)
    preview.listen(settings)
    return Accordion(enabled, made)


class _PassForm(Form):
    """The controls of one pass."""

    def __init__(self, number: int, is_img2img: bool, values: Mapping[str, Any], elem_id: Callable[[str], str]) -> None:
        hidden = ONLY_TXT2IMG if is_img2img else ONLY_IMG2IMG
        super().__init__(values, lambda name: elem_id(f"pass{number}_{name}"), hidden=hidden)
        self._number = number

    def show_as_pass(self) -> None:
        """Make all controls, under a heading that switches the pass on."""
        label, active = f"Pass {self._number}", self._values["active"]
        with gradio_compat.input_accordion(label, active, self._elem_id("active")) as head:
            self.show("method")
            self.show_rest()
        self.made["active"] = gradio_compat.not_in_ui_config(head)

    def show_rest(self) -> None:
        """Make all controls except the two at the head of a pass."""
        super().show_rest()
        self.show("only_hires")
        self.show("skip_img2img", visible=self._number == 1)
        self.listen()
