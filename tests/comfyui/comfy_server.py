"""A real ComfyUI in a process of its own, driven over HTTP and its web socket. Knows nothing of FaceFix.

FACEFIX_COMFYUI_ROOT     ComfyUI's folder
FACEFIX_COMFYUI_PYTHON   its Python; else the one of the folder `venv` in it or beside it, else this one
FACEFIX_COMFYUI_SLOWNESS by how much longer to wait on a slow machine: 2 for twice as long; else 1
"""

from __future__ import annotations

import io
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from loopback_process import LoopbackProcess, free_port
from PIL import Image

REPOSITORY = Path(__file__).parents[2]
FLAGS = ("--cpu", "--listen", "127.0.0.1", "--disable-auto-launch")
PATIENCE = 240.0 * float(os.environ.get("FACEFIX_COMFYUI_SLOWNESS", "1"))
"""Seconds that a start or a run may take."""


class Refused(Exception):
    """ComfyUI answered with an error: its status and its text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"HTTP {status}: {text[:2000]}")
        self.status, self.text = status, text


@dataclass
class Run:
    """What a workflow gave."""

    outputs: dict[str, Any]
    """What each output node showed, by its id."""
    executed: list[str] = field(default_factory=list)
    """Ids of the nodes that ran; cached ones did not."""
    progress: list[tuple[str, float]] = field(default_factory=list)
    """Node, and share of its work that was done, of each message."""
    previews: int = 0
    """Number of preview images."""
    error: dict[str, Any] | None = None
    """The message of the node that failed."""


class ComfyUI:
    """A running ComfyUI with a base folder of its own."""

    def __init__(self, folder: Path, packs: Mapping[str, Path], flags: Iterable[str] = (), wrap: Iterable[str] = ()):
        """Start it and wait until it serves; what it says goes to `folder`/comfyui.log.

        folder: becomes the base folder. packs: custom nodes that are linked in, by name. wrap: a command that runs it.
        """
        self.folder = folder
        for name in ("custom_nodes", "input", "output", "models/checkpoints"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        for name, pack in packs.items():
            (folder / "custom_nodes" / name).symlink_to(pack, target_is_directory=True)
        self.port = free_port()
        command = [*wrap, python(), str(root() / "main.py"), *FLAGS, "--port", str(self.port), *flags]
        command += ["--base-directory", str(folder)]
        self._running = LoopbackProcess(command, folder / "comfyui.log", root(), {"HOME": str(folder)})
        self.process, self.log = self._running.process, self._running.log
        try:
            self._running.wait_for("To see the GUI go to", PATIENCE)
        except BaseException:
            self.stop()
            raise

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """End it, and whatever it has started."""
        self._running.stop()

    def said(self, since: int = 0) -> str:
        """Return the log from byte `since`."""
        return self._running.said(since)

    def get(self, path: str) -> Any:
        """Return the JSON answer to a GET."""
        return json.loads(self._ask(path))

    def post(self, path: str, body: Any) -> Any:
        """Return the JSON answer to a POST; raises `Refused`."""
        text = self._ask(path, json.dumps(body).encode())
        return json.loads(text) if text.strip() else None

    def read(self, path: str) -> str:
        """Return the text of the answer to a GET."""
        return self._ask(path).decode()

    def status(self, path: str) -> int:
        """Return the HTTP status of the answer to a GET."""
        try:
            self._ask(path)
        except Refused as error:
            return error.status
        return 200

    def put_image(self, name: str, image: np.ndarray) -> str:
        """Save an image in the input folder; return its name for LoadImage."""
        Image.fromarray(image).save(self.folder / "input" / name)
        return name

    def view(self, shown: Mapping[str, str]) -> np.ndarray:
        """Return an image that an output node has shown."""
        query = urllib.parse.urlencode({name: shown[name] for name in ("filename", "subfolder", "type")})
        return np.array(Image.open(io.BytesIO(self._ask(f"/view?{query}"))).convert("RGB"))

    def download(self, path: str) -> bytes:
        """Return the content of the answer to a GET."""
        return self._ask(path)

    def run(
        self, nodes: Mapping[str, Any], *, interrupt_at: float | None = None, workflow: Mapping[str, Any] | None = None
    ) -> Run:
        """Run a workflow in API format, and return what it gave; raises `Refused`.

        interrupt_at: interrupt once a node's progress has reached this share. workflow: the same as the page sends it
        to be saved with images.
        """
        from websockets.sync.client import connect

        client = uuid.uuid4().hex
        address = f"ws://127.0.0.1:{self.port}/ws?clientId={client}"
        # a busy machine takes its time to answer, also to pings
        with connect(address, max_size=None, open_timeout=PATIENCE, ping_interval=None) as channel:
            extra = {"extra_pnginfo": {"workflow": workflow}} if workflow is not None else {}
            body = {"prompt": nodes, "client_id": client, "extra_data": extra}
            prompt = self.post("/prompt", body)["prompt_id"]
            run, deadline = Run({}), time.monotonic() + PATIENCE
            while time.monotonic() < deadline:
                message = channel.recv(timeout=PATIENCE)
                if isinstance(message, bytes):
                    run.previews += 1
                    continue
                said = json.loads(message)
                kind, data = said["type"], said.get("data", {})
                if kind == "progress":
                    run.progress.append((data["node"], data["value"] / data["max"]))
                    if interrupt_at is not None and run.progress[-1][1] >= interrupt_at:
                        self.post("/interrupt", {})
                        interrupt_at = None
                elif kind == "executing" and data.get("prompt_id") == prompt:
                    if data["node"] is None:
                        return run
                    run.executed.append(data["node"])
                elif kind == "executed":
                    run.outputs[data["node"]] = data["output"]
                elif kind in ("execution_error", "execution_interrupted"):
                    run.error = data
                    return run
        raise RuntimeError(f"the workflow did not end in time\n{self.said()[-4000:]}")

    def _ask(self, path: str, data: bytes | None = None) -> bytes:
        request = urllib.request.Request(self.address + path, data, {"Content-Type": "application/json"})
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(request, timeout=PATIENCE) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            with error:
                raise Refused(error.code, error.read().decode()) from None


def root() -> Path:
    """Return ComfyUI's folder."""
    return Path(os.environ["FACEFIX_COMFYUI_ROOT"])


def python() -> str:
    """Return the Python that runs ComfyUI."""
    own = (folder / "venv/bin/python" for folder in (root(), root().parent))
    return os.environ.get("FACEFIX_COMFYUI_PYTHON") or next(
        (str(path) for path in own if path.exists()), sys.executable
    )
