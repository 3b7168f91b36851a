"""The section *Preview detection* of the accordion: an image, two buttons, and the faces found in it."""

from collections.abc import Callable
from typing import Any

import gradio as gr
from PIL import Image as Pil

from ...errors import FaceFixError
from ..extras.view import render_note
from ..ui import gradio_compat
from . import handlers

RESULTS = ("txt2img", "img2img")
"""Names of the tabs whose results can be previewed."""
PICTURE, LAST, TROUBLE = "preview_image", "preview_last", "preview_trouble"
"""Names of the components that are connected with the gallery, which is made after them."""


class DetectionPanel:
    """The components of the section; `listen` connects them to the settings."""

    def __init__(self, elem_id: Callable[[str], str]) -> None:
        """elem_id: returns a component's id on the page for its name."""
        self._elem_id = elem_id

    def show(self) -> None:
        """Make the section, closed."""
        with gr.Accordion("Preview detection", open=False, elem_id=self._elem_id("preview")):
            with gradio_compat.row():
                self._picture = gradio_compat.upload_image("Image to preview", self._elem_id(PICTURE))
                with gr.Column(min_width=160):
                    self._find = gradio_compat.button("Preview detection", self._elem_id("preview_find"), main=True)
                    gradio_compat.button("Last result", self._elem_id(LAST))
            self._trouble = gradio_compat.note("", self._elem_id(TROUBLE))
            self._result = gradio_compat.note("", self._elem_id("preview_result"))

    def listen(self, passes: Any) -> None:
        """Connect the components to the text of the passes."""
        given, changed = [self._picture, passes], [self._trouble, self._result]
        gradio_compat.when_busy(self._find.click, _preview, given, changed)
        gradio_compat.when_busy(self._picture.change, _preview_new, given, changed)


class GalleryHook:
    """A hook for some finished components of the page that connects the button *Last result* with the gallery."""

    WATCHED = tuple(f"generation_info_{tab}" for tab in RESULTS)
    """Ids of these components."""

    def __call__(self, component: Any, elem_id: str | None = None, **_: Any) -> None:
        """Connect the button once the last component that it reads exists."""
        for tab in RESULTS:
            if elem_id == f"generation_info_{tab}":
                last, picture, trouble, gallery = map(
                    gradio_compat.on_this_page,
                    (*(f"script_{tab}_facefix_{name}" for name in (LAST, PICTURE, TROUBLE)), f"{tab}_gallery"),
                )
                if last is not None and gallery is not None:
                    chosen = gradio_compat.hidden_text(f"facefix_{tab}_chosen")
                    script = f"(pictures, info) => [pictures, info, String(facefix.chosen({tab!r}))]"
                    given = [gallery, component, chosen]
                    gradio_compat.when(last.click, _pick, given, [picture, trouble], script)


def _preview(picture: Pil.Image | None, passes: str) -> list[Any]:
    """Return the updates of the line for messages and of the result."""
    try:
        found = handlers.preview_passes(picture, passes)
    except (FaceFixError, MemoryError) as error:
        trouble = render_note([str(error) or "not enough memory for this image"])
        return [gradio_compat.show_note(trouble), gradio_compat.show_note("")]
    return [gradio_compat.show_note(""), gradio_compat.show_note(found)]


def _preview_new(picture: Pil.Image | None, passes: str) -> list[Any]:
    """Preview a new image; without one, clear everything."""
    return _preview(picture, passes) if picture else [gradio_compat.show_note(""), gradio_compat.show_note("")]


def _pick(gallery: Any, generation_info: str, chosen: str) -> list[Any]:
    """Return the updates of the image and of the line for messages."""
    from ..host.gallery import read_gallery

    try:
        picture = handlers.pick_result(read_gallery(gallery), generation_info, int(chosen))
    except FaceFixError as error:
        return [gr.update(), gradio_compat.show_note(render_note([str(error)]))]
    return [gr.update(value=picture), gradio_compat.show_note("")]
