"""Printing lines beside a progress bar; writing JSON, and reading the plans in it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ..errors import BadPlan
from ..fsio import atomic_write
from ..pictures import Found
from ..planning.plan import VERSION, FixPlan
from ..planning.validation import is_nested_deep


def tell(lines: Iterable[str], *, error: bool = False) -> None:
    """Print lines beside a progress bar: to standard error what went wrong, to standard output the rest."""
    for line in lines:
        tqdm.write(line, file=sys.stderr if error else sys.stdout)


def write_json(content: Mapping[str, Any], path: Path | None) -> None:
    """Write indented JSON to the file, whole or not at all, or print it."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if any("\ud800" <= letter <= "\udfff" for letter in text):  # a name that is no UTF-8
        text = json.dumps(content, indent=2, allow_nan=False) + "\n"
    if path is None:
        sys.stdout.write(text)
    else:
        atomic_write(path, lambda file: file.write(text.encode()))


def read_plans(path: Path) -> dict[str, FixPlan]:
    """Return the plans of a file by the path of their picture; raises `BadPlan`."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadPlan(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise BadPlan(f"{path} is no JSON, or nested too deep: {error}") from error
    if is_nested_deep(content):
        raise BadPlan(f"{path} is nested too deep; make a plan with `facefix plan`")
    if not isinstance(content, Mapping) or content.get("version") != VERSION:
        raise BadPlan(f"{path} is not a plan of version {VERSION}; make one with `facefix plan`")
    pictures = content.get("pictures")
    if not isinstance(pictures, list) or not all(isinstance(p, Mapping) and "path" in p for p in pictures):
        raise BadPlan(f"{path}: pictures must be a list of plans, each with its path")
    return {str(picture["path"]): _plan(picture, path) for picture in pictures}


def match_plans(plans: Mapping[str, FixPlan], found: Sequence[Found]) -> dict[Path, FixPlan]:
    """Return the plan of each picture: by its path, else by a file name that only one plan has."""
    named: dict[str, list[FixPlan]] = {}
    for path, plan in plans.items():
        named.setdefault(Path(path).name, []).append(plan)
    matched = {}
    for one in found:
        same_name = named.get(one.path.name, [])
        if str(one.path) in plans:
            matched[one.path] = plans[str(one.path)]
        elif len(same_name) == 1:
            matched[one.path] = same_name[0]
        else:
            raise BadPlan(f"the plan says nothing about {one.path}; it is for {', '.join(plans) or 'no picture'}")
    return matched


def _plan(picture: Mapping[str, Any], path: Path) -> FixPlan:
    try:
        return FixPlan.from_json(picture)
    except BadPlan as error:
        raise BadPlan(f"{path}, {picture['path']}: {error}") from error
