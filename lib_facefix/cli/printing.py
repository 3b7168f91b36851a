"""What a person reads while the work goes on, and the JSON that programs read."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ..errors import BadPlan
from ..jobs import VERSION, FixPlan, FixResult
from ..pictures import Found, atomic_write


def tell(lines: Iterable[str], *, error: bool = False) -> None:
    """Print lines beside a progress bar: to standard error what went wrong, to standard output the rest."""
    for line in lines:
        tqdm.write(line, file=sys.stderr if error else sys.stdout)


def document(pictures: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what `detect`, `plan` and `--report` have in common."""
    return {"version": VERSION, "pictures": pictures}


def write_json(content: Mapping[str, Any], path: Path | None) -> None:
    """Write indented JSON to the file, whole or not at all, or print it."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if any("\ud800" <= letter <= "\udfff" for letter in text):  # a name that is no UTF-8
        text = json.dumps(content, indent=2, allow_nan=False) + "\n"
    if path is None:
        sys.stdout.write(text)
    else:
        atomic_write(path, lambda file: file.writelines([text.encode()]))


def read_plans(path: Path) -> dict[str, FixPlan]:
    """Return the plans of a file by the path of their picture; raises `BadPlan`."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadPlan(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise BadPlan(f"{path} is no JSON: {error}") from error
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


def summary(result: FixResult) -> str:
    """Return "4 faces: 3 fixed, 1 left, enlarged to 1600x1200 by lanczos"."""
    enlarged = _enlarged(result.size or result.result_size, result.result_size, result.upscaler)
    if not result.outcomes:
        return f"no faces found, {enlarged or 'left as it is'}"
    parts = [
        f"{len(same)} {verdict}"
        for verdict in ("fixed", "left", "failed")
        if (same := [outcome for outcome in result.outcomes if outcome.verdict == verdict])
    ]
    return f"{_count(len(result.outcomes), 'face')}: {', '.join(filter(None, [*parts, enlarged]))}"


def planned(plan: FixPlan) -> str:
    """Return how many faces there are and how large the result will be; for each face number, size, decision, why."""
    enlarged = _enlarged(plan.size, plan.upscaled, plan.upscaler) if plan.upscaled else ""
    lines = [f"  {job.number}: {job.face.box.size:.0f} px, {job.decision}: {job.reason}" for job in plan.jobs]
    counted = _count(len(plan.jobs), "face") if lines else "no faces found"
    return "\n".join([f"{counted}, to be {enlarged}" if enlarged else counted, *lines])


def reasons(result: FixResult) -> list[str]:
    """Return a line for each face that was not fixed: which, and why."""
    return [
        f"face {outcome.job.number} {outcome.verdict}: {outcome.error or outcome.note or outcome.job.reason}"
        for outcome in result.outcomes
        if outcome.verdict != "fixed"
    ]


def _enlarged(was: tuple[int, int], size: tuple[int, int], upscaler: str) -> str:
    """Return "enlarged to 1600x1200 by lanczos", "scaled to" where no side or only one grows; empty without one."""
    how = "enlarged" if size[0] > was[0] and size[1] > was[1] else "scaled"
    return f"{how} to {size[0]}x{size[1]} by {upscaler}" if upscaler else ""


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
