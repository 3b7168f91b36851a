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
from ..compare.history import BEFORES, Original, find_fixed_faces
from ..passes import infotext
from ..passes.summary import summarize
from .compare import add_slider as add_slider
from .face_overrides import fingerprint
from .handlers import to_pixels
from .inputs import ENABLE, IS_SINGLE, TUNING, ExtrasInput, read_input

TITLE = infotext.KEY
ORDER = 1500
"""After the host's Upscale (1000), before its GFPGAN (2000)."""
SUMMARY_KEY = "FaceFix said"
"""The key of the result's infotext under which a person reads what was done."""


@dataclass(frozen=True, slots=True)
class InputImage:
    """What a picture was before other scripts of the tab changed it."""

    fingerprint: str
    origin: GenerationParams | None


class InputImages:
    """What is known of the pictures that are being worked on; it goes with the picture."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Any, InputImage] = WeakKeyDictionary()

    def remember(self, pp: Any, args: Mapping[str, Any]) -> None:
        """Look at a picture before anything is done to it; for `process_firstpass`."""
        if not args.get(ENABLE):
            return
        from ..standalone import read_origin

        of = fingerprint(to_pixels(pp.image)) if args.get(TUNING) and args.get(IS_SINGLE) else ""
        self._known[pp] = InputImage(of, read_origin(pp.image))

    def get(self, pp: Any) -> InputImage:
        """Return what is known of a picture; one that another script has made was never looked at."""
        return self._known.get(pp, InputImage("", None))


def build() -> dict[str, Any]:
    """Return the controls by name."""
    from .panel import build as build_panel

    return build_panel()


def process(pp: Any, first: InputImage, args: Mapping[str, Any]) -> None:
    """Fix the faces of one picture as the arguments say; what cannot be done leaves it as it is, and is said."""
    if not args.get(ENABLE):
        return
    from ..standalone import planning_engine

    try:
        _fix(pp, first, read_input(args, planning_engine()), bool(args.get(IS_SINGLE)))
    except (FaceFixError, MemoryError) as error:
        from ..ui.gradio_compat import warn

        _say(pp, [f"nothing was done: {error or 'out of memory'}"])
        warn(f"FaceFix: {pp.info[SUMMARY_KEY]}")


def _fix(pp: Any, first: InputImage, given: ExtrasInput, single: bool) -> None:
    from ..host.images import replace_colours
    from ..standalone import run_plan

    image = to_pixels(pp.image)
    tuning = given.tuning if single else None
    why = tuning.explain_mismatch(first.fingerprint, given.settings) if tuning else ""
    if tuning and not why:
        plan, overrides = rescale_plan(tuning.plan_for(given.settings), pp.image.size), tuning.overrides
    else:
        plan, overrides = given.engine.plan(image, given.settings, origin=first.origin), {}
    result = run_plan(image, plan)
    if not np.array_equal(image, result.image):
        pp.image = replace_colours(pp.image, result.image)
    pp.info[TITLE] = infotext.write([given.settings], [result.outcomes], first.origin, overrides)
    if single and (faces := find_fixed_faces([result])):
        BEFORES.keep(pp.info[TITLE], Original(image, faces))
    _say(pp, [*summarize([result]), *([f"the settings for all faces were used, as {why}"] if why else [])])


def _say(pp: Any, sentences: Iterable[str]) -> None:
    pp.info[SUMMARY_KEY] = "; ".join(sentence.removeprefix("FaceFix: ") for sentence in sentences)
