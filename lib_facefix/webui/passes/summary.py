"""What a person reads under the result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from ...planning.plan import FixResult, Outcome

DONE = {"restore": "restored", "re-diffuse": "re-diffused"}


def summarize(results: Sequence[FixResult], picture: str = "") -> Iterator[str]:
    """Yield a line for each pass over one picture, and one for each face that failed.

    picture: how the picture is called, where there are several. "FaceFix: 4 faces: 3 re-diffused, 1 left (already
    sharp (0.61) and large (412 px))".
    """
    for number, result in enumerate(results, start=1):
        where = ", ".join(filter(None, [picture, f"pass {number}" if len(results) > 1 else ""]))
        start = f"FaceFix, {where}: " if where else "FaceFix: "
        yield start + describe_result(result)
        for outcome in result.outcomes:
            if outcome.verdict == "failed":
                yield f"{start}face {outcome.job.number} was not fixed: {outcome.error}"


def describe_result(result: FixResult) -> str:
    """Return what became of the faces of one picture, in a line."""
    if not result.outcomes:
        return "no face found"
    parts = [
        f"{many} {what}" for what, many in Counter(_describe_outcome(outcome) for outcome in result.outcomes).items()
    ]
    faces = len(result.outcomes)
    return f"{faces} face{'' if faces == 1 else 's'}: {', '.join(parts)}"


def _describe_outcome(outcome: Outcome) -> str:
    job = outcome.job
    if outcome.verdict == "fixed":
        return DONE[job.decision]
    if outcome.verdict == "failed":
        return "failed"
    if job.decision == "leave" or outcome.note:
        return f"left ({outcome.note or job.reason})"
    return "not done (stopped)"
