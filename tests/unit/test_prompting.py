import hypothesis.strategies as st
import pytest
from hypothesis import given

from lib_facefix.errors import BadSetting
from lib_facefix.planning.plan import FaceJob
from lib_facefix.planning.prompts import reduced_strength, resolve_prompts
from lib_facefix.settings.face_prompt import GenerationParams
from lib_facefix.settings.sampling import Sampling
from lib_facefix.settings.treatment import Treatment
from lib_facefix.types import Box, Face, Pose

SIZE = (800, 600)
ORIGIN = GenerationParams("a crowd", "blurry", 100, 7)


def face_from(x, size):
    return Face(Box(x, 100, x + size, 100 + size), 0.9)


FACES = {1: face_from(10, 40), 2: face_from(200, 200), 3: face_from(500, 100)}
"""2 is the largest, 1 the smallest."""


def jobs_for(everyone, own=None, decisions=None):
    """Make a job for each face; own: settings by number; decisions: by number, where it is not to be re-diffused."""
    own, decisions = own or {}, decisions or {}
    return [
        FaceJob(n, face, decisions.get(n, "re-diffuse"), "because", everyone.but(own.get(n, {})), Pose(0, 0, 0), 0.5)
        for n, face in FACES.items()
    ]


def drawn(settings=None, own=None, decisions=None, origin=ORIGIN, order=(1, 2, 3)):
    everyone = Treatment(**(settings or {}))
    jobs = {job.number: job for job in jobs_for(everyone, own, decisions)}
    return resolve_prompts([jobs[n] for n in order], everyone, SIZE, origin)


def prompts(*args, **more):
    return {job.number: job.treatment.prompt for job in drawn(*args, **more)}


@pytest.mark.parametrize(
    ("prompt", "told"),
    [
        pytest.param("", ["a crowd"] * 3, id="blank"),
        pytest.param("[PROMPT], smiling", ["a crowd, smiling"] * 3, id="the picture's own, and more"),
        pytest.param("old", ["old"] * 3, id="another"),
        pytest.param("old [SEP] [SEP] [PROMPT]!", ["old", "a crowd", "a crowd!"], id="parts"),
        pytest.param("old [SEP] [face:3] [PROMPT] in red", ["old", "old", "a crowd in red"], id="by number"),
        pytest.param("[largest] old [SEP] [others] young", ["young", "old", "young"], id="by criterion"),
    ],
)
def test_each_face_is_drawn_from_its_part_and_the_pictures_own_prompt(prompt, told):
    assert list(prompts({"prompt": prompt}).values()) == told


@pytest.mark.parametrize("own", ["[face:0] girl", "[face:fat]", "a [SEP] b", "[SKIP]", "[largest] [PROMPT]"])
def test_what_the_picture_was_made_from_is_not_read_as_a_prompt_for_faces(own):
    jobs = drawn({"prompt": "[PROMPT]!"}, origin=GenerationParams(own, own))
    assert [(job.decision, job.treatment.prompt) for job in jobs] == [("re-diffuse", f"{own}!")] * 3
    assert [job.treatment.negative_prompt for job in jobs] == [own] * 3


def test_prompts_are_added_to_the_pictures_own_or_replace_it_face_by_face():
    given = {"prompt": "old", "negative_prompt": "hat", "prompt_mode": "append"}
    jobs = drawn(given, own={2: {"prompt_mode": "prepend"}, 3: {"prompt_mode": "replace"}})
    assert [job.treatment.prompt for job in jobs] == ["a crowd, old", "old, a crowd", "old"]
    assert [job.treatment.negative_prompt for job in jobs] == ["blurry, hat", "hat, blurry", "hat"]


def test_the_pictures_loras_stay_in_a_face_prompt_and_not_in_a_negative_one():
    origin = GenerationParams("a crowd <lora:ann:0.8>", "blurry <lora:bad:1>")
    [first, second, third] = drawn(
        {"prompt": "old [SEP] [PROMPT]!", "negative_prompt": "hat"}, own={3: {"keep_loras": False, "prompt": "bald"}},
        origin=origin,
    )  # fmt: skip
    assert first.treatment.prompt == "old <lora:ann:0.8>"
    assert second.treatment.prompt == "a crowd <lora:ann:0.8>!"
    assert third.treatment.prompt == "bald"
    assert {job.treatment.negative_prompt for job in (first, second, third)} == {"hat"}


