import json
import re
from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import given
from passes_made import a_face, passes

from lib_facefix.errors import BadCrop, BadSetting
from lib_facefix.planning.identity import IdentityCheck
from lib_facefix.settings.face_prompt import GenerationParams
from lib_facefix.webui.passes import infotext
from lib_facefix.webui.passes.infotext import DEFAULTS, VERSION, read, write
from lib_facefix.webui.passes.settings import OFFERED, PassSettings

GOLDEN = {
    1: {
        "denoising_strength": 0.4, "prompt": "", "negative_prompt": "", "denoise_by_size": 0.0, "upright_above": 25.0,
        "padding": 0.5, "width": 0, "height": 0, "steps": 0, "cfg_scale": 0.0, "sampler": "", "scheduler": "",
        "checkpoint": "", "vae": "", "clip_skip": 0, "noise_multiplier": -1.0, "seed": -1, "subseed": -1,
        "method": "auto", "restorer": "lite", "fidelity": 0.6, "visibility": 1.0, "grain": 0.0, "mask": "hull",
        "mask_grow": 0.0, "mask_feather": -1.0, "mask_x": 0.0, "mask_y": 0.0, "mask_invert": False, "mask_merge": False,
        "parser": "auto", "occluder": "auto",
        "match_colour": True, "detector": "auto", "landmarker": "facemesh", "max_detections": 2000,
        "person": "", "person_means": "only", "person_within": 0.5, "gender": "any", "min_age": 0, "max_age": 0,
        "min_score": 0.5, "angles": "auto", "min_size": 0, "max_size": 0, "min_share": 0.0, "max_share": 1.0,
        "at_most": 0, "keep_by": "size", "order": "left to right", "faces": "", "sharp_above": 0.65,  # 0.45 before
        "large_above": 192, "redraw_below": 256, "active": True, "inpaint": "all", "skip_img2img": False,
        "guard": "report", "guard_model": "dlib",
        "prompt_mode": "replace", "keep_loras": False, "each_class": False, "only_hires": False,
    },
    2: {
        "denoising_strength": 0.4, "prompt": "", "negative_prompt": "", "denoise_by_size": 0.0, "upright_above": 25.0,
        "padding": 0.5, "width": 0, "height": 0, "steps": 0, "cfg_scale": 0.0, "sampler": "", "scheduler": "",
        "checkpoint": "", "vae": "", "clip_skip": 0, "noise_multiplier": -1.0, "seed": -1, "subseed": -1,
        "prompt_mode": "replace", "keep_loras": False, "each_class": False, "only_hires": False,
        "method": "auto", "restorer": "lite", "fidelity": 0.6, "visibility": 1.0, "grain": 1.0, "mask": "hull",
        "mask_grow": 0.0, "mask_feather": -1.0, "mask_x": 0.0, "mask_y": 0.0, "mask_invert": False, "mask_merge": False,
        "parser": "auto", "occluder": "auto",
        "match_colour": True, "detector": "auto", "landmarker": "facemesh", "max_detections": 2000,
        "person": "", "person_means": "only", "person_within": 0.5, "gender": "any", "min_age": 0, "max_age": 0,
        "min_score": 0.5, "angles": "auto", "min_size": 0, "max_size": 0, "min_share": 0.0, "max_share": 1.0,
        "at_most": 0, "keep_by": "size", "order": "left to right", "faces": "", "sharp_above": 0.65,
        "large_above": 192, "redraw_below": 256, "active": True, "inpaint": "all", "skip_img2img": False,
        "guard": "report", "guard_model": "dlib",
    },
    3: {
        "denoising_strength": 0.4, "prompt": "", "negative_prompt": "", "denoise_by_size": 0.0, "upright_above": 25.0,
        "padding": 0.5, "width": 0, "height": 0, "steps": 0, "cfg_scale": 0.0, "sampler": "", "scheduler": "",
        "checkpoint": "", "vae": "", "clip_skip": 0, "noise_multiplier": -1.0, "seed": -1, "subseed": -1,
        "method": "auto", "restorer": "auto", "fidelity": 0.6, "visibility": 1.0, "grain": 1.0, "mask": "hull",
        "mask_grow": 0.0, "mask_feather": -1.0, "mask_x": 0.0, "mask_y": 0.0, "mask_invert": False, "mask_merge": False,
        "parser": "auto", "occluder": "auto",
        "match_colour": True, "detector": "auto", "landmarker": "facemesh", "max_detections": 2000,
        "person": "", "person_means": "only", "person_within": 0.5, "gender": "any", "min_age": 0, "max_age": 0,
        "min_score": 0.5, "angles": "auto", "min_size": 0, "max_size": 0, "min_share": 0.0, "max_share": 1.0,
        "at_most": 0, "keep_by": "size", "order": "left to right", "faces": "", "sharp_above": 0.65,
        "large_above": 192, "redraw_below": 256, "active": True, "inpaint": "all", "skip_img2img": False,
        "guard": "report", "guard_model": "dlib",
        "prompt_mode": "replace", "keep_loras": True, "each_class": False, "only_hires": False,
    }
}  # fmt: skip
"""By version: all defaults that infotexts of it were written with. Never to be changed once released; only added to."""
ADVICE = (
    "a default has changed, or a setting has come or gone: raise VERSION in infotext.py, give DEFAULTS of every older "
    "version what that version meant, and add the new version to GOLDEN"
)
PASS = PassSettings(fidelity=0.9, steps=12, sampler="DPM++ 2M, SDE", mask="box")


