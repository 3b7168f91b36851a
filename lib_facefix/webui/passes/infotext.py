"""The entry of FaceFix in an image's infotext, and the values of the controls when it is pasted.

    FaceFix: {"v":3,"passes":[{"restorer":"gfpgan"}],"faces":[[{"n":1,"box":[10,12,90,99],"do":"restore"}]]}

"passes" has the values of each pass that differ from the defaults of version "v". "faces" has a list for each finished
pass (for each class of its detector, if each has a pass; empty for a skipped pass), with all its faces: n, box (left,
top, right, bottom, in pixels), do (the decision), why (it was skipped), and verdict (if it differs from the decision),
with the error if the face failed. A re-diffused face adds seed and strength, and prompt and negative_prompt if they
differ from those of the image; a number refers to the prompt of that face. A restored face adds restorer and fidelity
if they differ from those of the pass. A face whose identity is guarded adds identity (the distance between before and
after, null if it is unmeasured), limit (the largest allowed distance), guard (the verdict, unless it is kept), and how
(what was done to keep it).
"overrides" has settings of single faces from the extras tab, by number.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from ...errors import BadSetting
from ...planning.plan import Outcome
from ...registry import BUILT_IN
from ...settings.face_prompt import GenerationParams
from .runs import list_runs
from .settings import PassSettings, changed_values, page_args, read_pass

KEY = "FaceFix"
VERSION = 3
"""Version of written entries. A release that changes a default or adds a setting increases it."""
DEFAULTS: Mapping[int, Mapping[str, Any]] = {
    1: {"grain": 0.0, "keep_loras": False, "restorer": BUILT_IN},
    2: {"keep_loras": False, "restorer": BUILT_IN},
    3: {},
}
"""Defaults of older versions that differ from the current ones, so that old entries keep their meaning."""

Component = TypeVar("Component")
_LOG = logging.getLogger(__name__)
_IT = "the FaceFix entry of this infotext"
_SENTENCE_ENDS = re.compile(r"(?<=[.;:]) ")
_BY_HAND = "; paste the whole infotext again, or set FaceFix by hand"


def write(
    passes: Sequence[PassSettings],
    outcomes: Sequence[Sequence[Outcome]] | None = None,
    origin: GenerationParams | None = None,
    overrides: Mapping[int, Mapping[str, Any]] | None = None,
) -> str:
    """Return the entry for one image.

    outcomes: of the faces, for each finished run; None: not known yet. origin: generation parameters of the image;
    without them, all prompts of faces are recorded. overrides: settings of single faces, by number.
    """
    entry: dict[str, Any] = {"v": VERSION, "passes": [changed_values(settings) for settings in passes]}
    if overrides:
        entry["overrides"] = overrides
    if outcomes is not None:
        entry["faces"] = [
            list(_record_faces(run.settings, done, origin))
            for run, done in zip(list_runs(passes), outcomes, strict=False)
        ]
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":"))


def read(text: str) -> tuple[PassSettings, ...]:
    """Return the passes of an entry; raises `BadSetting` if it is invalid."""
    try:
        entry = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadSetting(f"{_IT} is damaged ({error}){_BY_HAND}") from error
    version, units = (entry.get("v"), entry.get("passes")) if isinstance(entry, dict) else (None, None)
    if type(version) is int and version > VERSION:
        raise BadSetting(
            f"{_IT} has version {version}, but this FaceFix only supports {VERSION}; update FaceFix, or set it by hand"
        )
    if type(version) is not int or version not in DEFAULTS:
        raise BadSetting(f"{_IT} has no valid version{_BY_HAND}")
    if not isinstance(units, list) or not all(isinstance(unit, dict) for unit in units):
        raise BadSetting(f"{_IT} has no passes{_BY_HAND}")
    try:
        return tuple(read_pass({**DEFAULTS[version], **unit}, number) for number, unit in enumerate(units, start=1))
    except BadSetting as error:
        raise BadSetting(f"{_IT} has an unsupported setting: {error}") from error


def describe_error(error: Exception) -> str:
    """Return the sentences of an error that name no folder of this machine, because people share their images."""
    told = [sentence for sentence in _SENTENCE_ENDS.split(str(error)) if not {"/", "\\"} & {*sentence}]
    return " ".join(told) or f"{type(error).__name__}; the console of the WebUI has the details"


def make_fields(
    components: Sequence[Component], tell: Callable[[str], object] = _LOG.warning
) -> list[tuple[Component, PastedValue]]:
    """Return each control with the function for its pasted value, for `Script.infotext_fields`.

    components: the tick box, and the text of the passes. tell: called with a message if an entry is invalid. An
    infotext without a valid entry switches FaceFix off and resets every control, because a host leaves other controls
    alone, and the next image would get the settings of the previous one.
    """
    return [(component, PastedValue(place, tell)) for place, component in enumerate(components)]


@dataclass(frozen=True)
class PastedValue:
    """Returns the value of one control for an infotext; never raises, because some hosts would drop the whole paste."""

    place: int
    """Place of the control among the script's arguments, from 0."""
    tell: Callable[[str], object]

    def __call__(self, params: Mapping[str, Any]) -> Any:
        """Return the value for the control, never None."""
        text = params.get(KEY)
        values, complaint = _values(None if text is None else str(text))
        if complaint and self.place == 0:
            self.tell(complaint)
        return values[self.place]


@lru_cache(maxsize=4)  # called for every control
def _values(text: str | None) -> tuple[tuple[Any, ...], str]:
    """Return the values of all controls, and a message about them, or blank."""
    try:
        return tuple(page_args(() if text is None else read(text))), ""
    except BadSetting as error:
        return tuple(page_args(())), f"FaceFix is switched off: {error}"


def _record_faces(
    settings: PassSettings, outcomes: Sequence[Outcome], origin: GenerationParams | None
) -> Iterator[dict[str, Any]]:
    """Yield the record of each face of a pass."""
    first: dict[tuple[str, str], int] = {}  # each prompt is written out once: JPEGs have little room for an infotext
    for outcome in outcomes:
        job, box = outcome.job, outcome.job.face.box
        edges = [round(edge) for edge in (box.left, box.top, box.right, box.bottom)]
        record: dict[str, Any] = {"n": job.number, "box": edges, "do": job.decision}
        if job.decision == "leave":
            record["why"] = job.reason
        elif outcome.verdict != "fixed":
            record["verdict"] = outcome.verdict
            if outcome.error:
                record["error"] = describe_error(outcome.error)
        if job.decision == "re-diffuse":
            record |= {"seed": job.treatment.seed, "strength": job.treatment.denoising_strength}
            for name in ("prompt", "negative_prompt"):
                text = getattr(job.treatment, name)
                if text != getattr(origin, name, None):
                    number = first.setdefault((name, text), job.number)
                    record[name] = text if number == job.number else number
        if job.decision == "restore":
            own = {name: getattr(job.treatment, name) for name in ("restorer", "fidelity")}
            record |= {name: value for name, value in own.items() if value != getattr(settings, name)}
        if outcome.identity:
            check = outcome.identity
            record["identity"] = None if check.distance is None else round(check.distance, 2)
            if check.limit is not None:
                record["limit"] = round(check.limit, 2)
            if check.verdict != "kept":
                record["guard"] = check.verdict
            if check.how:
                record["how"] = check.how
        yield record
