"""Components of the page as the host's toolkit makes them: the one place that knows in what toolkits differ.

Hosts are told apart by what they have, never by their name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr
from gradio.context import Context
from modules import ui_components

from .controls import Control

Pairs = Sequence[tuple[str, str]]
"""To choose from: what is shown, what is sent."""

_SHOWS_PAIRS = "tuple" in str(inspect.signature(gr.Dropdown.__init__).parameters["choices"].annotation)
"""Whether a dropdown tells what is shown from what is sent; the older toolkit's does not."""
_UPLOADS_PATHS = inspect.signature(gr.UploadButton.__init__).parameters["type"].default == "filepath"
"""Whether an uploaded file is a path by default; the older toolkit's is a file, and its bytes have another name."""
_SCRIPT = "js" if hasattr(gr.events, "Events") else "_js"
"""What an event calls its script; the older toolkit's name has the underscore."""


def component(control: Control, value: Any, elem_id: str, *, idle: str = "", visible: bool = True) -> Any:
    """Make a control. idle: why it has no effect at first, blank if it has."""
    facts = {
        "value": value,
        "label": control.label,
        "info": idle or control.hint or None,
        "interactive": not idle,
        "visible": visible,
        "elem_id": elem_id,
    }
    return not_in_ui_config(_MAKERS[control.kind](control, facts))


def disable_component(hint: str, *, idle: str, **more: Any) -> Any:
    """Return the update that makes a control idle, with the reason in its hint, or gives it back."""
    return gr.update(interactive=not idle, info=idle or hint, **more)


def dropdown(pairs: Pairs, **facts: Any) -> Any:
    """Make a dropdown that shows one text and sends another; of what is not among the pairs, it sends what it shows."""
    if _SHOWS_PAIRS:
        return gr.Dropdown(choices=list(pairs), **facts)
    return _in_labels(gr.Dropdown(choices=[shown for shown, _ in pairs], **facts), dict(pairs))


def choices(pairs: Pairs, **more: Any) -> Any:
    """Return the update that gives a dropdown of ours other choices."""
    return gr.update(choices=list(pairs) if _SHOWS_PAIRS else [shown for shown, _ in pairs], **more)


def _in_labels(plain: Any, sent: dict[str, str]) -> Any:
    """Let a dropdown that only knows texts turn them where they come and go; its own `value` stays what is sent."""
    shown = {value: label for label, value in sent.items()}
    config = plain.get_config
    plain.preprocess = lambda label: sent.get(label, label)
    plain.postprocess = lambda value: shown.get(value, value)
    plain.get_config = lambda: {**config(), "value": shown.get(plain.value, plain.value)}
    return plain


def input_accordion(label: str, value: bool, elem_id: str) -> Any:
    """Make the host's accordion that is a tick box too: open and on, or closed and off."""
    return ui_components.InputAccordion(value, label=label, elem_id=elem_id)


def names_box(label: str, info: str, pairs: Pairs, value: str, elem_id: str) -> Any:
    """Make a dropdown for names, which takes a new one too."""
    facts = {"label": label, "info": info, "value": value, "elem_id": elem_id}
    return not_in_ui_config(dropdown(pairs, interactive=True, allow_custom_value=True, **facts))


def row() -> Any:
    """Make a row that fits into the host's forms."""
    return ui_components.FormRow(elem_classes=["facefix-row"])


def column(share: int, least: int) -> Any:
    """Make a part of a row. share: of the row's width; least: in pixels, below it goes to the next line."""
    return gr.Column(scale=share, min_width=least)


def section(title: str, elem_id: str) -> Any:
    """Make a closed part of the form."""
    return gr.Accordion(title, open=False, elem_id=elem_id)


def tool_button(symbol: str, tooltip: str, elem_id: str) -> Any:
    """Make a small button with a symbol."""
    return not_in_ui_config(ui_components.ToolButton(value=symbol, tooltip=tooltip, elem_id=elem_id))


def button(text: str, elem_id: str, *, main: bool = False, visible: bool = True) -> Any:
    """Make a button with words; main: the one that a person is to see first."""
    look = {"variant": "primary"} if main else {"size": "sm"}
    return not_in_ui_config(gr.Button(value=text, elem_id=elem_id, min_width=80, visible=visible, **look))


def upload_button(text: str, elem_id: str, ending: str) -> Any:
    """Make a button that reads a file; its handler is given the bytes."""
    kind = "binary" if _UPLOADS_PATHS else "bytes"
    facts = {"type": kind, "file_types": [ending], "elem_id": elem_id, "min_width": 80, "size": "sm"}
    return not_in_ui_config(gr.UploadButton(text, **facts))


def text_box(label: str, info: str, elem_id: str) -> Any:
    """Make a box for a longer text that can be copied."""
    facts = {"lines": 3, "max_lines": 12, "show_copy_button": True, "interactive": True}
    return not_in_ui_config(gr.Textbox("", label=label, info=info, elem_id=elem_id, **facts))


