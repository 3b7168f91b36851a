"""The accordion "FaceFix" of the extras tab: every face of the picture, and the settings of all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...errors import FaceFixError
from ..compare.slider import make_slider
from ..config.choices import host_list
from ..passes.settings import OFFERED, PassSettings
from ..ui import gradio_compat
from ..ui.controls import make_control
from ..ui.form import Form
from . import handlers
from .face_overrides import FACE_SETTINGS, FIX
from .inputs import ENABLE, EVENT_INPUTS, FACE_CONTROLS, IS_SINGLE, SHARED_SETTINGS, TUNING, read_input
from .view import render_note

TITLE = "FaceFix"
FACE_ROWS = (("restorer", "visibility"), ("fidelity", "denoising_strength"), ("mask",), ("mask_grow", "mask_feather"),
        ("prompt",), ("negative_prompt",))  # fmt: skip
"""The controls of a single face, under its tick box and its method."""
REDRAW_AT_ONCE = (FIX, "method", "mask")
"""Of those: what changes the pictures at once."""
REDRAW_ON_RELEASE = ("mask_grow", "mask_feather")
"""Of those: what changes the pictures when it is let go."""
IN_THE_TABLE = ("method", "restorer", "fidelity", "visibility", "denoising_strength", "min_size", "max_size",
                "min_share", "max_share", "at_most", "keep_by", "faces", "sharp_above", "large_above",
                "redraw_below")  # fmt: skip
"""Settings of all faces on which the table depends."""
TROUBLE = "trouble"
"""The line for what could not be done."""
FACES = (handlers.NOTE, handlers.TABLE, handlers.LINE, handlers.TRIED, handlers.ONE_FACE, TUNING)
PICTURES = (handlers.OVERVIEW, handlers.THUMBNAILS)
DECISIONS = (handlers.TABLE, handlers.LINE, TUNING)
"""Groups of components that change together."""
SOURCE_TABS = {"extras_single_tab": True, "extras_batch_process_tab": False, "extras_batch_directory_tab": False}
"""The host's tabs for where pictures come from, and whether it is a single one."""
SINGLE_IMAGE = "extras_image"
"""The host's place for a single picture."""


def build() -> dict[str, Any]:
    """Make the accordion, closed and off, in the part of the page that is being built.

    Returns the components whose values are handed on, by name.
    """
    panel = _Panel()
    with gradio_compat.input_accordion(TITLE, False, _id("enabled")) as enabled:
        panel.show_faces()
        panel.show_settings()
    panel.listen()
    return {ENABLE: enabled, IS_SINGLE: panel.parts[IS_SINGLE], **{name: panel.parts[name] for name in EVENT_INPUTS}}


