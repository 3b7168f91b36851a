"""Messages under the result."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from pathlib import PurePath
from typing import TYPE_CHECKING

from ...registry import BUILT_IN, RESTORERS
from ...settings.treatment import AUTO_RESTORER
from .runs import Run
from .settings import PassSettings

if TYPE_CHECKING:
    from ...planning.plan import FixResult, Outcome

UNTITLED = repeat(Run(PassSettings()))
"""Runs without titles, as many as needed."""
_DETAIL = re.compile(r" \([^()]*\)\)$")
"""The figures of one face, in brackets at the end of a reason in brackets."""
DONE = {"restore": "restored", "re-diffuse": "re-diffused"}


def summarize(results: Sequence[FixResult], picture: str = "", runs: Iterable[Run] = UNTITLED) -> Iterator[str]:
    """Yield a line for each run over one image, and one for each face that failed, drifted, or was changed less.

    picture: name of the image, if there are several. runs: the planned ones, of which the first gave the results.
    "FaceFix: 4 faces: 3 re-diffused, 1 skipped (already sharp, large, and clean (398 px of detail))".
    """
    for result, run in zip(results, runs, strict=False):
        where = ", ".join(filter(None, [picture, run.title]))
        start = f"FaceFix, {where}: " if where else "FaceFix: "
        yield start + (run.skipped or describe_result(result))
        for outcome in result.outcomes:
            if outcome.verdict == "failed":
                yield f"{start}face {outcome.job.number} was not fixed: {outcome.error}"
            if outcome.identity and outcome.identity.verdict in ("drifted", "backed off"):
                yield f"{start}face {outcome.job.number}: {outcome.identity.describe()}"


def list_failures(results: Sequence[FixResult]) -> Iterator[str]:
    """Yield each error with the numbers of the faces that failed with it, for the console."""
    for result in results:
        failed: dict[str, list[int]] = {}
        for outcome in result.outcomes:
            if outcome.error:
                failed.setdefault(str(outcome.error), []).append(outcome.job.number)
        for error, numbers in failed.items():
            yield f"face {', '.join(map(str, numbers))} not fixed: {error}"


def capitalize(sentence: str) -> str:
    """Return a sentence with a capital first letter, unless it starts with a file name."""
    first = sentence.partition(" ")[0].rstrip(".,:;")
    return sentence if set("./\\_") & set(first) else sentence[:1].upper() + sentence[1:]


def describe_result(result: FixResult) -> str:
    """Return the outcomes of the faces of one image in a line."""
    if not result.outcomes:
        return "no face found"
    counts = Counter(_group_details(map(_describe_outcome, result.outcomes)))
    parts = [f"{count} {outcome}" for outcome, count in counts.items()]
    faces = len(result.outcomes)
    return f"{faces} face{'' if faces == 1 else 's'}: {', '.join(parts)}"


def _group_details(outcomes: Iterable[str]) -> list[str]:
    """Return the outcomes without the figures in which they differ: "skipped (smaller than 40 px (20 px))"."""
    texts = list(outcomes)
    stems = {text: _DETAIL.sub(")", text) for text in texts}
    shared = Counter(stems[text] for text in dict.fromkeys(texts))
    return [stems[text] if shared[stems[text]] > 1 else text for text in texts]


def _describe_outcome(outcome: Outcome) -> str:
    job = outcome.job
    if outcome.verdict == "fixed":
        restorer = PurePath(job.treatment.restorer).name if job.decision == "restore" else BUILT_IN
        return DONE[job.decision] + (
            "" if restorer in (BUILT_IN, AUTO_RESTORER) else f" with {RESTORERS.label(restorer)}"
        )
    if outcome.verdict == "failed":
        return "failed"
    if job.decision == "leave" or outcome.note:
        return f"skipped ({outcome.note or job.reason})"
    return "not fixed (stopped)"
