import json
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest

from lib_facefix.cli.__main__ import main
from lib_facefix.errors import BadPlan, DegenerateLandmarks
from lib_facefix.planning.plan import FaceJob, FixPlan, FixResult, Outcome
from lib_facefix.settings.treatment import Treatment
from lib_facefix.types import Box, Face, Pose

LANDMARKS = np.random.default_rng(1).random((5, 2)) * 1000 / 3


def a_plan(landmarks=LANDMARKS):
    treatment = Treatment(fidelity=1 / 3, mask="box", match_colour=False)
    one = Face(Box(0.1, 1 / 3, 100 / 7, 99.9), 2 / 3, landmarks, tilt=-12.3456789012345)
    other = Face(Box(200.0, 5, 240, 50), 0.5, None)
    return FixPlan(
        (640, 480),
        (
            FaceJob(2, other, "leave", "your choice", Treatment(), Pose(0, 0, 0), 0.9),
            FaceJob(1, one, "restore", "not sharp (0.10), 100 px", treatment, Pose(0.1, -1 / 3, 1e-17), 0.1),
        ),
    )


@pytest.fixture
def written():
    return json.loads(json.dumps(a_plan().to_json(), allow_nan=False))


@pytest.mark.parametrize("landmarks", [LANDMARKS, None], ids=["with landmarks", "without"])
def test_a_plan_read_back_is_the_same_to_the_last_digit(landmarks):
    plan = a_plan(landmarks)
    back = FixPlan.from_json(json.loads(json.dumps(plan.to_json())))

    assert back.size == plan.size
    for one, other in zip(back.jobs, plan.jobs, strict=True):
        for name in ("number", "decision", "reason", "treatment", "pose", "sharpness"):
            assert getattr(one, name) == getattr(other, name), name
        assert (one.face.box, one.face.score, one.face.tilt) == (other.face.box, other.face.score, other.face.tilt)
        assert np.array_equal(one.face.landmarks, other.face.landmarks)
    assert back.to_json() == plan.to_json()


def test_a_face_to_be_re_diffused_is_read_back_with_all_that_it_is_drawn_with():
    drawn = Treatment(
        prompt='a "girl",\n<lora:x:0.7> [cat|dog] [face:2]', negative_prompt="(blurry:1.2)", seed=2**32 - 1, subseed=0,
        denoising_strength=0.35, padding=1 / 3, width=448, height=576, steps=7, cfg_scale=1 / 7, sampler="DPM++ 2M",
        scheduler="Karras", checkpoint="x.safetensors [abc]", vae="None", clip_skip=2, noise_multiplier=-1.0,
    )  # fmt: skip
    job = replace(a_plan().jobs[1], decision="re-diffuse", treatment=drawn)
    back = FaceJob.from_json(json.loads(json.dumps(job.to_json(), allow_nan=False)))
    assert (back.decision, back.treatment) == ("re-diffuse", drawn)
    assert type(back.treatment) is Treatment


@pytest.mark.parametrize("name", ["prompt", "negative_prompt"])
@pytest.mark.parametrize("text", ["[face:0] girl", "[face:fat]", "a [SEP] [SKIP]", "[PROMPT]", " "])
def test_a_prompt_is_read_back_as_it_was_worked_out_whatever_stands_in_it(written, name, text):
    written["faces"][1]["parameters"][name] = text
    job = FixPlan.from_json(written).jobs[1]
    assert getattr(job.treatment, name) == text
    assert job.to_json() == written["faces"][1]


def test_an_edited_decision_and_parameter_are_taken(written):
    written["faces"][0]["decision"] = "restore"
    written["faces"][0]["parameters"] = {"fidelity": 0.2}
    job = FixPlan.from_json(written).jobs[0]
    assert (job.decision, job.treatment) == ("restore", Treatment(fidelity=0.2))


@pytest.mark.parametrize("member", ["size", "faces"])
def test_a_plan_without_a_member_is_refused(written, member):
    del written[member]
    with pytest.raises(BadPlan, match=f"a plan lacks '{member}'"):
        FixPlan.from_json(written)


