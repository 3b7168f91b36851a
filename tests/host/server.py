"""A real WebUI in a process of its own, driven over HTTP. Knows nothing of FaceFix; needs the standard library alone.

FACEFIX_WEBUI_ROOT    the WebUI's folder
FACEFIX_WEBUI_PYTHON  its Python; else the one of its virtual environment, else this one
FACEFIX_WEBUI_FLAGS   how it runs without a graphics processor; else as AUTOMATIC1111 does
FACEFIX_WEBUI_SLOWNESS  by how much longer to wait on a slow machine: 2 for twice as long; else 1
"""

from __future__ import annotations

import json
import os
import shlex
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # for the benchmarks, as pytest has this folder
from loopback_process import LoopbackProcess, free_port

FLAGS = "--skip-torch-cuda-test --use-cpu all --no-half --precision full --opt-sdp-attention"
ALWAYS = ("--skip-prepare-environment", "--skip-version-check", "--api", "--server-name", "127.0.0.1")
WHERE_KNOWN = ("--no-download-sd-model", "--do-not-download-clip")
"""Flags that some WebUIs no longer have, and refuse."""
MORE = {"GRADIO_ANALYTICS_ENABLED": "False"}
"""Variables of its environment."""
STARTED = "Startup time"
"""In the log once the hooks of the start have run; the API answers before."""
SLOWNESS = float(os.environ.get("FACEFIX_WEBUI_SLOWNESS", "1"))
PATIENCE = 240.0 * SLOWNESS
"""Seconds that a start or a request may take."""


class Refused(Exception):
    """The WebUI answered a request with an error: its status and its JSON, if it was that."""

    def __init__(self, status: int, answer: Any) -> None:
        super().__init__(f"HTTP {status}: {answer}")
        self.status, self.answer = status, answer


class WebUI:
    """A running WebUI with a data folder of its own."""

    def __init__(self, folder: Path, extensions: Mapping[str, Path], flags: Iterable[str] = ()) -> None:
        """Start it and wait until it serves; what it says goes to `folder`/webui.log.

        folder: empty or not there; becomes the data folder. extensions: folders that are linked in, by name.
        Raises RuntimeError, with the end of the log, where it ends or is not ready in time.
        """
        self.folder = folder
        (folder / "extensions").mkdir(parents=True)
        for name, extension in extensions.items():
            (folder / "extensions" / name).symlink_to(extension, target_is_directory=True)
        self.port = free_port()
        command = [python(), "launch.py", *_flags(folder, self.port), *flags]
        self._running = LoopbackProcess(command, folder / "webui.log", _root(), MORE)
        self.process, self.log = self._running.process, self._running.log
        try:
            self._running.wait_for(STARTED, PATIENCE)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it, and whatever it has started."""
        self._running.stop()

    def said(self, since: int = 0) -> str:
        """Return the log from byte `since`."""
        return self._running.said(since)

    def get(self, path: str) -> Any:
        """Return the JSON answer to a GET; raises `Refused`."""
        return self._ask("GET", path, None)

    def post(self, path: str, body: Any = None) -> Any:
        """Return the JSON answer to a POST; raises `Refused`."""
        return self._ask("POST", path, {} if body is None else body)

    def delete(self, path: str) -> Any:
        """Return the JSON answer to a DELETE; raises `Refused`."""
        return self._ask("DELETE", path, None)

    def _ask(self, method: str, path: str, body: Any) -> Any:
        data = None if body is None else json.dumps(body).encode()
        url, headers = f"http://127.0.0.1:{self.port}{path}", {"Content-Type": "application/json"}
        asked = urllib.request.Request(url, data, headers, method=method)
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(asked, timeout=PATIENCE) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                raise Refused(error.code, _read(error.read())) from None


def _root() -> Path:
    return Path(os.environ["FACEFIX_WEBUI_ROOT"]).resolve()


def python() -> str:
    """Return the WebUI's own Python."""
    own = _root() / "venv" / "bin" / "python"
    return os.environ.get("FACEFIX_WEBUI_PYTHON") or (str(own) if own.is_file() else sys.executable)


def _flags(folder: Path, port: int) -> list[str]:
    checkpoints = _root() / "models" / "Stable-diffusion"
    places = ["--data-dir", str(folder), "--ckpt-dir", str(checkpoints), "--port", str(port)]
    known = (_root() / "modules" / "cmd_args.py").read_text("utf-8")
    always = [*ALWAYS, *(flag for flag in WHERE_KNOWN if f'"{flag}"' in known)]
    return [*always, *shlex.split(os.environ.get("FACEFIX_WEBUI_FLAGS", FLAGS)), *places]


def _read(answer: bytes) -> Any:
    try:
        return json.loads(answer)
    except ValueError:
        return answer.decode("utf-8", "replace")


def request(**fields: Any) -> Mapping[str, Any]:
    """Return the body of a cheap generation, with some fields changed."""
    cheap = {"prompt": "a face", "width": 64, "height": 64, "steps": 4, "seed": 1, "sampler_name": "Euler"}
    return {**cheap, **fields}
