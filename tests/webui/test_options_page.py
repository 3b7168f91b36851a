"""The settings page: shown and read from one declaration."""

import dataclasses

import pytest

from lib_facefix.settings.runtime import ENGINES
from lib_facefix.webui.config.options import PageSettings, add_options, read_options

FIELDS = {field.name: field for field in dataclasses.fields(PageSettings)}


def test_a_host_that_has_saved_nothing_gives_the_defaults(host):
    assert read_options() == PageSettings()


def test_every_setting_is_shown_with_the_default_that_is_read(host):
    add_options()
    shown = {key.removeprefix("facefix_"): info for key, info in host.opts.data_labels.items()}

    assert list(shown) == list(FIELDS)
    for name, info in shown.items():
        assert info.section == ("facefix", "FaceFix")
        assert info.default == (list(default) if isinstance(default := FIELDS[name].default, tuple) else default)
        host.opts.data[f"facefix_{name}"] = info.default
    assert read_options() == PageSettings()


def test_the_page_is_the_same_after_the_ui_is_reloaded(host):
    add_options()
    before = list(host.opts.data_labels)
    add_options()
    assert list(host.opts.data_labels) == before


@pytest.mark.parametrize(
    ("name", "component", "arguments"),
    [
        ("passes", "Slider", {"minimum": 1, "maximum": 10, "step": 1}),
        ("faces_at_once", "Slider", {"minimum": 1, "maximum": 64, "step": 1}),
        ("save_masks", "Checkbox", {}),
        ("fidelity", "Slider", {"minimum": 0.0, "maximum": 1.0, "step": 0.01}),
        ("engine", "Radio", {"choices": list(ENGINES)}),
        ("device", "Textbox", {"max_lines": 1}),
        ("keep", "Number", {"precision": 0, "minimum": 1}),
        ("accept_licences", "CheckboxGroup", {"choices": ["gfpgan", "codeformer", "gfpgan-1.3"]}),
        ("optional", "CheckboxGroup", {"choices": ["onnxruntime", "openvino"]}),
    ],
)
def test_the_control_follows_from_the_declaration(host, name, component, arguments):
    add_options()
    shown = host.opts.data_labels[f"facefix_{name}"]
    assert (shown.component, shown.component_args) == (component, arguments)


def test_the_page_says_what_a_change_waits_for(host):
    add_options()
    waits = {key: info.waits_for for key, info in host.opts.data_labels.items() if info.waits_for}
    assert waits == {"facefix_passes": "reload", "facefix_optional": "restart"}


def test_help_stands_in_brackets_without_a_full_stop(host):
    add_options()
    told = {key: info.told for key, info in host.opts.data_labels.items()}
    assert told["facefix_fidelity"] == "0: strongest. 1: closest to the original"
    assert told["facefix_save_before"] == ""


def test_what_is_saved_is_read(host):
    host.opts.data |= {
        "facefix_passes": 4,
        "facefix_save_crops": True,
        "facefix_fidelity": 1,
        "facefix_engine": "torch",
        "facefix_optional": ["openvino"],
        "facefix_unknown": 1,
    }
    expected = PageSettings(passes=4, save_crops=True, fidelity=1, engine="torch", optional=("openvino",))
    assert read_options() == expected


def test_a_whole_number_from_a_slider_may_come_as_a_float(host):
    host.opts.data["facefix_faces_at_once"] = 8.0
    assert (read_options().faces_at_once, type(read_options().faces_at_once)) == (8, int)


@pytest.mark.parametrize(
    ("name", "saved"),
    [
        ("passes", 0),
        ("passes", 11),
        ("passes", 2.5),
        ("passes", "3"),
        ("passes", None),
        ("faces_at_once", float("nan")),
        ("keep", True),
        ("fidelity", 1.5),
        ("engine", "steam"),
        ("save_masks", 1),
        ("optional", "openvino"),
        ("optional", ["requests"]),
    ],
)
def test_what_is_not_allowed_counts_as_not_saved(host, name, saved):
    host.opts.data[f"facefix_{name}"] = saved
    assert getattr(read_options(), name) == FIELDS[name].default
