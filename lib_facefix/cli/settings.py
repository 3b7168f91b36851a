"""Print all settings as a JSON schema, with label, default, and range."""

import argparse
from typing import Any

from ..settings.face_settings import FaceSettings
from ..settings.options import schema
from .terminal import write_json


def add(commands: Any) -> None:
    """Add the command to a parser."""
    parser = commands.add_parser("settings", help="print all settings as a JSON schema", description=__doc__)
    parser.set_defaults(run=run)


def run(_: argparse.Namespace) -> int:
    """Run the command. Return its exit code."""
    write_json(schema(FaceSettings), None)
    return 0