def test_a_prompt_that_was_worked_out_is_not_added_a_second_time():
    jobs = drawn({"prompt": "old", "prompt_mode": "append"}, origin=GenerationParams("a crowd <lora:ann:0.8>"))
    everyone = jobs[0].treatment
    again = resolve_prompts(jobs, everyone, SIZE, GenerationParams("a crowd <lora:ann:0.8>"))
    assert {job.treatment.prompt for job in again} == {"a crowd <lora:ann:0.8>, old"}


def test_the_negative_prompt_is_worked_out_likewise():
    jobs = drawn({"negative_prompt": "[face:1] hat [SEP] [PROMPT], teeth [SEP] "})
    assert [job.treatment.negative_prompt for job in jobs] == ["hat", "blurry, teeth", "blurry"]


def test_unbound_parts_go_by_the_order_of_fixing():
    assert prompts({"prompt": "a [SEP] b [SEP] c"}, order=(3, 1, 2)) == {3: "a", 1: "b", 2: "c"}


@pytest.mark.parametrize("decision", ["re-diffuse", "restore"])
def test_a_face_whose_prompt_says_so_is_left_alone_even_by_a_restorer(decision):
    jobs = drawn({"prompt": "[face:2] [SKIP] [SEP] x"}, decisions={2: decision})
    assert [job.decision for job in jobs] == ["re-diffuse", "leave", "re-diffuse"]
    assert jobs[1].reason == "its prompt contains [SKIP]"


def test_a_face_that_is_left_takes_no_part_and_is_not_the_largest():
    jobs = drawn({"prompt": "a [SEP] b [SEP] [largest] c"}, decisions={2: "leave"})
    assert [job.treatment.prompt for job in jobs if job.number != 2] == ["a", "c"]
    assert (jobs[1].decision, jobs[1].reason) == ("leave", "because")


def test_a_face_that_is_restored_takes_its_part_too():
    assert prompts({"prompt": "a [SEP] b [SEP] c"}, decisions={2: "restore"})[3] == "c"


@pytest.mark.parametrize(
    ("own", "told"),
    [
        pytest.param({"prompt": "king"}, "king", id="another"),
        pytest.param({"prompt": ""}, "a crowd", id="blank"),
        pytest.param({"prompt": "[PROMPT], crowned"}, "a crowd, crowned", id="the picture's own, and more"),
        pytest.param({"prompt": "[smallest] king"}, "king", id="bound to itself, whatever the criterion"),
        pytest.param({"prompt": "king [SEP] queen"}, "king", id="several parts"),
        pytest.param({"prompt": "[face:1] king"}, "a crowd", id="bound to another face"),
        pytest.param({"prompt": "a [SEP] b [SEP] c"}, "b", id="the same as that of all"),
        pytest.param({"fidelity": 0.9}, "b", id="another setting alone"),
    ],
)
def test_a_prompt_of_a_faces_own_beats_the_part_it_has_in_that_of_all(own, told):
    assert prompts({"prompt": "a [SEP] b [SEP] c"}, {2: own}) == {1: "a", 2: told, 3: "c"}


def test_a_negative_prompt_and_a_skip_of_a_faces_own_concern_it_alone():
    jobs = drawn({"negative_prompt": "[PROMPT], hat"}, {2: {"negative_prompt": "teeth"}, 3: {"prompt": "[SKIP]"}})
    assert [job.treatment.negative_prompt for job in jobs[:2]] == ["blurry, hat", "teeth"]
    assert [job.decision for job in jobs] == ["re-diffuse", "re-diffuse", "leave"]


def test_a_face_can_be_taken_out_of_a_skip():
    jobs = drawn({"prompt": "[SKIP]"}, {3: {"prompt": "smiling"}})
    assert [job.decision for job in jobs] == ["leave", "leave", "re-diffuse"]


@pytest.mark.parametrize("decision", ["re-diffuse", "restore"])
@pytest.mark.parametrize("origin", [ORIGIN, None], ids=["origin", "no origin"])
@pytest.mark.parametrize("name", ["prompt", "negative_prompt"])
def test_a_prompt_of_a_faces_own_that_cannot_be_read_is_refused(name, origin, decision):
    with pytest.raises(BadSetting, match=r"\[face:0\]"):
        drawn(own={2: {name: "[face:0] x"}}, decisions={2: decision}, origin=origin)


def test_a_negative_prompt_of_a_faces_own_that_skips_is_refused():
    with pytest.raises(BadSetting, match=r"\[SKIP\] skips a face"):
        drawn(own={2: {"negative_prompt": "[SKIP]"}})


