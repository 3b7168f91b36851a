"""Check weights against their published hashes, and convert files to safetensors."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..errors import FaceFixError
from ..weights import PUBLISHED, convert, verify_file
from .models_get import add_shelf_flags, find_published, read_shelf
from .terminal import tell


def add(actions: Any) -> None:
    """Add the actions to the parser of `models`."""
    verify = actions.add_parser("verify", help="compare weights with their published SHA-256")
    verify.add_argument("names", nargs="*", metavar="NAME", help="default: all that are found")
    add_shelf_flags(verify)
    verify.set_defaults(run=run_verify)
    converting = actions.add_parser("convert", help="make a safetensors beside each file")
    converting.add_argument("files", nargs="+", type=Path, metavar="FILE", help=".pth, .ckpt, .pt, .param/.bin or .whl")
    converting.set_defaults(run=run_convert)


def run_verify(arguments: argparse.Namespace) -> int:
    """Check the files named, or all that are found; return the exit code."""
    places, failed = read_shelf(arguments), False
    for one in [find_published(name) for name in arguments.names] or PUBLISHED.values():
        try:
            if path := places.find(one.name):
                tell([f"{one.name}: as published, {verify_file(path, one, places.cache)}"])
            elif arguments.names:
                failed = True
                tell([f"{one.name}: not here; facefix models get {one.name}"], error=True)
        except FaceFixError as error:
            failed = True
            tell([f"facefix: {error}"], error=True)
    return 1 if failed else 0


def run_convert(arguments: argparse.Namespace) -> int:
    """Convert each file; return the exit code."""
    failed = False
    for path in arguments.files:
        try:
            tell([f"{path} -> {convert(path)}"])
        except FaceFixError as error:
            failed = True
            tell([f"facefix: {error}"], error=True)
    return 1 if failed else 0