def test_an_outline_is_kept_where_there_is_one():
    outline = np.array([(1.25, 2), (30, 4), (20.5, 1 / 3)])
    face = replace(a_plan().jobs[0].face, outline=outline)
    plan = replace(a_plan(), jobs=(replace(a_plan().jobs[0], face=face),))

    [job] = FixPlan.from_json(json.loads(json.dumps(plan.to_json()))).jobs

    assert np.array_equal(job.face.outline, outline)
    assert "outline" not in a_plan().to_json()["faces"][0]


def test_what_the_criteria_wanted_to_know_is_kept_where_they_did():
    face = replace(a_plan().jobs[0].face, distance=1 / 3, gender="female", age=40)
    plan = replace(a_plan(), jobs=(replace(a_plan().jobs[0], face=face),))

    [job] = FixPlan.from_json(json.loads(json.dumps(plan.to_json()))).jobs

    assert (job.face.distance, job.face.gender, job.face.age) == (1 / 3, "female", 40)
    assert not {"distance", "gender", "age"} & set(a_plan().to_json()["faces"][0])


@pytest.mark.parametrize(
    ("edited", "said"),
    [
        ({"distance": "far"}, "distance must be a number"),
        ({"age": 30}, "lacks 'gender'"),
        ({"gender": 1, "age": 30}, "gender must be text"),
        ({"gender": "male", "age": "old"}, "age must be a number"),
    ],
    ids=str,
)
def test_what_cannot_be_known_of_a_face_is_refused(edited, said):
    entry = a_plan().to_json()
    entry["faces"][0].update(edited)
    with pytest.raises(BadPlan, match=f"face 2.*{said}"):
        FixPlan.from_json(entry)


@pytest.mark.parametrize("outline", [[], [[1, 2]] * 2, "around", [[1, 2], [3, 4], [5]]], ids=str)
def test_an_outline_of_no_area_or_of_no_points_is_refused(outline):
    entry = a_plan().to_json()
    entry["faces"][0]["outline"] = outline
    with pytest.raises(BadPlan, match="face 2: outline must be three or more"):
        FixPlan.from_json(entry)


@pytest.mark.parametrize("member", ["box", "score", "landmarks", "pose", "sharpness", "decision", "parameters"])
def test_a_face_without_a_member_is_named(written, member):
    del written["faces"][1][member]
    with pytest.raises(BadPlan, match=f"face 1 lacks '{member}'"):
        FixPlan.from_json(written)


@pytest.mark.parametrize(
    ("member", "bad", "said"),
    [
        ("box", [1, 2, 3], r"face 1: box must be \[left, top, right, bottom\]"),
        ("box", [1, 2, 3, None], "face 1: box must be"),
        ("box", [1, 2, 3, float("nan")], "face 1: box must be"),
        ("box", [3, 2, 1, 4], "face 1: box must have left < right"),
        ("box", [1, 2, 3, 2], "face 1: box must have left < right"),
        ("box", "all", "face 1: box must be"),
        ("box", {"left": 1}, "face 1: box must be"),
        ("landmarks", [[1, 2]] * 4, "face 1: landmarks must be five"),
        ("landmarks", [[1, 2]] * 4 + [[1]], "face 1: landmarks must be five"),
        ("landmarks", [], "face 1: landmarks must be five"),
        ("score", "high", "face 1: score must be a number up to 10000000, not 'high'"),
        ("score", True, "face 1: score must be a number"),
        ("score", None, "face 1: score must be a number"),
        ("tilt", [1], "face 1: tilt must be a number"),
        ("sharpness", float("inf"), "face 1: sharpness must be a number"),
        ("pose", None, "face 1 lacks 'yaw'"),
        ("pose", {"yaw": 1, "pitch": 2}, "face 1 lacks 'roll'"),
        ("pose", {"yaw": 1, "pitch": 2, "roll": "x"}, "face 1: roll must be a number"),
        ("decision", "fix", "face 1: decision must be one of restore, re-diffuse, leave; not 'fix'"),
        ("decision", ["restore"], "face 1: decision must be one of"),
        ("parameters", [], "face 1: parameters must be an object"),
        ("parameters", {"fidelity": 2}, "face 1: Fidelity must be between 0 and 1"),
        ("parameters", {"fidelty": 1}, "face 1: unknown setting 'fidelty'"),
        ("parameters", {"restorer": "gone"}, "face 1: Restorer must be one of"),
        ("parameters", {"denoising_strength": 2}, "face 1: Denoising strength must be between 0 and 1"),
        ("parameters", {"seed": 2**32}, "face 1: Seed must be between -1 and"),
        ("parameters", {"seed": 1.0}, "face 1: Seed must be a whole number"),
        ("parameters", {"sampler": None}, "face 1: Sampling method must be text"),
        ("number", "one", "number must be a whole number"),
        ("number", 2, r"two faces have the same number: \[2, 2\]"),
    ],
)
def test_a_broken_member_is_named_with_its_face(written, member, bad, said):
    written["faces"][1][member] = bad
    with pytest.raises(BadPlan, match=said):
        FixPlan.from_json(written)


