"""Axes for the host's X/Y/Z plot: one for every number, switch and choice of every pass."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import BadSetting
from ..settings.options import Option
from ..settings.sampling import OWN
from .config.choices import host_list
from .config.options import read_options
from .passes.settings import OFFERED, read_units

SCRIPT_NAME = "facefix"
"""Name of FaceFix's script; hosts keep titles in lower case."""

Lists = Callable[[str], Sequence[str]]


def add_axes() -> None:
    """Add the axes to every loaded X/Y/Z plot, once; for `on_before_ui`."""
    from modules import scripts

    passes = read_options().passes
    plots = (data.module for data in scripts.scripts_data if Path(data.path).name == "xyz_grid.py")
    for plot in plots:
        known = {option.label for option in plot.axis_options}
        plot.axis_options += [option for option in make_axes(plot, passes) if option.label not in known]


def make_axes(plot: Any, passes: int, lists: Lists = host_list) -> list[Any]:
    """Return the `AxisOption`s of the passes 1 to `passes`.

    plot: the host's module xyz_grid. lists: returns the host's choices for a name of `Option.host`.
    """
    wanted = [(field, known) for field, known in OFFERED if type(field.default) is not str or _is_choice(known)]
    numbers = range(1, passes + 1)
    return [Axis(number, field, known, lists).make_option(plot) for number in numbers for field, known in wanted]


def _is_choice(known: Option) -> bool:
    return bool(known.choices or known.host)


@dataclass(frozen=True)
class Axis:
    """One setting of one pass, as the X/Y/Z plot varies it."""

    number: int
    """Number of the pass, from 1."""
    field: dataclasses.Field[Any]
    known: Option
    lists: Lists

    @property
    def label(self) -> str:
        """Label in the plot's list of axes."""
        return f"[FaceFix{f' {self.number}' if self.number > 1 else ''}] {self.known.label}"

    @property
    def kind(self) -> type:
        """The setting's type."""
        return type(self.field.default)

    def make_option(self, plot: Any) -> Any:
        """Return the host's `AxisOption`."""
        facts: dict[str, Any] = {"choices": self.choices} if self.kind is bool or _is_choice(self.known) else {}
        if self.known.host:
            facts["format_value"] = self.format_value
        # the host expands ranges such as 0-1 [5] only for the types int and float themselves
        kind = self.kind if self.kind in (int, float) else self.read
        return plot.AxisOption(self.label, kind, self.apply, confirm=self.confirm, **facts)

    def choices(self) -> list[str]:
        """Return the choices as the plot shows them; none for numbers."""
        if self.kind is bool:
            return ["True", "False"]
        if self.known.host:
            return [OWN, *self.lists(self.known.host)]
        found = self.lists(self.known.found) if self.known.found else ()
        return [*(self.known.choices() if self.known.choices else ()), *found]

    def read(self, text: str) -> Any:
        """Return the value of a chosen or typed text; the plot confirms it afterwards."""
        if self.kind is bool:
            return {"true": True, "false": False}.get(text.strip().lower(), text)
        return "" if self.known.host and text == OWN else text

    def format_value(self, p: Any, option: Any, value: Any) -> str:  # noqa: ARG002 the host hands them on
        """Return the heading for the images of this value."""
        return f"{self.label}: {value or OWN}"

    def confirm(self, p: Any, values: Sequence[Any]) -> None:  # noqa: ARG002 the host hands it on
        """Raise `BadSetting` for the first value that is not allowed, before any image is generated."""
        try:
            for value in values:
                self._check(value)
        except BadSetting as error:
            raise BadSetting(f"pass {self.number}: {error}") from error

    def apply(self, p: Any, value: Any, values: Sequence[Any]) -> None:  # noqa: ARG002 the host hands them on
        """Set the value for the images of `p`; also switches FaceFix and the pass on.

        p: a shallow copy that shares its list of arguments with the other cells, so the list is replaced.
        """
        script = next((script for script in p.scripts.alwayson_scripts if script.name == SCRIPT_NAME), None)
        if script is None:
            raise BadSetting("the X/Y/Z plot cannot vary FaceFix, because it is off in this tab; see Extensions")
        args = p.script_args
        own = args[script.args_from : script.args_to]
        units = read_units(own)
        units += [{"active": False} for _ in range(len(units), self.number)]
        units[self.number - 1] |= {"active": True, self.field.name: value}
        spare = [None] * (len(own) - 1 - len(units))
        p.script_args = type(args)([*args[: script.args_from], True, *units, *spare, *args[script.args_to :]])

    def _check(self, value: Any) -> None:
        self.known.check(value, self.kind)
        if value and self.known.host and value not in (choices := self.choices()):
            raise BadSetting(f"{self.known.label} must be one of {', '.join(choices)}; not {value!r}")
