"""Runs single files of WebUI checkouts as they are, with all that they import replaced by mocks.

So the functions that read an infotext or walk an X/Y/Z plot are the hosts' own, without torch and gradio.
"""

import builtins
import os
import sys
import warnings
from pathlib import Path
from types import FunctionType, SimpleNamespace
from unittest.mock import MagicMock, patch

import pytest

REAL = {*sys.stdlib_module_names, "PIL", "numpy"}


def hosts():
    """Return the folders of WebUIs named by FACEFIX_HOSTS (several) and FACEFIX_WEBUI_ROOT (one), as parameters."""
    named = [*os.environ.get("FACEFIX_HOSTS", "").split(os.pathsep), os.environ.get("FACEFIX_WEBUI_ROOT", "")]
    found = dict.fromkeys(Path(folder) for folder in named if folder)
    missing = pytest.mark.skip(reason="set FACEFIX_HOSTS or FACEFIX_WEBUI_ROOT to folders of WebUIs")
    return [pytest.param(root, id=root.name) for root in found] or [pytest.param(None, id="no host", marks=missing)]


every_host = pytest.mark.parametrize("host", hosts())


def load(path, **stubs):
    """Run the file as a module; what it imports comes from `stubs`, by top-level name, or is a mock."""
    stubs = {**{name: MagicMock(name=name) for name in ("modules", "gradio", "modules_forge", "backend")}, **stubs}

    def importing(name, around=None, inside=None, fromlist=(), level=0):
        top, *inner = name.split(".")
        if top in REAL:
            return builtins.__import__(name, around, inside, fromlist, level)
        found = stubs.setdefault(top, MagicMock(name=top))
        for part in inner if fromlist else ():
            found = getattr(found, part)
        return found

    with warnings.catch_warnings(), patch.dict(sys.modules, {"host_file": MagicMock()}):
        warnings.simplefilter("ignore")
        code = compile(path.read_text("utf-8"), str(path), "exec")
        names = {"__builtins__": {**vars(builtins), "__import__": importing}, "__name__": "host_file"}
        FunctionType(code, names)()
    return SimpleNamespace(**names)
