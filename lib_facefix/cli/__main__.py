"""FaceFix finds the faces in images, restores them, and blends them back in seamlessly."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence

from .. import __version__
from ..errors import CannotFetch, CannotReach, CannotWrite, FaceFixError
from . import detect, fix, models, plan, serve, settings
from .terminal import print_lines

EXITS = "exit codes: 0 success, 1 some images or faces failed, 2 wrong usage"


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(prog="facefix", description=__doc__, epilog=EXITS)
    parser.add_argument("--version", action="version", version=f"facefix {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in (fix, detect, plan, models, settings, serve):
        command.add(commands)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit code. argparse itself exits with 2 for an unknown flag."""
    chosen = make_parser().parse_args(arguments)
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
    try:
        sys.exit(main(sys.argv[1:]))
    except BrokenPipeError:  # the reader of the output, such as `head`, has closed the pipe
        sys.stderr.close()
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(fix.STOPPED)


if __name__ == "__main__":
    entry()
