import json
import time

import hypothesis.strategies as st
import pytest
from hypothesis import given

from lib_facefix.errors import BadSetting
from lib_facefix.settings.face_prompt import GenerationParams
from lib_facefix.settings.generation_info import Infotext, read_infotext, read_origin

WHOLE = """a girl, (smiling:1.2), <lora:detail:0.6>
by the sea: at night
Negative prompt: blurry, "ugly"
bad hands
Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7.5, Seed: 4294967295, Size: 512x768, \
Model hash: 6ce0161689, Model: v1-5-pruned, VAE: sdxl_vae.safetensors, Variation seed: 12, Clip skip: 2, \
ADetailer prompt: "old man, \\"wise\\"\\nsmiling", Lora hashes: "detail: 7c6b, other: 1f", Tiling, Version: v1.10.1"""


def said(line):
    """Return the fields of a picture with a short prompt."""
    return read_infotext(f"a cat\n{line}").fields


def origin(line):
    return read_infotext(f"a cat\nSteps: 5, Sampler: Euler, Seed: 3, {line}").origin


def test_all_that_a_webui_writes_is_read():
    read = read_infotext(WHOLE)
    assert read.prompt == "a girl, (smiling:1.2), <lora:detail:0.6>\nby the sea: at night"
    assert read.negative_prompt == 'blurry, "ugly"\nbad hands'
    assert read.origin == GenerationParams(
        read.prompt, read.negative_prompt, 4294967295, 12, 20, "DPM++ 2M", "Karras", 7.5, clip_skip=2
    )
    assert (read.size, read.model) == ((512, 768), "v1-5-pruned")
    assert read.fields["ADetailer prompt"] == 'old man, "wise"\nsmiling'
    assert read.fields["Lora hashes"] == "detail: 7c6b, other: 1f"
    assert read.fields["Version"] == "v1.10.1"


@pytest.mark.parametrize(
    ("text", "prompt", "negative"),
    [
        pytest.param("Steps: 1, Sampler: Euler, Seed: 2", "", "", id="no prompt"),
        pytest.param("a cat\nSteps: 1, Sampler: Euler, Seed: 2", "a cat", "", id="no negative one"),
        pytest.param("Negative prompt: dog\nSteps: 1, Sampler: Euler, Seed: 2", "", "dog", id="only a negative one"),
        pytest.param(
            "a\n\nb\nNegative prompt: c\n\nd\nSteps: 1, Sampler: Euler, Seed: 2", "a\n\nb", "c\n\nd", id="blank lines"
        ),
        pytest.param("  a \r\n b\r\nSteps: 1, Sampler: Euler, Seed: 2\r\n", "a\nb", "", id="lines of Windows"),
        pytest.param("a: b, c: d\nSteps: 1, Sampler: Euler, Seed: 2", "a: b, c: d", "", id="colons in a prompt"),
    ],
)
def test_the_prompts_are_parted_from_the_fields(text, prompt, negative):
    read = read_infotext(text)
    assert (read.prompt, read.negative_prompt, read.origin.seed) == (prompt, negative, 2)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "Mum's birthday, at the sea",
        "a cat\nNegative prompt: dog",
        "Steps: 1, Seed: 2",
        '{"prompt": {"1": 2}}',
    ],
)
def test_a_text_without_fields_is_no_infotext(text):
    assert read_infotext(text) == Infotext()
    assert read_infotext(text).origin == GenerationParams()
    assert read_infotext(text).size is None


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        pytest.param('A: "x, y", B: 1, C: 2', {"A": "x, y", "B": "1", "C": "2"}, id="a comma in quotes"),
        pytest.param('A: "a: b", B: 1, C: 2', {"A": "a: b", "B": "1", "C": "2"}, id="a colon in quotes"),
        pytest.param(r'A: "\u00e9\n\"", B: 1, C: 2', {"A": 'é\n"', "B": "1", "C": "2"}, id="escapes"),
        pytest.param(r'A: "\q", B: 1, C: 2', {"A": r'"\q"', "B": "1", "C": "2"}, id="quotes that are no JSON"),
        pytest.param('A: 5" disk, B: 1, C: 2', {"A": '5" disk', "B": "1", "C": "2"}, id="a quote within"),
        pytest.param('A: "x, B: 1, C: 2, D: 3', {"A": '"x', "B": "1", "C": "2", "D": "3"}, id="a quote left open"),
        pytest.param("A:1,B :2,  C:  3", {"A": "1", "B": "2", "C": "3"}, id="spaces"),
        pytest.param("A: , B: 1, C: 2", {"A": "", "B": "1", "C": "2"}, id="a blank value"),
        pytest.param("A: 1, Tiling, : 9, B: 2, C: 3", {"A": "1", "B": "2", "C": "3"}, id="what is no field"),
        pytest.param("A: 12:30, B: 1, C: 2", {"A": "12:30", "B": "1", "C": "2"}, id="a colon in a value"),
        pytest.param('A: "{\\"v\\":[1,2]}", B: 1, C: 2', {"A": '{"v":[1,2]}', "B": "1", "C": "2"}, id="JSON in JSON"),
    ],
)
def test_a_field_is_read_in_every_spelling(line, fields):
    assert said(line) == fields


