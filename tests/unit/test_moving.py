"""A plan moved to its picture at another size."""

from dataclasses import replace

import numpy as np
import pytest

from lib_facefix.planning.plan import FaceJob, FixPlan
from lib_facefix.planning.rescale import CROPPED, rescale_plan
from lib_facefix.settings.treatment import Treatment
from lib_facefix.types import Box, Face, Mesh, Pose


def a_job(number, left, top, side=60.0, **face):
    box = Box(left, top, left + side, top + side)
    landmarks = np.array([(left + x * side, top + y * side) for x, y in [(0.3, 0.4), (0.7, 0.4), (0.5, 0.6)] * 2][:5])
    face = Face(box, 0.9, landmarks, tilt=3.0, **face)
    return FaceJob(number, face, "restore", "small (60 px)", Treatment(fidelity=0.9), Pose(1, 2, 3), 0.4)


@pytest.fixture
def plan():
    """Two faces in a picture of 640 x 480."""
    return FixPlan((640, 480), (a_job(2, 400, 100), a_job(1, 20, 200)))


def test_the_same_size_is_the_same_plan(plan):
    assert rescale_plan(plan, (640, 480)) is plan


@pytest.mark.parametrize("factor", [2, 4, 0.5])
def test_a_scaled_picture_has_every_position_scaled(plan, factor):
    scaled = rescale_plan(plan, (int(640 * factor), int(480 * factor)))
    assert scaled.size == (640 * factor, 480 * factor)
    for before, after in zip(plan.jobs, scaled.jobs, strict=True):
        assert after.face.box.corners == pytest.approx(before.face.box.corners * factor)
        assert after.face.landmarks == pytest.approx(before.face.landmarks * factor)


def test_numbers_decisions_and_settings_stay(plan):
    scaled = rescale_plan(plan, (1280, 960))
    kept = [(job.number, job.decision, job.reason, job.treatment, job.pose, job.sharpness) for job in plan.jobs]
    assert [
        (job.number, job.decision, job.reason, job.treatment, job.pose, job.sharpness) for job in scaled.jobs
    ] == kept


def test_sides_rounded_down_to_a_multiple_of_eight_are_no_cropping(plan):
    odd = replace(plan, size=(427, 321), jobs=(a_job(1, 367, 261),))
    [job] = rescale_plan(odd, (848, 640)).jobs
    assert (job.face.box.right, job.face.box.bottom) == pytest.approx((848, 640))


@pytest.mark.parametrize(
    ("size", "box"),
    [
        pytest.param((960, 960), Box(640, 200, 760, 320), id="a square out of the middle: 160 px gone on each side"),
        pytest.param((1280, 640), Box(800, 40, 920, 160), id="a strip: 160 px gone above and below"),
    ],
)
def test_what_was_cut_off_to_fit_was_cut_off_on_both_sides(plan, size, box):
    assert rescale_plan(plan, size).jobs[0].face.box == box


def test_a_face_that_was_cut_off_is_left(plan):
    cropped = rescale_plan(plan, (480, 480))
    assert [(job.number, job.decision) for job in cropped.jobs] == [(2, "restore"), (1, "leave")]
    assert cropped.jobs[1].reason == CROPPED
    assert plan.jobs[1].decision == "restore"


def test_the_mesh_moves_with_its_depth(plan):
    mesh = Mesh(np.full((468, 3), (430.0, 120.0, 10.0)), 1.0)
    meshed = replace(plan, jobs=(a_job(1, 400, 100, mesh=mesh),))
    [job] = rescale_plan(meshed, (1280, 960)).jobs
    assert job.face.mesh.points == pytest.approx(np.full((468, 3), (860.0, 240.0, 20.0)))


def test_a_moved_plan_is_as_good_in_json(plan):
    scaled = rescale_plan(plan, (1280, 960))
    assert FixPlan.from_json(scaled.to_json()).to_json() == scaled.to_json()
