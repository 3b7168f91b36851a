"""Images from standard input and to standard output, which a command line calls "-"."""

import argparse
import io
import sys
from pathlib import Path
from typing import BinaryIO

from ..batch import STREAM
from ..errors import BadPicture, BadSetting
from ..pictures import SUFFIXES


def choose_streams(arguments: argparse.Namespace) -> tuple[BinaryIO | None, BinaryIO | None]:
    """Return the image on standard input and the stream for the result, each None if its files are on disk.

    Without -o, the result of standard input goes to standard output, so `arguments.output` is changed.
    Raises `BadSetting` for flags that do not go with a stream, and `BadPicture` for an empty input.
    """
    dash = str(STREAM)
    reads = dash in arguments.inputs
    if reads and len(arguments.inputs) > 1:
        raise BadSetting("- reads one image from standard input; remove the other inputs")
    if reads and (arguments.plan or arguments.in_place):
        raise BadSetting(f"{'--plan' if arguments.plan else '--in-place'} needs image files; remove it, or give a file")
    if reads and arguments.output is None and not arguments.dry_run:
        arguments.output = dash
    if reads and arguments.output not in (None, dash) and Path(arguments.output).suffix.lower() not in SUFFIXES:
        raise BadSetting("an image from standard input has no name; give a file to -o, such as -o fixed.png")
    writes = arguments.output == dash
    if writes and (arguments.suffix is not None or arguments.skip_existing):
        flag = "--skip-existing" if arguments.skip_existing else "--suffix"
        raise BadSetting(f"{flag} has no effect on standard output; remove it")
    if writes and sys.stdout.isatty() and not arguments.dry_run:
        raise BadSetting("-o - writes an image, which a terminal cannot show; add > fixed.png, or use -o fixed.png")
    return _read_input() if reads else None, sys.stdout.buffer if writes else None


def _read_input() -> BinaryIO:
    content = sys.stdin.buffer.read()
    if not content:
        raise BadPicture("standard input is empty; redirect an image to it, as in `facefix fix - < old.jpg`")
    return io.BytesIO(content)
