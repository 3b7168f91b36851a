"""Before and after under the result of the extras tab."""

from __future__ import annotations

import json
import re
from typing import Any

from ..compare.history import BEFORES, Comparison, OriginalStore, make_data_url
from ..passes.infotext import KEY

TAB = "extras"
INFOTEXT_ID = f"html_info_x_{TAB}"
"""The host's component under whose gallery's buttons the place is made."""
READ_RESULT_SCRIPT = f"() => [facefix.infotextOf({TAB!r}), facefix.seen({TAB!r})]"
"""What the page says of its result: the infotext, and which of how many pictures is chosen."""
_ENTRY = re.compile(rf'{KEY}: ("(?:\\.|[^"\\])*")')


def add_slider(component: Any, elem_id: str | None = None, **_: Any) -> None:  # noqa: ARG001 the host's form
    """Make a place for the slider under the gallery; for `on_after_component`."""
    from ..compare.slider import make_slider
    from ..ui.gradio_compat import hidden_text

    if elem_id == INFOTEXT_ID:
        here = make_slider("extras_facefix_result", TAB)
        said = hidden_text("extras_facefix_said")
        here.ask(_answer, [said, here.told], READ_RESULT_SCRIPT)


def find_comparison(infotext: str, chosen: int, count: int, befores: OriginalStore = BEFORES) -> Comparison:
    """Return what there is to be seen of the result that is shown.

    infotext: of the last picture, as the host shows it; chosen: place in the gallery, -1 for none, of `count`.
    """
    found = _ENTRY.search(infotext)
    last = max(count, 1) - 1
    if found is None or chosen not in (-1, last):
        return Comparison(note="The page knows only the last of several pictures: choose that one, then compare.")
    before = befores.find(json.loads(found[1]))
    if before is None:
        return Comparison(note="The picture before is not kept any more: generate a single picture again to compare.")
    return Comparison(before=make_data_url(before.image), place=last, faces=before.faces)


def _answer(infotext: str, seen: str) -> str:
    chosen, _, count = seen.partition("/")
    return find_comparison(infotext, int(chosen), int(count)).to_text()
