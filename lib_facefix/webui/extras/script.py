"""FaceFix in the extras tab: remembers the input image before other scripts change it, then fixes its faces."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from ...errors import FaceFixError
from ...settings.face_prompt import GenerationParams
from ..compare.history import BEFORES, Comparison, Original, OriginalStore, find_fixed_faces, make_data_url
from ..passes import infotext
from ..passes.summary import summarize
from .face_overrides import ENABLE, IS_SINGLE, TUNING, ExtrasInput, fingerprint, read_input
from .findings import FINDINGS
from .handlers import to_pixels

TITLE = infotext.KEY
ORDER = 1500
"""Position among the scripts of the tab: after the host's Upscale (1000), before its GFPGAN (2000)."""
SUMMARY_KEY = infotext.SAID
"""Infotext key of the summary in words."""
TAB = "extras"
INFOTEXT_ID = f"html_info_x_{TAB}"
"""Id of the host's component below the buttons of the gallery; the slider is placed after it."""
READ_RESULT_SCRIPT = f"() => [facefix.infotextOf({TAB!r}), facefix.seen({TAB!r})]"
"""JavaScript that returns the result's infotext, and the chosen place and the number of images, as in "0/1"."""


@dataclass(frozen=True, slots=True)
class InputImage:
    """Facts about an image before other scripts of the tab changed it."""

    fingerprint: str
    origin: GenerationParams | None
    before: str = ""
    """What FaceFix did to the image before, in words, or blank."""


INPUTS: WeakKeyDictionary[Any, InputImage] = WeakKeyDictionary()
"""Facts about the images in progress; an entry is dropped together with its image."""


def remember(pp: Any, args: Mapping[str, Any]) -> None:
    """Record an image before other scripts change it; for `process_firstpass`."""
    if args.get(ENABLE):
        from ...provenance import describe_edits
        from ..passes.mark import find_earlier
        from ..standalone import read_infotext, read_origin

        has_overrides = args.get(TUNING) and args.get(IS_SINGLE)
        before = describe_edits(find_earlier(pp.image.info, read_infotext(pp.image)))
        known = fingerprint(to_pixels(pp.image)) if has_overrides else ""
        INPUTS[pp] = InputImage(known, read_origin(pp.image), before)


def process(pp: Any, args: Mapping[str, Any]) -> None:
    """Fix the faces of one image; after an error the image is unchanged, and its infotext says why."""
    if not args.get(ENABLE):
        return
    from ..standalone import diffusing_engine

    try:
        _fix(pp, read_input(args, diffusing_engine()), bool(args.get(IS_SINGLE)))
    except (FaceFixError, MemoryError) as error:
        from ..ui.gradio_compat import warn

        _write_summary(pp, [f"the image is unchanged: {error or 'out of memory'}"])
        warn(f"FaceFix: {pp.info[SUMMARY_KEY]}")


def _fix(pp: Any, given: ExtrasInput, single: bool) -> None:
    from ...planning.rescale import rescale_plan
    from ..host.images import replace_colours
    from ..standalone import run_plan

    image = to_pixels(pp.image)
    source = INPUTS.get(pp, InputImage("", None))  # blank for an image that another script has made
    tuning = given.tuning if single else None
    mismatch = tuning.explain_mismatch(source.fingerprint, given.settings) if tuning else ""
    if tuning and not mismatch:
        plan, overrides = rescale_plan(tuning.plan_for(given.settings), pp.image.size), tuning.overrides
    else:
        plan, overrides = given.engine.plan(image, given.settings, origin=source.origin), {}
    result = run_plan(image, plan)
    if tuning and not mismatch:
        FINDINGS.keep(tuning.picture, result.outcomes)
    if not np.array_equal(image, result.image):
        pp.image = replace_colours(pp.image, result.image)
    entries = infotext.write([given.settings], [result.outcomes], source.origin, overrides)
    for name in [name for name in pp.info if infotext.is_own(name)]:  # of another image of the same input
        del pp.info[name]
    pp.info.update({name: infotext.quote(text) for name, text in entries.items()})
    if single and (faces := find_fixed_faces([result])):
        BEFORES.keep(infotext.identify(entries), Original(image, faces))
    notes = [f"the settings for all faces were used, because {mismatch}"] if mismatch else []
    notes += [f"the image was fixed before ({source.before})"] if source.before else []
    _write_summary(pp, [*summarize([result]), *notes])


def _write_summary(pp: Any, sentences: Iterable[str]) -> None:
    pp.info[SUMMARY_KEY] = infotext.quote("; ".join(sentence.removeprefix("FaceFix: ") for sentence in sentences))


def add_slider(_: Any, elem_id: str | None = None, **__: Any) -> None:
    """Make the before/after slider under the gallery, and let the table follow; for `on_after_component`."""
    from ..compare.slider import make_slider
    from ..ui.gradio_compat import hidden_text
    from .panel import follow_results

    if elem_id == INFOTEXT_ID:
        slider = make_slider("extras_facefix_result", TAB)
        slider.ask(_answer, [hidden_text("extras_facefix_said"), slider.told], READ_RESULT_SCRIPT)
        follow_results(slider.follow())


def find_comparison(generation_info: str, chosen: int, count: int, originals: OriginalStore = BEFORES) -> Comparison:
    """Return the comparison for the result on the page.

    generation_info: infotext of the last image, as the host shows it. chosen: place in the gallery, of `count` images;
    -1: none is chosen.
    """
    entries = infotext.find(generation_info)
    last = max(count, 1) - 1
    if not entries or chosen not in (-1, last):
        return Comparison(note="Only the last of several images can be compared. Choose the last one.")
    original = originals.find(infotext.identify(entries))
    if original is None:
        return Comparison(note="The original is no longer kept. To compare, generate a single image again.")
    return Comparison(before=make_data_url(original.image), place=last, faces=original.faces)


def _answer(generation_info: str, seen: str) -> str:
    chosen, _, count = seen.partition("/")
    return find_comparison(generation_info, int(chosen), int(count)).to_text()
