"""Presets in the accordion: chosen at its head, looked after at its foot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from ...errors import FaceFixError
from ..passes.arguments import read_units
from ..passes.settings import OFFERED
from ..ui import gradio_compat
from .presets import NO_PRESET, Presets, flatten_preset
from .store import PresetStore, StoreResult

SAVE = "\U0001f4be"


class PresetPanel:
    """Shows the presets of one accordion; `listen` makes it work."""

    def __init__(self, path: Path, passes: int, elem_id: Callable[[str], str]) -> None:
        self._shelf = PresetStore(path)
        self._passes = passes
        self._elem_id = elem_id
        self._presets, self._trouble = Presets(), ""
        try:
            self._presets = self._shelf.read()
            values = flatten_preset(self._presets.get(self._presets.start), passes)
        except FaceFixError as error:
            self._trouble = f"Presets: {error}"
            values = flatten_preset(({},), passes)
        self.at_start = read_units([True, *values])
        """Of each pass, the values that the page starts with."""

    def show_choice(self) -> None:
        """Make the box with all names, and the button that saves."""
        info = "Choose one, or type a new name and save."
        self._name = gradio_compat.names_box(
            "Preset", info, _entries(self._presets), self._presets.start, self._id("name")
        )
        tip = "Save the settings of all passes under this name"
        self._save = gradio_compat.tool_button(SAVE, tip, self._id("save"))

    def show_note(self) -> None:
        """Make the line for messages."""
        self._note = gradio_compat.note(_html(self._trouble), self._id("note"))

    def show_more(self) -> None:
        """Make the part where presets are looked after."""
        with gradio_compat.section("Presets", self._id("more")):
            with gradio_compat.row():
                self._again = gradio_compat.button("Load again", self._id("again"))
                self._start = gradio_compat.button("Use at start", self._id("start"))
                self._delete = gradio_compat.button("Delete", self._id("delete"))
                self._export = gradio_compat.button("Export", self._id("export"))
                self._import = gradio_compat.button("Import", self._id("import"))
                self._file = gradio_compat.upload_button("Import file", self._id("file"), ".json")
            info = f"Export puts the chosen preset here (with {NO_PRESET}: all); Import reads what is pasted here."
            self._text = gradio_compat.text_box("Presets as text", info, self._id("text"))

    def listen(self, components: Sequence[Any]) -> None:
        """Make everything work on these components: those of OFFERED, pass after pass."""
        shelf, shown = self._shelf, [self._note, self._name, self._text]
        gradio_compat.when(self._name.input, self._load, [self._name], [self._note, *components])
        gradio_compat.when(self._again.click, self._load_again, [self._name], [self._note, *components])
        gradio_compat.when(self._save.click, _telling(_save(shelf)), [self._name, *components], shown)
        gradio_compat.when(self._start.click, _telling(shelf.start_with), [self._name], shown)
        gradio_compat.when(self._delete.click, _telling(shelf.delete), [self._name], shown)
        gradio_compat.when(self._export.click, _telling(shelf.export), [self._name], shown)
        gradio_compat.when(self._import.click, _telling(shelf.import_text), [self._text], shown)
        gradio_compat.when(self._file.upload, _telling(_take_in_file(shelf)), [self._file], shown)
        gradio_compat.when_page_opens(self._on_page, [self._name])

    def _id(self, name: str) -> str:
        return self._elem_id(f"presets_{name}")

    def _load(self, name: str | None) -> list[Any]:
        """Set every control, or none: a name that is not known is a new one."""
        try:
            known = not name or name in self._shelf.read().named
        except FaceFixError as error:
            return self._show_loaded(str(error))
        return self._load_again(name) if known else self._show_loaded("")

    def _load_again(self, name: str | None) -> list[Any]:
        """Set every control."""
        try:
            kept = self._shelf.read().get(name or "")
            values = flatten_preset(kept, self._passes)
        except FaceFixError as error:
            return self._show_loaded(str(error))
        surplus = f"{name!r} has {len(kept)} passes; only {self._passes} are shown."
        return self._show_loaded(surplus if len(kept) > self._passes else "", values)

    def _show_loaded(self, note: str, values: Sequence[Any] = ()) -> list[Any]:
        """Return what is shown: the note, and the values of all controls, or of none."""
        changes = [{"value": value} for value in values] or [{} for _ in range(self._passes * len(OFFERED))]
        return [gradio_compat.show_note(_html(note)), *(gradio_compat.update(**change) for change in changes)]

    def _on_page(self) -> Any:
        """Show the presets as they are now, not as they were when the WebUI started."""
        try:
            return gradio_compat.choices(_entries(self._shelf.read()))
        except FaceFixError:
            return gradio_compat.update()


def _telling(do: Callable[..., StoreResult]) -> Callable[..., list[Any]]:
    """Return a handler that does it and says what came of it: in the note, the box of names, and the text."""

    def handler(*given: Any) -> list[Any]:
        try:
            done = do(given[0] or "", *given[1:])
        except FaceFixError as error:
            return [gradio_compat.show_note(_html(str(error))), gradio_compat.update(), gradio_compat.update()]
        chosen = {} if done.chosen is None else {"value": done.chosen}
        text = {} if done.text is None else {"value": done.text}
        return [
            gradio_compat.show_note(_html(done.note)),
            gradio_compat.choices(_entries(done.presets), **chosen),
            gradio_compat.update(**text),
        ]

    return handler


def _save(shelf: PresetStore) -> Callable[..., StoreResult]:
    return lambda name, *values: shelf.save(name, values)


def _take_in_file(shelf: PresetStore) -> Callable[[bytes | str], StoreResult]:
    return lambda content: shelf.import_text(
        content if isinstance(content, str) else content.decode("utf-8-sig", "replace")
    )


def _entries(presets: Presets) -> list[tuple[str, str]]:
    """Return what the box of names offers: what is shown, what is sent."""
    return [(NO_PRESET, ""), *((name, name) for name in presets.named)]


def _html(sentence: str) -> str:
    return f"<p>{escape(sentence[0].upper() + sentence[1:])}</p>" if sentence else ""
