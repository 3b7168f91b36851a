"""Print all settings as a JSON schema, with label, default, and range."""

import argparse

from ..settings.face_settings import FaceSettings
from ..settings.options import schema
from .parser import Parser


def add(parser: Parser) -> None:
    """Add the command to its parser."""
    parser.set_defaults(run=run)


def run(_: argparse.Namespace) -> int:
    """Run the command. Return its exit code."""
    from .files import write_json

    write_json(schema(FaceSettings), None)
    return 0
