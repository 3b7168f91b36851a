"""Reports about plans and results, as text for people and as JSON."""

from __future__ import annotations

from typing import Any

from ..planning.plan import VERSION, FixPlan, FixResult, Verdict

VERDICT_WORDS: dict[Verdict, str] = {"fixed": "fixed", "left": "unchanged", "failed": "failed"}
"""Words for each verdict, in the order of a summary."""


def make_document(pictures: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the JSON document of `facefix detect`, `facefix plan` and `--report`."""
    return {"version": VERSION, "pictures": pictures}


def summarize_result(result: FixResult) -> str:
    """Return a summary such as "4 faces: 3 fixed, 1 unchanged, upscaled to 1600x1200 with lanczos"."""
    enlarged = _describe_enlarging(result.size or result.result_size, result.result_size, result.upscaler)
    if not result.outcomes:
        return f"no faces found, {enlarged or 'unchanged'}"
    parts = [
        f"{len(same)} {word}"
        for verdict, word in VERDICT_WORDS.items()
        if (same := [outcome for outcome in result.outcomes if outcome.verdict == verdict])
    ]
    return f"{_count(len(result.outcomes), 'face')}: {', '.join(filter(None, [*parts, enlarged]))}"


def describe_plan(plan: FixPlan) -> str:
    """Return the number of faces and the size of the result, then a line with the decision for each face."""
    enlarged = _describe_enlarging(plan.size, plan.upscaled, plan.upscaler) if plan.upscaled else ""
    lines = [f"  {job.number}: {job.face.box.size:.0f} px, {job.decision}: {job.reason}" for job in plan.jobs]
    counted = _count(len(plan.jobs), "face") if lines else "no faces found"
    return "\n".join([f"{counted}, to be {enlarged}" if enlarged else counted, *lines])


def list_reasons(result: FixResult) -> list[str]:
    """Return a line with the reason for each face that was not fixed."""
    return [
        f"face {done.job.number} {VERDICT_WORDS[done.verdict]}: {done.error or done.note or done.job.reason}"
        for done in result.outcomes
        if done.verdict != "fixed"
    ]


def _describe_enlarging(was: tuple[int, int], size: tuple[int, int], upscaler: str) -> str:
    """Return "upscaled to 1600x1200 with lanczos" ("scaled" unless both sides grow), or "" without upscaler."""
    how = "upscaled" if size[0] > was[0] and size[1] > was[1] else "scaled"
    return f"{how} to {size[0]}x{size[1]} with {upscaler}" if upscaler else ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
