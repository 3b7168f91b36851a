"""Several faces redrawn as one: in one crop, inside all their masks."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from test_rediffuse import PLAIN, Negative, Parts, WithinTheMask, fix, plan_for, verdicts

from lib_facefix.errors import BadModel
from lib_facefix.fixers.rediffuse import Rediffuse
from lib_facefix.maskers.shape import EllipseMasker
from lib_facefix.pipeline.batching import Task, make_rounds, meetings
from lib_facefix.pipeline.run import fix_faces, masks_of
from lib_facefix.planning.grouping import group_jobs
from lib_facefix.planning.planner import make_plan
from lib_facefix.settings.face_prompt import GenerationParams
from lib_facefix.settings.face_settings import FaceSettings
from lib_facefix.types import Pose

MERGED = PLAIN.but({"mask_merge": True})


@pytest.fixture
def pair(face_at):
    """Two faces that nearly touch, and one far away."""
    return [face_at(200, 300, size=90), face_at(310, 320, size=90), face_at(650, 120, size=60)]


def changed(before, after):
    return (before != after).any(2)


def test_merged_faces_are_asked_for_as_one_with_the_firsts_prompt_and_seed(picture, pair):
    diffuser = Negative()
    own = {"_1": {"prompt": "twins", "seed": 7}, "_3": {"mask_merge": False}}
    result = fix(picture, plan_for(picture, pair, MERGED, **own), diffuser)
    asked = [(item.number, item.prompt, item.seed) for items, _ in diffuser.runs for item in items]
    assert asked == [(1, "twins", 7), (3, "", 0)]
    assert verdicts(result) == ["fixed"] * 3
    notes = [outcome.note for outcome in result.outcomes]
    assert [note.endswith(f"re-diffused together with {n}") for note, n in zip(notes, (2, 1, 0), strict=True)] == [
        True, True, False,
    ]  # fmt: skip


def test_what_changes_is_what_would_change_of_each_alone(picture, pair):
    two = pair[:2]
    merged = fix(picture, plan_for(picture, two, MERGED), WithinTheMask(native=512))
    alone = fix(picture, plan_for(picture, two, PLAIN), WithinTheMask(native=512))
    one, other = changed(picture, merged.image), changed(picture, alone.image)
    assert (one & other).sum() > 0.97 * max(one.sum(), other.sum())


def test_the_crop_shows_all_of_them_upright(picture, pair):
    diffuser = Negative(native=256)
    plan = plan_for(picture, pair, MERGED)
    tilted = replace(plan, jobs=tuple(replace(job, pose=Pose(0, 0, 80)) for job in plan.jobs))
    fix(picture, tilted, diffuser)
    [([item], _)] = diffuser.runs
    count, _, stats, _ = cv2.connectedComponentsWithStats((item.mask > 0.99).astype(np.uint8))
    assert count - 1 == 3
    widths = sorted(stats[1:, cv2.CC_STAT_WIDTH])
    assert widths[0] / widths[-1] == pytest.approx(60 / 90, abs=0.1)


def test_nothing_outside_all_masks_changes(picture, pair):
    result = fix(picture, plan_for(picture, pair, MERGED), Negative(native=256))
    y, x = np.nonzero(changed(picture, result.image))
    away = [np.hypot(x - face.box.centre[0], y - face.box.centre[1]) / face.box.size for face in pair]
    assert np.min(away, 0).max() < 0.9


def test_a_face_that_has_no_mask_fails_alone(picture, pair):
    class Some(Parts):
        def masker(self, job):
            if job.number == 2:
                raise BadModel("no mask for this one")
            return EllipseMasker()

    image = picture.copy()
    [result] = fix_faces([image], [plan_for(image, pair, MERGED)], Some(Rediffuse(Negative(native=256))))
    assert verdicts(result) == ["fixed", "failed", "fixed"]
    assert result.outcomes[0].note.endswith("re-diffused together with 3")
    left, top, right, bottom = (int(edge) for edge in (275, 275, 345, 365))
    assert not changed(image, result.image)[top:bottom, left:right].all()


def test_where_no_picture_came_out_all_of_them_keep_their_bytes(picture, pair):
    result = fix(picture, plan_for(picture, pair, MERGED), Negative(blind=frozenset({1})))
    assert verdicts(result) == ["failed"] * 3
    assert not changed(picture, result.image).any()


def test_inverted_none_of_the_faces_changes(picture, pair):
    inverted = MERGED.but({"mask_invert": True, "mask_grow": 0.1})
    result = fix(picture, plan_for(picture, pair[:2], inverted), Negative(native=512))
    away = changed(picture, result.image)
    assert away.any()
    for face in pair[:2]:
        x, y = map(int, face.box.centre)
        reach = int(0.45 * face.box.size)
        assert not away[y - reach : y + reach, x - reach // 2 : x + reach // 2].any()


@pytest.mark.parametrize("shown", [(1.0, 0.0), (0.0, 1.0), (0.5, 1.0)], ids=str)
def test_each_shows_as_much_as_its_own_visibility_says(picture, pair, shown):
    own = {f"_{n}": {"visibility": share} for n, share in enumerate(shown, start=1)}
    result = fix(picture, plan_for(picture, pair[:2], MERGED, **own), Negative(native=512))
    for face, share in zip(pair, shown, strict=False):
        x, y = map(int, face.box.centre)
        was, now = picture[y, x].astype(float), result.image[y, x].astype(float)
        assert now == pytest.approx(was + share * (255 - 2 * was), abs=8)


def test_what_is_shown_of_a_plan_is_what_it_changes(picture, pair):
    inverted = MERGED.but({"mask_invert": True, "mask_grow": 0.1})
    for treatment in (MERGED, inverted):
        plan = plan_for(picture, pair[:2], treatment)
        parts = Parts(Rediffuse(Negative(native=512)))
        [result] = fix_faces([picture], [plan], parts)
        shown = masks_of(picture, plan, parts)
        assert not changed(picture, result.image)[shown == 0].any()
        assert changed(picture, result.image)[shown > 0.5].mean() > 0.95


def test_inverted_a_face_that_has_no_mask_still_fails_alone(picture, pair):
    class Some(Parts):
        def masker(self, job):
            if job.number == 2:
                raise BadModel("no mask for this one")
            return EllipseMasker()

    plan = plan_for(picture, pair, MERGED, _1={"mask_invert": True})
    [result] = fix_faces([picture], [plan], Some(Rediffuse(Negative(native=256))))
    assert verdicts(result) == ["fixed", "failed", "fixed"]


def test_a_mask_is_made_once_for_each_of_many_that_are_inverted(picture, face_at):
    asked = []

    class Counting(Parts):
        def masker(self, job):
            asked.append(job.number)
            return EllipseMasker()

    faces = [face_at(60 + 70 * i, 200, size=40) for i in range(8)]
    plan = plan_for(picture, faces, MERGED.but({"mask_invert": True}))
    fix_faces([picture], [plan], Counting(Rediffuse(Negative(native=256))))
    assert sorted(asked) == list(range(1, 9))


def test_what_may_be_touched_holds_the_masks_that_leave_their_faces(picture, pair):
    """The second one's mask fills the crop, in which a third face lies that is not merged."""
    plan = plan_for(picture, [pair[0], pair[2], pair[1]], MERGED, _2={"mask": "person"}, _3={"mask_merge": False})
    parts = Parts(Rediffuse(Negative(native=256)))
    merged, alone = (Task.make(0, jobs, parts) for jobs in group_jobs(plan.jobs))
    assert meetings([merged, alone])[alone] == [merged]
    assert [len(now) for now in make_rounds([merged, alone])] == [1, 1]


