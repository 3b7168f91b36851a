import re
from dataclasses import replace
from itertools import permutations

import cv2
import numpy as np
import pytest

from lib_facefix.errors import BadSetting
from lib_facefix.planning.plan import FixPlan
from lib_facefix.planning.planner import make_plan, read_override, replan_faces
from lib_facefix.settings.face_prompt import GenerationParams
from lib_facefix.settings.face_settings import FaceSettings
from lib_facefix.types import Box, Face

RESTORE = FaceSettings(method="restore")


def settings(**given):
    return FaceSettings(**{"method": "restore", **given})


@pytest.fixture
def faces(face_at):
    """From left to right: small and sure, large and unsure, middling in the middle; all looked at closely."""
    return (
        replace(face_at(100, 300, size=40, score=0.95), gender="female", age=70),
        replace(face_at(250, 100, size=200, score=0.6), gender="female", age=12),
        replace(face_at(420, 310, size=100, score=0.8), gender="male", age=69),
    )


def fixed(plan):
    return [job.number for job in plan.jobs if job.decision != "leave"]


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_numbers_run_from_left_to_right_whatever_the_detectors_order(picture, faces, order):
    plan = make_plan(picture, [faces[i] for i in order], settings(min_size=50))
    assert {job.number: job.face for job in plan.jobs} == dict(enumerate(faces, start=1))
    assert fixed(plan) == [2, 3]
    assert plan.size == (800, 600)


@pytest.mark.parametrize(
    ("given", "number", "reason"),
    [
        ({"min_size": 50}, 1, "smaller than 50 px (40 px)"),
        ({"max_size": 150}, 2, "larger than 150 px (200 px)"),
        ({"min_share": 0.01}, 1, "covers less than 1.0% of the image (0.33%)"),
        ({"max_share": 0.05}, 2, "covers more than 5.0% of the image (8.33%)"),
        ({"at_most": 2}, 1, "not one of the 2 largest"),
        ({"at_most": 2, "keep_by": "confidence"}, 2, "not one of the 2 most confident"),
        ({"at_most": 2, "keep_by": "centre"}, 1, "not one of the 2 most central"),
        ({"faces": "1,3"}, 2, "not in the selected face numbers (1,3)"),
        ({"gender": "female"}, 3, "looks male"),
        ({"min_age": 13}, 2, "looks younger than 13 (12)"),
        ({"max_age": 69}, 1, "looks older than 69 (70)"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_criterion_leaves_a_face_alone_and_says_why(picture, faces, given, number, reason):
    plan = make_plan(picture, faces, settings(**given))
    assert fixed(plan) == [other for other in (1, 2, 3) if other != number]
    [left] = [job for job in plan.jobs if job.number == number]
    assert left.reason == reason


@pytest.mark.parametrize(("keep_by", "kept"), [("size", 2), ("confidence", 1), ("centre", 3)])
def test_at_most_one_keeps_the_best_by_the_measure(picture, faces, keep_by, kept):
    assert fixed(make_plan(picture, faces, settings(at_most=1, keep_by=keep_by))) == [kept]


def test_a_face_that_was_not_looked_at_closely_is_left_where_its_looks_count(picture, face_at):
    [job] = make_plan(picture, [face_at(100, 300)], settings(min_age=1)).jobs
    assert (job.decision, job.reason) == ("leave", "gender and age are unknown")


def test_a_face_exactly_at_a_limit_is_within(picture, faces):
    assert fixed(make_plan(picture, faces, settings(min_size=40, max_size=200))) == [1, 2, 3]


def test_at_most_counts_only_what_the_other_criteria_let_through(picture, faces):
    assert fixed(make_plan(picture, faces, settings(max_size=150, at_most=1))) == [3]


def test_numbers_that_the_picture_lacks_choose_nothing(picture, faces):
    assert fixed(make_plan(picture, faces, settings(faces="7"))) == []


@pytest.mark.parametrize(
    ("order", "numbers"),
    [("left to right", [1, 2, 3]), ("size", [2, 3, 1]), ("centre", [3, 2, 1]), ("confidence", [1, 3, 2])],
)
def test_jobs_stand_in_the_order_asked_for(picture, faces, order, numbers):
    assert [job.number for job in make_plan(picture, faces, settings(order=order)).jobs] == numbers


def test_an_override_concerns_one_face_alone(picture, faces):
    plan = make_plan(picture, faces, settings(fidelity=0.1), {3: {"fidelity": 0.9}, 2: {"method": "leave"}})
    assert [job.treatment.fidelity for job in plan.jobs] == [0.1, 0.1, 0.9]
    assert [job.decision for job in plan.jobs] == ["restore", "leave", "restore"]
    assert plan.jobs[1].reason == "your choice"


def test_a_method_of_its_own_beats_a_criterion(picture, faces):
    plan = make_plan(picture, faces, FaceSettings(min_size=50), {1: {"method": "restore"}})
    assert (plan.jobs[0].decision, plan.jobs[0].reason) == ("restore", "chosen by you")


def test_a_method_of_its_own_beats_a_criterion_even_if_all_faces_have_it(picture, faces):
    assert 1 in fixed(make_plan(picture, faces, settings(min_size=50), {1: {"method": "restore"}}))


def test_another_setting_of_its_own_does_not_beat_a_criterion(picture, faces):
    assert fixed(make_plan(picture, faces, settings(min_size=50), {1: {"fidelity": 0.9}})) == [2, 3]


def test_an_override_for_a_number_that_is_not_there_does_nothing(picture, faces):
    assert fixed(make_plan(picture, faces, RESTORE, {9: {"method": "leave"}})) == [1, 2, 3]


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"fidelty": 1}, "face 3: unknown setting 'fidelty'"), ({"fidelity": 9}, "face 3: Fidelity must be between")],
    ids=["unknown", "out of range"],
)
def test_a_bad_override_is_refused_with_its_face(picture, faces, changes, said):
    with pytest.raises(BadSetting, match=said):
        make_plan(picture, faces, RESTORE, {3: changes})


