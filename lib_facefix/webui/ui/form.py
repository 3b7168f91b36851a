"""The controls of one set of settings: rows that are always visible, and closed sections."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import gradio as gr

from ..config.choices import FROM_DISK, host_list, refresh_host_lists
from ..passes.settings import OFFERED
from . import gradio_compat
from .class_menu import ClassMenu
from .controls import (
    AFFECTED,
    BESIDE_CLASSES,
    SECTIONS,
    Rows,
    list_pairs,
    make_control,
    section_rows,
    top_rows,
    why_idle,
)
from .download import RestorerDownload

REFRESH = "\U0001f504"


class Form:
    """Makes the controls of the settings in OFFERED."""

    def __init__(
        self, values: Mapping[str, Any], elem_id: Callable[[str], str], *, hidden: Collection[str] = ()
    ) -> None:
        """values: initial values by setting; a setting without one gets no control. elem_id: returns a control's id.

        hidden: settings whose controls are made, but not shown.
        """
        self._values, self._elem_id, self._hidden = values, elem_id, hidden
        self._controls = {field.name: make_control(field, known, host_list) for field, known in OFFERED}
        self._menu = ClassMenu(elem_id)
        self._download = RestorerDownload(elem_id)
        self.made: dict[str, Any] = {}

    def show(self, name: str, *, visible: bool = True) -> None:
        """Make the control of one setting."""
        value = self._values[name]
        idle = why_idle(name, self._values["method"])
        shown = visible and name not in self._hidden
        self.made[name] = gradio_compat.component(
            self._controls[name], value, self._elem_id(name), idle=idle, visible=shown
        )

    def show_rest(self) -> None:
        """Make the controls of all rows and sections."""
        self._show_rows(top_rows())
        for title in SECTIONS:
            elem_id = self._elem_id(f"section_{title.replace(' ', '_').lower()}")
            with gr.Accordion(title, open=False, elem_id=elem_id):
                self._show_rows(section_rows(title))

    def listen(self) -> None:
        """Grey out settings without effect whenever the method changes, and keep the menu of classes up to date."""
        affected = [self.made[name] for name in AFFECTED]
        gradio_compat.when(self.made["method"].change, self._grey_out, [self.made["method"]], affected)
        self._menu.listen(self.made["detector"])
        self._download.listen(self.made["restorer"])

    def in_order(self) -> dict[str, Any]:
        """Return the components by setting, in the order of OFFERED."""
        return {field.name: self.made[field.name] for field, _ in OFFERED if field.name in self.made}

    def _show_rows(self, rows: Rows) -> None:
        for names in rows:
            wanted = [name for name in names if name in self._values]
            if not wanted:
                continue
            with gradio_compat.row():
                for name in wanted:
                    self.show(name)
                if names[-1] == _LAST_FROM_DISK:
                    self._show_refresh("refresh", "Refresh checkpoints and VAEs", _FROM_DISK, refresh_host_lists)
                elif names[-1] in _FOUND:
                    self._show_refresh(f"refresh_{names[-1]}", "Refresh model files", names[-1:])
            if "detector" in wanted:
                self._menu.show(self._values["detector"], self._show_each_class)
            if "restorer" in wanted:
                self._download.show(self._values["restorer"])

    def _show_each_class(self) -> None:
        for name in BESIDE_CLASSES:
            if name in self._values:
                self.show(name)

    def _show_refresh(
        self, elem_id: str, tooltip: str, names: Sequence[str], look: Callable[[], None] | None = None
    ) -> None:
        """Make a button that reads the lists again. look: called before they are read."""

        def refreshed() -> dict[Any, Any]:
            if look:
                look()
            return {
                self.made[name]: gradio_compat.choices(list_pairs(name, _OPTIONS[name], host_list)) for name in names
            }

        button = gradio_compat.tool_button(REFRESH, tooltip, self._elem_id(elem_id))
        gradio_compat.when(button.click, refreshed, [], [self.made[name] for name in names])

    def _grey_out(self, method: str) -> list[Any]:
        return [
            gradio_compat.disable_component(self._controls[name].hint, idle=why_idle(name, method)) for name in AFFECTED
        ]


_OPTIONS = {field.name: known for field, known in OFFERED}
_FROM_DISK = [name for name, known in _OPTIONS.items() if known.host in FROM_DISK]
_LAST_FROM_DISK = _FROM_DISK[-1]
_FOUND = [name for name, known in _OPTIONS.items() if known.found]
