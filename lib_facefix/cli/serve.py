"""Serve a web page and the HTTP API, to find, tune, compare, and fix faces in a browser."""

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
from .models_get import read_host_folders
from .terminal import print_lines
from .token import TOKEN, add_token, read_token

PORT = 7861


def add(commands: Any) -> None:
    """Add the command to a parser."""
    parser = commands.add_parser("serve", help="serve a web page and the HTTP API", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, default=PORT, help=f"port; 0 chooses a free one [default {PORT}]")
    add_token(parser, "token of all clients")
    help_folder = "folder whose images clients may process with POST batch (repeatable)"
    parser.add_argument("--folder", action="append", type=Path, default=[], metavar="DIR", help=help_folder)
    add_runtime(parser)
    parser.set_defaults(run=run, writes=True)


def run(arguments: argparse.Namespace) -> int:
    """Run the command. Return its exit code."""
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
        raise BadSetting(
            f"listening on {arguments.host} exposes this server to your network; set --token-file or {TOKEN}"
        )
    for folder in arguments.folder:
        if not folder.is_dir():
            raise BadSetting(f"--folder {folder}: this folder does not exist")
    read_host_folders([arguments.webui or ""])
    host = StandaloneHost(FaceFix(read_runtime(arguments)), tuple(arguments.folder))
    line = JobQueue(host.limits.waiting, host.limits.held)
    server = make_server(app(host, token, arguments.host, line), arguments.host, arguments.port, line)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # the server calls it after it has stopped
    with server.config.bind_socket() as listening:
        listening.listen(server.config.backlog)  # requests that arrive before the server is ready wait
        name, port = listening.getsockname()[:2]
        print_lines(
            [f"FaceFix is running at http://{f'[{name}]' if ':' in name else name}:{port}/ (press Ctrl-C to stop)"]
        )
        try:
            server.run([listening])
        finally:
            if not line.end():  # native code is still running, which cannot be stopped and would crash at a normal exit
                sys.stdout.flush()
                os._exit(0)
    return 0
