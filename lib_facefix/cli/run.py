"""Chooses the command, runs it in this process, and turns errors into exit codes."""

import argparse
import io
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from ..errors import BadSetting, CannotFetch, CannotReach, CannotWrite, FaceFixError, suggest
from ..fsio import sweep_temp
from .__main__ import COMMANDS, main, make_parser
from .terminal import STOPPED, print_lines


def split_command(arguments: Sequence[str]) -> tuple[str, Sequence[str]]:
    """Return the command and its arguments: `facefix old.jpg` is short for `facefix fix old.jpg`.

    Raises `BadSetting` for a word that is neither a command nor like the name of a file.
    """
    first = arguments[0]
    if first in COMMANDS:
        return first, arguments[1:]
    if first == "help" and arguments[1:2] and arguments[1] in COMMANDS:
        return arguments[1], ["--help"]
    if first.startswith("-") or set(first) & set("./\\*?[~") or os.path.lexists(first):
        return "fix", arguments
    raise BadSetting(
        f"{first!r} is neither a command nor an existing file.{suggest(first, COMMANDS)} See `facefix --help`"
    )


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the flags of a command line, with the function that carries it out as `run`.

    Temporary folders of killed runs are deleted before a command that writes.

    Raises `BadSetting` for an unknown command. The parser itself exits with 2 for a wrong flag.
    """
    command, rest = split_command(arguments)
    chosen = make_parser(command).parse_args(rest)
    if getattr(chosen, "writes", False):
        named = (os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP"))
        sweep_temp(Path(next(filter(None, named), "/tmp")))  # tempfile would write a file to find out
    if isinstance(chosen.run, str):  # the module that has it, which takes a while to import
        chosen.run = import_module(chosen.run, __package__).run
    return chosen


def explain(error: FaceFixError) -> int:
    """Print an error, and return its exit code."""
    print_lines([f"facefix: {error}"], error=True)
    return 1 if isinstance(error, CannotFetch | CannotReach | CannotWrite) else 2


def run_process(arguments: Sequence[str]) -> NoReturn:
    """Run the command and exit, with the signals and the streams of a command-line program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # file names may contain characters that the terminal cannot print
            stream.reconfigure(errors="backslashreplace")
    if arguments[:1] != ["serve"]:  # which has its own way to end
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # as for Ctrl-C
    try:
        sys.exit(main(arguments))
    except BrokenPipeError:  # the reader of the output, such as `head`, has closed the pipe
        sys.stderr.close()
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(STOPPED)
