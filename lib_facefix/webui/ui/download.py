"""A line below the restorer that offers to download it, if it is not installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape
from typing import Any

import gradio as gr

from ...errors import FaceFixError
from ...registry import RESTORERS
from ..passes.summary import capitalize
from . import gradio_compat

READ_LISTS = "() => facefix.readLists()"
"""JavaScript that reads the lists of restorers on the page again, in which one is installed now."""


class RestorerDownload:
    """The line and its button. Both are hidden while an installed restorer is selected."""

    def __init__(self, elem_id: Callable[[str], str]) -> None:
        """elem_id: returns a component's id on the page for its name."""
        self._elem_id = elem_id
        self._note: Any = None
        self._button: Any = None

    def show(self, name: str) -> None:
        """Make the components. name: of the restorer that is selected at first."""
        sentence, offered = _describe(name)
        self._note = gradio_compat.note(_html(sentence), self._elem_id("download_note"))
        self._button = gradio_compat.button("Download", self._elem_id("download"), visible=offered)

    def listen(self, restorer: Any) -> None:
        """Connect the handlers to a component with the names of the selected restorers, one a line."""
        shown = [self._note, self._button]
        gradio_compat.when(restorer.change, show_offer, [restorer], shown)
        end = gradio_compat.when_told(self._button.click, download_restorer, [restorer], shown)
        gradio_compat.then_script(end, READ_LISTS, [])


def show_offer(names: str | None) -> list[Any]:
    """Return the updates of the line and of the button for the first restorer that is not installed."""
    return _show(*_describe(_find_first_missing(names)))


def download_restorer(names: str | None) -> Iterator[list[Any]]:
    """Download that restorer; yield the updates of the line and of the button while it runs, and at the end."""
    from ..config import restorer_files

    name = _find_first_missing(names)
    offer = restorer_files.find_missing(name)
    try:
        if offer:
            for sentence in restorer_files.download(offer):
                yield _show(sentence, offered=False)
    except FaceFixError as error:
        yield _show(str(error), offered=True)
    else:
        label = RESTORERS[name].label if name in RESTORERS.names() else name
        yield _show(f"{label} is installed.", offered=False)


def _find_first_missing(names: str | None) -> str:
    """Return the first name, one a line, that is not installed; otherwise the first one."""
    from ..config.restorer_files import find_missing

    known = (names or "").split("\n")
    return next((name for name in known if find_missing(name)), known[0])


def _describe(name: str) -> tuple[str, bool]:
    """Return the text of the line, and whether there is a button."""
    if not name:  # as when the page is made: this import would take time at the start of the WebUI
        return "", False
    from ..config import restorer_files

    offer = restorer_files.find_missing(name)
    if offer is None:
        return "", False
    refusal = restorer_files.explain_refusal(offer)
    return refusal or restorer_files.describe_offer(offer), not refusal


def _show(sentence: str, offered: bool) -> list[Any]:
    return [gradio_compat.show_note(_html(sentence)), gr.update(visible=offered)]


def _html(sentence: str) -> str:
    return f"<p>{escape(capitalize(sentence))}</p>" if sentence else ""
