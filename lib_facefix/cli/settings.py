"""Print every setting as a JSON schema: name, label, default, range."""

from __future__ import annotations

import argparse
from typing import Any

from ..settings.face_settings import FaceSettings
from ..settings.options import schema
from .terminal import write_json


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("settings", help="print every setting as a JSON schema", description=__doc__)
    parser.set_defaults(run=run)


def run(_: argparse.Namespace) -> int:
    """Carry the command out; return its exit code."""
    write_json(schema(FaceSettings), None)
    return 0