@pytest.mark.parametrize(
    ("given", "own", "origin", "seeds", "subseeds"),
    [
        pytest.param({}, {}, ORIGIN, [100, 101, 102], [7, 7, 7], id="the picture's own"),
        pytest.param({"seed": 5, "subseed": 6}, {}, ORIGIN, [5, 6, 7], [6, 6, 6], id="given"),
        pytest.param({"seed": 0, "subseed": 0}, {}, ORIGIN, [0, 1, 2], [0, 0, 0], id="0"),
        pytest.param({}, {2: {"seed": 50, "subseed": 9}}, ORIGIN, [100, 51, 102], [7, 9, 7], id="one face's own"),
        pytest.param({"seed": 2**32 - 1}, {}, ORIGIN, [2**32 - 1, 0, 1], [7, 7, 7], id="the last seed"),
        pytest.param(
            {}, {}, GenerationParams(seed=2**32 - 2), [2**32 - 2, 2**32 - 1, 0], [0, 0, 0], id="almost the last"
        ),
        pytest.param(
            {}, {}, GenerationParams(seed=2**32, subseed=2**33 + 1), [0, 1, 2], [1, 1, 1], id="beyond the last"
        ),
    ],
)
def test_each_face_adds_its_number_less_one_to_the_seed(given, own, origin, seeds, subseeds):
    jobs = drawn(given, own, origin=origin)
    assert [job.treatment.seed for job in jobs] == seeds
    assert [job.treatment.subseed for job in jobs] == subseeds


def test_a_seed_goes_by_the_number_and_not_by_the_order_of_fixing():
    assert {job.number: job.treatment.seed for job in drawn(order=(3, 1, 2))} == {1: 100, 2: 101, 3: 102}


def test_the_strength_that_a_face_will_have_is_written_into_its_settings():
    jobs = drawn({"denoising_strength": 0.8, "denoise_by_size": 0.5}, {3: {"denoise_by_size": 0.0}})
    told = [(job.treatment.denoising_strength, job.treatment.denoise_by_size) for job in jobs]
    assert told == [(0.8, 0.0), (0.6, 0.0), (0.8, 0.0)]


GIVEN = {"prompt": "[PROMPT] [SEP] x [SEP] [SKIP]", "denoising_strength": 0.8, "denoise_by_size": 0.5}


def test_without_an_origin_a_face_to_be_re_diffused_is_drawn_from_a_blank_one():
    jobs = drawn(GIVEN, origin=None)
    assert [job.decision for job in jobs] == ["re-diffuse", "re-diffuse", "leave"]
    told = [(job.treatment.prompt, job.treatment.seed, job.treatment.denoising_strength) for job in jobs[:2]]
    assert told == [("", 0, 0.8), ("x", 1, 0.6)]
    assert [job.treatment for job in jobs[:2]] == [job.treatment for job in drawn(GIVEN, origin=GenerationParams())[:2]]


def test_without_an_origin_nothing_but_a_skip_is_worked_out_for_other_faces():
    jobs = drawn(GIVEN, decisions={1: "leave", 2: "restore", 3: "restore"}, origin=None)
    assert [job.treatment for job in jobs] == [Treatment(**GIVEN)] * 3
    assert [job.decision for job in jobs] == ["leave", "restore", "restore"]
    assert drawn({"prompt": "[SKIP]"}, decisions={2: "restore"}, origin=None)[1].decision == "leave"


@pytest.mark.parametrize("decision", ["restore", "leave"])
def test_with_an_origin_all_is_worked_out_that_redrawing_another_face_would_take(decision):
    given = {"negative_prompt": "", "denoising_strength": 0.8, "denoise_by_size": 0.5, "seed": 9}
    jobs, own = drawn(given, decisions=dict.fromkeys(FACES, decision)), drawn(given)
    assert [job.decision for job in jobs] == [decision] * 3
    assert [job.treatment for job in jobs] == [job.treatment for job in own]
    assert [(job.treatment.prompt, job.treatment.seed) for job in jobs] == [
        ("a crowd", 9),
        ("a crowd", 10),
        ("a crowd", 11),
    ]


def test_a_restored_face_keeps_the_part_that_redrawing_it_would_take():
    given = {"prompt": "old [SEP] [PROMPT]! [SEP] young", "negative_prompt": "[face:2] [PROMPT], teeth"}
    jobs = drawn(given, {3: {"prompt": "king"}}, dict.fromkeys(FACES, "restore"))
    assert [job.treatment.prompt for job in jobs] == ["old", "a crowd!", "king"]
    assert [job.treatment.negative_prompt for job in jobs] == ["blurry", "blurry, teeth", "blurry"]


