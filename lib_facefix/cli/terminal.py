"""Prints lines beside a progress bar, and asks questions."""

import re
import sys
from collections.abc import Iterable

STOPPED = 130
"""Exit code after Ctrl-C, as shells use it."""


CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a terminal obeys rather than shows: control characters, and marks that turn the direction of text.

Also bytes of a file name that are not UTF-8, as Python holds them: they cannot be written.
"""


def escape_controls(text: str) -> str:
    r"""Return `text` with its control characters spelled out, such as \x1b: a file name may hold any of them."""
    return CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def print_lines(lines: Iterable[str], *, error: bool = False) -> None:
    """Print lines without damaging a progress bar: errors to standard error, all else to standard output.

    Control characters in them are spelled out, line breaks too: each line stays one.
    """
    tqdm = sys.modules.get("tqdm")  # imported only where a bar is shown
    for line in map(escape_controls, lines):
        if tqdm:
            tqdm.tqdm.write(line, file=sys.stderr if error else sys.stdout)
        else:
            print(line, file=sys.stderr if error else sys.stdout, flush=True)
