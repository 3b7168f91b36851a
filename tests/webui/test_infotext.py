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
from lib_facefix.webui.passes.face_texts import FixedFace, is_result, read_fixed_faces
from lib_facefix.webui.passes.infotext import DEFAULTS, KEY, VERSION, find, quote, read, write
from lib_facefix.webui.passes.runs import list_runs
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
    },
    4: {
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
    """Return the entries of the faces alone."""
    entries = write((one,), (faces,), origin)
    return {name: text for name, text in entries.items() if re.match("FaceFix (class . )?(face|result)", name)}


def old(text):
    return read({KEY: text})


def test_the_defaults_of_every_version_are_kept():
    today = {field.name: field.default for field, _ in OFFERED}
    for version, then in GOLDEN.items():
        assert {**today, **DEFAULTS[version]} == then, f"version {version}: {ADVICE}"
    assert max(GOLDEN) == VERSION, ADVICE
    assert DEFAULTS.keys() == GOLDEN.keys(), ADVICE
    assert not DEFAULTS[VERSION], "today's version has today's defaults"


def test_an_old_infotext_still_means_what_it_meant(monkeypatch):
    monkeypatch.setattr(infotext, "DEFAULTS", {1: {"fidelity": 0.25, "order": "size"}, 4: {"steps": 9}, 5: {}})
    monkeypatch.setattr(infotext, "VERSION", 5)

    assert old('{"v":1,"passes":[{"order":"centre"}]}') == (PassSettings(fidelity=0.25, order="centre"),)
    assert read({"FaceFix format": "4", "FaceFix order": "centre"}) == (PassSettings(steps=9, order="centre"),)
    assert read({"FaceFix format": "5", "FaceFix order": "centre"}) == (PassSettings(order="centre"),)


@pytest.mark.parametrize("version", [1, 2])
def test_where_an_older_infotext_names_no_restorer_the_built_in_one_is_meant(version):
    [one, other] = old(json.dumps({"v": version, "passes": [{}, {"restorer": "gfpgan"}]}))
    assert (one.restorer, other.restorer, PassSettings().restorer) == ("lite", "gfpgan", "auto")


OLD = (
    '{"v":3,"passes":[{"steps":12,"sampler":"DPM++ 2M, SDE","prompt":"old, \\"man\\"\\nFaceFix format: 4",'
    '"mask_invert":true,"fidelity":0.9},{"method":"restore"}],"overrides":{"2":{"method":"leave"}},'
    '"faces":[[{"n":1,"box":[10,21,110,140],"do":"re-diffuse","seed":7,"strength":0.35}],[]]}'
)
"""As written by version 3."""


def test_an_infotext_of_version_3_is_read():
    text = f"a cat\nSteps: 20, Sampler: Euler, CFG scale: 7, {KEY}: {json.dumps(OLD)}, Version: v1.10.1"
    prompt = 'old, "man"\nFaceFix format: 4'
    first = PassSettings(steps=12, sampler="DPM++ 2M, SDE", prompt=prompt, mask_invert=True, fidelity=0.9)
    assert read(find(text)) == (first, PassSettings(method="restore"))


def test_settings_stand_in_the_infotext_under_their_names():
    one = PassSettings(
        method="re-diffuse", denoising_strength=0.35, prompt="512x512", mask_invert=True, cfg_scale=7.0, seed=5
    )
    assert write((one,)) == {
        "FaceFix format": "4",
        "FaceFix denoising strength": "0.35",
        "FaceFix prompt": "=512x512",
        "FaceFix cfg scale": "7.0",
        "FaceFix seed": "5",
        "FaceFix method": "re-diffuse",
        "FaceFix mask invert": "True",
    }
    assert write((PassSettings(), PassSettings(active=False, faces="1,3-4"))) == {
        "FaceFix format": "4",
        "FaceFix passes": "2",
        "FaceFix pass 2 faces": "1,3-4",
        "FaceFix pass 2 active": "False",
    }


def test_a_whole_infotext_reads_like_this():
    one = PassSettings(method="re-diffuse", denoising_strength=0.5, prompt="smiling [SEP] old man, grey beard")
    own = {"decision": "re-diffuse", "denoising_strength": 0.5}
    faces = (
        a_face(1, seed=41, prompt="smiling", **own),
        a_face(2, seed=42, prompt="old man, grey beard", **own),
        a_face(3, decision="leave", verdict="left", reason="too small (40 px)"),
    )
    entries = write((one,), (faces,), GenerationParams("people"))
    assert ", ".join(f"{name}: {host_quote(quote(text))}" for name, text in entries.items()) == (
        "FaceFix format: 4, FaceFix denoising strength: 0.5, "
        'FaceFix prompt: "smiling [SEP] old man, grey beard", FaceFix method: re-diffuse, '
        "FaceFix face 1: re-diffused; box 10 21 110 140; seed 41, FaceFix face 1 prompt: smiling, "
        'FaceFix face 2: re-diffused; box 10 21 110 140; seed 42, FaceFix face 2 prompt: "old man, grey beard", '
        "FaceFix face 3: skipped; box 10 21 110 140; too small (40 px)"
    )


def test_no_setting_has_the_name_of_another_entry():
    reserved = {
        key.removeprefix("FaceFix ") for key in (infotext.FORMAT, infotext.PASSES, infotext.FAILED, infotext.SAID)
    }
    for field, _ in OFFERED:
        name = field.name.replace("_", " ")
        assert name not in reserved
        assert not is_result(name)
        assert not re.match(r"pass \d", name)
        assert re.fullmatch(r"[a-z][a-z0-9 ]+", name)  # what hosts take for a key


def host_quote(text):
    return json.dumps(text, ensure_ascii=False) if re.search("[,:\n]", text) else text


@given(st.lists(passes(), max_size=3))
def test_what_is_written_is_read_back(made):
    assert read(write(made)) == tuple(made)


@given(st.text(max_size=20) | st.from_regex(r"=?[0-9]+x[0-9]+\n?", fullmatch=True))
def test_every_text_comes_back_through_a_hosts_quotes(text):
    text = text.encode(errors="ignore").decode().replace("\0", "")
    line = f"a\nSteps: 5, Sampler: Euler, Size: 5x5, FaceFix format: 4, FaceFix prompt: {host_quote(quote(text))}, V: 1"
    assert find(line) == {"FaceFix format": "4", "FaceFix prompt": text}


def test_a_picture_in_which_nothing_was_found_says_so():
    assert record() == {"FaceFix result": "no face found"}


def test_a_run_that_was_skipped_says_why():
    passes = (PassSettings(), PassSettings(only_hires=True))
    entries = write(passes, [[a_face()], []], runs=list_runs(passes, hires=False))
    assert entries["FaceFix pass 2 result"] == "skipped, because Hires. fix is off"
    assert entries["FaceFix pass 1 face 1"].startswith("restored")


def test_classes_with_a_run_each_are_told_apart():
    one = PassSettings(detector="a.onnx[face, hand]", each_class=True)
    entries = write((one,), [[], [a_face()]])
    assert entries["FaceFix class 1 result"] == "no face found"
    assert entries["FaceFix class 2 face 1"].startswith("restored")
    assert read(entries) == (one,)


def test_a_run_that_failed_says_why_without_naming_a_folder():
    entries = write((PASS, PASS), [[a_face()]], failure=BadCrop("/home/me/a.pth is damaged. Get it again."))
    assert entries["FaceFix failed"] == "Get it again."
    assert not [name for name in entries if name.startswith("FaceFix pass 2 face")]
    assert read(entries) == (PASS, PASS)


def test_settings_of_single_faces_are_told():
    entries = write((PASS,), [[a_face()]], overrides={2: {"method": "leave"}, 3: {"fidelity": 0.9, "mask_grow": 0.1}})
    assert entries["FaceFix face 2 settings"] == "method leave"
    assert entries["FaceFix face 3 settings"] == "fidelity 0.9; mask grow 0.1"
    assert read(entries) == (PASS,)


def test_numbers_that_other_programs_rewrote_are_understood():
    entries = {"FaceFix format": "4", "FaceFix visibility": "1", "FaceFix steps": "12.0", "FaceFix mask invert": "true"}
    assert read(entries) == (PassSettings(steps=12, mask_invert=True),)
    assert old('{"v":3,"passes":[{"visibility":1,"steps":12.0}]}') == (PassSettings(steps=12),)


@pytest.mark.parametrize(
    ("face", "told"),
    [
        pytest.param(a_face(fidelity=0.9, restorer="auto"), "restored; BOX", id="restored as the pass says"),
        pytest.param(
            a_face(fidelity=0.2, restorer="gfpgan"),
            "restored with gfpgan; BOX; fidelity 0.2",
            id="restored in its own way",
        ),
        pytest.param(
            a_face(decision="leave", verdict="left", reason="already sharp (0.61)"),
            "skipped; BOX; already sharp (0.61)",
            id="skipped",
        ),
        pytest.param(
            a_face(verdict="failed", error=BadCrop("the model returned only NaN; start with --no-half"), fidelity=0.9),
            "restoring failed; BOX; the model returned only NaN; start with --no-half",
            id="failed",
        ),
        pytest.param(
            a_face(
                verdict="failed", error=BadCrop("/home/me/a.pth is damaged. Get it again. See C:\\me"), fidelity=0.9
            ),
            "restoring failed; BOX; Get it again.",
            id="failed, without the folders that its error names",
        ),
        pytest.param(
            a_face(verdict="failed", error=BadCrop("at /home/me"), fidelity=0.9),
            "restoring failed; BOX; BadCrop; the console of the WebUI has the details",
            id="failed with an error about a folder",
        ),
        pytest.param(a_face(verdict="left", fidelity=0.9), "not restored; BOX; stopped", id="stopped"),
        pytest.param(
            replace(a_face(fidelity=0.9), identity=IdentityCheck("kept", 0.1234, 0.45, 0.1234)),
            "restored; BOX; identity kept 0.12/0.45",
            id="the same person",
        ),
        pytest.param(
            replace(a_face(fidelity=0.9), identity=IdentityCheck("drifted", 0.71, 0.45, 0.71)),
            "restored; BOX; identity drifted 0.71/0.45",
            id="another person",
        ),
        pytest.param(
            replace(a_face(fidelity=0.9), identity=IdentityCheck("backed off", 0.43, 0.45, 0.8, "44% of the change")),
            "restored; BOX; changed less to keep the identity 0.43/0.45 (44% of the change)",
            id="changed less to stay the same person",
        ),
        pytest.param(
            replace(a_face(fidelity=0.9), identity=IdentityCheck("unmeasured", why="too blurred")),
            "restored; BOX; identity unmeasured",
            id="unmeasured",
        ),
    ],
)
def test_a_face_is_told_in_words(face, told):
    assert record(face) == {"FaceFix face 1": told.replace("BOX", "box 10 21 110 140")}


def test_a_face_drawn_anew_is_told_with_its_seed_and_what_differs_from_pass_and_picture():
    own = {"decision": "re-diffuse", "seed": 7, "negative_prompt": "bad"}
    one, other = a_face(1, prompt="a cat", **own), a_face(2, prompt="old man", denoising_strength=0.2, **own)
    assert record(one, other, origin=GenerationParams("a cat", "bad", 5, 6)) == {
        "FaceFix face 1": "re-diffused; box 10 21 110 140; seed 7",
        "FaceFix face 2": "re-diffused; box 10 21 110 140; seed 7; denoising 0.2",
        "FaceFix face 2 prompt": "old man",
    }


def test_the_same_prompt_is_written_once():
    faces = [a_face(n, decision="re-diffuse", prompt=prompt) for n, prompt in enumerate(("a", "b", "a", "", "b"), 1)]
    told = record(*faces, origin=GenerationParams("own"))
    assert {name: text for name, text in told.items() if "prompt" in name} == {
        "FaceFix face 1 prompt": "a",
        "FaceFix face 2 prompt": "b",
    }
    hints = [told[f"FaceFix face {n}"].partition("seed -1")[2] for n in (3, 4, 5)]
    assert hints == ["; prompt as face 1", "; no prompt", "; prompt as face 2"]


def test_faces_are_told_in_the_order_of_their_numbers():
    assert list(record(a_face(3), a_face(1), a_face(2))) == [f"FaceFix face {n}" for n in (1, 2, 3)]


def test_a_crowd_fits_into_the_64_kilobytes_that_a_jpeg_has():
    said = {"prompt": "smiling, " * 60, "negative_prompt": "blurred, " * 60}
    crowd = [a_face(n, decision="re-diffuse", seed=2**32 - n, **said) for n in range(1, 101)]
    entries = write((PassSettings(**said),), [crowd], GenerationParams("a crowd"))
    assert len(", ".join(f"{name}: {host_quote(text)}" for name, text in entries.items()).encode("utf-16")) < 40_000


def test_the_faces_that_were_fixed_are_read_again():
    one = PassSettings(restorer="gfpgan")
    faces = (
        a_face(1, restorer="gfpgan"),
        a_face(2, restorer="my; box.pth"),
        a_face(3, decision="re-diffuse", seed=5),
        a_face(4, verdict="failed", error=BadCrop("restored; box 1 2 3 4")),
        a_face(5, decision="leave", reason="x; box 1 2 3 4"),
        a_face(6, verdict="left"),
    )
    box = (10, 21, 110, 140)
    assert read_fixed_faces(write((one,), (faces,)), list_runs((one,))) == [
        FixedFace(1, "restore", "gfpgan", box),
        FixedFace(2, "restore", "my; box.pth", box),
        FixedFace(3, "re-diffuse", "", box),
    ]


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
            "has version 99, but this FaceFix only supports 4; update FaceFix",
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
        old(text)


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        pytest.param({}, "has no valid version", id="no format"),
        pytest.param({"format": "?"}, "has no valid version", id="a format that is none"),
        pytest.param({"format": "3"}, "has no valid version", id="a format that had no words"),
        pytest.param({"format": "99", "new": "1"}, "has version 99, but this FaceFix only supports 4", id="newer"),
        pytest.param({"format": "4", "passes": "many"}, "has no passes", id="passes that are no number"),
        pytest.param({"format": "4", "passes": "99999999"}, "has no passes", id="too many passes"),
        pytest.param({"format": "4", "pass 2 steps": "3"}, "has a setting of pass 2, but 1 passes", id="one too many"),
        pytest.param({"format": "4", "looks": "old"}, "pass 1: unknown setting 'looks'", id="unknown setting"),
        pytest.param({"format": "4", "fidelity": "2"}, "pass 1: Fidelity must be between", id="out of range"),
        pytest.param({"format": "4", "fidelity": "NaN"}, "pass 1: Fidelity must be a finite", id="NaN"),
        pytest.param({"format": "4", "steps": "many"}, "pass 1: Sampling steps must be a whole", id="no number"),
        pytest.param({"format": "4", "mask invert": "perhaps"}, "pass 1: Invert mask must be true or", id="not true"),
        pytest.param({"format": "4", "steps": "[" * 100_000}, "pass 1: Sampling steps must be", id="nested"),
    ],
)
def test_words_that_cannot_be_read_are_refused_in_a_sentence(entries, sentence):
    with pytest.raises(BadSetting, match=f"^the FaceFix entry of this infotext .*{re.escape(sentence)}"):
        read({f"FaceFix {name}": text for name, text in {"steps": "5", **entries}.items()})
