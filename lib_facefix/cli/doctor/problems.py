"""Problems that the checks find, and the removal of private data from what they report."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

HOMES = re.compile(r"(?:/(?:home|Users)/|[A-Za-z]:\\Users\\)[^/\\\s'\":,;]+")
"""Home folder of any user, on Linux, macOS, and Windows."""
CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")
"""User and password in a URL."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding, and what the user can do about it."""

    level: Literal["error", "warning"]
    """"error": something does not work. "warning": FaceFix works, but may surprise."""
    what: str
    todo: str

    def to_json(self) -> dict[str, str]:
        """Return the problem as JSON data."""
        return {"level": self.level, "what": self.what, "todo": self.todo}


def hide_private(value: Any, home: str = "") -> Any:
    """Return JSON data with home folders shortened to ~ and without credentials in URLs.

    home: this user's home folder; blank for the one of this process.
    """
    if isinstance(value, dict):
        return {name: hide_private(one, home) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [hide_private(one, home) for one in value]
    if not isinstance(value, str):
        return value
    for folder in _list_homes(home):
        value = re.sub(re.escape(folder) + r"(?![\w.-])", "~", value)
    return CREDENTIALS.sub("***@", HOMES.sub("~", value))


def _list_homes(home: str) -> list[str]:
    """Return the spellings of the home folder, longest first; none if it is the root."""
    named = home or os.path.expanduser("~")  # noqa: PTH111 Path.home() raises where there is none
    spellings = {named, os.path.realpath(named), Path(named).as_posix()}
    return sorted((one.rstrip("/\\") for one in spellings if len(one.strip("/\\~")) > 1), key=len, reverse=True)
