"""What came of pictures, in words for a person and as the JSON that programs read."""

from __future__ import annotations

from typing import Any

from ..planning.plan import VERSION, FixPlan, FixResult


def make_document(pictures: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what `detect`, `plan` and `--report` have in common."""
    return {"version": VERSION, "pictures": pictures}


def summarize_result(result: FixResult) -> str:
    """Return "4 faces: 3 fixed, 1 left, enlarged to 1600x1200 by lanczos"."""
    enlarged = _describe_enlarging(result.size or result.result_size, result.result_size, result.upscaler)
    if not result.outcomes:
        return f"no faces found, {enlarged or 'left as it is'}"
    parts = [
        f"{len(same)} {verdict}"
        for verdict in ("fixed", "left", "failed")
        if (same := [outcome for outcome in result.outcomes if outcome.verdict == verdict])
    ]
    return f"{_count(len(result.outcomes), 'face')}: {', '.join(filter(None, [*parts, enlarged]))}"


def describe_plan(plan: FixPlan) -> str:
    """Return how many faces there are and how large the result will be; for each face number, size, decision, why."""
    enlarged = _describe_enlarging(plan.size, plan.upscaled, plan.upscaler) if plan.upscaled else ""
    lines = [f"  {job.number}: {job.face.box.size:.0f} px, {job.decision}: {job.reason}" for job in plan.jobs]
    counted = _count(len(plan.jobs), "face") if lines else "no faces found"
    return "\n".join([f"{counted}, to be {enlarged}" if enlarged else counted, *lines])


def list_reasons(result: FixResult) -> list[str]:
    """Return a line for each face that was not fixed: which, and why."""
    return [
        f"face {outcome.job.number} {outcome.verdict}: {outcome.error or outcome.note or outcome.job.reason}"
        for outcome in result.outcomes
        if outcome.verdict != "fixed"
    ]


def _describe_enlarging(was: tuple[int, int], size: tuple[int, int], upscaler: str) -> str:
    """Return "enlarged to 1600x1200 by lanczos", "scaled to" where no side or only one grows; empty without one."""
    how = "enlarged" if size[0] > was[0] and size[1] > was[1] else "scaled"
    return f"{how} to {size[0]}x{size[1]} by {upscaler}" if upscaler else ""


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
