"""Writes JSON and drawings, and reads plans."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..batch import open_log
from ..errors import BadPlan
from ..fsio import atomic_write
from ..pictures import Found, format_for, save_drawing
from ..planning.plan import VERSION, FixPlan
from ..planning.validation import is_nested_deep
from ..types import Image
from .terminal import CONTROLS, print_lines


def tell_notes(notes: Iterable[str], path: Path) -> None:
    """Print to standard error what a drive refused when the file at `path` was written."""
    print_lines((f"facefix: note on {path}: {note}" for note in notes), error=True)


def write_json(content: Mapping[str, Any], path: Path | None) -> None:
    """Write indented JSON to a file, atomically, and note it in the log; or print it if there is no path."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if any("\ud800" <= letter <= "\udfff" for letter in text):  # a file name that is not valid UTF-8
        text = json.dumps(content, indent=2, allow_nan=False) + "\n"
    if path is None:  # JSON's own escapes: what is printed stays the same document
        sys.stdout.write(CONTROLS.sub(lambda found: found[0] if found[0] == "\n" else f"\\u{ord(found[0]):04x}", text))
    else:
        tell_notes(atomic_write(path, lambda file: file.write(text.encode())), path)
        open_log().add(path)


def write_drawing(image: Image, path: Path) -> None:
    """Write an RGB image (H, W, 3), uint8, atomically, in the format of the file's suffix, and note it in the log."""
    form = format_for(path).name
    tell_notes(atomic_write(path, lambda file: save_drawing(image, form, file)), path)
    open_log().add(path, product=True)


def read_plans(path: Path) -> dict[str, FixPlan]:
    """Return the plans in a file, by the path of their image. Raises `BadPlan`."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadPlan(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise BadPlan(f"{path} is not valid JSON, or nested too deeply: {error}") from error
    if is_nested_deep(content):
        raise BadPlan(f"{path} is nested too deeply; create a plan with `facefix plan`")
    if not isinstance(content, Mapping) or content.get("version") != VERSION:
        raise BadPlan(f"{path} is not a plan of version {VERSION}; create one with `facefix plan`")
    pictures = content.get("pictures")
    if not isinstance(pictures, list) or not all(isinstance(p, Mapping) and "path" in p for p in pictures):
        raise BadPlan(f"{path}: `pictures` must be a list of plans, each with a `path`")
    return {str(picture["path"]): _read_plan(picture, path) for picture in pictures}


def match_plans(plans: Mapping[str, FixPlan], found: Sequence[Found]) -> dict[Path, FixPlan]:
    """Return the plan of each image, matched by path, otherwise by a file name that is unique among the plans."""
    named: dict[str, list[FixPlan]] = {}
    for planned, plan in plans.items():
        named.setdefault(Path(planned).name, []).append(plan)
    matched = {}
    for path in (file.path for file in found):
        same_name = named.get(path.name, [])
        if str(path) in plans:
            matched[path] = plans[str(path)]
        elif len(same_name) == 1:
            matched[path] = same_name[0]
        else:
            raise BadPlan(f"the plan does not contain {path}; it contains {', '.join(plans) or 'no image'}")
    return matched


def _read_plan(picture: Mapping[str, Any], path: Path) -> FixPlan:
    try:
        return FixPlan.from_json(picture)
    except BadPlan as error:
        raise BadPlan(f"{path}, {picture['path']}: {error}") from error