def record(*faces, one=PASS, origin=None):
    [written] = json.loads(write((one,), (faces,), origin))["faces"]
    return written


def test_the_defaults_of_every_version_are_kept():
    today = {field.name: field.default for field, _ in OFFERED}
    for version, then in GOLDEN.items():
        assert {**today, **DEFAULTS[version]} == then, f"version {version}: {ADVICE}"
    assert max(GOLDEN) == VERSION, ADVICE
    assert DEFAULTS.keys() == GOLDEN.keys(), ADVICE
    assert not DEFAULTS[VERSION], "today's version has today's defaults"


def test_an_old_infotext_still_means_what_it_meant(monkeypatch):
    monkeypatch.setattr(infotext, "DEFAULTS", {1: {"fidelity": 0.25, "order": "size"}, 2: {}})
    monkeypatch.setattr(infotext, "VERSION", 2)

    assert read('{"v":1,"passes":[{"order":"centre"}]}') == (PassSettings(fidelity=0.25, order="centre"),)
    assert read('{"v":2,"passes":[{"order":"centre"}]}') == (PassSettings(order="centre"),)


@pytest.mark.parametrize("version", [1, 2])
def test_where_an_older_infotext_names_no_restorer_the_built_in_one_is_meant(version):
    [one, other] = read(json.dumps({"v": version, "passes": [{}, {"restorer": "gfpgan"}]}))
    assert (one.restorer, other.restorer, PassSettings().restorer) == ("lite", "gfpgan", "auto")


@given(st.lists(passes(), max_size=3))
def test_what_is_written_is_read_back(made):
    assert read(write(made)) == tuple(made)
    assert read(write(made)) == tuple(made)


def test_only_what_differs_from_the_defaults_is_written_without_spaces():
    assert write((PassSettings(),)) == '{"v":3,"passes":[{}]}'
    assert write((PassSettings(prompt="\u00e9t\u00e9"),)) == '{"v":3,"passes":[{"prompt":"\u00e9t\u00e9"}]}'
    assert write((PASS,)) == '{"v":3,"passes":[{"steps":12,"sampler":"DPM++ 2M, SDE","fidelity":0.9,"mask":"box"}]}'


def test_a_picture_in_which_nothing_was_found_says_so():
    assert write((PassSettings(),), [()]) == '{"v":3,"passes":[{}],"faces":[[]]}'


def test_passes_that_were_stopped_have_no_list_of_faces():
    assert json.loads(write((PASS, PASS), [[a_face()]]))["faces"] == [record(a_face())]


def test_numbers_that_other_programs_rewrote_are_understood():
    assert read('{"v":3,"passes":[{"visibility":1,"steps":12.0}]}') == (PassSettings(steps=12),)


