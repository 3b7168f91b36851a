"""The menu with the classes of a model file; it edits the setting `detector`, such as model.onnx[face, hand]."""

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from ...errors import BadModel, BadSetting
from ...models.yolo_files import list_classes
from ...settings.detector_expression import Leaf, choose_classes, parse_detector
from ..config.engine import find_model_paths
from ..passes.paths import check_paths
from . import gradio_compat

HINT = "Blank: all classes of the model file."


class ClassMenu:
    """A menu that is hidden unless the detector is a single model file that names its classes."""

    def __init__(self, elem_id: Callable[[str], str]) -> None:
        """elem_id: returns a component's id on the page for its name."""
        self._elem_id = elem_id

    def show(self, detector: str, show_more: Callable[[], None]) -> None:
        """Make the menu for the initial value of the setting. show_more: makes the controls beside it."""
        known, chosen = find_classes(detector)
        facts = {"label": "Classes", "info": HINT, "multiselect": True, "elem_id": self._elem_id("classes")}
        with gr.Column(visible=bool(known), elem_id=self._elem_id("class_menu")) as self._whole, gradio_compat.row():
            menu = gr.Dropdown([*known], value=chosen, interactive=True, **facts)
            self._menu = gradio_compat.not_in_ui_config(menu)
            show_more()

    def listen(self, detector: Any) -> None:
        """Follow the control of the setting, and change it when classes are chosen."""
        gradio_compat.when_moved(detector.change, _update, [detector], [self._whole, self._menu])
        gradio_compat.when(self._menu.input, _choose, [detector, self._menu], [detector])


def find_classes(detector: str) -> tuple[Sequence[str], list[str]]:
    """Return the classes of the model file in the setting, and the chosen ones; none of both for anything else."""
    try:
        wanted = parse_detector(detector)
        if not isinstance(wanted, Leaf) or not wanted.is_file:
            return (), []
        check_paths([("", {"detector": detector})], is_api=False)
        known = list_classes(wanted.name, find_model_paths())
    except (BadSetting, BadModel):  # whatever is wrong, the run says so
        return (), []
    spelled = {name.casefold(): name for name in known}
    chosen = [spelled.get(name.casefold(), name) for name in wanted.classes]
    return (*known, *(name for name in chosen if name not in known)) if known else (), chosen


def _update(detector: str | None) -> list[Any]:
    known, chosen = find_classes(detector or "")
    return [gr.update(visible=bool(known)), gr.update(choices=[*known], value=chosen)]


def _choose(detector: str, chosen: list[str] | None) -> Any:
    try:
        return gr.update(value=choose_classes(detector, chosen or ()))
    except BadSetting:  # the detector was just changed to several
        return gr.update()
