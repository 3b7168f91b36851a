"""The token of a `facefix serve`: given by a file or a variable, or, seen by everyone on the machine, by a flag."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import BadSetting
from .terminal import tell

TOKEN = "FACEFIX_TOKEN"
MOST = 4096
"""Characters of a token."""


def add_token(section: Any, whose: str) -> None:
    """Give a parser the flags of a token. whose: what it is, for the help."""
    section.add_argument(
        "--token", metavar="T", help=f"{whose}; the process list shows it, so better --token-file or ${TOKEN}"
    )
    section.add_argument("--token-file", type=Path, metavar="FILE", help=f"a file that holds {whose}")


def read_token(arguments: argparse.Namespace, environ: Mapping[str, str] = os.environ) -> str:
    """Return the token that flags or the environment give, blank for none; raises `BadSetting`."""
    if arguments.token and arguments.token_file:
        raise BadSetting("--token and --token-file both give a token; leave one out")
    if arguments.token:
        tell([f"facefix: --token shows the token in the process list; use --token-file or {TOKEN}"], error=True)
        return str(arguments.token)
    if not arguments.token_file:
        return environ.get(TOKEN, "")
    try:
        with arguments.token_file.open(encoding="utf-8") as file:
            token = file.read(MOST + 1).strip()
    except (OSError, ValueError) as error:
        raise BadSetting(f"--token-file {arguments.token_file} cannot be read: {error}") from error
    if not token or len(token) > MOST or not token.isprintable():
        raise BadSetting(f"--token-file {arguments.token_file} holds no token: one line of at most {MOST} characters")
    return str(token)