class _Panel:
    """The components by name, and what happens when they are used."""

    def __init__(self) -> None:
        start = PassSettings()
        self._start = {name: getattr(start, name) for name in SHARED_SETTINGS}
        self._controls = {field.name: make_control(field, known, host_list) for field, known in OFFERED}
        self.parts: dict[str, Any] = {}

    def show_faces(self) -> None:
        """Make the upper part: the faces of the picture."""
        self._find = gradio_compat.button("Find faces", _id("find"), main=True)
        self._show(_line, TROUBLE, handlers.NOTE)
        with gradio_compat.row():
            with gradio_compat.column(1, least=280):
                self._show(_line, handlers.OVERVIEW)
            with gradio_compat.column(1, least=280):
                self._show(gradio_compat.gallery, handlers.THUMBNAILS)
        with gradio_compat.group(_id(handlers.ONE_FACE)) as self.parts[handlers.ONE_FACE]:
            self._show_one_face()
        self._show(_line, handlers.TABLE)
        self.parts[TUNING] = gradio_compat.hidden_text(_id(TUNING))
        self.parts[IS_SINGLE] = gradio_compat.hidden_switch(True, _id(IS_SINGLE))

    def show_settings(self) -> None:
        """Make the lower part: the settings of all faces."""
        form = Form(self._start, _id)
        with gradio_compat.section("Settings for all faces, also those of batches and folders", _id("all")):
            with gradio_compat.row():
                form.show("method")
            form.show_rest()
        form.listen()
        self.parts |= form.in_order()

    def listen(self) -> None:
        """Let everything do what it is for."""
        parts, faces = self.parts, [FACE_CONTROLS[name] for name in (FIX, *FACE_SETTINGS)]
        everything = (*FACES, *PICTURES, *faces)
        picture = [found] if (found := gradio_compat.on_this_page(SINGLE_IMAGE)) else []
        chosen = self._handler(handlers.choose_face)
        thumbnails, changed = parts[handlers.THUMBNAILS], self._those(FACES, faces)
        self._tried.show_after(gradio_compat.when_chosen(thumbnails, chosen, self._given, changed))
        for name in FACE_SETTINGS:
            if name not in REDRAW_AT_ONCE:
                self._on(parts[FACE_CONTROLS[name]].input, handlers.show_edit, DECISIONS, when=gradio_compat.when_moved)
        for name in IN_THE_TABLE:
            self._on(parts[name].input, handlers.refill, (*DECISIONS, *faces), when=gradio_compat.when_moved)
        for name in SOURCE_TABS:
            self._tell_whether_single(name)
        if not picture:  # the host makes the tab's scripts for its API, too
            return
        self._on(self._find.click, handlers.find_faces, everything, picture, gradio_compat.when_busy)
        self._tried.show_after(
            self._on(self._try.click, handlers.try_face, (handlers.TRIED,), picture, gradio_compat.when_busy)
        )
        self._on(self._all.click, handlers.apply_to_all, everything, picture)
        for name in REDRAW_AT_ONCE:
            self._on(parts[FACE_CONTROLS[name]].input, handlers.edit_and_redraw, everything, picture)
        for name in REDRAW_ON_RELEASE:
            self._on(parts[FACE_CONTROLS[name]].release, handlers.redraw, PICTURES, picture)
        cleared = gradio_compat.when(picture[0].change, self._clear, [], self._those(everything))
        self._tried.show_after(cleared)

    def _show(self, make: Callable[[str], Any], *names: str) -> None:
        self.parts |= {name: make(_id(name)) for name in names}

    def _show_one_face(self) -> None:
        self._show(_line, handlers.LINE)
        with gradio_compat.row():
            with gradio_compat.column(1, least=120):
                self.parts[FACE_CONTROLS[FIX]] = gradio_compat.tick_box("Fix this face", True, _id(FACE_CONTROLS[FIX]))
            with gradio_compat.column(3, least=280):
                self._show_control("method")
        for names in FACE_ROWS:
            with gradio_compat.row():
                for name in names:
                    self._show_control(name)
        with gradio_compat.row():
            self._try = gradio_compat.button("Try this face", _id("try"))
            self._all = gradio_compat.button("Apply to all", _id("apply_to_all"))
        self._tried = make_slider(_id("compare"))
        self.parts[handlers.TRIED] = self._tried.told

    def _show_control(self, name: str) -> None:
        self.parts[FACE_CONTROLS[name]] = gradio_compat.component(
            self._controls[name], self._start[name], _id(FACE_CONTROLS[name])
        )

    @property
    def _given(self) -> list[Any]:
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
        """Call `do` with the picture, where it is asked for, and all that is set; `changed` may change."""
        return when(event, self._handler(do), [*picture, *self._given], self._those(changed))

    def _handler(self, do: Callable[..., handlers.Changes]) -> Callable[..., dict[Any, Any]]:
        """Return what the page calls; what cannot be done is said in a line."""

        def handler(*values: Any) -> dict[Any, Any]:
            from ..standalone import planning_engine

            first, given = values[: -len(EVENT_INPUTS)], values[-len(EVENT_INPUTS) :]
            try:
                changes = do(*first, read_input(dict(zip(EVENT_INPUTS, given, strict=True)), planning_engine()))
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
            return gradio_compat.update(**change)
        hint = self._controls[name.removeprefix("face_")].hint
        return gradio_compat.disable_component(hint, idle=change["idle"], value=change["value"])

    def _tell_whether_single(self, tab: str) -> None:
        if (found := gradio_compat.on_this_page(tab)) is not None:
            gradio_compat.when(found.select, lambda: SOURCE_TABS[tab], [], [self.parts[IS_SINGLE]])


def _line(elem_id: str) -> Any:
    return gradio_compat.note("", elem_id)


def _id(name: str) -> str:
    return f"extras_facefix_{name}"
