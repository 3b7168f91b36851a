"""What became of each face, in words, as the infotext has it.

    FaceFix face 1: re-diffused; box 10 12 90 99; seed 5
    FaceFix face 1 prompt: an old man
    FaceFix face 2: restored with gfpgan; box 110 12 190 99; identity kept 0.12/0.45
    FaceFix face 3: skipped; box 210 12 250 60; too small (40 px)
    FaceFix pass 2 face 1: not restored; box 10 12 90 99; stopped

Parts are separated by semicolons. The first one is the outcome, with the restorer if it differs from that of the pass.
The box has the left, top, right and bottom edge, in pixels. Then follow, where they apply:

- "seed 5" of a re-diffused face, and "denoising 0.2" if it differs from the strength of the pass
- "fidelity 0.9" of a restored face, if it differs from that of the pass
- "prompt as face 1" if a prompt has been written for another face, "no prompt" for a blank one
- the finding of the identity guard, with distance and limit
- why the face was skipped, failed, or was not fixed, which may contain semicolons

Prompts that differ from those of the image have entries of their own. If each class of a detector has its own run,
"FaceFix class 2 face 1" is a face of the second one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...settings.face_prompt import GenerationParams
from .runs import Run
from .settings import PassSettings

if TYPE_CHECKING:
    from ...planning.identity import IdentityCheck
    from ...planning.plan import FaceJob, Outcome

DONE = {"restore": "restored", "re-diffuse": "re-diffused"}
"""Outcomes of faces that were fixed, by decision."""
FAILED = {"restore": "restoring failed", "re-diffuse": "re-diffusing failed"}
NO_FACE = "no face found"
GUARDED = {"backed off": "changed less to keep the identity", "left": "not changed to keep the identity"}
"""Findings of the identity guard that are not told as "identity kept" and the like."""

_SENTENCE_ENDS = re.compile(r"(?<=[.;:]) ")
_RESULT = re.compile(r"(?:class \d+ )?(?:result|face \d.*)", re.DOTALL)
_LIKE_SIZE = re.compile(r"=|\d+x\d+$")
_FACE = re.compile(r"FaceFix (?:pass (\d{1,4}) )?(?:class (\d{1,4}) )?face (\d{1,6})")
_EDGE = r"(-?\d+)"
_FIXED = re.compile(rf"(restored|re-diffused)(?: with (.+?))?; box {_EDGE} {_EDGE} {_EDGE} {_EDGE}(;.*)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class FixedFace:
    """A face that was fixed, as far as an infotext tells."""

    number: int
    action: str
    """The decision: restore or re-diffuse."""
    restorer: str
    """Name or file of the restorer; blank for a re-diffused face."""
    box: tuple[int, int, int, int]


def describe_error(error: Exception) -> str:
    """Return the sentences of an error that name no folder of this machine, because people share their images."""
    told = [sentence for sentence in _SENTENCE_ENDS.split(str(error)) if not {"/", "\\"} & {*sentence}]
    return " ".join(told) or f"{type(error).__name__}; the console of the WebUI has the details"


def describe_faces(
    run: Run, outcomes: Sequence[Outcome], origin: GenerationParams | None, several: bool
) -> Iterator[tuple[str, str]]:
    """Yield the key, without "FaceFix ", and the text of each entry of a run. several: there are more passes."""
    where = (f"pass {run.number} " if several else "") + (f"class {run.class_number} " if run.class_number else "")
    if not outcomes:
        yield f"{where}result", run.skipped or NO_FACE
    first: dict[tuple[str, str], int] = {}  # each prompt is written out once: JPEGs have little room for an infotext
    for outcome in sorted(outcomes, key=lambda outcome: outcome.job.number):
        prompts = list(_name_prompts(outcome.job, origin, first))
        hints = [hint for _, hint, _ in prompts if hint]
        key = f"{where}face {outcome.job.number}"
        yield key, "; ".join([*_describe_face(outcome, run.settings), *hints, *_explain(outcome)])
        yield from ((f"{key} {name}", mark_size(text)) for name, hint, text in prompts if not hint)


def describe_overrides(changes: Mapping[str, Any]) -> str:
    """Return the settings of a single face: "fidelity 0.9; mask box"."""
    return "; ".join(f"{name.replace('_', ' ')} {value}" for name, value in changes.items())


def mark_size(text: str) -> str:
    """Return a text that a host does not take for a size, such as 512x512: it would read two numbers from it."""
    return f"={text}" if _LIKE_SIZE.match(text) else text


def is_result(name: str) -> bool:
    """Return whether an entry of this name, without "FaceFix " and the pass, is no setting."""
    return bool(_RESULT.fullmatch(name))


def read_fixed_faces(entries: Mapping[str, str], runs: Sequence[Run]) -> list[FixedFace]:
    """Return the faces that were fixed, in the order of passes, classes, and numbers. runs: all of the passes."""
    restorers = {(run.number, run.class_number): run.settings.restorer for run in runs}
    found: dict[tuple[int, int, int], FixedFace] = {}
    for key, text in entries.items():
        named, told = _FACE.fullmatch(key), _FIXED.fullmatch(text)
        if named and told:
            number, place, face = (int(named[1] or 1), int(named[2] or 0), int(named[3]))
            left, top, right, bottom = map(int, told.groups()[2:6])
            restored = told[1] == DONE["restore"]
            found[number, place, face] = FixedFace(
                face,
                "restore" if restored else "re-diffuse",
                (told[2] or restorers.get((number, place), "")) if restored else "",
                (left, top, right, bottom),
            )
    return [found[place] for place in sorted(found)]


def _describe_face(outcome: Outcome, settings: PassSettings) -> Iterator[str]:
    """Yield the parts about what was done to a face, and where. settings: those of its run."""
    job, treatment = outcome.job, outcome.job.treatment
    restored = job.decision == "restore"
    own = f" with {treatment.restorer}" if restored and treatment.restorer != settings.restorer else ""
    yield _name_outcome(outcome) + own
    box = job.face.box
    yield "box " + " ".join(str(round(edge)) for edge in (box.left, box.top, box.right, box.bottom))
    if job.decision == "re-diffuse":
        yield f"seed {treatment.seed}"
        if treatment.denoising_strength != settings.denoising_strength:
            yield f"denoising {treatment.denoising_strength:g}"
    if restored and treatment.fidelity != settings.fidelity:
        yield f"fidelity {treatment.fidelity:g}"


def _name_outcome(outcome: Outcome) -> str:
    decision = outcome.job.decision
    if decision == "leave":
        return "skipped"
    if outcome.verdict == "failed":
        return FAILED[decision]
    return DONE[decision] if outcome.verdict == "fixed" else f"not {DONE[decision]}"


def _explain(outcome: Outcome) -> Iterator[str]:
    """Yield the finding of the identity guard, and why a face was not fixed."""
    if outcome.identity:
        yield _describe_identity(outcome.identity)
    if outcome.job.decision == "leave":
        yield outcome.job.reason
    elif outcome.verdict == "failed":
        yield describe_error(outcome.error) if outcome.error else "failed"
    elif outcome.verdict != "fixed":
        yield outcome.note or "stopped"


def _describe_identity(check: IdentityCheck) -> str:
    told = GUARDED.get(check.verdict, f"identity {check.verdict}")
    if check.distance is not None and check.limit is not None:
        told += f" {check.distance:.2f}/{check.limit:.2f}"
    return f"{told} ({check.how})" if check.how else told


def _name_prompts(
    job: FaceJob, origin: GenerationParams | None, first: dict[tuple[str, str], int]
) -> Iterator[tuple[str, str, str]]:
    """Yield each prompt of a face that is not the image's own: its name, what the line of the face says, the text.

    first: numbers of the faces that have such prompts already, by name and text.
    """
    for name in ("prompt", "negative_prompt") if job.decision == "re-diffuse" else ():
        text, label = getattr(job.treatment, name), name.replace("_", " ")
        if text != getattr(origin, name, None):
            number = first.setdefault((name, text), job.number)
            hint = f"no {label}" if not text else f"{label} as face {number}" if number != job.number else ""
            yield label, hint, text
