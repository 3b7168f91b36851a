"""Print the completion script of a shell, made from the flags of all commands.

bash: add `source <(facefix completion bash)` to ~/.bashrc. zsh: the same with zsh, in ~/.zshrc after compinit.
fish: facefix completion fish > ~/.config/fish/completions/facefix.fish
"""

import argparse
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .parser import Parser

SHELLS = ("bash", "zsh", "fish")
FILES = ("FILE", "DIR", "PATH", "IMAGE")
"""Names of values that are paths."""
HINT = 60
"""Longest description of a flag, in characters."""


def add(parser: Parser) -> None:
    """Add the command to its parser."""
    parser.usage = "%(prog)s SHELL"
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=" | ".join(SHELLS))
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command. Return its exit code."""
    write = {"bash": _write_bash, "zsh": _write_zsh, "fish": _write_fish}[arguments.shell]
    print("\n".join(write(list(list_commands()))))
    return 0


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag, or the arguments of a command without a flag."""

    names: tuple[str, ...]
    """Its spellings, such as "-o" and "--output"; none for the arguments of a command."""
    help: str
    takes_value: bool
    values: tuple[str, ...] = ()
    """Values to offer."""
    files: bool = False
    """Whether the value is a path."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command, or an action of one, with all that can follow it."""

    words: str
    """Such as "fix" or "models get"."""
    help: str
    flags: tuple[Flag, ...]
    rest: Flag
    """What the arguments without a flag may be."""


def list_commands() -> Iterator[Command]:
    """Yield all commands, each followed by its actions."""
    from ..registry import REGISTRIES, RESTORERS
    from ..settings.face_settings import FaceSettings
    from ..settings.options import options
    from ..settings.runtime import Runtime
    from .__main__ import COMMANDS, make_parser

    known = {field.name: one.choices() for kind in (FaceSettings, Runtime) for field, one in options(kind)
             if one.choices}  # fmt: skip
    weights = tuple(dict.fromkeys(info.name for registry in REGISTRIES for info in registry if info.weights_name))
    names = {"setup": tuple(info.name for info in RESTORERS if info.weights_name), "models get": weights}
    names["models verify"] = weights
    for name, text in COMMANDS.items():
        parser = make_parser(name)
        yield _read_parser(name, text, parser, known, names)
        for action, below in parser.list_actions().items():
            words = f"{name} {action}"
            yield _read_parser(words, str(below.description or words), below, known, names)


def _read_parser(
    words: str,
    text: str,
    parser: Parser,
    known: Mapping[str, tuple[str, ...]],
    names: Mapping[str, tuple[str, ...]],
) -> Command:
    flags = tuple(_read_flag(action, known) for action in parser.list_flags())
    positional = [action for action in parser._actions if not action.option_strings]
    rest = _read_flag(positional[0], known) if positional else Flag((), "", takes_value=False)
    if words in names:
        rest = Flag((), rest.help, takes_value=True, values=names[words])
    return Command(words, text, flags, rest)


def _read_flag(action: argparse.Action, known: Mapping[str, tuple[str, ...]]) -> Flag:
    values = tuple(map(str, action.choices or known.get(action.dest, ())))
    if len(values) > 40:  # numbers, such as 1 to 100
        values = ()
    short = re.split(r"[.;(\[]", str(action.help or ""))[0].strip()[:HINT]
    files = not values and action.metavar in FILES
    return Flag(tuple(action.option_strings), short, action.nargs != 0, values, files)


def _write_bash(commands: Sequence[Command]) -> Iterator[str]:
    first = [one.words for one in commands if " " not in one.words]
    yield "# Completion of facefix for bash. Add this to ~/.bashrc: source <(facefix completion bash)"
    yield "_facefix() {"
    yield '    local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}"'
    yield '    local found="" files="" words="fix"'
    yield "    COMPREPLY=()"
    yield f'    [[ " {" ".join(first)} " == *" ${{COMP_WORDS[1]}} "* ]] && words="${{COMP_WORDS[1]}}"'
    yield '    case "${COMP_WORDS[1]} ${COMP_WORDS[2]}" in'
    yield f"        {'|'.join(_quote(one.words) for one in commands if ' ' in one.words)})"
    yield '            (( COMP_CWORD > 2 )) && words="${COMP_WORDS[1]} ${COMP_WORDS[2]}" ;;'
    yield "    esac"
    yield '    case "$words $before" in'
    for one in commands:
        for flag in one.flags:
            if flag.takes_value:
                cases = "|".join(_quote(f"{one.words} {name}") for name in flag.names)
                yield f"        {cases}) {_bash_values(flag)} ;;"
    yield "        *)"
    yield '            case "$words" in'
    for one in commands:
        flags = _quote(" ".join(name for flag in one.flags for name in flag.names))
        yield f"                {_quote(one.words)}) if [[ $word == -* ]]; then found={flags}; else"
        yield f"                    {_bash_values(one.rest)}; fi ;;"
    yield "            esac"
    yield f"            (( COMP_CWORD == 1 )) && [[ $word != -* ]] && found={_quote(' '.join(first))} files=1 ;;"
    yield "    esac"
    yield '    [[ $found ]] && mapfile -t COMPREPLY < <(compgen -W "$found" -- "$word")'
    yield "    if [[ $files ]]; then"
    yield "        compopt -o filenames 2>/dev/null"
    yield '        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$word")'
    yield "    fi"
    yield "}"
    yield "complete -F _facefix facefix"