def hidden_text(elem_id: str) -> Any:
    """Make a text that is never seen: what the page keeps for a handler, or is told by one."""
    return not_in_ui_config(gr.Textbox("", visible=False, elem_id=elem_id))


def html(text: str, elem_id: str) -> Any:
    """Make a part of the page that the page's script fills."""
    return gr.HTML(text, elem_id=elem_id)


def note(html: str, elem_id: str) -> Any:
    """Make a line for messages, which is not there while it is blank."""
    return gr.HTML(html, visible=bool(html), elem_id=elem_id)


def group(elem_id: str) -> Any:
    """Make a part of the form that is not there until it is shown by an update."""
    return gr.Column(visible=False, elem_id=elem_id)


def tick_box(label: str, value: bool, elem_id: str) -> Any:
    """Make a tick box of its own."""
    return not_in_ui_config(gr.Checkbox(value, label=label, elem_id=elem_id))


def gallery(elem_id: str) -> Any:
    """Make a row of pictures with captions, to choose one of; not there until it is shown by an update."""
    facts = {"columns": 4, "object_fit": "contain", "allow_preview": False, "show_download_button": False}
    return not_in_ui_config(gr.Gallery(show_label=False, visible=False, elem_id=elem_id, **facts))


def hidden_switch(value: bool, elem_id: str) -> Any:
    """Make a yes or no that is never seen: what the page keeps for a handler."""
    return not_in_ui_config(gr.Checkbox(value, visible=False, elem_id=elem_id))


def on_this_page(elem_id: str) -> Any:
    """Return what has this id in the part of the page that is being built; None where there is no such thing."""
    made = Context.root_block.blocks.values()
    return next((block for block in made if getattr(block, "elem_id", None) == elem_id), None)


def show_note(html: str) -> Any:
    """Return the update that shows a message in a line for messages, or hides the line."""
    return gr.update(value=html, visible=bool(html))


def update(**changes: Any) -> Any:
    """Return an update of any component."""
    return gr.update(**changes)


def when(
    event: Any, do: Callable[..., Any] | None, given: Sequence[Any], changed: Sequence[Any], script: str = ""
) -> Any:
    """Call `do` with the values of `given` whenever the event happens, at once, whatever is being generated.

    script: a function in the page that is given these values, and returns those that `do` gets. Returns what
    `then_script` takes.
    """
    facts = {_SCRIPT: script} if script else {}
    return event(fn=do, inputs=[*given], outputs=[*changed], queue=False, show_progress="hidden", **facts)


def then_script(event: Any, script: str, given: Sequence[Any]) -> None:
    """Call a function in the page with the values of `given` once the handler of an event is done."""
    when(event.then, None, given, [], script)


def when_moved(event: Any, do: Callable[..., Any], given: Sequence[Any], changed: Sequence[Any]) -> None:
    """Call `do` as `when` does, and once more when it has answered: of a row of events some are lost, or overtaken."""
    when(when(event, do, given, changed).then, do, given, changed)


def when_busy(event: Any, do: Callable[..., Any], given: Sequence[Any], changed: Sequence[Any]) -> Any:
    """Call `do`, which takes its time, as `when` does; the page shows meanwhile that something is being done."""
    return event(fn=do, inputs=[*given], outputs=[*changed], queue=False, show_progress="full")


def when_chosen(gallery: Any, do: Callable[..., Any], given: Sequence[Any], changed: Sequence[Any]) -> Any:
    """Call `do` with the place of the picture that was chosen, from 0, and the values of `given`."""

    def chosen(event: gr.SelectData, *values: Any) -> Any:
        return do(event.index, *values)

    return when(gallery.select, chosen, given, changed)


def when_page_opens(do: Callable[[], Any], changed: Sequence[Any]) -> None:
    """Call `do` whenever somebody opens the page that is being built."""
    when(Context.root_block.load, do, [], changed)


def not_in_ui_config(made: Any) -> Any:
    """Keep the host from saving a default of its own for this, by a label that several passes share."""
    made.do_not_save_to_config = True
    if hasattr(made, "accordion"):
        made.accordion.do_not_save_to_config = True
    return made


def _number(control: Control, facts: dict[str, Any]) -> Any:
    return gr.Number(precision=0 if control.whole else None, **facts)


_MAKERS: dict[str, Callable[[Control, dict[str, Any]], Any]] = {
    "checkbox": lambda _, facts: gr.Checkbox(**facts),
    "radio": lambda control, facts: gr.Radio([*control.pairs], **facts),
    "dropdown": lambda control, facts: dropdown(control.pairs, allow_custom_value=control.typed, **facts),
    "slider": lambda control, facts: gr.Slider(control.low, control.high, step=control.step, **facts),
    "number": _number,
    "textbox": lambda control, facts: gr.Textbox(lines=control.lines, max_lines=8, **facts),
}
"""By `Control.kind`."""


def warn(sentence: str) -> None:
    """Show a sentence in the corner of the page, where it is one that asks; else in the console."""
    gr.Warning(sentence)
