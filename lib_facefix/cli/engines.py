"""Where the work is done: here, on a `facefix serve`, or in a WebUI."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping

from ..client.remote import connect
from ..errors import BadSetting
from ..facefix import FaceFix
from ..protocols import Engine
from .flags import given_runtime, read_runtime
from .models_get import host_folders
from .terminal import tell
from .token import add_token, read_token


def add_remote(parser: argparse.ArgumentParser) -> None:
    """Give a parser the flags about where the work is done."""
    section = parser.add_argument_group("where the work is done")
    section.add_argument(
        "--remote",
        metavar="URL",
        help="a `facefix serve`, or a WebUI with --api, that does the work; user and password of a WebUI's --api-auth "
        "stand in it, or as name:password in FACEFIX_USER",
    )
    add_token(section, "the token of that `facefix serve`")
    section.add_argument(
        "--native",
        type=int,
        metavar="N",
        help="side in px of the squares that a WebUI without FaceFix draws best, such as 1024 for SDXL; default: what "
        "it tells, else 512",
    )


def engine_for(arguments: argparse.Namespace, environ: Mapping[str, str] = os.environ) -> Engine:
    """Return what the flags choose to do the work; raises `BadSetting`, `CannotReach` and `Refused`."""
    host_folders([arguments.webui or ""])
    here = FaceFix(read_runtime(arguments))
    if not arguments.remote:
        if arguments.token or arguments.token_file or arguments.native:
            raise BadSetting("--token and --native say how a server is asked; give its address, too: --remote URL")
        return here
    if arguments.native is not None and not 64 <= arguments.native <= 4096:
        raise BadSetting(f"--native must lie between 64 and 4096, not {arguments.native}")
    told = arguments.token or arguments.token_file or "@" in arguments.remote
    token = read_token(arguments, {} if told else environ) or None
    user = None if told else environ.get("FACEFIX_USER")
    engine = connect(arguments.remote, token, user, here, arguments.native)
    info = engine.describe()
    if not info.loads_models and (given := given_runtime(arguments)):
        raise BadSetting(f"what runs the models is chosen where they run; leave out {', '.join(given)}")
    if info.note:
        tell([f"facefix: {info.note}"], error=True)
    return engine
