"""Runs in the WebUI, before FaceFix: notes the processor time of each part of FaceFix in the start.

FACEFIX_WATCH_FOLDER  the folder of FaceFix, as the WebUI sees it
FACEFIX_WATCH_FILE    where the times go, as JSON: seconds by part

The host's functions that load a script, make its controls, and hold its callbacks are wrapped. What counts is the
time of the thread that does it, as the host's other threads load a model meanwhile. What FaceFix imports first counts
for FaceFix, even where the host would have imported it later.
"""

import json
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from modules import script_callbacks, script_loading, scripts, scripts_postprocessing

FOLDER, FILE = os.environ["FACEFIX_WATCH_FOLDER"], Path(os.environ["FACEFIX_WATCH_FILE"])
SECONDS: dict[str, float] = defaultdict(float)


WITHIN: list[str] = []
"""Parts that are under way; only the outermost counts."""


@contextmanager
def count_time(part: str) -> Iterator[None]:
    """Add the time of a block to a part, unless the block is within another one."""
    WITHIN.append(part)
    started = time.thread_time()
    yield
    spent = time.thread_time() - started
    WITHIN.pop()
    if not WITHIN:
        SECONDS[part] += spent


def write_times() -> None:
    """Write what was counted so far."""
    FILE.write_text(json.dumps(SECONDS), "utf-8")


def watch_function(owner: Any, name: str, part: str, find_path: Callable[..., str]) -> None:
    """Count the calls of a function that are about FaceFix. find_path: tells the file from the arguments."""
    original = getattr(owner, name)

    def call(*args: Any, **named: Any) -> Any:
        if not find_path(*args, **named).startswith(FOLDER):
            return original(*args, **named)
        with count_time(part):
            result = original(*args, **named)
        watch_callbacks()
        return result

    setattr(owner, name, call)


def watch_callbacks() -> None:
    """Count the callbacks that FaceFix has registered by now."""
    for event, callbacks in script_callbacks.callback_map.items():
        for one in callbacks:
            if one.script.startswith(FOLDER) and not hasattr(one.callback, "is_watched"):
                one.callback = _count_calls(event, one.callback)


def _count_calls(event: str, callback: Callable[..., Any]) -> Callable[..., Any]:
    """Return a callback whose time counts. The host calls one of them thousands of times, so this does little."""
    now, often = time.thread_time, event == "callbacks_after_component"

    def call(*args: Any, **named: Any) -> Any:
        started = now()
        result = callback(*args, **named)
        spent = now() - started
        if not WITHIN:
            SECONDS[event] += spent
        if not often:
            write_times()
        return result

    call.is_watched = True  # type: ignore[attr-defined]
    return call


watch_function(script_loading, "load_module", "load", lambda path: path)
watch_function(scripts.ScriptRunner, "create_script_ui", "controls", lambda _, script: script.filename)
watch_function(
    scripts_postprocessing.ScriptPostprocessingRunner, "create_script_ui", "controls of Extras",
    lambda _, script, __: script.filename,
)  # fmt: skip
