"""The accordion "FaceFix" of txt2img and img2img."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr

from .detection.panel import DetectionPanel
from .passes.settings import MAX_PASSES
from .presets.last_used import LastUsed
from .presets.panel import PresetPanel
from .ui import gradio_compat
from .ui.controls import ONLY_IMG2IMG, ONLY_TXT2IMG
from .ui.settings_form import SettingsForm

TITLE = "FaceFix"


@dataclass(frozen=True, slots=True)
class Accordion:
    """The components whose values the script receives."""

    enabled: Any
    passes: Any
    """Text of the passes, see passes/settings.py."""

    @property
    def components(self) -> list[Any]:
        """The components in one list, as a script's `ui()` returns them.

        The text is repeated, because hosts cut off what an API client sends beyond this number: a unit for each pass.
        """
        return [self.enabled, *[self.passes] * MAX_PASSES]

    @property
    def defaults(self) -> list[Any]:
        """The initial value of each component, in an object that has nothing else."""
        return [SimpleNamespace(value=component.value) for component in self.components]


def build_accordion(
    is_img2img: bool, *, presets: Path, last_used: LastUsed, elem_id: Callable[[str], str]
) -> Accordion:
    """Make the accordion, closed and off.

    presets: the file of presets, which is only read. last_used: settings that the page gets when it is opened. elem_id:
    returns a component's id on the page for its name in the accordion.
    """
    panel, preview = PresetPanel(presets, elem_id, last_used), DetectionPanel(elem_id)
    form = SettingsForm(elem_id, panel.at_start, hidden=ONLY_TXT2IMG if is_img2img else ONLY_IMG2IMG)
    with gradio_compat.input_accordion(TITLE, False, elem_id("enabled")) as enabled:
        with gradio_compat.row():
            with gr.Column(scale=3, min_width=310):
                form.show_head()
            with gr.Column(scale=2, min_width=200), gradio_compat.row():
                panel.show_choice()
        panel.show_note()
        form.show_rest()
        preview.show()
        panel.show_more()
    form.listen()
    panel.listen(form.passes)
    preview.listen(form.passes)
    return Accordion(enabled, form.passes)
