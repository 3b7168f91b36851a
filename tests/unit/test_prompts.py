from dataclasses import FrozenInstanceError

import hypothesis.strategies as st
import pytest
from hypothesis import given

from lib_facefix.errors import BadSetting
from lib_facefix.settings.face_prompt import CRITERIA, GenerationParams, read_negative_prompt, read_prompt, resolve
from lib_facefix.types import Box, Face

SIZE = (1000, 600)
"""Of the picture, width x height."""


def face(x, y, size=100):
    """Make a face that is centred on (x, y)."""
    return Face(Box(x - size / 2, y - size / 2, x + size / 2, y + size / 2), 0.9)


FOUR = ((1, face(100, 300)), (2, face(350, 90, 60)), (3, face(520, 310)), (4, face(850, 500, 200)))
"""1 stands left, 2 is smallest and at the top, 3 is in the middle, 4 is largest and at the bottom right."""


def texts(prompt, faces=FOUR):
    return read_prompt(prompt).parts_for(faces, SIZE)


@pytest.mark.parametrize(
    ("prompt", "told"),
    [
        pytest.param("", ["", "", "", ""], id="blank"),
        pytest.param("a", ["a", "a", "a", "a"], id="one for all"),
        pytest.param("a [SEP] b", ["a", "b", "b", "b"], id="the last repeats"),
        pytest.param("a[SEP]b[SEP]c[SEP]d[SEP]e", ["a", "b", "c", "d"], id="more than faces"),
        pytest.param("[SEP] b", ["", "b", "b", "b"], id="the first blank"),
        pytest.param("a [SEP] ", ["a", "", "", ""], id="the last blank"),
        pytest.param("a\n[SEP]\nb", ["a", "b", "b", "b"], id="on lines"),
        pytest.param("[face:2] b", ["", "b", "", ""], id="only bound parts"),
        pytest.param("[face:1, 3-4] b", ["b", "", "b", "b"], id="several numbers"),
        pytest.param("[face:1-9999] b", ["b", "b", "b", "b"], id="numbers that the picture lacks"),
        pytest.param("[face:2] [SEP] a", ["a", "", "a", "a"], id="bound to nothing but its own"),
        pytest.param("a [SEP] [face:1]b [SEP] c", ["b", "a", "c", "c"], id="unbound parts skip the bound face"),
        pytest.param("[face:2]a [SEP] [face:2]b", ["", "a", "", ""], id="the first that is bound wins"),
        pytest.param("[right]a [SEP] [largest]b [SEP] c", ["c", "c", "c", "a"], id="two criteria of one face"),
        pytest.param("[others]o [SEP] [left]a", ["a", "o", "o", "o"], id="others, though written first"),
        pytest.param("[others]o [SEP] a", ["o", "o", "o", "o"], id="others before unbound parts"),
        pytest.param("[others]o [SEP] [others]p", ["o", "o", "o", "o"], id="others twice"),
        pytest.param("[face:1-4]a [SEP] [others]o", ["a", "a", "a", "a"], id="no others left"),
        pytest.param("[center] c", ["", "", "c", ""], id="American centre"),
        pytest.param("a [SKIP] [SEP] b", [None, "b", "b", "b"], id="skipped by order"),
        pytest.param("[largest] [SKIP] [SEP] b", ["b", "b", "b", None], id="skipped by criterion"),
        pytest.param("[SKIP]", [None, None, None, None], id="all skipped"),
    ],
)
def test_each_face_is_told_its_part(prompt, told):
    assert texts(prompt) == dict(enumerate(told, start=1))


@pytest.mark.parametrize(
    ("criterion", "number"),
    [("left", 1), ("right", 4), ("top", 2), ("bottom", 4), ("centre", 3), ("largest", 4), ("smallest", 2)],
)
def test_a_criterion_names_one_face(criterion, number):
    assert [found for found, text in texts(f"[{criterion}] x").items() if text] == [number]


@pytest.mark.parametrize("criterion", CRITERIA)
def test_of_two_alike_the_lower_number_is_meant(criterion):
    alike = [(7, face(400, 300)), (3, face(400, 300)), (5, face(400, 300))]
    assert texts(f"[{criterion}] x", alike) == {7: "", 3: "x", 5: ""}


def test_unbound_parts_go_by_the_order_of_fixing_and_not_by_number():
    assert texts("a [SEP] b [SEP] [face:3] c", FOUR[::-1]) == {4: "a", 3: "c", 2: "b", 1: "b"}


