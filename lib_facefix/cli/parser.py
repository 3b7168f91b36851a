"""The parser of a command: short errors with suggestions, and flags that only --help-all shows."""

import argparse
import shutil
import textwrap
from collections.abc import Iterable
from typing import Any, NoReturn

from ..errors import suggest
from .terminal import escape_controls

MAX_WIDTH = 100
"""Widest line of a help text, in characters."""
DASHED = ("--suffix",)
"""Flags whose value may begin with a dash."""
FLAG_COLUMN = 26
"""Column in which the help of a flag begins."""


class Parser(argparse.ArgumentParser):
    """A parser for one command, or for one action of a command."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"formatter_class": HelpFormatter, **options, "add_help": False})
        self.examples: tuple[str, ...] = ()
        """Lines of the help that show how the command is used."""
        self.advanced: list[argparse.Action] = []
        """Flags that only --help-all shows."""
        self._shows_all = False
        self._positionals.title, self._optionals.title = "arguments", "flags"
        self.add_argument("-h", "--help", action="help", help="show this help")

    def hide(self, actions: Iterable[argparse.Action]) -> None:
        """Show these flags only in the answer to --help-all."""
        if not self.advanced:
            self.add_argument("--help-all", action=_HelpAll, nargs=0, default=argparse.SUPPRESS, help="show all flags")
        self.advanced += actions

    def list_flags(self) -> list[argparse.Action]:
        """Return all flags of the command, without its actions' own."""
        return [action for action in self._actions if action.option_strings]

    def list_actions(self) -> dict[str, "Parser"]:
        """Return the parsers of the command's actions by name, such as "get" of `facefix models`."""
        found = (action.choices for action in self._actions if isinstance(action, argparse._SubParsersAction))
        return next(found, {})

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[argparse.Namespace, list[str]]:  # type: ignore[override]
        """Parse the arguments. A flag may stand between inputs; an unknown one exits with 2."""
        parsed, extra = super().parse_known_args(self._join_dashed(args), namespace)
        for word in extra:
            if word.startswith("-") and word != "-":
                self.error(f"unknown flag {word}.{suggest(word.partition('=')[0], self._option_string_actions)}")
        if extra and not isinstance(getattr(parsed, "inputs", None), list):
            self.error(f"unexpected argument {extra[0]!r}")
        if extra:
            parsed.inputs += extra
        return parsed, []

    def _join_dashed(self, args: Any) -> Any:
        """Return the arguments with `--suffix -new` as `--suffix=-new`, as argparse takes -new for a flag."""
        joined: list[str] = []
        for word in args or ():
            value = word.startswith("-") and word not in self._option_string_actions
            if joined and joined[-1] in DASHED and joined[-1] in self._option_string_actions and value:
                joined[-1] += f"={word}"
            else:
                joined.append(word)
        return joined

    def error(self, message: str) -> NoReturn:
        """Print one line, and exit with 2."""
        text = escape_controls(message)  # it repeats what was given
        self.exit(2, f"{self.prog}: {text}{'' if text.endswith(('.', '?')) else '.'} See `{self.prog} --help`\n")

    def format_help(self) -> str:
        """Return the help: usage, description, examples, the everyday flags, and the others after --help-all."""
        formatter = self._get_formatter()
        formatter.add_usage(self.usage, self._actions, self._mutually_exclusive_groups)
        formatter.add_text(self.description)
        if self.examples:
            formatter.add_text("\n".join(("examples:", *(f"  {line}" for line in self.examples))))
        groups = sorted(self._action_groups, key=lambda group: group is self._optionals)  # which come last
        for advanced in (False, True) if self._shows_all else (False,):
            for group in groups:
                shown = [one for one in group._group_actions if (one in self.advanced) == advanced]
                more = advanced and len(shown) < len(group._group_actions)
                formatter.start_section(f"{group.title}, more" if more else group.title)
                formatter.add_arguments(shown)
                formatter.end_section()
        if self.advanced and not self._shows_all:
            formatter.add_text(f"`{self.prog} --help-all` shows {len(self.advanced)} more flags.")
        return formatter.format_help()

    def print_all_help(self) -> None:
        """Print the help with all flags."""
        self._shows_all = True
        self.print_help()

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            known = [str(one) for one in action.choices]
            message = f"{value!r} is not one of {', '.join(known)}.{suggest(str(value), known)}"
            raise argparse.ArgumentError(action, message)


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Writes help texts alike on every version of Python."""

    def __init__(self, prog: str) -> None:
        width = min(shutil.get_terminal_size().columns, MAX_WIDTH) - 2
        super().__init__(prog, max_help_position=FLAG_COLUMN, width=width)

    def _split_lines(self, text: str, width: int) -> list[str]:
        return textwrap.wrap(
            " ".join(text.split()), width, break_on_hyphens=False
        )  # names such as re-diffuse stay whole

    def _format_action_invocation(self, action: argparse.Action) -> str:
        if not action.option_strings:
            return super()._format_action_invocation(action)
        names = ", ".join(action.option_strings)
        return names if action.nargs == 0 else f"{names} {self._format_args(action, action.dest.upper())}"

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if "\n  " in text:  # lines that are laid out already
            return super()._fill_text(text, width, indent)
        return argparse.HelpFormatter._fill_text(self, text, width, indent)


class _HelpAll(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        assert isinstance(parser, Parser)
        parser.print_all_help()
        parser.exit()
