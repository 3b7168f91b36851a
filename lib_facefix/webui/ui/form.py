"""The controls of one set of settings: rows that are always in sight, and sections that can be unfolded."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from ..config.choices import FROM_DISK, host_list, refresh_host_lists
from ..passes.settings import OFFERED
from . import gradio_compat
from .controls import AFFECTED, SECTIONS, Control, Rows, list_pairs, make_control, section_rows, top_rows, why_idle

REFRESH = "\U0001f504"


class Form:
    """Makes the controls of the settings in OFFERED, each where it is told to."""

    def __init__(
        self, values: Mapping[str, Any], elem_id: Callable[[str], str], *, hidden: Collection[str] = ()
    ) -> None:
        """values: what is shown first, by setting; one without a value is not made. elem_id: gives a control's id.

        hidden: settings that are made, but not shown.
        """
        self._values, self._elem_id, self._hidden = values, elem_id, hidden
        self._controls = {field.name: make_control(field, known, host_list) for field, known in OFFERED}
        self.made: dict[str, Any] = {}

    def show(self, name: str, *, visible: bool = True) -> None:
        """Make one control here."""
        value = self._values[name]
        idle = why_idle(name, self._values["method"])
        shown = visible and name not in self._hidden
        self.made[name] = gradio_compat.component(
            self._controls[name], value, self._elem_id(name), idle=idle, visible=shown
        )

    def show_rest(self) -> None:
        """Make all controls that stand in rows and sections."""
        self._show_rows(top_rows())
        for title in SECTIONS:
            with gradio_compat.section(title, self._elem_id(f"section_{title.replace(' ', '_').lower()}")):
                self._show_rows(section_rows(title))

    def listen(self) -> None:
        """Grey what has no effect with the method that is chosen."""
        affected = [self.made[name] for name in AFFECTED]
        gradio_compat.when(self.made["method"].change, self._grey, [self.made["method"]], affected)

    def in_order(self) -> dict[str, Any]:
        """Return what was made, in the order of OFFERED."""
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
                    self._show_refresh("refresh", "Look for checkpoints and VAEs again", _FROM_DISK, refresh_host_lists)
                elif names[-1] in _FOUND:
                    self._show_refresh(f"refresh_{names[-1]}", "Look for model files again", names[-1:])

    def _show_refresh(
        self, elem_id: str, tooltip: str, names: Sequence[str], look: Callable[[], None] | None = None
    ) -> None:
        """Make the button that looks for files again. look: what is done before the lists are read anew."""

        def refreshed() -> dict[Any, Any]:
            if look:
                look()
            return {
                self.made[name]: gradio_compat.choices(list_pairs(name, _OPTIONS[name], host_list)) for name in names
            }

        button = gradio_compat.tool_button(REFRESH, tooltip, self._elem_id(elem_id))
        gradio_compat.when(button.click, refreshed, [], [self.made[name] for name in names])

    def _grey(self, method: str) -> list[Any]:
        return [disable_control(self._controls[name], method) for name in AFFECTED]


_OPTIONS = {field.name: known for field, known in OFFERED}
_FROM_DISK = [name for name, known in _OPTIONS.items() if known.host in FROM_DISK]
_LAST_FROM_DISK = _FROM_DISK[-1]
_FOUND = [name for name, known in _OPTIONS.items() if known.found]


def disable_control(of: Control, method: str) -> Any:
    """Return the update that makes a control idle, or gives it back, as the method says."""
    return gradio_compat.disable_component(of.hint, idle=why_idle(of.name, method))