def test_one_prompt_serves_any_number_of_pictures():
    prompt = read_prompt("a [SEP] b")
    assert [prompt.parts_for(FOUR[:2], SIZE) for _ in range(2)] == [{1: "a", 2: "b"}] * 2


def test_a_picture_without_faces_takes_no_text():
    assert texts("a [SEP] [left] b [SEP] [face:1] c [SEP] [others] d", ()) == {}


@pytest.mark.parametrize(
    "prompt",
    [
        pytest.param("[blurry] smile", id="de-emphasis"),
        pytest.param("smile [left]", id="a binding's word further on"),
        pytest.param("smile [face:2]", id="a binding by number further on"),
        pytest.param("[Left] smile", id="upper case"),
        pytest.param("[left, right]", id="more than a binding's word"),
        pytest.param("(smile:1.2), [cat|dog], {a|b}", id="the host's syntax"),
        pytest.param("[face:0.5] smile", id="drawn from half of the steps on"),
        pytest.param("[face: .25 ] smile", id="drawn from a quarter of the steps on"),
        pytest.param("[face:cat:9] smile", id="one drawn, then the other"),
        pytest.param("[face] smile", id="a face that is not stressed"),
        pytest.param("[face:2 smile", id="never closed"),
        pytest.param(r"\[left] smile", id="escaped"),
        pytest.param("<lora:x:1>, __hair/colour__, [sep] [skip]", id="tags and wildcards"),
    ],
)
def test_what_is_no_tag_is_handed_on_as_it_is(prompt):
    assert set(texts(prompt).values()) == {prompt}
    assert resolve(prompt, "own") == prompt


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        pytest.param("[face:0]", r"\[face:0\] .* start at 1", id="0"),
        pytest.param("a [SEP] [face:1,3-2] b", r"\[face:1,3-2\] .* not '3-2'", id="downwards"),
        pytest.param("[face:two] a", r'\[face:two\] .* look like "1,3-4"', id="in words"),
        pytest.param("[face:] a", r'\[face:\] .* needs a face number.*"\[face:2\]"', id="none"),
        pytest.param("[face: , ] a", "needs a face number", id="commas alone"),
    ],
)
@pytest.mark.parametrize("read", [read_prompt, read_negative_prompt])
def test_bad_face_numbers_are_refused_with_the_place_they_stand_at(prompt, said, read):
    with pytest.raises(BadSetting, match=said):
        read(prompt)


def test_a_negative_prompt_parts_the_faces_but_skips_none():
    assert read_negative_prompt("[face:2] teeth [SEP] hat") == read_prompt("[face:2] teeth [SEP] hat")
    with pytest.raises(BadSetting, match=r"\[SKIP\] skips a face. Write it in the face prompt"):
        read_negative_prompt("teeth [SEP] [SKIP]")


@pytest.mark.parametrize(
    ("text", "prompt"),
    [
        ("", "a girl, 8k"),
        (" \n", "a girl, 8k"),
        ("a boy", "a boy"),
        ("[PROMPT], smiling", "a girl, 8k, smiling"),
        ("([PROMPT]:1.1) [PROMPT]", "(a girl, 8k:1.1) a girl, 8k"),
    ],
)
def test_the_pictures_own_prompt_is_filled_in(text, prompt):
    assert resolve(text, "a girl, 8k") == prompt


@pytest.mark.parametrize(
    ("text", "mode", "prompt"),
    [
        pytest.param("smiling", "append", "a girl, 8k, smiling", id="after it"),
        pytest.param("smiling,", "prepend", "smiling, a girl, 8k", id="before it"),
        pytest.param("", "append", "a girl, 8k", id="nothing to add"),
        pytest.param("old, [PROMPT]!", "append", "old, a girl, 8k!", id="its place is given"),
        pytest.param("old, [PROMPT]!", "prepend", "old, a girl, 8k!", id="its place is given, before"),
    ],
)
def test_a_face_prompt_is_added_to_the_pictures_own(text, mode, prompt):
    assert resolve(text, "a girl, 8k", mode) == prompt


@pytest.mark.parametrize("mode", ["append", "prepend"])
@pytest.mark.parametrize("own", ["", " ", ","])
def test_a_face_prompt_that_is_added_to_none_stands_alone(mode, own):
    assert resolve("smiling", own, mode).strip(" ,") == "smiling"