@pytest.mark.parametrize(
    ("face", "told"),
    [
        pytest.param(a_face(fidelity=0.9), {"do": "restore"}, id="restored as the pass says"),
        pytest.param(a_face(fidelity=0.2), {"do": "restore", "fidelity": 0.2}, id="restored in its own way"),
        pytest.param(
            a_face(decision="leave", verdict="left", reason="already sharp (0.61)"),
            {"do": "leave", "why": "already sharp (0.61)"},
            id="left",
        ),
        pytest.param(
            a_face(verdict="failed", error=BadCrop("the model returned only NaN; start with --no-half"), fidelity=0.9),
            {"do": "restore", "verdict": "failed", "error": "the model returned only NaN; start with --no-half"},
            id="failed",
        ),
        pytest.param(
            a_face(
                verdict="failed", error=BadCrop("/home/me/a.pth is damaged. Get it again. See C:\\me"), fidelity=0.9
            ),
            {"do": "restore", "verdict": "failed", "error": "Get it again."},
            id="failed, without the folders that its error names",
        ),
        pytest.param(
            a_face(verdict="failed", error=BadCrop("at /home/me"), fidelity=0.9),
            {"do": "restore", "verdict": "failed", "error": "BadCrop; the console of the WebUI has the details"},
            id="failed with an error about a folder",
        ),
        pytest.param(a_face(verdict="left", fidelity=0.9), {"do": "restore", "verdict": "left"}, id="stopped"),
        pytest.param(
            replace(a_face(fidelity=0.9), identity=IdentityCheck("kept", 0.1234, 0.45, 0.1234)),
            {"do": "restore", "identity": 0.12, "limit": 0.45},
            id="the same person",
        ),
        pytest.param(
            replace(a_face(fidelity=0.9), identity=IdentityCheck("backed off", 0.43, 0.45, 0.8, "44% of the change")),
            {"do": "restore", "identity": 0.43, "limit": 0.45, "guard": "backed off", "how": "44% of the change"},
            id="changed less to stay the same person",
        ),
        pytest.param(
            replace(a_face(fidelity=0.9), identity=IdentityCheck("unmeasured", why="too blurred")),
            {"do": "restore", "identity": None, "guard": "unmeasured"},
            id="unmeasured",
        ),
    ],
)
def test_a_face_is_recorded_with_what_was_decided(face, told):
    assert record(face) == [{"n": 1, "box": [10, 21, 110, 140], **told}]


def test_a_face_drawn_anew_is_recorded_with_seed_strength_and_prompts_that_are_not_the_pictures():
    own = {"decision": "re-diffuse", "seed": 7, "denoising_strength": 0.35, "negative_prompt": "bad"}
    one, other = a_face(1, prompt="a cat", **own), a_face(2, prompt="old man", **own)

    [first, second] = record(one, other, origin=GenerationParams("a cat", "bad", 5, 6))
    assert first == {"n": 1, "box": [10, 21, 110, 140], "do": "re-diffuse", "seed": 7, "strength": 0.35}
    assert second == {**first, "n": 2, "prompt": "old man"}


def test_the_same_prompt_is_written_once():
    faces = [a_face(n, decision="re-diffuse", prompt=prompt) for n, prompt in enumerate("abaab", start=1)]
    assert [face["prompt"] for face in record(*faces, origin=GenerationParams("own"))] == ["a", "b", 1, 1, 2]


def test_a_crowd_fits_into_the_64_kilobytes_that_a_jpeg_has():
    said = {"prompt": "smiling, " * 60, "negative_prompt": "blurred, " * 60}
    crowd = [a_face(n, decision="re-diffuse", seed=2**32 - n, **said) for n in range(1, 101)]
    text = write((PassSettings(**said),), [crowd], GenerationParams("a crowd"))
    assert len(json.dumps(text).encode("utf-16")) < 40_000


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param('{"v":1,"passes":[{"fid', "is damaged", id="cut short"),
        pytest.param("", "is damaged", id="empty"),
        pytest.param("[" * 100_000, "is damaged", id="nested without end"),
        pytest.param("[]", "has no valid version", id="a list"),
        pytest.param("7", "has no valid version", id="a number"),
        pytest.param('{"passes":[]}', "has no valid version", id="no version"),
        pytest.param('{"v":true,"passes":[]}', "has no valid version", id="a version that is none"),
        pytest.param('{"v":0,"passes":[]}', "has no valid version", id="a version that never was"),
        pytest.param(
            '{"v":99,"passes":[{"new":1}]}',
            "has version 99, but this FaceFix only supports 3; update FaceFix",
            id="newer",
        ),
        pytest.param('{"v":1}', "has no passes", id="no passes"),
        pytest.param('{"v":1,"passes":{}}', "has no passes", id="passes that are no list"),
        pytest.param('{"v":1,"passes":[[]]}', "has no passes", id="a pass that is no object"),
        pytest.param('{"v":1,"passes":[{},{"x":1}]}', "pass 2: unknown setting 'x'", id="unknown setting"),
        pytest.param('{"v":1,"passes":[{"fidelity":2}]}', "pass 1: Fidelity must be between", id="out of range"),
        pytest.param('{"v":1,"passes":[{"fidelity":NaN}]}', "pass 1: Fidelity must be a finite", id="NaN"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(text, sentence):
    with pytest.raises(BadSetting, match=f"^the FaceFix entry of this infotext .*{re.escape(sentence)}"):
        read(text)
