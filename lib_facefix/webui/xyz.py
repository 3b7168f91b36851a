"""Axes for the host's X/Y/Z plot: the settings of a pass that people compare, and its prompts."""

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
from .passes.settings import OFFERED, Unit, read_units

SCRIPT_NAME = "facefix"
"""Name of FaceFix's script; hosts keep titles in lower case."""
PROMPTS = ("prompt", "negative_prompt")

AXES = (
    *("active", "method", "denoising_strength", "prompt", "restorer", "fidelity", "visibility", "detector", "mask"),
    *("guard", "grain", "mask_grow", "mask_feather", "padding", "denoise_by_size", "width", "steps", "cfg_scale"),
    *("sampler", "scheduler", "checkpoint", "noise_multiplier", "min_score"),
)
"""Settings of the first pass with an axis, in the order of the plot's list."""
AXES_OF_OTHERS = AXES[:9]
"""Settings of all other passes with an axis: the list is the host's, and long without ours."""

Lists = Callable[[str], Sequence[str]]
Change = Callable[[Unit], Unit]


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
    offered = {field.name: (field, known) for field, known in OFFERED}
    made = []
    for number in range(1, passes + 1):
        wanted = AXES if number == 1 else AXES_OF_OTHERS
        made += [Axis(number, *offered[name], lists).make_option(plot) for name in wanted]
        made.append(PromptSearch(number).make_option(plot))
    return made


def _is_choice(known: Option) -> bool:
    return bool(known.choices or known.host)


def _label(number: int, name: str) -> str:
    """Return a label in the plot's list of axes. number: of the pass."""
    return f"[FaceFix{f' {number}' if number > 1 else ''}] {name}"


def read_own_units(p: Any) -> tuple[Any, list[Unit]]:
    """Return FaceFix's script in a run, and the values of its passes; raises `BadSetting` if the tab lacks it."""
    script = next((script for script in p.scripts.alwayson_scripts if script.name == SCRIPT_NAME), None)
    if script is None:
        raise BadSetting("the X/Y/Z plot cannot vary FaceFix, because it is off in this tab; see Extensions")
    return script, read_units(p.script_args[script.args_from : script.args_to])


def change_pass(p: Any, number: int, change: Change) -> None:
    """Change the values of one pass for the images of `p`; also switches FaceFix and the pass on.

    p: a shallow copy that shares its list of arguments with the other cells, so the list is replaced.
    """
    script, units = read_own_units(p)
    args, count = p.script_args, script.args_to - script.args_from
    units += [{"active": False} for _ in range(len(units), number)]
    units[number - 1] = change({**units[number - 1], "active": True})
    spare = [None] * (count - 1 - len(units))
    p.script_args = type(args)([*args[: script.args_from], True, *units, *spare, *args[script.args_to :]])


@dataclass(frozen=True)
class PromptSearch:
    """Searches the prompts of one pass for the first value of the axis, and replaces it with each value."""

    number: int
    """Number of the pass, from 1."""

    def make_option(self, plot: Any) -> Any:
        """Return the host's `AxisOption`."""
        facts = {"confirm": self.confirm, "format_value": lambda _p, _option, value: value}
        return plot.AxisOption(_label(self.number, "Face prompt S/R"), str, self.apply, **facts)

    def confirm(self, p: Any, values: Sequence[str]) -> None:
        """Raise `BadSetting` if neither prompt of the pass has the first value."""
        _, units = read_own_units(p)
        unit = units[self.number - 1] if self.number <= len(units) else {}
        if not any(values[0] in (unit.get(name) or "") for name in PROMPTS):
            raise BadSetting(
                f"pass {self.number}: the face prompts do not contain {values[0]!r}. Enter it in the prompt for faces, "
                "or use the plot's own Prompt S/R for the prompt of the image"
            )

    def apply(self, p: Any, value: str, values: Sequence[str]) -> None:
        """Replace the first of all values with this one in the prompts of the pass."""

        def replace(unit: Unit) -> Unit:
            texts = {name: str(unit[name]).replace(values[0], value) for name in PROMPTS if unit.get(name)}
            return {**unit, **texts}

        change_pass(p, self.number, replace)


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
        return _label(self.number, self.known.label)

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
        """Set the value for the images of `p`."""
        change_pass(p, self.number, lambda unit: {**unit, self.field.name: value})

    def _check(self, value: Any) -> None:
        self.known.check(value, self.kind)
        if value and self.known.host and value not in (choices := self.choices()):
            raise BadSetting(f"{self.known.label} must be one of {', '.join(choices)}; not {value!r}")
