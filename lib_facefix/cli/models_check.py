"""Verify weights against their published hashes, and convert files to safetensors."""

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from ..errors import BadModel, FaceFixError
from ..weights import PUBLISHED, Published, convert, verify_file
from .model_folders import add_path_flags, read_model_paths
from .models_get import find_published
from .terminal import print_lines

T = TypeVar("T")


def add(actions: Any) -> None:
    """Add the actions to the parser of `models`."""
    verify = actions.add_parser("verify", help="compare weights with their published SHA-256 hashes")
    verify.add_argument("names", nargs="*", metavar="NAME", help="name of a model (default: all installed ones)")
    add_path_flags(verify)
    verify.set_defaults(run=run_verify)
    converting = actions.add_parser("convert", help="convert files to safetensors, beside the originals")
    converting.add_argument("files", nargs="+", type=Path, metavar="FILE", help=".pth, .ckpt, .pt, .param/.bin or .whl")
    converting.set_defaults(run=run_convert, writes=True)


def run_verify(arguments: argparse.Namespace) -> int:
    """Verify the named files, or all installed ones. Return the exit code."""
    paths = read_model_paths(arguments)

    def verify(file: Published) -> None:
        if path := paths.find(file.name):
            print_lines([f"{file.name}: as published, {verify_file(path, file, paths.cache)}"])
        elif arguments.names:
            raise BadModel(f"{file.name} is not installed; get it with `facefix models get {file.name}`")

    return _run_each([find_published(name, paths) for name in arguments.names] or PUBLISHED.values(), verify)


def run_convert(arguments: argparse.Namespace) -> int:
    """Convert each file. Return the exit code."""
    return _run_each(arguments.files, lambda path: print_lines([f"{path} -> {convert(path)}"]))


def _run_each(files: Iterable[T], work: Callable[[T], None]) -> int:
    """Process each file, and print the errors. Return the exit code."""
    failed = False
    for file in files:
        try:
            work(file)
        except FaceFixError as error:
            failed = True
            print_lines([f"facefix: {error}"], error=True)
    return 1 if failed else 0
