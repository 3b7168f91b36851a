"""The settings of all passes in a tab: empty places that the page fills when they are first seen, and hidden texts.

A component of the toolkit for each setting made the start of the WebUI slow, and the page long.
"""

import json
from collections.abc import Callable, Collection, Mapping
from html import escape
from typing import Any

from ... import __version__
from ..passes.settings import parse_units
from . import gradio_compat
from .download import RestorerDownload


class SettingsForm:
    """The places and texts of one tab. The forms in them are made by lib_facefix/webui/page/passes.js."""

    def __init__(
        self,
        elem_id: Callable[[str], str],
        text: str = "",
        *,
        hidden: Collection[str] = (),
        defaults: Mapping[str, Any] | None = None,
        several: bool = True,
    ) -> None:
        """elem_id: returns an element's id for its name. text: initial passes, as in passes/settings.py.

        hidden: settings without a control. defaults: defaults of settings that differ from those of a pass. several:
        whether passes can be added.
        """
        self._elem_id, self._id = elem_id, elem_id("")
        self._config = {"hidden": [*hidden], "defaults": defaults or {}, "several": several, "version": __version__}
        self._text = text
        self._download = RestorerDownload(elem_id)

    def show_head(self) -> None:
        """Make the place of the method, and the texts."""
        self.passes = gradio_compat.kept_text(self._text, self._elem_id("passes"))
        self._wanted = gradio_compat.kept_text("", self._elem_id("wanted"))
        self._told = gradio_compat.hidden_text(self._elem_id("told"))
        self._asked = gradio_compat.button("", self._elem_id("ask"), visible=False)
        self._place("head", f" data-form='{escape(json.dumps(self._config))}'")

    def show_rest(self) -> None:
        """Make the places of all other settings."""
        self._place("top")
        self._download.show(_find_restorer(self._text))
        self._place("rest")

    def listen(self) -> None:
        """Connect the texts to the forms on the page."""
        asked = gradio_compat.when(
            self._asked.click, _answer, [self._told], [self._told], f"() => [facefix.question({self._id!r})]"
        )
        gradio_compat.then_script(asked, f"(told) => facefix.answered({self._id!r}, told)", [self._told])
        shown = f"(text) => facefix.showPasses({self._id!r}, text)"
        gradio_compat.when(self.passes.change, None, [self.passes], [], shown)
        self._download.listen(self._wanted)

    def _place(self, name: str, facts: str = "") -> None:
        gradio_compat.place(f'<div class="facefix-form" data-id="{self._id}"{facts}></div>', self._elem_id(name))


def _answer(question: str) -> str:
    from .answers import answer

    return answer(question)


def _find_restorer(text: str) -> str:
    return str(parse_units(text)[0].get("restorer", ""))
