"""The command `facefix`. It imports little, so that --help and --version respond at once."""

from __future__ import annotations

import sys

from .. import __version__

TYPE_CHECKING = False  # as in the package itself
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .parser import Parser

COMMANDS = {
    "fix": "fix the faces in images",
    "detect": "find faces and print them as JSON",
    "plan": "write a plan as JSON, to edit and run",
    "setup": "get better restorers: show them, install one",
    "models": "list, get, verify, and convert models",
    "settings": "print all settings as a JSON schema",
    "provenance": "show or remove the record of edits in files",
    "serve": "serve a web page and the HTTP API",
    "compare": "say how alike the faces of two photos are",
    "doctor": "check this installation, for a bug report",
    "completion": "print the completion script of a shell",
}
"""Commands by the names of their modules, with their help, in the order of the help."""
HELP = f"""\
FaceFix finds the faces in images, restores them, and blends them back in.

usage: facefix IMAGE... [FLAGS]     short for `facefix fix`
       facefix COMMAND [FLAGS]

examples:
  facefix old.jpg                   writes old.fixed.jpg beside it
  facefix album/ -o restored/       a folder, with its subfolders
  facefix setup                     which better restorers there are
  facefix serve --open              everything in the browser

commands:
{chr(10).join(f"  {name:<10}  {text}" for name, text in COMMANDS.items())}

`facefix COMMAND --help` shows the flags of a command.

flags:
  -h, --help  show this help
  --version   show the version

exit codes: 0 success, 1 some images or faces failed, 2 wrong usage or set-up,
            130 stopped with Ctrl-C
"""


def answer_at_once(arguments: Sequence[str]) -> str:
    """Return the answer to --help or --version, or blank for any other command line."""
    if list(arguments) in (["-h"], ["--help"], ["help"], ["--help-all"]):
        return HELP
    return f"facefix {__version__}\n" if list(arguments) == ["--version"] else ""


def make_parser(command: str) -> Parser:
    """Return the parser of one command, whose module alone is imported."""
    from importlib import import_module

    from .parser import Parser

    module = import_module(f".{command}", __package__)
    parser = Parser(prog=f"facefix {command}", description=module.__doc__)
    module.add(parser)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit code. Wrong flags raise `SystemExit` with the code 2."""
    if text := answer_at_once(arguments):
        print(text, end="")
        return 0
    from ..errors import FaceFixError
    from .run import explain, parse

    if not arguments:
        print(HELP, end="", file=sys.stderr)
        return 2
    try:
        chosen = parse(arguments)
        code: int = chosen.run(chosen)
    except FaceFixError as error:
        return explain(error)
    return code


def entry() -> None:
    """Run the command line with the arguments of the process and exit."""
    if text := answer_at_once(sys.argv[1:]):
        print(text, end="")
        return
    from .run import run_process

    run_process(sys.argv[1:])


if __name__ == "__main__":
    entry()
