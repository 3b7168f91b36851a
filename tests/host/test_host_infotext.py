"""What FaceFix writes into the picture brings the picture back; what it is told wrongly it refuses in words."""

import json

import pictures
import pytest
from driving import QUICK, changed, difference, made
from server import Refused

ODD = {
    **QUICK, "prompt": '[PROMPT], "quoted", <odd: text>, a\\b, ümlaut [SEP] other', "negative_prompt": "blurred, {x|y}",
    "mask": "ellipse", "mask_grow": 0.1, "mask_feather": 0.05, "padding": 0.4, "cfg_scale": 3.5, "sampler": "DDIM",
    "seed": 12, "match_colour": False, "visibility": 0.9, "order": "size", "denoise_by_size": 0.5, "faces": "1-2",
}  # fmt: skip
PICTURE = pictures.sheet(2)


def pasted(host, kind, infotext, **more):
    """Generate from the infotext alone; the painter still draws."""
    painter = {"args": [[host._drawing(PICTURE)]]}
    return made(
        host.webui.post(f"/sdapi/v1/{kind}", {"infotext": infotext, "alwayson_scripts": {"Painter": painter}, **more})
    )


@pytest.mark.parametrize(
    "passes", [[QUICK], [ODD, {"method": "restore", "fidelity": 0.3}]], ids=["plain", "odd, two passes"]
)
def test_the_infotext_pasted_back_into_txt2img_gives_the_identical_picture(host, passes):
    first = host.txt2img(*passes, draws=[PICTURE])
    plain = host.txt2img(draws=[PICTURE])
    try:
        pasted(host, "txt2img", plain.infotexts[0])
    except Refused:
        pytest.skip("the WebUI itself fails on txt2img's field infotext")
    again = pasted(host, "txt2img", first.infotexts[0])
    assert difference(first.picture, plain.picture) > 20
    assert again.infotexts == first.infotexts
    assert difference(again.picture, first.picture) == 0


def test_the_infotext_pasted_back_into_img2img_gives_the_identical_picture(host):
    photo = PICTURE.resize((192, 96))
    asked = {"draws": [PICTURE], "denoising_strength": 0.5}  # of img2img, the API takes just the scripts from there
    first = host.img2img(photo, ODD, {"method": "restore"}, **asked)
    again = host.img2img(photo, infotext=first.infotexts[0], **asked)
    assert again.infotexts == first.infotexts
    assert difference(again.picture, first.picture) == 0
    assert first.record()["passes"] == [ODD, {"method": "restore"}]


def test_an_infotext_without_facefix_switches_it_off(host):
    photo, asked = PICTURE.resize((192, 96)), {"draws": [PICTURE], "denoising_strength": 0.5}
    plain = host.img2img(photo, **asked)
    again = host.img2img(photo, infotext=plain.infotexts[0], **asked)
    assert host.runs() == []
    assert again.infotexts == plain.infotexts


def test_every_face_is_recorded_with_what_was_done_and_from_what(host):
    passes = {**QUICK, "prompt": "[face:2] someone else [SEP] [PROMPT], smiling", "faces": "2-3", "seed": 40}
    made = host.txt2img(passes, draws=[pictures.sheet(3)], prompt="a crowd")
    one, two, three = made.faces().values()
    assert (one["do"], "not in the selected face numbers" in one["why"]) == ("leave", True)
    assert (two["do"], two["seed"], two["strength"], two["prompt"]) == ("re-diffuse", 41, 0.5, "someone else")
    assert (three["seed"], three["prompt"]) == (42, "a crowd, smiling")
    assert [run["prompts"] for run in host.runs()] == [["someone else", "a crowd, smiling"]]


def test_prompts_go_to_the_faces_they_are_meant_for(host):
    passes = {**QUICK, "prompt": "[PROMPT], first [SEP] [SKIP] [SEP] the rest", "negative_prompt": "[face:1] red"}
    made = host.txt2img(passes, draws=[pictures.sheet(4)], prompt="people", negative_prompt="blue")
    [run] = host.runs()
    assert run["prompts"] == ["people, first", "the rest", "the rest"]
    assert run["negative_prompts"] == ["red", "blue", "blue"]
    assert [face["do"] for face in made.faces().values()] == ["re-diffuse", "leave", "re-diffuse", "re-diffuse"]


