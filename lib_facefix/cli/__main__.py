"""FaceFix finds the faces in images, restores them, and blends them back in seamlessly."""

import argparse
import io
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from .. import __version__
from ..errors import CannotFetch, CannotReach, CannotWrite, FaceFixError
from ..fsio import sweep_temp
from .terminal import STOPPED, escape_controls, print_lines

COMMANDS = ("fix", "detect", "plan", "models", "settings", "serve")
"""Commands by the names of their modules, in the order of the help."""
EXITS = "exit codes: 0 success, 1 some images or faces failed, 2 wrong usage"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        super().error(escape_controls(message))  # it repeats what was given


def make_parser(command: str = "") -> argparse.ArgumentParser:
    """Return the parser of one command, whose module alone is imported; for any other word that of all commands."""
    parser = _Parser(prog="facefix", description=__doc__, epilog=EXITS)
    parser.add_argument("--version", action="version", version=f"facefix {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name in [command] if command in COMMANDS else COMMANDS:
        import_module(f".{name}", __package__).add(commands)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit code. argparse itself exits with 2 for an unknown flag."""
    chosen = make_parser(*arguments[:1]).parse_args(arguments)
    if getattr(chosen, "writes", False):
        named = (os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP"))
        sweep_temp(Path(next(filter(None, named), "/tmp")))  # tempfile would write a file to find out
    try:
        code: int = chosen.run(chosen)
    except FaceFixError as error:
        print_lines([f"facefix: {error}"], error=True)
        return 1 if isinstance(error, CannotFetch | CannotReach | CannotWrite) else 2
    return code


def entry() -> None:
    """Run the command line with the arguments of the process and exit."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # file names may contain characters that the terminal cannot print
            stream.reconfigure(errors="backslashreplace")
    if sys.argv[1:2] != ["serve"]:  # which has its own way to end
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # as for Ctrl-C
    try:
        sys.exit(main(sys.argv[1:]))
    except BrokenPipeError:  # the reader of the output, such as `head`, has closed the pipe
        sys.stderr.close()
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(STOPPED)


if __name__ == "__main__":
    entry()
