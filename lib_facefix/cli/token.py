"""The token of a `facefix serve`, from a file, an environment variable, or a flag that other users can see."""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import BadSetting
from .terminal import print_lines

TOKEN = "FACEFIX_TOKEN"
MAX_TOKEN = 4096
"""Longest token, in characters."""


def add_token(section: Any, whose: str) -> list[argparse.Action]:
    """Add the flags for a token to a parser, and return them. whose: description of the token for the help."""
    text = f"{whose}, visible in the process list (default: {TOKEN})"
    token = section.add_argument("--token", metavar="T", help=text)
    return [token, section.add_argument("--token-file", type=Path, metavar="FILE", help=f"file with the {whose}")]


def read_token(arguments: argparse.Namespace, environ: Mapping[str, str] = os.environ) -> str:
    """Return the token from the flags or the environment; blank: there is none. Raises `BadSetting`."""
    if arguments.token and arguments.token_file:
        raise BadSetting("--token and --token-file exclude each other; remove one of them")
    if arguments.token:
        print_lines(
            [f"facefix: --token is visible in the process list; use --token-file or {TOKEN} instead"], error=True
        )
        return str(arguments.token)
    if not arguments.token_file:
        return environ.get(TOKEN, "")
    try:
        with arguments.token_file.open(encoding="utf-8") as file:
            token = file.read(MAX_TOKEN + 1).strip()
    except (OSError, ValueError) as error:
        raise BadSetting(f"cannot read --token-file {arguments.token_file}: {error}") from error
    if not token or len(token) > MAX_TOKEN or not token.isprintable():
        raise BadSetting(
            f"--token-file {arguments.token_file} must contain a token: one line of up to {MAX_TOKEN} characters"
        )
    return str(token)