@pytest.mark.parametrize("number", [1.7, 0, -3])
def test_a_number_that_no_face_can_have_is_refused(written, number):
    written["faces"][1]["number"] = number
    with pytest.raises(BadPlan):
        FixPlan.from_json(written)


@pytest.mark.parametrize(("member", "bad"), [("score", 10**400), ("box", [1, 2, 3, 10**400])], ids=["score", "box"])
def test_a_gigantic_number_is_a_broken_member(written, member, bad):
    written["faces"][1][member] = bad
    with pytest.raises(BadPlan):
        FixPlan.from_json(written)


@pytest.mark.parametrize(
    "bad", [[640], [640, 0], [640.0, 480], ["640", "480"], None, "640x480", [640, 480, 3], [True, True]], ids=str
)
def test_a_size_that_is_none_is_refused(written, bad):
    written["size"] = bad
    with pytest.raises(BadPlan, match=r"size must be \[width, height\]"):
        FixPlan.from_json(written)


@pytest.mark.parametrize("bad", [None, [], "plan", 3], ids=str)
def test_what_is_no_plan_at_all_is_refused(bad):
    with pytest.raises(BadPlan, match="a plan lacks 'size'"):
        FixPlan.from_json(bad)


@pytest.mark.parametrize("bad", [None, 3, "face", []], ids=str)
def test_what_is_no_face_at_all_is_refused(written, bad):
    written["faces"][0] = bad
    with pytest.raises(BadPlan, match="a face lacks 'number'"):
        FixPlan.from_json(written)


def test_faces_must_be_a_list(written):
    written["faces"] = {"1": written["faces"][0]}
    with pytest.raises(BadPlan, match="faces must be a list"):
        FixPlan.from_json(written)


def test_reading_does_not_change_what_is_read(written):
    before = deepcopy(written)
    FixPlan.from_json(written)
    assert written == before


def test_a_result_tells_what_became_of_each_face():
    left, fixed = a_plan().jobs
    outcomes = Outcome(left, "failed", DegenerateLandmarks("no way")), Outcome(fixed, "fixed", seconds=0.123456)
    result = FixResult(np.zeros((48, 64, 3), np.uint8), outcomes)
    told = json.loads(json.dumps(result.to_json()))

    assert told["size"] == [64, 48]
    assert [(face["number"], face["outcome"], face["error"], face["seconds"]) for face in told["faces"]] == [
        (2, "failed", "no way", 0.0),
        (1, "fixed", None, 0.1235),
    ]
    assert result.changed
    assert not FixResult(result.image, outcomes[:1]).changed


@pytest.mark.parametrize(
    ("upscaled", "told"),
    [(None, None), ((1280, 960), {"size": [1280, 960], "upscaler": "x4plus"})],
    ids=["as it is", "enlarged"],
)
def test_an_upscale_is_written_and_read_back(upscaled, told):
    plan = replace(a_plan(), upscaled=upscaled, upscaler="x4plus")
    written = json.loads(json.dumps(plan.to_json()))
    back = FixPlan.from_json(written)
    assert written["upscale"] == told
    assert back.upscaled == upscaled
    assert back.to_json() == plan.to_json()


