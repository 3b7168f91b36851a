"""Everything in FaceFix that could ever use the network, as declared beside the code that does."""

import ast
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...optional_imports import DEFAULTS, FORCED, REPORTERS
from .problems import Problem

LIBRARY = Path(__file__).resolve().parents[2]
DECLARATION = "NETWORK_USE"
"""Name of the constant with which a file declares its use of the network."""


def list_network_uses(library: Path = LIBRARY) -> list[dict[str, Any]]:
    """Return all declarations in the library: what is done, when, with whom, and the files that do it.

    They are read from the source, as importing this code would also import packages that may be missing.
    """
    return [use for path in sorted(library.rglob("*.py")) for use in _read_declarations(path)]


def describe_network(problems: list[Problem], environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return all uses of the network, the reports of other packages that FaceFix blocks, and whether it is offline.

    problems: receives reports that the user's own environment variables allow.
    """
    from ...weights.download import is_offline

    for name, value in DEFAULTS.items():
        if (given := environ.get(name, value)) != value:
            what = f"The environment variable {name} is {given!r}, so a package may report its usage to its maker."
            problems.append(Problem("warning", what, f"Unset {name}, or set it to {value}."))
    blocked = [f"{name} is never imported" for name in REPORTERS]
    blocked += [f"{name}={environ.get(name, value)}" for name, value in DEFAULTS.items()]
    blocked += [f"{name}={value} for {package}" for package, pairs in FORCED.items() for name, value in pairs.items()]
    return {"offline": is_offline(environ), "uses": list_network_uses(), "blocked": blocked}


def _read_declarations(path: Path) -> Iterator[dict[str, Any]]:
    source = path.read_text("utf-8")
    if f"\n{DECLARATION} = " not in source:
        return
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == [DECLARATION]:
            use: dict[str, Any] = ast.literal_eval(node.value)
            yield {**use, "files": list(use["files"])}
