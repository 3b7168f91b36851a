"""Components and events of the page, for the toolkits (gradio 3 and 4) of the different hosts.

Hosts are recognised by their features, never by their name.
"""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr
from gradio.context import Context
from modules import ui_components

from .controls import Control

Pairs = Sequence[tuple[str, str]]
"""Choices as pairs: the shown text and the sent value."""

_SHOWS_PAIRS = "tuple" in str(inspect.signature(gr.Dropdown.__init__).parameters["choices"].annotation)
"""True if a dropdown accepts pairs; gradio 3 only has one text for both."""
_UPLOADS_PATHS = inspect.signature(gr.UploadButton.__init__).parameters["type"].default == "filepath"
"""True if an uploaded file is a path by default; gradio 3 has another default, and another name for bytes."""
_SCRIPT = "js" if hasattr(gr.events, "Events") else "_js"
"""Name of the parameter for an event's JavaScript; gradio 3 has an underscore in it."""


def component(control: Control, value: Any, elem_id: str) -> Any:
    """Make a control."""
    facts = {"value": value, "label": control.label, "info": control.hint or None, "elem_id": elem_id}
    return not_in_ui_config(_MAKERS[control.kind](control, facts))


def disable_component(hint: str, *, idle: str, **more: Any) -> Any:
    """Return the update that greys out a control, with the reason as its hint, or enables it."""
    return gr.update(interactive=not idle, info=idle or hint, **more)


def dropdown(pairs: Pairs, **facts: Any) -> Any:
    """Make a dropdown that shows one text and sends another; it sends a typed text as it is."""
    if _SHOWS_PAIRS:
        return gr.Dropdown(choices=list(pairs), **facts)
    return _in_labels(gr.Dropdown(choices=[shown for shown, _ in pairs], **facts), dict(pairs))


def choices(pairs: Pairs, **more: Any) -> Any:
    """Return the update that replaces the choices of a dropdown from `dropdown`."""
    return gr.update(choices=list(pairs) if _SHOWS_PAIRS else [shown for shown, _ in pairs], **more)


def _in_labels(plain: Any, sent: dict[str, str]) -> Any:
    """Translate between shown and sent texts at the edges of a plain dropdown; its `value` stays the sent one."""
    shown = {value: label for label, value in sent.items()}
    config = plain.get_config
    plain.preprocess = lambda label: sent.get(label, label)
    plain.postprocess = lambda value: shown.get(value, value)
    plain.get_config = lambda: {**config(), "value": shown.get(plain.value, plain.value)}
    return plain


def input_accordion(label: str, value: bool, elem_id: str) -> Any:
    """Make the host's accordion with a tick box: open and on, or closed and off."""
    return ui_components.InputAccordion(value, label=label, elem_id=elem_id)


def row() -> Any:
    """Make a row of the host's forms."""
    return ui_components.FormRow(elem_classes=["facefix-row"])


def tool_button(symbol: str, tooltip: str, elem_id: str) -> Any:
    """Make a small button with a symbol."""
    return not_in_ui_config(ui_components.ToolButton(value=symbol, tooltip=tooltip, elem_id=elem_id))


def button(text: str, elem_id: str, *, main: bool = False, visible: bool = True) -> Any:
    """Make a button with a text. main: whether it is the primary one."""
    look = {"variant": "primary"} if main else {"size": "sm"}
    return not_in_ui_config(gr.Button(value=text, elem_id=elem_id, min_width=80, visible=visible, **look))


def upload_button(text: str, elem_id: str, ending: str) -> Any:
    """Make a button that reads a file; its handler receives the bytes."""
    facts = {"type": "binary" if _UPLOADS_PATHS else "bytes", "file_types": [ending], "elem_id": elem_id}
    return not_in_ui_config(gr.UploadButton(text, min_width=80, size="sm", **facts))


def upload_image(label: str, elem_id: str) -> Any:
    """Make a place for an image of the user's own; its handler receives a Pillow image, or None."""
    facts = {"type": "pil", "height": 240, "label": label, "elem_id": elem_id, "interactive": True}
    return not_in_ui_config(gr.Image(**facts, **({"sources": ["upload", "clipboard"]} if _SCRIPT == "js" else {})))


def hidden_text(elem_id: str) -> Any:
    """Make a hidden text, in which the page keeps a value for a handler or receives one."""
    return not_in_ui_config(gr.Textbox("", visible=False, elem_id=elem_id))


