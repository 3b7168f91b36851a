"""Several faces redrawn as one: in one crop, inside all their masks."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from test_rediffuse import PLAIN, Negative, Parts, WithinTheMask, fix, plan_for, verdicts

from lib_facefix.errors import BadModel
from lib_facefix.faces import Pose
from lib_facefix.fixers.rediffuse import Rediffuse
from lib_facefix.maskers.shape import EllipseMasker
from lib_facefix.pipeline import fix_faces

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
    assert [note.endswith(f"redrawn as one with {n}") for note, n in zip(notes, (2, 1, 0), strict=True)] == [
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
    assert result.outcomes[0].note.endswith("redrawn as one with 3")
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
