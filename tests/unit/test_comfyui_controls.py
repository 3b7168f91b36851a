"""The settings as widgets of ComfyUI's nodes."""

import dataclasses

import pytest

from lib_facefix.comfyui import controls
from lib_facefix.comfyui.controls import check_choice, make_controls, read_classes, read_values
from lib_facefix.errors import BadSetting
from lib_facefix.settings.face_settings import FaceSettings
from lib_facefix.settings.options import options

NODES = {
    "find": controls.FIND, "choose": controls.CHOOSE, "fix": controls.FIX, "mask": controls.MASK,
    "sampling": controls.SAMPLING, "upscale": controls.UPSCALE,
}  # fmt: skip


def test_every_setting_is_on_one_node_or_expressed_by_the_workflow():
    named = [name for names in (*NODES.values(), controls.OF_DETAILER, controls.OF_WORKFLOW) for name in names]
    assert sorted(named) == sorted(field.name for field in dataclasses.fields(FaceSettings))


def test_the_nodes_follow_the_groups_of_the_settings():
    groups = {field.name: option.group for field, option in options(FaceSettings)}
    assert {name: group for group, names in NODES.items() for name in names} == {
        name: group for name, group in groups.items() if name not in (*controls.OF_DETAILER, *controls.OF_WORKFLOW)
    }


@pytest.mark.parametrize(
    ("group", "start"),
    [
        ("find", "detector min_score angles landmarker max_detections"),
        (
            "choose",
            "faces min_size max_size min_share max_share at_most keep_by order person_means person_within gender "
            "min_age max_age sharp_above large_above redraw_below",
        ),
        (
            "fix",
            "method restorer fidelity visibility grain guard guard_model denoising_strength prompt negative_prompt",
        ),
        (
            "mask",
            "mask mask_grow mask_feather mask_x mask_y mask_invert mask_merge parser occluder match_colour",
        ),
        ("sampling", "padding upright_above denoise_by_size width height noise_multiplier prompt_mode"),
        ("upscale", "upscale upscaler"),
    ],
)
def test_saved_workflows_keep_their_meaning_as_widgets_keep_their_places(group, start):
    assert " ".join(NODES[group]).startswith(start)  # a new setting comes last: never change what is written here


def test_a_control_has_the_limits_and_the_help_of_its_setting():
    [fidelity, grow, faces] = make_controls(["fidelity", "mask_grow", "faces"], {})
    assert (fidelity.kind, fidelity.default, fidelity.low, fidelity.high, fidelity.step) == ("FLOAT", 0.6, 0, 1, 0.01)
    assert fidelity.label == "Fidelity"
    assert fidelity.help == "0: strongest. 1: closest to the original."
    assert grow.help.endswith("In face widths.")
    assert (faces.kind, faces.choices) == ("STRING", ())


def test_the_menu_of_restorers_shows_the_aliases_and_the_files_of_this_machine():
    [menu] = make_controls(["restorer"], {"restorer": {"mine.pth": "/models/mine.pth", "gfpgan": "/x"}})
    assert menu.kind == "COMBO"
    assert menu.default == "auto"
    assert menu.choices[:2] == ("auto", "built-in")
    assert menu.choices[-1] == "mine.pth"
    assert menu.choices.count("gfpgan") == 1


def test_an_expression_has_a_menu_and_a_text_beside_it():
    menu, text = make_controls(["mask"], {})
    assert (menu.name, menu.kind, menu.default) == ("mask", "COMBO", "hull")
    assert (text.name, text.kind, text.default) == ("mask_expression", "STRING", "")
    assert text.help.startswith("Blank: the mask above.")


def test_a_written_expression_replaces_the_menu():
    values = {"mask": "hull", "mask_expression": " eyes + lips ", "detector": "yunet", "detector_expression": "  "}
    assert read_values(values, {}) == {"mask": "eyes + lips", "detector": "yunet"}


def test_a_file_of_a_menu_becomes_its_path_but_a_detector_keeps_its_name():
    files = {"restorer": {"mine.pth": "/models/mine.pth"}, "detector": {"face.pt": "/models/face.pt"}}
    values = {"restorer": "mine.pth", "detector": "face.pt", "fidelity": 0.5}
    assert read_values(values, files) == {"restorer": "/models/mine.pth", "detector": "face.pt", "fidelity": 0.5}


def test_all_values_of_the_widgets_make_settings():
    names = [name for names in NODES.values() for name in names]
    values = {control.name: control.default for control in make_controls(names, {})}
    assert FaceSettings.from_json(read_values(values, {})) == FaceSettings()


def test_a_choice_that_comfyui_does_not_have_is_explained():
    with pytest.raises(BadSetting, match=r"Sampling method must be one of euler, heun; not 'eulr'.* mean 'euler'"):
        check_choice("Sampling method", "eulr", ["euler", "heun"])
    check_choice("Sampling method", "heun", ["euler", "heun"])


def test_classes_are_added_to_the_detector_of_the_menu_or_of_the_text():
    values = {"detector": "a.onnx", "detector_expression": "", "min_score": 0.5}
    assert read_classes(values, " ") == values
    assert read_classes(values, " face,hand ")["detector_expression"] == "a.onnx[face, hand]"
    written = {**values, "detector_expression": "b.pt[face]"}
    assert read_values(read_classes(written, "0"), {})["detector"] == "b.pt[0]"
    with pytest.raises(BadSetting, match="only be chosen for a single model file"):
        read_classes({**values, "detector_expression": "a.onnx + yunet"}, "face")