def test_a_plan_from_before_a_mask_could_be_inverted_is_read(written):
    for face in written["faces"]:
        for name in ("mask_invert", "parser", "occluder"):
            del face["parameters"][name]
    assert FixPlan.from_json(written).to_json() == a_plan().to_json()


def test_a_plan_holds_a_mask_as_it_was_written(written):
    written["faces"][1]["parameters"]["mask"] = "hull - parsing:hair,glasses"
    assert FixPlan.from_json(written).jobs[1].treatment.mask == "hull - parsing:hair,glasses"
    written["faces"][1]["parameters"]["mask"] = "hull - teeth"
    with pytest.raises(BadPlan, match=r"face 1: Mask must be one of hull, .* not 'teeth'"):
        FixPlan.from_json(written)


def test_a_plan_from_before_there_was_upscaling_is_read(written):
    del written["upscale"]
    assert FixPlan.from_json(written).upscaled is None


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("2", "upscale lacks 'size'"),
        ({"size": [2, 2]}, "upscale lacks 'upscaler'"),
        ({"size": 2, "upscaler": "lanczos"}, r"upscale: size must be \[width, height\] in pixels, not 2"),
        ({"size": [0, 2], "upscaler": "lanczos"}, "upscale: size must be"),
        ({"size": [100_000, 100_000], "upscaler": "lanczos"}, "upscale: 100000x100000 px is more than 400 million"),
        ({"size": [2, 2], "upscaler": 4}, "upscale: upscaler must be the name of an upscaler, not 4"),
        ({"size": [2, 2], "upscaler": ""}, "upscale: upscaler must be the name of an upscaler"),
    ],
    ids=str,
)
def test_an_upscale_that_is_none_is_refused(written, bad, said):
    written["upscale"] = bad
    with pytest.raises(BadPlan, match=said):
        FixPlan.from_json(written)


def test_a_result_tells_what_enlarged_it_and_what_ran():
    _, fixed = a_plan().jobs
    outcome = Outcome(fixed, "fixed", engine="OpenVINO 2026.4 bf16")
    image = np.zeros((96, 128, 3), np.uint8)
    told = json.loads(json.dumps(FixResult(image, (outcome,), (64, 48), "lanczos", "Pillow 13").to_json()))
    assert (told["size"], told["result_size"]) == ([64, 48], [128, 96])
    assert told["upscale"] == {"size": [128, 96], "upscaler": "lanczos", "engine": "Pillow 13"}
    assert told["faces"][0]["engine"] == "OpenVINO 2026.4 bf16"

    plain = FixResult(image, (outcome,)).to_json()
    assert (plain["size"], plain["result_size"], plain["upscale"]) == ([128, 96], [128, 96], None)


@pytest.mark.parametrize("depth", [40, 900, 100_000])
@pytest.mark.parametrize("before", ["", '{"version": 1, "pictures": [{"path": ', '{"version": 1, "pictures": '])
def test_a_plan_file_that_is_nested_deep_is_told_in_a_sentence(tmp_path, capsys, depth, before):
    file = tmp_path / "plan.json"
    after = {"": "", "{": "}]}"}.get(before[:1], "") if before.endswith('"path": ') else "}" if before else ""
    file.write_text(before + "[" * depth + "]" * depth + after)
    assert main(["fix", "a.jpg", "--plan", str(file), "-o", str(tmp_path / "b.jpg")]) == 2
    assert "nested too deeply" in capsys.readouterr().err


@pytest.mark.parametrize(
    "change", [{"number": 10**4000}, {"number": "9" * 5000}, {"decision": [[]] * 10**5}, {"sharpness": "a" * 10**6}]
)
def test_values_that_are_too_long_are_told_in_short(written, change):
    written["faces"][0] |= change
    with pytest.raises(BadPlan) as told:
        FixPlan.from_json(written)
    assert len(str(told.value)) < 500