def noisy(image):
    return np.clip(image + np.random.default_rng(3).normal(0, 12, image.shape), 0, 255).astype(np.uint8)


def in_jpeg(image):
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 12])[1], cv2.IMREAD_COLOR)


@pytest.mark.parametrize(
    ("change", "size", "decision", "reason"),
    [
        (lambda image: image, 300, "leave", r"already sharp, large, and clean \(\d{3} px of detail\)"),
        (
            lambda image: cv2.GaussianBlur(image, (0, 0), 9),
            300,
            "restore",
            r"enlarged about \d+ times: \d\d px of detail",
        ),
        (lambda image: image, 150, "restore", r"small \(150 px\)"),
        (noisy, 300, "restore", r"(.*, )?noise"),
        (in_jpeg, 300, "restore", r"(.*, )?JPEG blocks"),
    ],
    ids=["sharp and large", "blurred", "sharp but small", "noisy", "JPEG blocks"],
)
def test_auto_leaves_only_what_is_sharp_large_and_clean(leaves, face_at, change, size, decision, reason):
    [job] = make_plan(change(leaves(600, 800)), [face_at(400, 300, size=size)], FaceSettings()).jobs
    assert job.decision == decision
    assert re.fullmatch(reason, job.reason), job.reason
    assert 0 <= job.sharpness <= 1
    assert job.damage.detail <= size * 1.01


def test_without_a_sharpness_threshold_auto_leaves_damaged_faces_too(leaves, face_at):
    [job] = make_plan(noisy(leaves(600, 800)), [face_at(400, 300, size=300)], FaceSettings(sharp_above=0)).jobs
    assert job.decision == "leave"


def test_a_plan_keeps_what_was_seen_when_settings_change(leaves, face_at):
    plan = make_plan(noisy(leaves(600, 800)), [face_at(400, 300, size=300)], FaceSettings())
    [job] = replan_faces(FixPlan.from_json(plan.to_json()), FaceSettings(fidelity=0.1)).jobs
    assert (job.reason, job.damage) == (plan.jobs[0].reason, plan.jobs[0].damage)


def test_a_plan_without_measured_damage_is_decided_by_its_sharpness(leaves, face_at):
    entry = make_plan(leaves(600, 800), [face_at(400, 300, size=300)], FaceSettings()).to_json()
    for sharpness, reason in ((0.31, "not sharp (0.31 < 0.65)"), (0.9, "already sharp, large, and clean")):
        entry["faces"][0] |= {"sharpness": sharpness, "damage": None}
        [job] = replan_faces(FixPlan.from_json(entry), FaceSettings()).jobs
        assert job.reason == reason


ORIGIN = GenerationParams("a girl", "blurry", 100, 7)


