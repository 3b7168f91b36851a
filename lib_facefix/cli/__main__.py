"""`facefix`: finds the faces of pictures, restores them, and pastes them back without a seam."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence
from importlib import import_module

from .. import __version__
from ..errors import CannotFetch, CannotReach, CannotWrite, FaceFixError
from .terminal import STOPPED, tell

COMMANDS = ("fix", "detect", "plan", "models", "settings", "serve")
"""Commands by the names of their modules, in the order of the help."""
EXITS = "exit codes: 0 all done, 1 some pictures or faces failed, 2 wrong use"


def make_parser(command: str = "") -> argparse.ArgumentParser:
    """Return the parser of one command, whose module alone is imported; for any other word that of all commands."""
    parser = argparse.ArgumentParser(prog="facefix", description=__doc__, epilog=EXITS)
    parser.add_argument("--version", action="version", version=f"facefix {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name in [command] if command in COMMANDS else COMMANDS:
        import_module(f".{name}", __package__).add(commands)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Run the command line; return its exit code (argparse itself exits with 2 for a flag it does not know)."""
    chosen = make_parser(*arguments[:1]).parse_args(arguments)
    try:
        code: int = chosen.run(chosen)
    except (CannotFetch, CannotReach, CannotWrite) as error:
        tell([f"facefix: {error}"], error=True)
        return 1
    except FaceFixError as error:
        tell([f"facefix: {error}"], error=True)
        return 2
    return code


def entry() -> None:
    """Run with the arguments of the process, and end it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a file name may hold what the terminal cannot show
            stream.reconfigure(errors="backslashreplace")
    try:
        sys.exit(main(sys.argv[1:]))
    except BrokenPipeError:  # the reader of our output has seen enough
        sys.stderr.close()
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(STOPPED)


if __name__ == "__main__":
    entry()