@pytest.mark.parametrize(
    ("line", "name", "told"),
    [
        pytest.param("CFG scale: 99", "cfg_scale", 30.0, id="CFG scale too high"),
        pytest.param("Steps: 1000", "steps", 150, id="too many steps"),
        pytest.param("Steps: many", "steps", 0, id="steps that are no number"),
        pytest.param("CFG scale: nan", "cfg_scale", 0.0, id="a CFG scale that is no number"),
        pytest.param("Seed: -1", "seed", 0, id="a seed that says nothing"),
        pytest.param("CFG scale: 7", "clip_skip", 1, id="clip skip, which is not written when it is 1"),
        pytest.param("Clip skip: 99", "clip_skip", 12, id="clip skip too high"),
        pytest.param("Sampler: DPM++ 2M Karras", "sampler", "DPM++ 2M", id="an old sampler's name"),
        pytest.param("Sampler: DPM++ 2M Karras", "scheduler", "Karras", id="an old sampler's schedule"),
        pytest.param("Sampler: Euler a", "sampler", "Euler a", id="a sampler of two words"),
        pytest.param("Sampler: Karras", "sampler", "Karras", id="a sampler named like a schedule"),
    ],
)
def test_an_origin_holds_only_what_may_be_set(line, name, told):
    value = getattr(origin(line), name)
    assert (value, type(value)) == (told, type(told))


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from(['"', '", "', "a: b", "\\"])


@given(TEXTS)
def test_what_a_host_writes_in_quotes_comes_back(value):
    assert said(f"A: 1, B: {json.dumps(value, ensure_ascii=False)}, C: 3") == {"A": "1", "B": value, "C": "3"}


@given(st.text() | st.text(st.sampled_from('aA:," \\\n\0')))
def test_any_text_gives_an_origin_that_may_be_set(text):
    read = read_infotext(f"{text}\nSteps: 1, Seed: 2, {text}, Sampler: Euler")
    assert read_origin({name: getattr(read.origin, name) for name in GenerationParams.__slots__}) == read.origin


@pytest.mark.parametrize("piece", ["a", " ", '"', ":", ",", 'a:"x,', 'a:"\\",', "a" * 50 + ":"])
def test_a_text_made_to_take_long_takes_no_time(piece):
    started = time.process_time()
    read_infotext("a cat\n" + piece * 200_000)
    assert time.process_time() - started < 5


def test_an_origin_is_read_from_what_is_told():
    told = {"prompt": "a cat", "seed": 5, "cfg_scale": 7}
    assert read_origin(told) == GenerationParams("a cat", seed=5, cfg_scale=7)
    assert read_origin({}) == GenerationParams()


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"steps": 1000}, "Sampling steps must be between 0 and 150, not 1000"),
        ({"seed": "5"}, "Seed must be a whole number, not '5'"),
        ({"prompt": None}, "must be text"),
        ({"restorer": "lite"}, "unknown generation parameter 'restorer'. Available: prompt, negative_prompt, seed"),
    ],
)
def test_what_no_origin_may_hold_is_refused_in_words(told, why):
    with pytest.raises(BadSetting, match=why):
        read_origin(told)
