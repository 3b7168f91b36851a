"""What was done to the faces, as one entry of a picture's infotext, and how pasting it sets the controls.

    FaceFix: {"v":1,"passes":[{"restorer":"gfpgan"}],"faces":[[{"n":1,"box":[10,12,90,99],"do":"restore"}]]}

"passes" has of every pass what differs from the defaults of version "v". "faces" has a list for every pass done, and
in it every face found: n, box (left, top, right, bottom; px), do (what was decided), why where it was left, verdict
where it was not done as decided. A face drawn anew adds seed, strength, and prompt and negative_prompt where they are
not the picture's own; a number there means: as for the face of that number. A restored one adds restorer and fidelity
where they are not the pass's. "overrides" has what was set for single faces in the extras tab, by number.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from ...errors import BadSetting
from ...planning.plan import Outcome
from ...settings.face_prompt import GenerationParams
from .arguments import VALUES_PER_PASS, changed_values, flatten, read_pass
from .settings import PassSettings

KEY = "FaceFix"
VERSION = 1
"""Of what is written. A release that changes a default, or adds a setting, raises it."""
DEFAULTS: Mapping[int, Mapping[str, Any]] = {1: {}}
"""By version: the defaults it had that differ from today's, so that old infotexts still mean what they meant."""

Component = TypeVar("Component")
Params = Mapping[str, Any]
"""An infotext as hosts parse it: values by key."""
_LOG = logging.getLogger(__name__)
_IT = "the FaceFix entry of this infotext"
_BY_HAND = "; paste the infotext again as a whole, or set FaceFix by hand"


def write(
    passes: Sequence[PassSettings],
    outcomes: Sequence[Sequence[Outcome]] | None = None,
    origin: GenerationParams | None = None,
    overrides: Mapping[int, Mapping[str, Any]] | None = None,
) -> str:
    """Return the entry for one picture.

    outcomes: for each pass, what became of the picture's faces, fewer where the work was stopped; None where that is
    not known yet. origin: what the picture was made from; without it, all prompts of faces are recorded.
    overrides: what was set for single faces, by number.
    """
    entry: dict[str, Any] = {"v": VERSION, "passes": [changed_values(one) for one in passes]}
    if overrides:
        entry["overrides"] = overrides
    if outcomes is not None:
        entry["faces"] = [list(_faces(one, done, origin)) for one, done in zip(passes, outcomes, strict=False)]
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":"))


def read(text: str) -> tuple[PassSettings, ...]:
    """Return the passes of an entry; raises `BadSetting` saying what is wrong with it."""
    try:
        entry = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadSetting(f"{_IT} is damaged ({error}){_BY_HAND}") from error
    version, units = (entry.get("v"), entry.get("passes")) if isinstance(entry, dict) else (None, None)
    if type(version) is int and version > VERSION:
        raise BadSetting(f"{_IT} has version {version}, this FaceFix knows {VERSION}: update it, or set it by hand")
    if type(version) is not int or version not in DEFAULTS:
        raise BadSetting(f"{_IT} has no version that FaceFix ever wrote{_BY_HAND}")
    if not isinstance(units, list) or not all(isinstance(unit, dict) for unit in units):
        raise BadSetting(f"{_IT} lacks its passes{_BY_HAND}")
    try:
        return tuple(read_pass({**DEFAULTS[version], **unit}, number) for number, unit in enumerate(units, start=1))
    except BadSetting as error:
        raise BadSetting(f"{_IT} asks for what this FaceFix lacks: {error}") from error


def read_params(params: Params) -> tuple[PassSettings, ...] | None:
    """Return the passes of an infotext, None where FaceFix took no part in it; raises `BadSetting`."""
    text = params.get(KEY)
    return None if text is None else read(str(text))


def make_fields(
    components: Sequence[Component], tell: Callable[[str], object] = _LOG.warning
) -> list[tuple[Component, PastedValue]]:
    """Return what `Script.infotext_fields` needs: each control with what pasting an infotext makes of it.

    components: those of the script's arguments, enabled first. tell: is given the sentence where an entry cannot be
    read, or has more passes than there are controls.
    An infotext without an entry, or with a broken one, switches FaceFix off and puts every control to its default: a
    host leaves alone what it is told nothing of, and the next picture would get the settings of the one before.
    """
    count, surplus = divmod(len(components) - 1, VALUES_PER_PASS)
    if surplus:
        raise ValueError(f"{len(components)} controls are not one and {VALUES_PER_PASS} for each pass")
    return [(component, PastedValue(place, count, tell)) for place, component in enumerate(components)]


@dataclass(frozen=True)
class PastedValue:
    """Gives one control its value from an infotext; never raises, as some hosts would drop the whole paste."""

    place: int
    """Of the control among the script's arguments."""
    count: int
    """How many passes have controls."""
    tell: Callable[[str], object]

    def __call__(self, params: Params) -> Any:
        """Return the value, never None."""
        text = params.get(KEY)
        values, complaint = _values(None if text is None else str(text), self.count)
        if complaint and self.place == 0:
            self.tell(complaint)
        return values[self.place]


@lru_cache(maxsize=4)  # every control asks
def _values(text: str | None, count: int) -> tuple[tuple[Any, ...], str]:
    """Return the values of all controls, and what is to be said about them, or blank."""
    complaint = ""
    passes: tuple[PassSettings, ...] = ()
    try:
        passes = () if text is None else read(text)
    except BadSetting as error:
        complaint = f"FaceFix is switched off: {error}"
    if len(passes) > count:
        complaint = (
            f"{_IT} has {len(passes)} passes, and there are controls for {count}: only the first {count} are set; "
            "raise the number of passes in the settings and paste it again"
        )
    return tuple(flatten(passes, count)), complaint


def _faces(one: PassSettings, outcomes: Sequence[Outcome], origin: GenerationParams | None) -> Iterator[dict[str, Any]]:
    """Yield the record of each face of a pass."""
    said = _PromptRecorder(origin)
    for outcome in outcomes:
        job, box = outcome.job, outcome.job.face.box
        edges = [round(edge) for edge in (box.left, box.top, box.right, box.bottom)]
        record: dict[str, Any] = {"n": job.number, "box": edges, "do": job.decision}
        if job.decision == "leave":
            record["why"] = job.reason
        elif outcome.verdict != "fixed":
            record["verdict"] = outcome.verdict
        if job.decision == "re-diffuse":
            record |= {"seed": job.treatment.seed, "strength": job.treatment.denoising_strength, **said.of(outcome)}
        if job.decision == "restore":
            own = {name: getattr(job.treatment, name) for name in ("restorer", "fidelity")}
            record |= {name: value for name, value in own.items() if value != getattr(one, name)}
        yield record


class _PromptRecorder:
    """The prompts of the faces of one pass, each written out once: JPEGs have little room for an infotext."""

    def __init__(self, origin: GenerationParams | None) -> None:
        self._origin = origin
        self._first: dict[tuple[str, str], int] = {}

    def of(self, outcome: Outcome) -> dict[str, str | int]:
        """Return what is to be recorded of the face's prompts."""
        job = outcome.job
        texts = {name: getattr(job.treatment, name) for name in ("prompt", "negative_prompt")}
        others = {name: text for name, text in texts.items() if text != getattr(self._origin, name, None)}
        firsts = {name: self._first.setdefault((name, text), job.number) for name, text in others.items()}
        return {name: text if firsts[name] == job.number else firsts[name] for name, text in others.items()}
