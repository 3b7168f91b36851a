"""The accordion "FaceFix" of the extras tab: the faces of the image, and the settings for all of them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

import gradio as gr

from ...errors import FaceFixError
from ...settings.sampling import OWN
from ..compare.slider import make_slider
from ..config.choices import host_list
from ..passes.settings import OFFERED
from ..ui import gradio_compat
from ..ui.controls import BESIDE_CLASSES, ONLY_IMG2IMG, ONLY_TXT2IMG, make_control
from ..ui.settings_form import SettingsForm
from . import handlers
from .face_overrides import (
    ENABLE,
    EVENT_INPUTS,
    FACE_CONTROLS,
    FACE_SETTINGS,
    FIX,
    IS_SINGLE,
    SETTINGS,
    START,
    TUNING,
    read_input,
)
from .view import render_note

TITLE = "FaceFix"
FACE_ROWS = (("restorer", "visibility"), ("fidelity", "denoising_strength"), ("mask",), ("mask_grow", "mask_feather"),
        ("prompt",), ("negative_prompt",))  # fmt: skip
"""Rows of controls for the shown face, below its tick box, its method, and its buttons."""
FACE_HINTS = {
    "prompt": f"For this face alone. Supports [PROMPT] and [SKIP]. Blank: {OWN}.",
    "negative_prompt": f"For this face alone. Supports [PROMPT]. Blank: {OWN}.",
}
"""Hints of controls for the shown face, where those for all faces would tell how to name one."""
REDRAW_AT_ONCE = (FIX, "method", "mask")
"""Controls of the shown face that redraw the image and the thumbnails at once."""
REDRAW_ON_RELEASE = ("mask_grow", "mask_feather")
"""Sliders of the shown face that redraw the image and the thumbnails when they are released."""
TROUBLE = "trouble"
"""Name of the line for error messages."""
FACES = (handlers.NOTE, handlers.TABLE, handlers.LINE, handlers.TRIED, handlers.ONE_FACE, TUNING)
PICTURES = (handlers.OVERVIEW, handlers.THUMBNAILS)
FINDINGS = (handlers.TABLE, handlers.THUMBNAILS)
DECISIONS = (handlers.TABLE, handlers.LINE, TUNING)
"""Names of the components that change with a decision; `FACES` and `PICTURES` group others in the same way."""
SOURCE_TABS = {"extras_single_tab": True, "extras_batch_process_tab": False, "extras_batch_directory_tab": False}
"""Ids of the host's tabs for the source of images, with True for the single image."""
SINGLE_IMAGE = "extras_image"
"""Id of the host's component for the single image."""


PANELS: WeakKeyDictionary[Any, "_Panel"] = WeakKeyDictionary()
"""The accordion of each page; an entry is dropped together with its page."""


def build() -> dict[str, Any]:
    """Make the accordion, closed and off; return the components whose values the script receives, by name."""
    panel = _Panel()
    with gradio_compat.input_accordion(TITLE, False, _id("enabled")) as enabled:
        panel.show_faces()
        panel.show_settings()
    panel.listen()
    return {ENABLE: enabled, IS_SINGLE: panel.parts[IS_SINGLE], **{name: panel.parts[name] for name in EVENT_INPUTS}}


def follow_results(event: Callable[..., Any]) -> None:
    """Show what the identity guard found at an event of the page under construction: a new result is shown."""
    if panel := PANELS.get(gradio_compat.this_page()):
        panel.follow_results(event)


