"""Plans and results as text for people. Needs no ComfyUI."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..webui.passes.summary import summarize

if TYPE_CHECKING:
    from ..planning.plan import FaceJob, FixPlan, FixResult

HEADER = ("face", "size", "decision", "reason")
WORDS = {"leave": "skip"}
"""Decisions as people read them, where they differ."""
MARK, NOTE = "*", "* Detail Faces re-diffuses this face."
"""Mark of a decision that depends on the node, and the note that explains it."""


def tabulate_plans(plans: Sequence[FixPlan], for_sampling: Sequence[FixPlan]) -> str:
    """Return a table of the faces of each image.

    for_sampling: the same plans as Detail Faces makes them, which may re-diffuse faces that Restore Faces restores.
    """
    lines: list[str] = []
    for place, (plan, other) in enumerate(zip(plans, for_sampling, strict=True), start=1):
        if len(plans) > 1:
            lines += ["", f"Image {place}"] if lines else [f"Image {place}"]
        lines += _tabulate(plan, other) if plan.jobs else ["no face found"]
    return "\n".join(lines)


def describe_results(results: Sequence[FixResult]) -> str:
    """Return a line for each image, and one for each face that failed or was changed less than planned."""
    names = [f"image {place}" if len(results) > 1 else "" for place in range(1, len(results) + 1)]
    lines = (line for result, name in zip(results, names, strict=True) for line in summarize([result], name))
    return "\n".join(lines)


def _tabulate(plan: FixPlan, other: FixPlan) -> Iterator[str]:
    decisions = {job.number: job.decision for job in other.jobs}
    jobs = sorted(plan.jobs, key=lambda job: job.number)
    marked = {job.number for job in jobs if decisions[job.number] != job.decision}
    rows = [HEADER, *(_make_row(job, MARK if job.number in marked else "") for job in jobs)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER) - 1)]
    for face, size, decision, reason in rows:
        yield f"{face:>{widths[0]}}  {size:>{widths[1]}}  {decision:<{widths[2]}}  {reason}".rstrip()
    if marked:
        yield NOTE


def _make_row(job: FaceJob, mark: str) -> tuple[str, str, str, str]:
    return str(job.number), f"{job.face.box.size:.0f} px", WORDS.get(job.decision, job.decision) + mark, job.reason
