"""Presets in the accordion: the choice at the top, the buttons at the bottom."""

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from ...errors import FaceFixError
from ..passes.summary import capitalize
from ..ui import gradio_compat
from .last_used import LastUsed
from .presets import NO_PRESET, Presets, show_preset
from .store import PresetStore, StoreResult

SAVE = "\U0001f4be"


class PresetPanel:
    """The presets of one accordion; `listen` connects the components to their handlers."""

    def __init__(self, path: Path, elem_id: Callable[[str], str], last_used: LastUsed) -> None:
        self._store, self._last_used = PresetStore(path), last_used
        self._elem_id = elem_id
        self._presets, self._trouble = Presets(), ""
        try:
            self._presets = self._store.read()
            self.at_start = show_preset(self._presets.get(self._presets.start))
            """The page's text of the initial passes."""
        except FaceFixError as error:
            self._trouble = f"Presets: {error}"
            self.at_start = show_preset(({},))

    def show_choice(self) -> None:
        """Make the box of names and the save button."""
        facts = {"label": "Preset", "value": self._presets.start, "elem_id": self._id("name")}
        entries = _entries(self._presets)
        self._name = gradio_compat.not_in_ui_config(
            gradio_compat.dropdown(entries, interactive=True, allow_custom_value=True, **facts)
        )
        tip = "Save the settings of all passes under this name"
        self._save = gradio_compat.tool_button(SAVE, tip, self._id("save"))

    def show_note(self) -> None:
        """Make the line for messages."""
        self._note = gradio_compat.note(_html(self._trouble), self._id("note"))

    def show_more(self) -> None:
        """Make the section with the buttons that manage presets."""
        with gr.Accordion("Presets", open=False, elem_id=self._id("more")):
            with gradio_compat.row():
                self._again = gradio_compat.button("Reload", self._id("again"))
                self._start = gradio_compat.button("Use at start", self._id("start"))
                self._delete = gradio_compat.button("Delete", self._id("delete"))
                self._export = gradio_compat.button("Export", self._id("export"))
                self._import = gradio_compat.button("Import", self._id("import"))
                self._file = gradio_compat.upload_button("Import file", self._id("file"), ".json")
            info = f"Export writes the chosen preset ({NO_PRESET}: all) into this box. Import reads from it."
            self._text = gradio_compat.not_in_ui_config(
                gr.Textbox(
                    "",
                    label="Presets as text",
                    info=info,
                    elem_id=self._id("text"),
                    lines=3,
                    max_lines=12,
                    show_copy_button=True,
                    interactive=True,
                )
            )

    def listen(self, passes: Any) -> None:
        """Connect the handlers to the text of the passes."""
        store, shown = self._store, [self._note, self._name, self._text]
        gradio_compat.when(self._name.input, self._load, [self._name], [self._note, passes])
        gradio_compat.when(self._again.click, self._load_again, [self._name], [self._note, passes])
        gradio_compat.when(
            self._save.click,
            _make_handler(store.save),
            [self._name, passes],
            shown,
        )
        gradio_compat.when(self._start.click, _make_handler(store.start_with), [self._name], shown)
        gradio_compat.when(self._delete.click, _make_handler(store.delete), [self._name], shown)
        gradio_compat.when(self._export.click, _make_handler(store.export), [self._name], shown)
        gradio_compat.when(self._import.click, _make_handler(store.import_text), [self._text], shown)
        gradio_compat.when(self._file.upload, _make_handler(store.import_file), [self._file], shown)
        gradio_compat.when_page_opens(self._on_page, [self._name])
        gradio_compat.when_page_opens(self._restore, [self._note, passes])

    def _id(self, name: str) -> str:
        return self._elem_id(f"presets_{name}")

    def _load(self, name: str | None) -> list[Any]:
        """Show the passes of a preset; nothing changes for an unknown name, which is a new one."""
        try:
            known = not name or name in self._store.read().named
        except FaceFixError as error:
            return _show_loaded(str(error))
        return self._load_again(name) if known else _show_loaded("")

    def _load_again(self, name: str | None) -> list[Any]:
        try:
            return _show_loaded("", show_preset(self._store.read().get(name or "")))
        except FaceFixError as error:
            return _show_loaded(str(error))

    def _restore(self) -> list[Any]:
        """Show the last used passes, if these are kept; otherwise, change nothing."""
        try:
            text = self._last_used.read()
        except FaceFixError as error:
            return _show_loaded(f"The last used settings cannot be restored: {error}")
        return _show_loaded("", text) if text else [gr.update(), gr.update()]

    def _on_page(self) -> Any:
        """Update the list of names, which may have changed since the WebUI started."""
        try:
            return gradio_compat.choices(_entries(self._store.read()))
        except FaceFixError:
            return gr.update()


def _show_loaded(note: str, passes: str = "") -> list[Any]:
    """Return updates of the note and of the text of the passes; blank: the text does not change."""
    return [gradio_compat.show_note(_html(note)), gr.update(value=passes) if passes else gr.update()]


def _make_handler(do: Callable[..., StoreResult]) -> Callable[..., list[Any]]:
    """Return a handler that calls `do` and updates the note, the box of names, and the text."""

    def handler(*given: Any) -> list[Any]:
        try:
            result = do(given[0] or "", *given[1:])
        except FaceFixError as error:
            return [gradio_compat.show_note(_html(str(error))), gr.update(), gr.update()]
        chosen = {} if result.chosen is None else {"value": result.chosen}
        text = {} if result.text is None else {"value": result.text}
        return [
            gradio_compat.show_note(_html(result.note)),
            gradio_compat.choices(_entries(result.presets), **chosen),
            gr.update(**text),
        ]

    return handler


def _entries(presets: Presets) -> list[tuple[str, str]]:
    """Return the choices of the box of names as pairs: the shown text and the sent value."""
    return [(NO_PRESET, ""), *((name, name) for name in presets.named)]


def _html(sentence: str) -> str:
    return f"<p>{escape(capitalize(sentence))}</p>" if sentence else ""