@pytest.mark.parametrize(
    ("sigma", "size", "redraw_below", "decision"),
    [
        pytest.param(9, 300, 256, "restore", id="blurred and large"),
        pytest.param(9, 255, 256, "re-diffuse", id="blurred and smaller than the limit"),
        pytest.param(9, 256, 256, "restore", id="blurred and just at the limit"),
        pytest.param(0, 150, 256, "re-diffuse", id="sharp but small"),
        pytest.param(0, 150, 100, "restore", id="small, though not below a lower limit"),
        pytest.param(0, 250, 256, "leave", id="sharp and large, though below the limit"),
        pytest.param(0, 250, 1000, "leave", id="sharp and large, though below a higher limit"),
        pytest.param(9, 300, 1000, "re-diffuse", id="blurred, below a higher limit"),
        pytest.param(9, 20, 0, "restore", id="never"),
    ],
)
@pytest.mark.parametrize("origin", [ORIGIN, None], ids=["origin", "no origin"])
def test_auto_re_diffuses_only_what_it_fixes_is_small_and_has_an_origin(
    leaves, face_at, sigma, size, redraw_below, decision, origin
):
    image = cv2.GaussianBlur(leaves(600, 800), (0, 0), sigma) if sigma else leaves(600, 800)
    wanted = FaceSettings(sharp_above=0.3, redraw_below=redraw_below)
    [job] = make_plan(image, [face_at(400, 300, size=size)], wanted, origin=origin).jobs
    assert job.decision == ("restore" if decision == "re-diffuse" and not origin else decision)


def test_a_re_diffused_face_is_planned_with_all_that_it_will_be_drawn_with(picture, faces):
    wanted = settings(prompt="[PROMPT], smiling [SEP] old", denoising_strength=0.8, denoise_by_size=1.0, padding=0.3)
    plan = make_plan(picture, faces, wanted, {2: {"method": "re-diffuse"}}, ORIGIN)
    assert [job.decision for job in plan.jobs] == ["restore", "re-diffuse", "restore"]
    drawn = plan.jobs[1].treatment
    assert (drawn.prompt, drawn.negative_prompt) == ("old", "blurry")
    assert (drawn.seed, drawn.subseed, drawn.padding) == (101, 7, 0.3)
    assert (drawn.denoising_strength, drawn.denoise_by_size) == (0.35, 0.0)


def test_without_an_origin_a_face_asked_to_be_re_diffused_is_drawn_from_a_blank_one(picture, faces):
    wanted = settings(prompt="old [SEP] [PROMPT], young", denoise_by_size=1.0, denoising_strength=0.8)
    own = {1: {"method": "re-diffuse"}, 2: {"method": "re-diffuse"}}
    one, other, restored = (job.treatment for job in make_plan(picture, faces, wanted, own).jobs)
    assert (one.prompt, one.seed, one.denoising_strength, one.denoise_by_size) == ("old", 0, 0.8, 0.0)
    assert (other.prompt, other.seed, other.denoising_strength) == (", young", 1, 0.35)
    assert restored == wanted.face_treatment()


def test_a_restored_face_that_is_re_diffused_after_all_is_drawn_by_the_same_prompt_and_seed(picture, faces):
    given = {"prompt": "[PROMPT]! [SEP] old", "denoise_by_size": 1.0}
    restored = make_plan(picture, faces, settings(**given), origin=ORIGIN)
    drawn = make_plan(picture, faces, settings(**given | {"method": "re-diffuse"}), origin=ORIGIN)
    told = [job.treatment.but({"method": "auto"}) for job in restored.jobs]
    assert told == [job.treatment.but({"method": "auto"}) for job in drawn.jobs]
    assert [one.prompt for one in told] == ["a girl!", "old", "old"]
    assert [one.seed for one in told] == [100, 101, 102]


@pytest.mark.parametrize("method", ["re-diffuse", "restore", "leave"])
@pytest.mark.parametrize("own", ["[face:0] girl", "[face:fat]", "[SKIP]", "a [SEP] b"])
def test_a_picture_may_have_been_made_from_what_is_no_prompt_for_faces(picture, faces, own, method):
    plan = make_plan(picture, faces, FaceSettings(method=method), origin=GenerationParams(own, own))
    assert [job.decision for job in plan.jobs] == [method] * 3
    assert {(job.treatment.prompt, job.treatment.negative_prompt) for job in plan.jobs} == {(own, own)}


def test_parts_of_a_prompt_go_by_the_order_that_the_settings_ask_for(picture, faces):
    wanted = FaceSettings(method="re-diffuse", prompt="a [SEP] b [SEP] c", order="size")
    jobs = make_plan(picture, faces, wanted, origin=ORIGIN).jobs
    assert [(job.number, job.treatment.prompt) for job in jobs] == [(2, "a"), (3, "b"), (1, "c")]


def test_a_face_that_a_criterion_rules_out_takes_no_part_of_a_prompt(picture, faces):
    wanted = FaceSettings(method="re-diffuse", prompt="a [SEP] b [SEP] [largest] c", max_size=150)
    jobs = make_plan(picture, faces, wanted, origin=ORIGIN).jobs
    assert [job.treatment.prompt for job in jobs if job.decision != "leave"] == ["a", "c"]