def kept_text(text: str, elem_id: str) -> Any:
    """Make a text whose value is the script's, and which only the forms of the page read and write."""
    return not_in_ui_config(gr.Textbox(text, elem_id=elem_id, elem_classes=["facefix-kept"], show_label=False))


def place(html: str, elem_id: str) -> Any:
    """Make a place on the page that its script fills."""
    return gr.HTML(html, elem_id=elem_id)


def note(html: str, elem_id: str) -> Any:
    """Make a line for messages, hidden while it is blank."""
    return gr.HTML(html, visible=bool(html), elem_id=elem_id)


def this_page() -> Any:
    """Return the page under construction."""
    return Context.root_block


def on_this_page(elem_id: str) -> Any:
    """Return the component with this id in the page under construction; None if there is none."""
    made = this_page().blocks.values()
    return next((block for block in made if getattr(block, "elem_id", None) == elem_id), None)


def show_note(html: str) -> Any:
    """Return the update that shows a message in a line from `note`, or hides the line."""
    return gr.update(value=html, visible=bool(html))


def when(
    event: Any, do: Callable[..., Any] | None, given: Sequence[Any], changed: Sequence[Any], script: str = ""
) -> Any:
    """Call `do` with the values of `given` on the event, even while the host is generating.

    script: JavaScript function that maps these values before `do` gets them. Returns the event for `then_script`.
    """
    facts = {_SCRIPT: script} if script else {}
    return event(fn=do, inputs=[*given], outputs=[*changed], queue=False, show_progress="hidden", **facts)


def then_script(event: Any, script: str, given: Sequence[Any]) -> None:
    """Call a JavaScript function with the values of `given` after the handler of an event."""
    when(event.then, None, given, [], script)


def when_moved(event: Any, do: Callable[..., Any], given: Sequence[Any], changed: Sequence[Any]) -> None:
    """Call `do` as `when` does, then once more, because fast events can be lost or overtake one another."""
    when(when(event, do, given, changed).then, do, given, changed)


def when_busy(event: Any, do: Callable[..., Any], given: Sequence[Any], changed: Sequence[Any]) -> Any:
    """Call a slow `do` as `when` does; the page shows that it is busy."""
    return event(fn=do, inputs=[*given], outputs=[*changed], queue=False, show_progress="full")


def when_told(event: Any, do: Callable[..., Any], given: Sequence[Any], changed: Sequence[Any]) -> Any:
    """Call a slow `do` that yields results as it goes; the host's queue is there for that."""
    return event(fn=do, inputs=[*given], outputs=[*changed], queue=True, show_progress="hidden")


def when_chosen(gallery: Any, do: Callable[..., Any], given: Sequence[Any], changed: Sequence[Any]) -> Any:
    """Call `do` with the place of the chosen image, from 0, and the values of `given`."""

    def chosen(event: gr.SelectData, *values: Any) -> Any:
        return do(event.index, *values)

    return when(gallery.select, chosen, given, changed)


def when_page_opens(do: Callable[[], Any], changed: Sequence[Any]) -> None:
    """Call `do` whenever the page under construction is opened."""
    when(Context.root_block.load, do, [], changed)


def not_in_ui_config(made: Any) -> Any:
    """Keep the host from saving a default for this component under a label that several passes share."""
    made.do_not_save_to_config = True
    if hasattr(made, "accordion"):
        made.accordion.do_not_save_to_config = True
    return made


_MAKERS: dict[str, Callable[[Control, dict[str, Any]], Any]] = {
    "checkbox": lambda _, facts: gr.Checkbox(**facts),
    "radio": lambda control, facts: gr.Radio([*control.pairs], **facts),
    "dropdown": lambda control, facts: dropdown(control.pairs, allow_custom_value=control.typed, **facts),
    "slider": lambda control, facts: gr.Slider(control.low, control.high, step=control.step, **facts),
    "number": lambda control, facts: gr.Number(precision=0 if control.whole else None, **facts),
    "textbox": lambda control, facts: gr.Textbox(lines=control.lines, max_lines=8, **facts),
}
"""Functions that make a component, by `Control.kind`."""


def warn(sentence: str) -> None:
    """Show a message in the corner of the page, or in the console outside a page's event."""
    gr.Warning(sentence)
