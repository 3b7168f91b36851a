"""The page "FaceFix" in the host's settings."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from ...errors import BadSetting
from ...settings.devices import parse_device
from ...settings.options import Option, is_number, option, options
from ...settings.runtime import Runtime
from ...settings.treatment import Treatment
from .optional_packages import KEY, OPTIONAL

SECTION = ("facefix", "FaceFix")
PREFIX = "facefix_"
"""Prefix of a setting's name in the host's config.json."""
RESTART_NEEDED = {"passes": "needs_reload_ui", "optional": "needs_restart"}
"""Settings that take effect after a reload or a restart; all others do at once."""


def _as_in(settings: type, name: str, label: str = "") -> Any:
    """Return a field as another class declares it, optionally with another label."""
    field, known = next(pair for pair in options(settings) if pair[0].name == name)
    facts = dataclasses.replace(known, label=label or known.label)
    return dataclasses.field(default=field.default, metadata={"option": facts})


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSettings:
    """Settings for all images, in the order of the page."""

    passes: int = option(
        2, "Passes in X/Y/Z plots", low=1, high=10, step=1,
        help="Number of passes whose settings are axes of the X/Y/Z plot.",
    )  # fmt: skip
    faces_at_once: int = option(
        16, "Faces per sampling run", low=1, high=64, step=1,
        help="Fewer faces need less memory. If memory runs out, FaceFix retries with half as many.",
    )  # fmt: skip
    keep_last: bool = option(
        False, "Start with the last used settings",
        help="txt2img and img2img start with the settings of their last image. FaceFix itself is not ticked.",
    )  # fmt: skip
    mark: bool = option(
        True, "Mark changed images",
        help="Saved PNG, JPEG and WebP files say in their XMP that, and how, FaceFix changed faces.",
    )  # fmt: skip
    save_before: bool = option(False, "Save the original image")
    save_masks: bool = option(False, "Save masks", help="White areas may change.")
    save_preview: bool = option(False, "Save a preview", help="The image with numbered faces and masks.")
    save_crops: bool = option(False, "Save re-diffused crops", help="Before and after, side by side.")
    fidelity: float = _as_in(Treatment, "fidelity", 'Fidelity in "Restore faces"')
    engine: str = _as_in(Runtime, "engine")
    precision: str = _as_in(Runtime, "precision")
    device: str = option(
        "auto", "Device", reads=parse_device,
        help="What FaceFix's models run on. auto: as the WebUI's. Others: cpu, cuda:1, directml, openvino:gpu, ...",
    )  # fmt: skip
    keep: int = _as_in(Runtime, "keep")
    accept_licences: tuple[str, ...] = option(
        (), "Accepted licences", choices=lambda: _list_restricted(),
        help="Restorers that Auto may use because you accept their licence: GFPGAN has parts for non-commercial use "
        "only, CodeFormer is for non-commercial use only.",
    )  # fmt: skip
    optional: tuple[str, ...] = option(
        (), "Install optional packages", choices=lambda: tuple(OPTIONAL),
        help="They speed up restorers on the processor, and are installed at the next start of the WebUI.",
    )  # fmt: skip


def _list_restricted() -> tuple[str, ...]:
    from ...models.restorer_choice import list_restricted

    return list_restricted()


def config_key(name: str) -> str:
    """Return the key of a setting in the host's config.json."""
    return KEY if name == "optional" else PREFIX + name


def add_options() -> None:
    """Add the page to the host's settings; for `on_ui_settings`."""
    from modules import shared

    for field, known in options(PageSettings):
        default = list(field.default) if isinstance(field.default, tuple) else field.default
        component, arguments = _component(field.default, known)
        shown = shared.OptionInfo(default, known.label, component, arguments, section=SECTION)
        if known.help:
            shown.info(known.help.rstrip("."))
        if field.name in RESTART_NEEDED:
            getattr(shown, RESTART_NEEDED[field.name])()
        shared.opts.add_option(config_key(field.name), shown)


def read_options() -> PageSettings:
    """Return the current settings. A missing or invalid value has its default."""
    from modules import shared

    saved = shared.opts.data
    return PageSettings(
        **{field.name: _read(saved.get(config_key(field.name)), field.default, known)
           for field, known in options(PageSettings)}
    )  # fmt: skip


def _read(saved: Any, default: Any, known: Option) -> Any:
    """Return the saved value, or the default if it is missing or invalid."""
    if isinstance(default, tuple):
        offered = known.choices() if known.choices else ()
        return tuple(name for name in offered if isinstance(saved, list) and name in saved)
    if type(default) is int and is_number(saved) and saved == int(saved):
        saved = int(saved)  # a slider may give 16.0
    try:
        known.check(saved, type(default))
    except BadSetting:
        return default
    return saved


def _component(default: Any, known: Option) -> tuple[Any, dict[str, Any]]:
    """Return the class of control for a setting, and its arguments."""
    import gradio as gr

    if isinstance(default, bool):
        return gr.Checkbox, {}
    if isinstance(default, str) and not known.choices:
        return gr.Textbox, {"max_lines": 1}
    if known.choices:
        several = isinstance(default, tuple)
        return gr.CheckboxGroup if several else gr.Radio, {"choices": list(known.choices())}
    if known.high is None:
        return gr.Number, {"precision": 0, "minimum": known.low}
    return gr.Slider, {"minimum": known.low, "maximum": known.high, "step": known.step}
