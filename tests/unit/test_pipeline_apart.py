"""Faces fixed each by itself: the same pixels as in runs of their own, with all faces in one batch of the net."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lib_facefix.errors import BadPlan, FaceFixError
from lib_facefix.facefix import FaceFix
from lib_facefix.fixers.lite import Lite
from lib_facefix.settings.face_settings import FaceSettings

GROUP = Path(__file__).parents[1] / "data" / "faceapi_sample4.jpg"


@pytest.fixture(scope="module")
def photo():
    return np.asarray(Image.open(GROUP).convert("RGB"))


@pytest.fixture(scope="module")
def plan(photo):
    plan = FaceFix().plan(photo, FaceSettings(method="restore", fidelity=0.0))
    assert len(plan.jobs) == 4
    return plan


def laid(image, face):
    """Return the image with the pixels of a face that was fixed by itself."""
    result = image.copy()
    height, width = face.pixels.shape[:2]
    result[face.top : face.top + height, face.left : face.left + width] = face.pixels
    return result


def test_each_face_has_the_pixels_of_a_run_of_its_own(photo, plan):
    engine, before = FaceFix(), photo.copy()
    faces = engine.fix_apart(photo, plan)
    assert [face.outcome.job.number for face in faces] == [job.number for job in plan.jobs]
    assert (photo == before).all()
    for face, job in zip(faces, plan.jobs, strict=True):
        [alone] = engine.run([photo], [replace(plan, jobs=(job,))])
        assert face.outcome.verdict == "fixed"
        assert np.abs(laid(photo, face).astype(int) - alone.image).max() <= 1  # the net rounds by the batch
        rows, columns = np.nonzero((alone.image != photo).any(2))
        assert abs(face.top - rows.min()) <= 1
        assert abs(face.left + face.pixels.shape[1] - 1 - columns.max()) <= 1


def test_all_faces_are_one_batch_even_if_they_meet(photo, plan, monkeypatch):
    batches, fix = [], Lite.fix

    def count(self, crops, jobs):
        batches.append(len(crops))
        return fix(self, crops, jobs)

    monkeypatch.setattr(Lite, "fix", count)
    first = plan.jobs[0]
    twin = replace(first, number=5)
    faces = FaceFix().fix_apart(photo, replace(plan, jobs=(*plan.jobs, twin)))
    assert batches == [5]
    assert (faces[0].pixels == faces[4].pixels).all()  # the second is not cut from the result of the first


def test_a_face_that_fails_leaves_the_others_as_they_are(photo, plan):
    first, *others = plan.jobs
    bad = replace(first, treatment=first.treatment.but({"restorer": "missing.pth"}))
    failed, *fixed = FaceFix().fix_apart(photo, replace(plan, jobs=(bad, *others)))
    assert (failed.outcome.verdict, failed.pixels.shape) == ("failed", (0, 0, 3))
    assert isinstance(failed.outcome.error, FaceFixError)
    assert [face.outcome.verdict for face in fixed] == ["fixed"] * 3


def test_stopped_before_the_first_round_nothing_is_changed(photo, plan):
    class Stop:
        def step(self, done, total, doing):
            raise AssertionError("no face was to be fixed")

        def should_stop(self):
            return True

    faces = FaceFix().fix_apart(photo, plan, Stop())
    assert {(face.outcome.verdict, face.pixels.size) for face in faces} == {("left", 0)}


@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_stop_inside_the_round_leaves_the_faces_behind_as_they_were(photo, plan, monkeypatch, after):
    told, fixed, fix = [], [], Lite.fix

    class Stop:
        def step(self, done, total, doing):
            told.append((done, total, doing))

        def should_stop(self):
            return len(told) == after

    def count(self, crops, jobs):
        for one in fix(self, crops, jobs):
            fixed.append(one)
            yield one

    monkeypatch.setattr(Lite, "fix", count)
    whole = FaceFix().fix_apart(photo, plan)
    told.clear(), fixed.clear()
    faces = FaceFix().fix_apart(photo, plan, Stop())
    assert [face.outcome.verdict for face in faces] == ["fixed"] * after + ["left"] * (4 - after)
    assert [face.outcome.error for face in faces] == [None] * 4
    assert told == [(number, 4, f"face {number} fixed") for number in range(1, after + 1)]
    assert len(fixed) == after, "the net was run for faces behind the stop"
    for face, same in zip(faces[:after], whole[:after], strict=True):
        assert (laid(photo, face) == laid(photo, same)).all()
    assert [face.pixels.shape for face in faces[after:]] == [(0, 0, 3)] * (4 - after)


def test_a_plan_of_another_size_is_refused(photo, plan):
    with pytest.raises(BadPlan, match="Create a new plan"):
        FaceFix().fix_apart(photo[:-1], plan)