def test_upscaled_they_are_pasted_where_they_are_then(picture, pair):
    plan = plan_for(picture, pair[:2], MERGED)
    larger = cv2.resize(picture, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    before = larger.copy()
    diffuser = WithinTheMask(native=512)
    [result] = fix_faces([picture], [plan], Parts(Rediffuse(diffuser)), onto=[larger])
    small = fix(picture, plan, WithinTheMask(native=512))
    away = changed(before, result.image)[::2, ::2]
    assert (away == changed(picture, small.image)).mean() > 0.99
    assert diffuser.asked == [[1]]


@pytest.mark.parametrize("merged", [True, False])
def test_the_plan_says_what_they_are_drawn_by(picture, pair, merged):
    settings = FaceSettings(
        method="re-diffuse", mask_merge=merged, prompt="red [SEP] blue", denoising_strength=0.8, denoise_by_size=1.0
    )
    plan = make_plan(picture, pair[:2], settings, origin=GenerationParams("a crowd", seed=5))
    told = [(job.treatment.prompt, job.treatment.seed) for job in plan.jobs]
    assert told == ([("red", 5)] * 2 if merged else [("red", 5), ("blue", 6)])
    [strength] = {job.treatment.denoising_strength for job in plan.jobs}
    assert strength == (0.35 if merged else 0.65)  # by the size of both together


def test_restoring_is_never_merged(picture, pair):
    plan = plan_for(picture, pair, MERGED)
    restored = replace(plan, jobs=tuple(replace(job, decision="restore") for job in plan.jobs))
    diffuser = Negative()
    fix(picture, restored, diffuser)
    assert sorted(number for numbers in diffuser.asked for number in numbers) == [1, 2, 3]


def test_faces_of_two_pictures_stay_apart(picture, pair):
    diffuser = Negative()
    other = np.ascontiguousarray(picture[::-1])
    plans = [plan_for(image, pair, MERGED) for image in (picture, other)]
    results = fix_faces([picture, other], plans, Parts(Rediffuse(diffuser)))
    assert diffuser.asked == [[1, 1]]
    assert [verdicts(result) for result in results] == [["fixed"] * 3] * 2
