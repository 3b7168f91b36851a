"""Serve a web page and the HTTP API, to find, tune, compare, and fix faces in a browser."""

import argparse
import errno
import os
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadSetting, MissingPackage
from ..weights import cache_folder
from .flags import add_runtime, read_runtime
from .model_folders import read_host_folders
from .parser import Parser
from .terminal import print_lines
from .token import TOKEN, add_token, read_token

if TYPE_CHECKING:
    from ..server.job_store import JobStore

PORT = 7861
MAX_DRAIN = 3600
"""Largest number of seconds for --drain."""
MAX_JOBS = 64
"""Largest number for --jobs."""
NETWORK_USE = {
    "what": "listens for requests, and with --open starts your browser",
    "when": "you run `facefix serve`",
    "with": "programs on this machine; other machines only with --host and a token",
    "files": ("cli/serve.py", "server/connections.py"),
}
"""What this code uses the network for, for `facefix doctor`."""


def add(parser: Parser) -> None:
    """Add the command to its parser."""
    parser.usage = "%(prog)s [FLAGS]"
    parser.examples = (
        "facefix serve --open                 opens the page in the browser",
        "facefix serve --port 8000            another port",
        "FACEFIX_TOKEN=secret facefix serve --host 0.0.0.0    for other machines, too",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    port = f"port; 0 chooses a free one [0 to 65535; default {PORT}]"
    parser.add_argument("--port", type=int, default=PORT, metavar="N", help=port)
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    add_token(parser, "token of all clients")
    help_folder = "folder whose images clients may process with POST batch (repeatable)"
    parser.add_argument("--folder", action="append", type=Path, default=[], metavar="DIR", help=help_folder)
    help_state = "folder for the list of folder jobs, which outlive the server (default: serve, in the cache folder)"
    parser.add_argument("--state", type=Path, metavar="DIR", help=help_state)
    help_drain = "seconds that the running request may take to finish once the server stops [0 to 3600; default 4]"
    parser.add_argument("--drain", type=float, default=4.0, metavar="SECONDS", help=help_drain)
    help_warm = (
        "load the models at the start, before the server counts as ready; otherwise the first request loads them"
    )
    help_jobs = "requests that are worked on at a time; each needs memory for its image [1 to 64; default 1]"
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help=help_jobs)
    parser.add_argument("--warm-up", action="store_true", help=help_warm)
    add_runtime(parser)
    parser.set_defaults(run=run, writes=True)


def run(arguments: argparse.Namespace) -> int:
    """Run the command. Return its exit code."""
    from ..facefix import FaceFix  # here, as it imports what fixes faces
    from ..models.environment import find_environment
    from ..weights.urls import is_loopback

    try:
        import uvicorn  # noqa: F401 first, so that the error names it

        from ..server.app import StandaloneHost, app
        from ..server.connections import make_server
        from ..server.health import warm_up
        from ..server.job_queue import JobQueue
    except ModuleNotFoundError as error:
        if error.name not in ("fastapi", "uvicorn", "starlette"):
            raise
        command = find_environment().describe(["fastapi>=0.94", "uvicorn>=0.22"])
        raise MissingPackage("facefix serve", error.name, f"Install what it needs with: {command}") from error
    if not 0 <= arguments.port <= 65535:
        raise BadSetting(f"--port must be between 0 and 65535, not {arguments.port}")
    if not 0 <= arguments.drain <= MAX_DRAIN:
        raise BadSetting(f"--drain must be between 0 and {MAX_DRAIN} seconds, not {arguments.drain:g}")
    if not 1 <= arguments.jobs <= MAX_JOBS:
        raise BadSetting(f"--jobs must be between 1 and {MAX_JOBS}, not {arguments.jobs}")
    token = read_token(arguments)
    if not is_loopback(arguments.host) and not token:
        raise BadSetting(
            f"listening on {arguments.host} exposes this server to your network; set --token-file or {TOKEN}"
        )
    for folder in arguments.folder:
        if not folder.is_dir():
            raise BadSetting(f"--folder {folder}: this folder does not exist")
    read_host_folders([arguments.webui or ""])
    engine = FaceFix(read_runtime(arguments))
    engine.models.check_device()
    host = StandaloneHost(engine, tuple(arguments.folder))
    line = JobQueue(host.limits.waiting, host.limits.held, arguments.jobs)
    store = _open_store(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # the server calls it after it has stopped
    with bind_socket(arguments.host, arguments.port) as listening:
        start = warm_up(line, host.engine) if arguments.warm_up else None
        made = app(host, token, arguments.host, line, store=store, start=start)
        server = make_server(made, arguments.host, arguments.port, line, arguments.drain)
        listening.listen(server.config.backlog)  # requests that arrive before the server is ready wait
        name, port = listening.getsockname()[:2]
        address = f"http://{f'[{name}]' if ':' in name else name}:{port}/"
        print_lines([f"FaceFix is running at {address} (press Ctrl-C to stop)"])
        if arguments.open:
            _open_browser(address.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:"))
        try:
            server.run([listening])
        finally:
            if not line.end():  # native code is still running, which cannot be stopped and would crash at a normal exit
                sys.stdout.flush()
                os._exit(0)
    return 0


def _open_store(arguments: argparse.Namespace) -> "JobStore | None":
    """Return where folder jobs are kept, or None if there are none or another server keeps its own there."""
    if not arguments.folder:
        return None
    from ..server.job_store import InUse, JobStore  # here, as few servers need it

    try:
        store = JobStore(arguments.state or cache_folder() / "serve")
    except InUse as error:
        if arguments.state:
            raise
        lost = "folder jobs of this server end with it"
        print_lines([f"facefix: {error}; without it, {lost}"], error=True)
        return None
    if store.put_aside:
        lost = f"{store.file} was damaged, so earlier jobs are forgotten. It is now {store.put_aside.name}"
        print_lines([f"facefix: {lost}"], error=True)
    return store


def bind_socket(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to the address; raises `BadSetting` with the reason if it cannot be."""
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        if os.name != "nt":  # where it would let two servers share the port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            busy = f"port {port} is in use, perhaps by another `facefix serve`"
            raise BadSetting(f"{busy}; stop that program, or choose another port, such as --port {port + 1}") from error
        if error.errno == errno.EACCES:
            raise BadSetting(f"port {port} needs administrator rights; choose one above 1023") from error
        raise BadSetting(f"cannot listen on {host}, port {port}: {error.strerror or error}; check --host") from error
    listening.set_inheritable(True)
    return listening


def _open_browser(address: str) -> None:
    """Open the page, and explain if there is no browser. The requests wait until the server is ready."""
    import webbrowser  # here, as few runs need it

    if not webbrowser.open(address):
        print_lines([f"facefix: no browser was found; open {address} yourself"], error=True)