class _Panel:
    """The components of the accordion by name, and their event handlers."""

    def __init__(self) -> None:
        self._form = SettingsForm(
            _id, hidden=(*ONLY_IMG2IMG, *ONLY_TXT2IMG, *BESIDE_CLASSES), defaults={"guard": START.guard}, several=False
        )
        self._controls = {field.name: make_control(field, known, host_list) for field, known in OFFERED}
        self.parts: dict[str, Any] = {}

    def show_faces(self) -> None:
        """Make the upper part: the faces of the image."""
        self._find = gradio_compat.button("Find faces", _id("find"), main=True)
        self._show(_line, TROUBLE, handlers.NOTE)
        with gradio_compat.row():
            with gr.Column(scale=1, min_width=280):
                self._show(_line, handlers.OVERVIEW)
            with gr.Column(scale=1, min_width=280):
                self._show(_gallery, handlers.THUMBNAILS)
        with gr.Column(visible=False, elem_id=_id(handlers.ONE_FACE)) as self.parts[handlers.ONE_FACE]:
            self._show_one_face()
        self._show(_line, handlers.TABLE)
        self.parts[TUNING] = gradio_compat.hidden_text(_id(TUNING))
        self.parts[IS_SINGLE] = _checkbox(True, elem_id=_id(IS_SINGLE), visible=False)

    def show_settings(self) -> None:
        """Make the lower part: the settings for all faces."""
        with gr.Accordion("Settings for all faces", open=False, elem_id=_id("all")):
            self._form.show_head()
            self._form.show_rest()
        self.parts[SETTINGS] = self._form.passes

    def listen(self) -> None:
        """Connect the components to their handlers."""
        parts, faces = self.parts, [FACE_CONTROLS[name] for name in (FIX, *FACE_SETTINGS)]
        everything = (*FACES, *PICTURES, *faces)
        found = gradio_compat.on_this_page(SINGLE_IMAGE)
        choose, changed = self._handler(handlers.choose_face), self._those(FACES, faces)
        self._tried.show_after(gradio_compat.when_chosen(parts[handlers.THUMBNAILS], choose, self._inputs, changed))
        for name in FACE_SETTINGS:
            if name not in REDRAW_AT_ONCE:
                self._on(parts[FACE_CONTROLS[name]].input, handlers.show_edit, DECISIONS, when=gradio_compat.when_moved)
        self._form.listen()
        self._on(parts[SETTINGS].input, handlers.refill, (*DECISIONS, *faces), when=gradio_compat.when_moved)
        for name, is_single in SOURCE_TABS.items():
            if (tab := gradio_compat.on_this_page(name)) is not None:
                gradio_compat.when(tab.select, lambda value=is_single: value, [], [parts[IS_SINGLE]])
        if found is None:  # the host makes the tab's scripts for its API, too
            return
        picture = [found]
        self._on(self._find.click, handlers.find_faces, everything, picture, gradio_compat.when_busy)
        self._tried.show_after(
            self._on(self._try.click, handlers.try_face, (handlers.TRIED, *FINDINGS), picture, gradio_compat.when_busy)
        )
        PANELS[gradio_compat.this_page()] = self
        self._on(self._all.click, handlers.apply_to_all, everything, picture)
        for name in REDRAW_AT_ONCE:
            self._on(parts[FACE_CONTROLS[name]].input, handlers.edit_and_redraw, everything, picture)
        for name in REDRAW_ON_RELEASE:
            self._on(parts[FACE_CONTROLS[name]].release, handlers.redraw, PICTURES, picture)
        self._tried.show_after(gradio_compat.when(found.change, self._clear, [], self._those(everything)))

    def follow_results(self, event: Callable[..., Any]) -> None:
        """Update the table and the thumbnails at an event."""
        picture = [gradio_compat.on_this_page(SINGLE_IMAGE)]
        self._on(event, handlers.show_findings, FINDINGS, picture)

    def _show(self, make: Callable[[str], Any], *names: str) -> None:
        self.parts |= {name: make(_id(name)) for name in names}

    def _show_one_face(self) -> None:
        self._show(_line, handlers.LINE)
        with gradio_compat.row():
            with gr.Column(scale=1, min_width=120):
                self.parts[FACE_CONTROLS[FIX]] = _checkbox(True, elem_id=_id(FACE_CONTROLS[FIX]), label="Fix this face")
            with gr.Column(scale=3, min_width=280):
                self._show_control("method")
        with gradio_compat.row():
            self._try = gradio_compat.button("Try this face", _id("try"))
            self._all = gradio_compat.button("Apply to all", _id("apply_to_all"))
        self._tried = make_slider(_id("compare"))
        self.parts[handlers.TRIED] = self._tried.told
        for names in FACE_ROWS:
            with gradio_compat.row():
                for name in names:
                    self._show_control(name)

    def _show_control(self, name: str) -> None:
        control = self._controls[name]
        if name in FACE_HINTS:
            control = self._controls[name] = replace(control, hint=FACE_HINTS[name])
        self.parts[FACE_CONTROLS[name]] = gradio_compat.component(
            control, getattr(START, name), _id(FACE_CONTROLS[name])
        )

    @property
    def _inputs(self) -> list[Any]:
        return [self.parts[name] for name in EVENT_INPUTS]

    def _those(self, *groups: Sequence[str]) -> list[Any]:
        return [self.parts[name] for group in (*groups, (TROUBLE,)) for name in group]

    def _on(
        self,
        event: Any,
        do: Callable[..., handlers.Changes],
        changed: Sequence[str],
        picture: Sequence[Any] = (),
        when: Callable[..., Any] = gradio_compat.when,
    ) -> Any:
        """Call `do` with the image, if given, and all settings; `changed`: names of the components it may change."""
        return when(event, self._handler(do), [*picture, *self._inputs], self._those(changed))

    def _handler(self, do: Callable[..., handlers.Changes]) -> Callable[..., dict[Any, Any]]:
        """Return an event handler around `do` that shows its errors in the line for messages."""

        def handler(*values: Any) -> dict[Any, Any]:
            from ..standalone import diffusing_engine

            first, given = values[: -len(EVENT_INPUTS)], values[-len(EVENT_INPUTS) :]
            try:
                changes = do(*first, read_input(dict(zip(EVENT_INPUTS, given, strict=True)), diffusing_engine()))
            except FaceFixError as error:
                return self._updates({TROUBLE: {"value": render_note([str(error)]), "visible": True}})
            return self._updates({TROUBLE: {"value": "", "visible": False}, **changes})

        return handler

    def _clear(self) -> dict[Any, Any]:
        return self._updates({TROUBLE: {"value": "", "visible": False}, **handlers.clear_faces()})

    def _updates(self, changes: handlers.Changes) -> dict[Any, Any]:
        return {self.parts[name]: self._update(name, change) for name, change in changes.items()}

    def _update(self, name: str, change: dict[str, Any]) -> Any:
        if "idle" not in change:
            return gr.update(**change)
        hint = self._controls[name.removeprefix("face_")].hint
        return gradio_compat.disable_component(hint, idle=change["idle"], value=change["value"])


def _gallery(elem_id: str) -> Any:
    """Make a row of thumbnails with captions to choose from, hidden at first."""
    facts = {"columns": 4, "object_fit": "contain", "allow_preview": False, "show_download_button": False}
    return gradio_compat.not_in_ui_config(gr.Gallery(show_label=False, visible=False, elem_id=elem_id, **facts))


def _checkbox(value: bool, **facts: Any) -> Any:
    return gradio_compat.not_in_ui_config(gr.Checkbox(value, **facts))


def _line(elem_id: str) -> Any:
    return gradio_compat.note("", elem_id)


def _id(name: str) -> str:
    return f"extras_facefix_{name}"
