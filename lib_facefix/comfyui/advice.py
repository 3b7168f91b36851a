"""Errors in words that help a user of ComfyUI, where a clone has no command `facefix`. Needs no ComfyUI."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from ..errors import RESTORER_PACKAGES, FaceFixError, MissingPackage

PACK = Path(__file__).resolve().parents[2]
"""Folder of the pack, from which `python -m lib_facefix` runs."""
_COMMAND = re.compile(r"`facefix ")
_PIP = re.compile(r"`pip install ")
_INSTALL = re.compile(r"`pip install [^`]*`")
_SETUP = re.compile(r"Install it with `[^`]*`")

Given = ParamSpec("Given")
Made = TypeVar("Made")


def advise(node: Callable[Given, Made]) -> Callable[Given, Made]:
    """Return a function of a node whose errors name commands that work beside ComfyUI."""

    @wraps(node)
    def run(*given: Given.args, **named: Given.kwargs) -> Made:
        try:
            return node(*given, **named)
        except FaceFixError as error:
            told = explain(error)
            if told == str(error):
                raise
            raise FaceFixError(told) from error

    return run


def explain(error: FaceFixError) -> str:
    """Return the message of an error with commands for ComfyUI's Python."""
    text = str(error)
    if isinstance(error, MissingPackage) and error.package in RESTORER_PACKAGES:
        text = _SETUP.sub(f"Install it with `pip install {error.package}`", text)
    return translate(_INSTALL.sub(r"\g<0> and start ComfyUI again", text))


def translate(text: str) -> str:
    """Return a text with the commands `facefix` and `pip` as ComfyUI's Python runs them."""
    text = _COMMAND.sub(lambda _: f'`cd "{PACK}" && "{sys.executable}" -m lib_facefix ', text)
    return _PIP.sub(lambda _: f'`"{sys.executable}" -m pip install ', text)
