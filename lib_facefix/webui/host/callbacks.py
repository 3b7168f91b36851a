"""Registers callbacks with the host."""

import inspect
from collections.abc import Callable
from typing import Any

from modules import script_callbacks, ui_tempdir


def register(event: Callable[..., Any], callback: Callable[..., Any], script: str) -> None:
    """Have the host call `callback` on an event.

    event: the host's function for it, such as `script_callbacks.on_ui_settings`. script: path of the script that
    registers it. The host's functions search the call stack for this path, which takes about 0.03 s each. Where the
    function behind them accepts the path, this is skipped.
    """
    name = event.__name__.removeprefix("on_")
    add, known = script_callbacks.add_callback, script_callbacks.callback_map
    if "filename" in inspect.signature(add).parameters and f"callbacks_{name}" in known:
        add(known[f"callbacks_{name}"], callback, category=name, filename=script)
    else:
        event(callback)


def make_temporary_folder() -> None:
    """Make the host's folder for temporary images: a host with a new data folder fails where it shows one."""
    ui_tempdir.on_tmpdir_changed()