def _bash_values(flag: Flag) -> str:
    if flag.files:
        return "files=1"
    return f"found={_quote(' '.join(value for value in flag.values if ' ' not in value))}"


def _write_zsh(commands: Sequence[Command]) -> Iterator[str]:
    yield "#compdef facefix"
    yield "# Completion of facefix for zsh. Add this to ~/.zshrc: source <(facefix completion zsh)"
    yield "_facefix() {"
    yield "    local words_of=fix"
    yield "    local -a commands"
    listed = (_quote(f"{one.words}:{one.help}") for one in commands if " " not in one.words)
    yield f"    commands=({' '.join(listed)})"
    yield "    if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then"
    yield "        _describe command commands"
    yield "        _files"
    yield "        return"
    yield "    fi"
    yield '    case "$words[2]" in'
    yield f"        {'|'.join(one.words for one in commands if ' ' not in one.words)})"
    yield "            words_of=$words[2]; shift words; (( CURRENT-- )) ;;"
    yield "    esac"
    yield '    case "$words_of $words[2]" in'
    yield f"        {'|'.join(_quote(one.words) for one in commands if ' ' in one.words)})"
    yield '            (( CURRENT > 2 )) && { words_of="$words_of $words[2]"; shift words; (( CURRENT-- )) } ;;'
    yield "    esac"
    yield '    case "$words_of" in'
    for one in commands:
        yield f"        {_quote(one.words)}) _arguments -S \\"
        for flag in one.flags:
            for name in flag.names:
                yield f"            {_quote(f'*{name}[{_zsh_text(flag.help)}]{_zsh_values(flag)}')} \\"
        rest = _zsh_values(one.rest) or ": :"
        yield f"            {_quote(f'*{rest}')} ;;"
    yield "    esac"
    yield "}"
    yield 'if [[ "$funcstack[1]" == _facefix ]]; then _facefix "$@"; else compdef _facefix facefix; fi'


def _zsh_values(flag: Flag) -> str:
    if not flag.takes_value:
        return ""
    if flag.files:
        return ":file:_files"
    values = " ".join(re.sub(r"([\s()&:\\])", r"\\\1", value) for value in flag.values)
    return f":value:({values})" if values else ":value: "


def _zsh_text(text: str) -> str:
    return re.sub(r"([\[\]:\\])", r"\\\1", text)


def _write_fish(commands: Sequence[Command]) -> Iterator[str]:
    first = [one for one in commands if " " not in one.words]
    names = " ".join(one.words for one in first)
    yield "# Completion of facefix for fish. Save it as ~/.config/fish/completions/facefix.fish"
    for one in first:
        yield f"complete -c facefix -n __fish_use_subcommand -a {one.words} -d {_fish_quote(one.help)}"
    for one in commands:
        command, _, action = one.words.partition(" ")
        seen = f"__fish_seen_subcommand_from {command}" + (
            f"; and __fish_seen_subcommand_from {action}" if action else ""
        )
        if command == "fix":
            seen = f"__fish_seen_subcommand_from fix; or not __fish_seen_subcommand_from {names}"
        start = f"complete -c facefix -n {_fish_quote(seen)}"
        if one.rest.values:
            yield f"{start} -f -a {_fish_quote(' '.join(one.rest.values))}"
        elif not one.rest.files:
            yield f"{start} -f"
        for flag in one.flags:
            spelled = (f"-s {name[1:]}" if name[1] != "-" else f"-l {name[2:]}" for name in flag.names)
            value = "" if not flag.takes_value else " -r -F" if flag.files else " -x"
            if flag.values:
                value = f" -x -a {_fish_quote(' '.join(_fish_value(one) for one in flag.values))}"
            yield f"{start} {' '.join(spelled)}{value} -d {_fish_quote(flag.help)}"


def _fish_value(value: str) -> str:
    return re.sub(r"([\s()&$*])", r"\\\1", value)


def _fish_quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _quote(text: str) -> str:
    """Return the text in single quotes, as bash and zsh read it."""
    escaped = text.replace("'", "'\\''")
    return f"'{escaped}'"