def test_an_override_gives_a_face_a_prompt_of_its_own(picture, faces):
    own = {3: {"prompt": "[PROMPT], old"}, 1: {"prompt": "[SKIP]"}}
    jobs = make_plan(picture, faces, FaceSettings(method="re-diffuse", prompt="x"), own, ORIGIN).jobs
    assert [job.decision for job in jobs] == ["leave", "re-diffuse", "re-diffuse"]
    assert [job.treatment.prompt for job in jobs[1:]] == ["x", "a girl, old"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"prompt": "[face:0] x"}, r"\[face:0\] in a face prompt"),
        ({"negative_prompt": "[face:0] x"}, r"\[face:0\] in a face prompt"),
        ({"negative_prompt": "x [SEP] [SKIP]"}, r"\[SKIP\] skips a face"),
    ],
    ids=str,
)
def test_settings_whose_prompt_cannot_be_read_are_refused_before_any_face_is_found(given, said):
    with pytest.raises(BadSetting, match=said):
        FaceSettings(**given)


@pytest.mark.parametrize("name", ["prompt", "negative_prompt"])
@pytest.mark.parametrize("origin", [ORIGIN, None], ids=["origin", "no origin"])
def test_a_prompt_that_cannot_be_read_is_refused(picture, faces, name, origin):
    with pytest.raises(BadSetting, match=r"\[face:0\] in a face prompt"):
        make_plan(picture, faces, RESTORE, {2: {name: "[face:0] x"}}, origin)


@pytest.mark.parametrize("name", ["prompt", "negative_prompt"])
@pytest.mark.parametrize("method", ["re-diffuse", "restore", "leave"])
@pytest.mark.parametrize("number", [2, 9])
def test_a_prompt_that_cannot_be_read_is_refused_with_its_face(picture, faces, name, method, number):
    with pytest.raises(BadSetting, match=rf"face {number}: \[face:0\] in a face prompt"):
        make_plan(picture, faces, FaceSettings(method=method), {number: {name: "[face:0] x"}}, ORIGIN)


@pytest.mark.parametrize("method", ["re-diffuse", "restore", "leave"])
def test_a_method_other_than_auto_is_done(picture, faces, method):
    assert {job.decision for job in make_plan(picture, faces, FaceSettings(method=method)).jobs} == {method}


def test_a_picture_without_faces_gives_an_empty_plan(picture):
    assert make_plan(picture, [], RESTORE, {1: {"method": "leave"}}).jobs == ()


def test_planning_changes_no_pixel(picture, faces):
    before = picture.copy()
    make_plan(picture, faces, FaceSettings())
    assert (picture == before).all()


def test_faces_above_one_another_are_numbered_from_the_top(picture):
    above, below = Face(Box(10, 10, 50, 50), 0.5), Face(Box(10, 200, 50, 240), 0.9)
    assert [job.face for job in make_plan(picture, [below, above], RESTORE).jobs] == [above, below]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("3:fidelity=0.9", (3, {"fidelity": 0.9})),
        (" 12 : method = leave ", (12, {"method": "leave"})),
        ("1:match_colour=False", (1, {"match_colour": False})),
        ("1:match_colour=maybe", (1, {"match_colour": "maybe"})),
        ("1:fidelity=much", (1, {"fidelity": "much"})),
        ("1:unheard_of=5", (1, {"unheard_of": "5"})),
        ("2:prompt= [PROMPT], x=y: z ", (2, {"prompt": "[PROMPT], x=y: z"})),
        ("2:seed=7", (2, {"seed": 7})),
    ],
)
def test_an_override_is_read_from_text(text, read):
    assert read_override(text) == read


@pytest.mark.parametrize("text", ["", "3", "3:fidelity", "fidelity=1", "a:fidelity=1", "3=fidelity:1"])
def test_what_is_no_override_is_refused(text):
    with pytest.raises(BadSetting, match=r"3:fidelity=0\.9"):
        read_override(text)


@pytest.mark.parametrize(
    ("upscale", "size"), [("", None), ("2", (1600, 1200)), ("1000x500", (1000, 500)), ("1", (800, 600))], ids=str
)
def test_the_plan_says_how_large_the_result_will_be(picture, faces, upscale, size):
    plan = make_plan(picture, faces, settings(upscale=upscale, upscaler="x4plus"))
    assert (plan.size, plan.upscaled, plan.upscaler) == ((800, 600), size, "x4plus")


def test_a_picture_too_large_to_be_upscaled_so_far_is_refused(faces):
    image = np.broadcast_to(np.uint8(0), (30_000, 1000, 3))
    with pytest.raises(BadSetting, match="more than 400 million"):
        make_plan(image, [], settings(upscale="4"))
