"""What FaceFix does in the extras tab: looks at a picture before other scripts change it, then fixes its faces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from ...errors import FaceFixError
from ...planning.rescale import rescale_plan
from ...settings.face_prompt import GenerationParams
from ..compare.history import BEFORES, Before, fixed_faces
from ..passes import infotext
from ..passes.summary import summarize
from .compare import under_result as under_result
from .face_overrides import fingerprint
from .handlers import pixels
from .inputs import ENABLE, ONE, TUNING, Given, read_given

TITLE = infotext.KEY
ORDER = 1500
"""After the host's Upscale (1000), before its GFPGAN (2000)."""
SAID = "FaceFix said"
"""The key of the result's infotext under which a person reads what was done."""


@dataclass(frozen=True, slots=True)
class First:
    """What a picture was before other scripts of the tab changed it."""

    fingerprint: str
    origin: GenerationParams | None


class Firsts:
    """What is known of the pictures that are being worked on; it goes with the picture."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Any, First] = WeakKeyDictionary()

    def look(self, pp: Any, args: Mapping[str, Any]) -> None:
        """Look at a picture before anything is done to it; for `process_firstpass`."""
        if not args.get(ENABLE):
            return
        from ..standalone import read_origin

        of = fingerprint(pixels(pp.image)) if args.get(TUNING) and args.get(ONE) else ""
        self._known[pp] = First(of, read_origin(pp.image))

    def of(self, pp: Any) -> First:
        """Return what is known of a picture; one that another script has made was never looked at."""
        return self._known.get(pp, First("", None))


def build() -> dict[str, Any]:
    """Return the controls by name."""
    from .panel import build as build_panel

    return build_panel()


def process(pp: Any, first: First, args: Mapping[str, Any]) -> None:
    """Fix the faces of one picture as the arguments say; what cannot be done leaves it as it is, and is said."""
    if not args.get(ENABLE):
        return
    from ..standalone import planner

    try:
        _fix(pp, first, read_given(args, planner()), bool(args.get(ONE)))
    except (FaceFixError, MemoryError) as error:
        from ..ui.gradio_compat import warn

        _say(pp, [f"nothing was done: {error or 'out of memory'}"])
        warn(f"FaceFix: {pp.info[SAID]}")


def _fix(pp: Any, first: First, given: Given, single: bool) -> None:
    from ..host.images import replace_colours
    from ..standalone import fix

    image = pixels(pp.image)
    tuning = given.tuning if single else None
    why = tuning.why_not_for(first.fingerprint, given.settings) if tuning else ""
    if tuning and not why:
        plan, overrides = rescale_plan(tuning.plan_for(given.settings), pp.image.size), tuning.overrides
    else:
        plan, overrides = given.engine.plan(image, given.settings, origin=first.origin), {}
    result = fix(image, plan)
    if not np.array_equal(image, result.image):
        pp.image = replace_colours(pp.image, result.image)
    pp.info[TITLE] = infotext.write([given.settings], [result.outcomes], first.origin, overrides)
    if single and (faces := fixed_faces([result])):
        BEFORES.keep(pp.info[TITLE], Before(image, faces))
    _say(pp, [*summarize([result]), *([f"the settings for all faces were used, as {why}"] if why else [])])


def _say(pp: Any, sentences: Iterable[str]) -> None:
    pp.info[SAID] = "; ".join(sentence.removeprefix("FaceFix: ") for sentence in sentences)