def test_a_comma_at_the_end_of_the_pictures_own_prompt_is_not_doubled():
    assert resolve("smiling", "a girl, ", "append") == "a girl, smiling"


LORAS = "a girl <lora:ann:0.8>, <lyco:film:1:0.5> 8k <hypernet:x:1>"


@pytest.mark.parametrize(
    ("text", "mode", "prompt"),
    [
        pytest.param("old", "replace", "old <lora:ann:0.8> <lyco:film:1:0.5> <hypernet:x:1>", id="all"),
        pytest.param(
            "old <lora:ann:0.3>", "replace", "old <lora:ann:0.3> <lyco:film:1:0.5> <hypernet:x:1>", id="its own weight"
        ),
        pytest.param(
            "<lora:bob:1>", "replace", "<lora:bob:1> <lora:ann:0.8> <lyco:film:1:0.5> <hypernet:x:1>", id="another"
        ),
        pytest.param("", "replace", LORAS, id="the picture's own"),
        pytest.param("old", "append", f"{LORAS}, old", id="once when added"),
        pytest.param(
            "old <lora:ann:0>", "append", "a girl , <lyco:film:1:0.5> 8k <hypernet:x:1>, old <lora:ann:0>", id="off"
        ),
        pytest.param("old, [PROMPT] <lyco:film:1>", "replace",
                     "old, a girl <lora:ann:0.8>,  8k <hypernet:x:1> <lyco:film:1>", id="once where it is filled in"),
    ],
)  # fmt: skip
def test_the_loras_of_the_pictures_own_prompt_are_kept_once(text, mode, prompt):
    assert resolve(text, LORAS, mode, keep_loras=True) == prompt


def test_loras_are_dropped_with_the_prompt_that_they_stand_in_on_demand():
    assert resolve("old", LORAS, keep_loras=False) == "old"
    assert resolve("old", LORAS, "append", keep_loras=False) == f"{LORAS}, old"


@pytest.mark.parametrize("text", ["<lora>", "<lora:>", "a < b > c", "<3", "<lora:a", "(x:1.2)"])
def test_what_is_no_tag_of_a_network_is_not_kept(text):
    assert resolve("old", text, keep_loras=True) == "old"


def test_tags_within_the_pictures_own_prompt_are_not_read_again():
    assert resolve("[PROMPT]!", "[PROMPT] [SEP]") == "[PROMPT] [SEP]!"


def test_an_origin_stays_as_it_was_made():
    origin = GenerationParams("a girl", seed=3)
    assert origin == GenerationParams("a girl", "", 3, 0)
    with pytest.raises(FrozenInstanceError):
        origin.seed = 4


words = st.text(st.characters(exclude_characters="[]"))
tags = ["[SEP]", "[PROMPT]", "[SKIP]", "[others]", "[face:2]", "[face:1,3-4]", *(f"[{name}]" for name in CRITERIA)]
prompts = st.lists(st.one_of(st.sampled_from(tags), st.sampled_from(["[SEP]", " ", "x", "[y]"]))).map("".join)
faces = st.builds(face, st.integers(0, 1000), st.integers(0, 600), st.integers(1, 400))
groups = st.lists(faces, max_size=7).map(lambda found: list(enumerate(found, start=1)))


@given(words, groups)
def test_text_without_brackets_is_the_text_of_every_face(text, group):
    assert texts(text, group) == dict.fromkeys(range(1, len(group) + 1), text.strip())


@given(prompts, groups)
def test_every_face_gets_a_text_or_is_skipped_in_the_order_given(prompt, group):
    told = texts(prompt, group)
    assert list(told) == [number for number, _ in group]
    assert all(
        text is None or (text in prompt and "[SEP]" not in text and "[SKIP]" not in text) for text in told.values()
    )
    assert prompt.count("[SKIP]") or None not in told.values()


@given(prompts, groups, st.randoms(use_true_random=False))
def test_with_one_text_for_all_unbound_faces_the_order_of_fixing_does_not_matter(prompt, group, random):
    bound = [part for part in prompt.split("[SEP]") if any(map(part.strip().startswith, tags[3:]))]
    shuffled = random.sample(group, len(group))
    whole = "[SEP]".join([*bound, "rest"])
    assert texts(whole, shuffled) == texts(whole, tuple(group))


@given(words, words)
def test_what_is_resolved_is_the_text_or_the_pictures_own(text, own):
    assert resolve(text, own) == (text if text.strip() else own)
    assert resolve(f"{text}[PROMPT]", own) == text + own
