"""Serve a web page and the HTTP API, to find, tune, compare, and fix faces in a browser."""

import argparse
import os
from pathlib import Path
from typing import Any

from ..errors import BadSetting, MissingPackage
from ..facefix import FaceFix
from ..weights.urls import is_loopback
from .flags import add_runtime, read_runtime
from .models_get import read_host_folders
from .terminal import print_lines

PORT = 7861
TOKEN = "FACEFIX_TOKEN"


def add(commands: Any) -> None:
    """Add the command to a parser."""
    parser = commands.add_parser("serve", help="serve a web page and the HTTP API", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, default=PORT, help=f"port; 0 chooses a free one [default {PORT}]")
    parser.add_argument("--token", default=os.environ.get(TOKEN, ""), help=f"token of all clients (default: {TOKEN})")
    help_folder = "folder whose images clients may process with POST batch (repeatable)"
    parser.add_argument("--folder", action="append", type=Path, default=[], metavar="DIR", help=help_folder)
    add_runtime(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command. Return its exit code."""
    try:
        import uvicorn

        from ..server.app import StandaloneHost, app
    except ModuleNotFoundError as error:
        if error.name not in ("fastapi", "uvicorn", "starlette"):
            raise
        raise MissingPackage("facefix serve", error.name, "Install it with `pip install 'facefix[serve]'`.") from error
    if not is_loopback(arguments.host) and not arguments.token:
        raise BadSetting(f"listening on {arguments.host} exposes this server to your network; set --token or {TOKEN}")
    for folder in arguments.folder:
        if not folder.is_dir():
            raise BadSetting(f"--folder {folder}: this folder does not exist")
    read_host_folders([arguments.webui or ""])
    host = StandaloneHost(FaceFix(read_runtime(arguments)), tuple(arguments.folder))
    served = app(host, arguments.token, arguments.host)
    config = uvicorn.Config(served, arguments.host, arguments.port, log_level="warning", server_header=False)
    server = uvicorn.Server(config)
    with config.bind_socket() as listening:
        listening.listen(config.backlog)  # requests that arrive before the server is ready wait
        name, port = listening.getsockname()[:2]
        print_lines(
            [f"FaceFix is running at http://{f'[{name}]' if ':' in name else name}:{port}/ (press Ctrl-C to stop)"]
        )
        server.run([listening])
    return 0
