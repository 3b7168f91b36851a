"""`facefix`: finds the faces of pictures, restores them, and pastes them back without a seam."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence

from .. import __version__
from ..errors import CannotFetch, CannotReach, CannotWrite, FaceFixError
from . import detect, fix, models, plan, serve, settings
from .terminal import tell

EXITS = "exit codes: 0 all done, 1 some pictures or faces failed, 2 wrong use"


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(prog="facefix", description=__doc__, epilog=EXITS)
    parser.add_argument("--version", action="version", version=f"facefix {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in (fix, detect, plan, models, settings, serve):
        command.add(commands)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Run the command line; return its exit code (argparse itself exits with 2 for a flag it does not know)."""
    chosen = make_parser().parse_args(arguments)
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
        sys.exit(fix.STOPPED)


if __name__ == "__main__":
    entry()