@pytest.mark.parametrize(
    ("given", "own", "told"),
    [
        pytest.param({"prompt": "[PROMPT]!"}, {}, "a crowd!", id="all faces' prompt"),
        pytest.param({}, {2: {"prompt": "king"}}, "king", id="its own prompt"),
        pytest.param({"prompt": "a [SEP] [face:2] b"}, {}, "b", id="the part bound to it"),
    ],
)
def test_a_face_that_is_left_keeps_the_prompt_that_redrawing_it_would_take(given, own, told):
    assert prompts(given, own, {2: "leave"})[2] == told


@pytest.mark.parametrize("decision", ["re-diffuse", "restore"])
def test_a_skipped_face_that_is_re_diffused_after_all_is_drawn_by_the_pictures_own_prompt(decision):
    job = drawn({"prompt": "[face:2] [SKIP] [SEP] x"}, decisions={2: decision})[1]
    told = job.decision, job.treatment.prompt, job.treatment.negative_prompt, job.treatment.seed
    assert told == ("leave", "a crowd", "blurry", 101)


@pytest.mark.parametrize("decision", ["restore", "leave"])
def test_a_face_that_is_not_re_diffused_keeps_what_was_decided(decision):
    job = drawn({"prompt": "x"}, decisions=dict.fromkeys(FACES, decision))[1]
    assert (job.decision, job.reason) == (decision, "because")


def test_no_faces_are_drawn_up_to_none():
    assert drawn(order=()) == []


@pytest.mark.parametrize(
    ("pixels", "told"),
    [(0, 0.8), (40, 0.8), (64, 0.8), (181, 0.6), (512, 0.4), (4000, 0.4)],
)
def test_a_large_face_loses_its_share_of_the_strength(pixels, told):
    assert reduced_strength(Sampling(denoising_strength=0.8, denoise_by_size=0.5), pixels) == told


@pytest.mark.parametrize("pixels", [0, 40, 64])
@pytest.mark.parametrize("denoising", [0.02, 0.33, 0.47, 1.0])
def test_a_small_face_keeps_all_its_strength_however_crooked(denoising, pixels):
    assert reduced_strength(Sampling(denoising_strength=denoising, denoise_by_size=0.5), pixels) == denoising


@pytest.mark.parametrize("denoising", [0.01, 0.02, 0.33])
def test_a_small_share_neither_adds_strength_nor_takes_all_of_it(denoising):
    told = {
        reduced_strength(Sampling(denoising_strength=denoising, denoise_by_size=0.01), pixels)
        for pixels in (40, 500, 900)
    }
    assert told == {denoising}


def test_where_size_takes_nothing_away_the_strength_is_exactly_as_given():
    assert {reduced_strength(Sampling(denoising_strength=0.333), pixels) for pixels in (0, 64, 300, 9000)} == {0.333}


shares, sizes = st.floats(0, 1), st.floats(0, 5000)


@given(shares, shares, sizes, sizes)
def test_the_larger_face_never_has_the_greater_strength(denoising, by_size, one, other):
    sampling = Sampling(denoising_strength=denoising, denoise_by_size=by_size)
    assert 0 <= reduced_strength(sampling, max(one, other)) <= reduced_strength(sampling, min(one, other)) <= 1


@given(st.integers(0, 100), shares, sizes)
def test_what_a_strength_is_lessened_by_is_one_of_few_so_that_faces_share_a_run(hundredths, by_size, pixels):
    denoising = hundredths / 100
    found = reduced_strength(Sampling(denoising_strength=denoising, denoise_by_size=by_size), pixels)
    assert found == pytest.approx(max(denoising - round((denoising - found) * 20) / 20, 0), abs=1e-9)
    assert denoising * (1 - by_size) - 0.025 - 1e-9 <= found <= denoising


def test_the_pictures_own_steps_and_sampler_are_those_that_nobody_chose():
    own = GenerationParams("a crowd", steps=20, sampler="Euler", scheduler="Karras", cfg_scale=5.5, clip_skip=2)
    [job, *_] = drawn({"steps": 8, "scheduler": "Simple"}, origin=own)
    told = [getattr(job.treatment, name) for name in ("steps", "sampler", "scheduler", "cfg_scale", "clip_skip")]
    assert told == [8, "Euler", "Simple", 5.5, 2]
