"""Chooses the engine: this machine, a `facefix serve`, or a WebUI."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..errors import BadSetting
from .flags import list_given_runtime, read_runtime
from .parser import Parser
from .terminal import print_lines
from .token import add_token, read_token

if TYPE_CHECKING:
    from ..protocols import Engine, EngineInfo
    from ..settings.face_settings import FaceSettings


def add_remote(parser: Parser) -> None:
    """Add the flags for remote work to a parser."""
    section = parser.add_argument_group("remote machine")
    address = "address of a `facefix serve` or a WebUI with --api, such as http://user:password@10.0.0.2:7860"
    section.add_argument("--remote", metavar="URL", help=address)
    parser.hide(add_token(section, "token of the `facefix serve`"))
    side = "native image side of a WebUI without FaceFix, such as 1024 for SDXL [px; default: detected, otherwise 512]"
    parser.hide([section.add_argument("--native", type=int, metavar="N", help=side)])


def choose_engine(arguments: argparse.Namespace, environ: Mapping[str, str] = os.environ) -> Engine:
    """Return the engine that the flags choose. Raises `BadSetting`, `CannotReach`, or `Refused`."""
    from ..facefix import FaceFix  # here, as it imports what fixes faces
    from .model_folders import read_host_folders

    read_host_folders([arguments.webui or ""])
    here = FaceFix(read_runtime(arguments))
    if not arguments.remote:
        if arguments.token or arguments.token_file or arguments.native:
            raise BadSetting("--token, --token-file and --native have no effect without a server; add --remote URL")
        return here
    if arguments.native is not None and not 64 <= arguments.native <= 4096:
        raise BadSetting(f"--native must be between 64 and 4096 px, not {arguments.native}")
    from ..client.remote import connect  # here, as its HTTP client takes a while to import

    given_here = arguments.token or arguments.token_file or "@" in arguments.remote
    token = read_token(arguments, {} if given_here else environ) or None
    user = None if given_here else environ.get("FACEFIX_USER")
    engine = connect(arguments.remote, token, user, here, arguments.native)
    info = engine.describe()
    if not info.loads_models and (given := list_given_runtime(arguments)):
        raise BadSetting(f"models run on the server, which ignores {', '.join(given)}; remove these flags")
    if info.note:
        print_lines([f"facefix: {info.note}"], error=True)
    return engine


def tell_choices(engine: Engine, info: EngineInfo, *, restorer: bool) -> None:
    """Print what did not work, such as a GPU that did not start.

    info: of the engine, from before the work. restorer: also print the restorer that auto stands for, or how to get a
    better one than the built-in.
    """
    notes = engine.describe().notes if info.loads_models else ()  # a server may be gone by now
    print_lines((f"facefix: {note}" for note in notes), error=True)
    if restorer and (info.advice or info.restorer):
        chosen = f"auto stands for {info.restorer}, the best restorer that is installed and that you may use"
        print_lines([f"facefix: {info.advice or chosen}"], error=True)


def prepare_detection(engine: Engine, settings: FaceSettings) -> None:
    """Raise the error of a detector or another part that cannot be used, once and not for every image."""
    from ..planning.needs import Needs

    local = engine.describe().loads_models
    engine.prepare(Needs.of_detection(settings), (lambda *_: None) if local else None)  # downloads nothing
