"""The Python that FaceFix runs in, and the one command that installs packages into it."""

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

Kind = Literal["pipx", "uv tool", "conda", "venv", "externally managed", "system"]
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
"""PyTorch's own index of builds without CUDA, which on Linux are a tenth of the size."""
_INDEX_VARIABLES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX", "UV_INDEX_URL", "UV_DEFAULT_INDEX")
_GPU_DRIVERS = ("/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/kfd", "/dev/dxg")


@dataclass(frozen=True, slots=True)
class Environment:
    """A Python with its packages, and the tools that can install into it."""

    kind: Kind
    python: str
    """Path of the interpreter."""
    name: str = ""
    """Name by which pipx knows the environment."""
    pip: bool = True
    """Whether the interpreter has pip."""
    tools: tuple[str, ...] = ()
    """Those of "uv" and "pipx" that are installed."""
    cpu_only: bool = False
    """Whether PyTorch is to be installed without CUDA."""

    @property
    def can_install(self) -> bool:
        """Whether FaceFix may and can install packages into it."""
        return self.kind != "externally managed" and (self.pip or "uv" in self.tools)

    def command(self, requirements: Sequence[str]) -> list[str]:
        """Return the command that installs the packages, as a list of arguments.

        requirements: such as "torch>=2.1".
        """
        index = ["--extra-index-url", CPU_INDEX] if self.cpu_only and _wants_torch(requirements) else []
        if self.kind == "pipx" and "pipx" in self.tools:
            return ["pipx", "inject", self.name, *requirements, *(["--pip-args", shlex.join(index)] if index else [])]
        if "uv" in self.tools and (self.kind == "uv tool" or not self.pip):
            strategy = ["--index-strategy", "unsafe-best-match"] if index else []  # otherwise one index hides the other
            return ["uv", "pip", "install", "--python", self.python, *requirements, *index, *strategy]
        return [self.python, "-m", "pip", "install", *requirements, *index]

    def describe(self, requirements: Sequence[str]) -> str:
        """Return the command that installs the packages, to be typed into a terminal; blank for no packages."""
        if not requirements:
            return ""
        if self.kind != "externally managed":
            return _join(self.command(requirements))
        # The system's package manager owns this Python, so the packages go beside it.
        python = Path("~/.facefix/bin/python")
        beside = Environment("venv", str(python), cpu_only=self.cpu_only).command(requirements)
        made = f"{_join([self.python, '-m', 'venv', '--system-site-packages'])} ~/.facefix"
        return f"{made} && {python} {_join(beside[1:])}"


def find_environment(
    prefix: Path | None = None,
    base: Path | None = None,
    stdlib: Path | None = None,
    which: Callable[[str], str | None] = shutil.which,
    environ: Mapping[str, str] = os.environ,
) -> Environment:
    """Return the environment of this process. The arguments are for tests.

    prefix, base: folders of the environment, and of the Python that it was made from. stdlib: the standard library's.
    """
    prefix = prefix or Path(sys.prefix)
    base = base or Path(sys.base_prefix)
    stdlib = stdlib or Path(sysconfig.get_path("stdlib"))
    tools = tuple(name for name in ("uv", "pipx") if which(name))
    kind: Kind = "system"
    if (prefix / "pipx_metadata.json").is_file():
        kind = "pipx"
    elif (prefix / "uv-receipt.toml").is_file():
        kind = "uv tool"
    elif (prefix / "conda-meta").is_dir():
        kind = "conda"
    elif prefix != base:
        kind = "venv"
    elif (stdlib / "EXTERNALLY-MANAGED").is_file():
        kind = "externally managed"
    return Environment(kind, sys.executable, prefix.name, find_spec("pip") is not None, tools, _is_cpu_only(environ))


def _is_cpu_only(environ: Mapping[str, str]) -> bool:
    """Return whether PyTorch's builds for processors fit: on Linux without a GPU, if no other index is configured."""
    if not sys.platform.startswith("linux") or any(environ.get(name) for name in _INDEX_VARIABLES):
        return False
    home = Path(environ.get("HOME", "/"))
    files = [home / ".config/pip/pip.conf", home / ".pip/pip.conf", Path("/etc/pip.conf"), Path(sys.prefix, "pip.conf")]
    files += [home / ".config/uv/uv.toml", Path("/etc/uv/uv.toml"), Path(environ.get("PIP_CONFIG_FILE", "-"))]
    return not any(_names_index(path) for path in files) and not any(map(os.path.exists, _GPU_DRIVERS))


def _names_index(path: Path) -> bool:
    try:
        return "index" in path.read_text("utf-8", "replace")
    except OSError:
        return False


def _wants_torch(requirements: Sequence[str]) -> bool:
    return any(requirement.startswith("torch") for requirement in requirements)


def _join(command: Sequence[str]) -> str:
    return subprocess.list2cmdline(command) if sys.platform == "win32" else shlex.join(command)
