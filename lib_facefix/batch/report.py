"""What came of pictures, in words for a person and as the JSON that programs read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ..planning.plan import VERSION, FixPlan


def make_document(pictures: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what `detect`, `plan` and `--report` have in common."""
    return {"version": VERSION, "pictures": pictures}


def summarize_faces(record: Mapping[str, Any]) -> str:
    """Return "4 faces: 3 fixed, 1 left, enlarged to 1600x1200 by lanczos" for the record of a picture."""
    upscale, faces = record["upscale"], record["faces"]
    enlarged = _describe_enlarging(record["size"], upscale["size"], upscale["upscaler"]) if upscale else ""
    if not faces:
        return f"no faces found, {enlarged or 'left as it is'}"
    counts = Counter(face["outcome"] for face in faces)
    parts = [f"{counts[verdict]} {verdict}" for verdict in ("fixed", "left", "failed") if counts[verdict]]
    return f"{_count(len(faces), 'face')}: {', '.join(filter(None, [*parts, enlarged]))}"


def describe_plan(plan: FixPlan) -> str:
    """Return how many faces there are and how large the result will be; for each face number, size, decision, why."""
    enlarged = _describe_enlarging(plan.size, plan.upscaled, plan.upscaler) if plan.upscaled else ""
    lines = [f"  {job.number}: {job.face.box.size:.0f} px, {job.decision}: {job.reason}" for job in plan.jobs]
    counted = _count(len(plan.jobs), "face") if lines else "no faces found"
    return "\n".join([f"{counted}, to be {enlarged}" if enlarged else counted, *lines])


def list_reasons(record: Mapping[str, Any]) -> list[str]:
    """Return a line for each face of a picture's record that was not fixed: which, and why."""
    return [
        f"face {face['number']} {face['outcome']}: {face['error'] or face['note'] or face['reason']}"
        for face in record["faces"]
        if face["outcome"] != "fixed"
    ]


def _describe_enlarging(was: Sequence[int], size: Sequence[int], upscaler: str) -> str:
    """Return "enlarged to 1600x1200 by lanczos", or "scaled to" where no side or only one grows."""
    how = "enlarged" if size[0] > was[0] and size[1] > was[1] else "scaled"
    return f"{how} to {size[0]}x{size[1]} by {upscaler}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
