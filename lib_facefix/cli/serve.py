"""Serve the API and a page to use it with, on this machine: find, tune, compare and fix faces in a browser."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import Any

from ..errors import BadSetting, MissingPackage
from ..facefix import FaceFix
from ..weights.urls import is_loopback
from .flags import add_runtime, read_runtime
from .models_get import host_folders
from .terminal import tell
from .token import TOKEN, add_token, read_token

PORT = 7861


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("serve", help="serve the HTTP API and a page for the browser", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="name or address to listen at; default: this machine only")
    parser.add_argument("--port", type=int, default=PORT, help=f"default: {PORT}; 0: one that is free")
    add_token(parser, "what clients must send")
    help_folder = "a folder whose pictures clients may name, for POST batch; may be given often"
    parser.add_argument("--folder", action="append", type=Path, default=[], metavar="DIR", help=help_folder)
    add_runtime(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Carry the command out; return its exit code."""
    try:
        import uvicorn  # noqa: F401 first, so that the error names it

        from ..server.app import StandaloneHost, app
        from ..server.connections import make_server
        from ..server.job_queue import JobQueue
    except ModuleNotFoundError as error:
        if error.name not in ("fastapi", "uvicorn", "starlette"):
            raise
        raise MissingPackage("facefix serve", error.name, "Install it with `pip install 'facefix[serve]'`.") from error
    token = read_token(arguments)
    if not is_loopback(arguments.host) and not token:
        raise BadSetting(f"at {arguments.host} others could use this server: give --token-file, or ${TOKEN}")
    for folder in arguments.folder:
        if not folder.is_dir():
            raise BadSetting(f"--folder {folder}: there is no such folder")
    host_folders([arguments.webui or ""])
    host = StandaloneHost(FaceFix(read_runtime(arguments)), tuple(arguments.folder))
    line = JobQueue(host.limits.waiting, host.limits.held)
    server = make_server(app(host, token, arguments.host, line), arguments.host, arguments.port, line)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # which the server calls once it has ended
    with server.config.bind_socket() as listening:
        listening.listen(server.config.backlog)  # so that what comes now waits, and is not turned away
        name, port = listening.getsockname()[:2]
        tell([f"FaceFix serves at http://{f'[{name}]' if ':' in name else name}:{port}/, until you press Ctrl-C"])
        try:
            server.run([listening])
        finally:
            if not line.end():  # native code is at work, which cannot be stopped and would be aborted
                sys.stdout.flush()
                os._exit(0)
    return 0
