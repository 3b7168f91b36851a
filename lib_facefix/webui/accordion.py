"""The accordion "FaceFix" of txt2img and img2img."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import host_ui
from .controls import AFFECTED, ONLY_IMG2IMG, SECTIONS, Control, Rows, control, pairs, section_rows, top_rows, why_idle
from .lists import FROM_DISK, host_list, refresh
from .preset_panel import PresetPanel
from .settings import OFFERED

TITLE = "FaceFix"
REFRESH = "\U0001f504"


@dataclass(frozen=True, slots=True)
class Accordion:
    """The components whose values a script is given."""

    enabled: Any
    passes: tuple[Mapping[str, Any], ...]
    """Of each pass, the component of every setting, in the order of OFFERED."""

    @property
    def components(self) -> list[Any]:
        """All of them, flat: what a script's `ui()` returns."""
        return [self.enabled, *(made for parts in self.passes for made in parts.values())]

    def of(self, number: int, name: str) -> Any:
        """Return the component of one setting of one pass, counted from 1."""
        return self.passes[number - 1][name]


def build(is_img2img: bool, passes: int, *, presets: Path, elem_id: Callable[[str], str]) -> Accordion:
    """Make the accordion, closed and off, in the part of the page that is being built.

    passes: how many, at least 1. presets: the file they are kept in, which is only read here.
    elem_id: gives a component's id on the page from its name in the accordion.
    """
    panel = PresetPanel(presets, passes, elem_id)
    forms = [_Form(number, is_img2img, values, elem_id) for number, values in enumerate(panel.at_start, start=1)]
    with host_ui.input_accordion(TITLE, False, elem_id("enabled")) as enabled:
        with host_ui.row():
            with host_ui.column(3, least=310):
                forms[0].show("method")
            with host_ui.column(2, least=200), host_ui.row():
                panel.show_choice()
        panel.show_note()
        forms[0].show("active", visible=False)
        forms[0].show_rest()
        _show_more(forms[1:], elem_id)
        panel.show_more()
    made = tuple(form.in_order() for form in forms)
    panel.listen([component for parts in made for component in parts.values()])
    return Accordion(enabled, made)


def _show_more(forms: list[_Form], elem_id: Callable[[str], str]) -> None:
    if not forms:
        return
    with host_ui.section("More passes", elem_id("more_passes")):
        for form in forms:
            form.show_as_pass()


class _Form:
    """The controls of one pass."""

    def __init__(self, number: int, is_img2img: bool, values: Mapping[str, Any], elem_id: Callable[[str], str]) -> None:
        self._number = number
        self._is_img2img = is_img2img
        self._values = values
        self._elem_id = elem_id
        self._controls = {field.name: control(field, known, host_list) for field, known in OFFERED}
        self._made: dict[str, Any] = {}

    def show(self, name: str, *, visible: bool = True) -> None:
        """Make one control here."""
        idle = why_idle(name, self._values["method"])
        visible = visible and (self._is_img2img or name not in ONLY_IMG2IMG)
        value = self._values[name]
        made = host_ui.component(self._controls[name], value, self._id(name), idle=idle, visible=visible)
        self._made[name] = made

    def show_as_pass(self) -> None:
        """Make all controls here, under a head that switches the pass on."""
        label, active = f"Pass {self._number}", self._values["active"]
        with host_ui.input_accordion(label, active, self._id("active")) as head:
            self.show("method")
            self.show_rest()
        self._made["active"] = host_ui.not_in_ui_config(head)

    def show_rest(self) -> None:
        """Make all controls but the two that stand at the head of a pass."""
        self._show_rows(top_rows())
        for title in SECTIONS:
            with host_ui.section(title, self._id(f"section_{title.replace(' ', '_').lower()}")):
                self._show_rows(section_rows(title))
        self.show("skip_img2img", visible=self._number == 1)
        affected = [self._made[name] for name in AFFECTED]
        host_ui.when(self._made["method"].change, self._grey, [self._made["method"]], affected)

    def _id(self, name: str) -> str:
        return self._elem_id(f"pass{self._number}_{name}")

    def in_order(self) -> dict[str, Any]:
        """Return what was made, in the order of OFFERED."""
        return {field.name: self._made[field.name] for field, _ in OFFERED}

    def _show_rows(self, rows: Rows) -> None:
        for names in rows:
            with host_ui.row():
                for name in names:
                    self.show(name)
                if names[-1] == _LAST_FROM_DISK:
                    self._show_refresh()

    def _show_refresh(self) -> None:
        button = host_ui.tool_button(REFRESH, "Look for checkpoints and VAEs again", self._id("refresh"))
        host_ui.when(button.click, _refreshed, [], [self._made[name] for name in _FROM_DISK])

    def _grey(self, method: str) -> list[Any]:
        return [_greyed(self._controls[name], method) for name in AFFECTED]


_FROM_DISK = {field.name: (field, known) for field, known in OFFERED if known.host in FROM_DISK}
*_, _LAST_FROM_DISK = _FROM_DISK


def _refreshed() -> list[Any]:
    refresh()
    return [host_ui.choices(pairs(name, known, host_list)) for name, (_, known) in _FROM_DISK.items()]


def _greyed(of: Control, method: str) -> Any:
    return host_ui.greyed(of.hint, idle=why_idle(of.name, method))
