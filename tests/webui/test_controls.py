"""What the controls of a pass are, where they stand, and when one has no effect."""

import dataclasses

import pytest

from lib_facefix.registry import RESTORERS
from lib_facefix.settings.options import Option
from lib_facefix.settings.sampling import Sampling
from lib_facefix.settings.treatment import METHODS
from lib_facefix.webui.passes.settings import OFFERED
from lib_facefix.webui.ui.controls import (
    AFFECTED,
    AS_IMAGE,
    HEAD,
    PLACED_BY_PAGE,
    SECTIONS,
    SHOWN_WITH,
    TOP,
    UNSET,
    choose_kind,
    describe_form,
    make_control,
    rare_rows,
    why_idle,
)

NAMES = [field.name for field, _ in OFFERED]
HOST = {
    "samplers": ["Euler", "Heun"],
    "schedulers": ["Karras"],
    "checkpoints": ["a.safetensors"],
    "vaes": [],
    "detectors": ["face_yolov8n.pt"],
    "restorers": ["GPEN-BFR-512.onnx"],
    "missing restorers": ["codeformer"],
}
SHOWN = {field.name: make_control(field, known, HOST.__getitem__) for field, known in OFFERED}


def test_every_setting_of_a_pass_stands_in_exactly_one_place():
    rows = [*HEAD, *TOP, *(row for title, usual in SECTIONS.items() for row in (*usual, *rare_rows(title)))]
    assert sorted([*PLACED_BY_PAGE, *(name for row in rows for name in row)]) == sorted(NAMES)
    assert all(len(row) <= 2 for row in rows)


def test_rare_settings_of_one_kind_stand_side_by_side():
    rows = [row for title in SECTIONS for row in rare_rows(title)]
    for pair in (("mask_x", "mask_y"), ("min_share", "max_share"), ("gender", "min_age")):
        assert pair in rows


def test_a_tab_leaves_out_what_it_does_not_need():
    form = describe_form(HOST.__getitem__, ("inpaint", "skip_img2img", "each_class"))
    assert ["match_colour"] in form["sections"][1]["rows"]
    assert ["skip_img2img"] not in form["top"]
    assert form["besideClasses"] == []
    assert describe_form(HOST.__getitem__)["besideClasses"] == [["each_class"]]


def test_a_number_whose_default_stands_for_another_value_has_a_tick_box():
    for name, meaning in UNSET.items():
        shown = SHOWN[name]
        assert shown.kind in ("slider", "number"), name
        assert (shown.unset, shown.default) == (meaning, next(f.default for f, _ in OFFERED if f.name == name))
        known = next(known for field, known in OFFERED if field.name == name)
        known.check(shown.first, type(shown.default))
        assert shown.first != shown.default


def test_settings_that_go_with_another_one_are_settings_of_a_pass():
    assert {*SHOWN_WITH, *SHOWN_WITH.values()} <= {*NAMES}


@pytest.mark.parametrize(
    ("default", "facts", "made"),
    [
        pytest.param(True, {}, "checkbox", id="yes or no"),
        pytest.param(0.5, {"low": 0, "high": 1}, "slider", id="between two numbers"),
        pytest.param(3, {"low": 0, "high": 150}, "slider", id="a few whole numbers"),
        pytest.param(-1, {"low": -1, "high": 2**32}, "number", id="more whole numbers than a slider has room for"),
        pytest.param(0, {"low": 0}, "number", id="no upper limit"),
        pytest.param("", {}, "textbox", id="text"),
        pytest.param("a", {"choices": lambda: ("a", "b", "c", "d")}, "radio", id="four short choices"),
        pytest.param("a", {"choices": lambda: ("a", "b", "c", "d", "e")}, "dropdown", id="five choices"),
        pytest.param("a", {"choices": lambda: ("a", "left to right")}, "dropdown", id="a long choice"),
        pytest.param("lite", {"choices": RESTORERS.names}, "dropdown", id="a catalogue, which grows"),
        pytest.param("", {"host": "samplers"}, "dropdown", id="a list of the host's"),
    ],
)
def test_the_kind_of_control_follows_from_the_declaration(default, facts, made):
    assert choose_kind(default, Option("label", **facts)) == made


def test_every_default_can_be_shown():
    for field, _ in OFFERED:
        shown = SHOWN[field.name]
        if shown.pairs:
            assert field.default in [sent for _, sent in shown.pairs], field.name
        if shown.kind == "slider":
            assert shown.low <= field.default <= shown.high


def test_what_is_blank_is_shown_as_the_pictures_own_and_sent_as_blank():
    assert SHOWN["sampler"].pairs == ((AS_IMAGE, ""), ("Euler", "Euler"), ("Heun", "Heun"))
    assert SHOWN["vae"].pairs == ((AS_IMAGE, ""),)


def test_catalogues_show_labels_and_send_names():
    assert ("GFPGAN 1.4", "gfpgan") in SHOWN["restorer"].pairs
    assert ("CodeFormer (not installed)", "codeformer") in SHOWN["restorer"].pairs
    assert SHOWN["restorer"].typed, "the path of a model file can be typed"
    assert SHOWN["detector"].typed, "several detectors can be put together"


def test_model_files_that_are_found_stand_behind_the_built_in_detectors():
    assert SHOWN["detector"].pairs[0] == ("BlazeFace, with CenterFace for small and grainy faces (built in)", "auto")
    assert SHOWN["detector"].pairs[-1] == ("face_yolov8n.pt", "face_yolov8n.pt")
    assert SECTIONS["Which faces"][0] == ("detector",)  # beside it is room for what looks for files again


def test_restorers_that_are_found_in_the_models_folders_stand_behind_the_known_ones():
    assert [sent for _, sent in SHOWN["restorer"].pairs][:2] == ["auto", "lite"]
    assert SHOWN["restorer"].pairs[-1] == ("GPEN-BFR-512.onnx", "GPEN-BFR-512.onnx")


def test_a_pass_is_switched_off_rather_than_given_the_method_leave():
    assert [sent for _, sent in SHOWN["method"].pairs] == [method for method in METHODS if method != "leave"]


def test_hints_begin_with_the_unit():
    assert SHOWN["width"].hint.startswith("px · Width at which")
    assert SHOWN["mask_x"].hint == "face widths · Moves the mask to the right. Below 0: to the left."
    assert not SHOWN["min_score"].hint.startswith(" · ")


def test_restoring_looks_at_nothing_of_the_sampling():
    idle = {name for name in NAMES if why_idle(name, "restore")}
    assert idle >= {field.name for field in dataclasses.fields(Sampling)}
    assert not idle & {"restorer", "fidelity", "visibility", "mask", "detector", "active"}


def test_re_diffusing_looks_at_no_restorer():
    assert why_idle("restorer", "re-diffuse") == "No effect with Re-diffuse: no restorer is used."
    assert not why_idle("denoising_strength", "re-diffuse")


@pytest.mark.parametrize("method", ["auto", "leave"])
def test_auto_looks_at_everything(method):
    assert not [name for name in NAMES if why_idle(name, method)]


def test_what_only_auto_looks_at_has_no_effect_with_the_others():
    only_auto = [field.name for field, known in OFFERED if known.only == "auto"]
    assert only_auto, "there are such settings"
    for name in only_auto:
        assert why_idle(name, "restore")
        assert why_idle(name, "re-diffuse")


def test_all_that_can_be_greyed_are_settings_of_a_pass():
    assert set(AFFECTED) <= set(NAMES)