def test_blank_settings_mean_the_picture_s_own(host):
    host.txt2img({"width": 64, "height": 64, "method": "re-diffuse"}, draws=[PICTURE], steps=7, cfg_scale=3,
                 sampler_name="Heun", scheduler="Karras", negative_prompt="bad", seed=77)  # fmt: skip
    [run] = host.runs()
    own = {"steps": 7, "cfg_scale": 3, "sampler": "Heun", "scheduler": "Karras", "seeds": [77, 78]}
    assert own == {name: run[name] for name in own}
    assert run["prompts"] == ["a face"] * 2
    assert run["negative_prompts"] == ["bad"] * 2


def test_settings_of_a_pass_go_before_the_picture_s_own(host):
    host.txt2img({**QUICK, "steps": 5, "cfg_scale": 2.5, "sampler": "DDIM", "width": 128, "clip_skip": 3, "seed": 4},
                 draws=[PICTURE])  # fmt: skip
    [run] = host.runs()
    own = {"steps": 5, "cfg_scale": 2.5, "sampler": "DDIM", "width": 128, "height": 64, "clip_skip": 3, "seeds": [4, 5]}
    assert own == {name: run[name] for name in own}


@pytest.mark.parametrize(
    ("unit", "named"),
    [
        pytest.param({"denoising_strenght": 0.4}, "denoising_strenght", id="unknown"),
        pytest.param({"denoising_strength": 1.4}, "Denoising strength", id="out of range"),
        pytest.param({"method": "redo"}, "redo", id="no choice"),
        pytest.param({"sampler": "Eula"}, "Eula", id="not a sampler here"),
        pytest.param({"steps": "many"}, "Sampling steps", id="of the wrong kind"),
        pytest.param({"upscale": "2"}, "upscale", id="not of a pass"),
    ],
)
def test_a_wrong_setting_is_refused_in_words_before_anything_is_drawn(host, unit, named):
    with pytest.raises(Refused) as refused:
        host.txt2img({}, unit, draws=[PICTURE])
    assert refused.value.status in (422, 500)
    assert named in json.dumps(refused.value.answer)
    assert "pass 2" in json.dumps(refused.value.answer)
    assert sum(len(run["items"]) for run in host.all_runs()) == 0


def axis(host, label):
    """Return the number of an axis in the lists of the X/Y/Z plot of txt2img."""
    components = [entry["props"] for entry in host.webui.get("/config")["components"]]
    lists = [props["choices"] for props in components if props.get("label") == "X type"]
    return [name if isinstance(name, str) else name[0] for name in lists[0]].index(label)


def plot(host, number, values, chosen):
    """Return the request of an X/Y/Z plot along one axis; what else a WebUI asks has its own default."""
    scripts = host.webui.get("/sdapi/v1/script-info")
    [info] = [script for script in scripts if script["name"] == "x/y/z plot" and not script["is_img2img"]]
    axes = [number, values, chosen, *[0, "", []] * 2]
    wanted = {"Draw legend": False, "Include Sub Images": True}
    more = [wanted.get(arg["label"], arg["value"]) for arg in info["args"][len(axes) :]]
    return {"script_name": "x/y/z plot", "script_args": [*axes, *more]}


def test_a_setting_is_an_axis_of_the_plot(host):
    number = axis(host, "[FaceFix] Denoising strength")
    made = host.txt2img(QUICK, draws=[PICTURE], **plot(host, number, "0.25, 0.75", []))
    assert [run["denoising_strength"] for run in host.runs()] == [0.25, 0.75]
    direct = host.txt2img({**QUICK, "denoising_strength": 0.75}, draws=[PICTURE])
    assert difference(made.pictures[1], direct.picture) == 0
    assert [made.record(cell)["passes"][0]["denoising_strength"] for cell in (0, 1)] == [0.25, 0.75]


def test_a_choice_is_an_axis_of_the_plot_and_switches_facefix_on(host):
    number = axis(host, "[FaceFix] Method")
    made = host.txt2img(draws=[PICTURE], **plot(host, number, "", ["restore", "leave"]))
    restored, left = made.pictures[:2]
    assert changed(restored, pictures.array(PICTURE)).any()
    assert difference(left, pictures.array(PICTURE)) == 0
