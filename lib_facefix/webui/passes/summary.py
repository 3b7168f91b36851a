"""Messages under the result."""

from collections import Counter
from collections.abc import Iterator, Sequence

from ...planning.plan import FixResult, Outcome
from ...registry import BUILT_IN, RESTORERS
from ...settings.treatment import AUTO_RESTORER

DONE = {"restore": "restored", "re-diffuse": "re-diffused"}


def summarize(results: Sequence[FixResult], picture: str = "") -> Iterator[str]:
    """Yield a line for each pass over one image, and one for each face that failed, drifted, or was changed less.

    picture: name of the image, if there are several. "FaceFix: 4 faces: 3 re-diffused, 1 skipped (already sharp, large,
    and clean (398 px of detail))".
    """
    for number, result in enumerate(results, start=1):
        where = ", ".join(filter(None, [picture, f"pass {number}" if len(results) > 1 else ""]))
        start = f"FaceFix, {where}: " if where else "FaceFix: "
        yield start + describe_result(result)
        for outcome in result.outcomes:
            if outcome.verdict == "failed":
                yield f"{start}face {outcome.job.number} was not fixed: {outcome.error}"
            if outcome.identity and outcome.identity.verdict in ("drifted", "backed off"):
                yield f"{start}face {outcome.job.number}: {outcome.identity.describe()}"


def capitalize(sentence: str) -> str:
    """Return a sentence with a capital first letter, unless it starts with a file name."""
    first = sentence.partition(" ")[0].rstrip(".,:;")
    return sentence if set("./\\_") & set(first) else sentence[:1].upper() + sentence[1:]


def describe_result(result: FixResult) -> str:
    """Return the outcomes of the faces of one image in a line."""
    if not result.outcomes:
        return "no face found"
    counts = Counter(map(_describe_outcome, result.outcomes))
    parts = [f"{count} {outcome}" for outcome, count in counts.items()]
    faces = len(result.outcomes)
    return f"{faces} face{'' if faces == 1 else 's'}: {', '.join(parts)}"


def _describe_outcome(outcome: Outcome) -> str:
    job = outcome.job
    if outcome.verdict == "fixed":
        restorer = job.treatment.restorer if job.decision == "restore" else BUILT_IN
        return DONE[job.decision] + (
            "" if restorer in (BUILT_IN, AUTO_RESTORER) else f" with {RESTORERS.label(restorer)}"
        )
    if outcome.verdict == "failed":
        return "failed"
    if job.decision == "leave" or outcome.note:
        return f"skipped ({outcome.note or job.reason})"
    return "not fixed (stopped)"
