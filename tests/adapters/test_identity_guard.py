"""The identity guard with its real model, on photos: swaps, bad nets, honest restorers, its figures, and its cost."""

import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pil

from lib_facefix import FaceFix, FaceSettings
from lib_facefix.analysis.embedding import Embedder, cut_chip
from lib_facefix.analysis.identity_guard import read_limits
from lib_facefix.errors import BadModel
from lib_facefix.imaging.frames import Upright
from lib_facefix.imaging.resample import warp
from lib_facefix.pipeline.run import fix_faces
from lib_facefix.planning.needs import Needs
from lib_facefix.planning.plan import FixPlan
from lib_facefix.planning.rescale import rescale_plan
from lib_facefix.protocols import Fixed
from lib_facefix.registry import EMBEDDINGS
from lib_facefix.settings.runtime import Runtime

ROOT = Path(__file__).parents[2]
GROUP, SAME_GROUP = ROOT / "examples" / "group.jpg", ROOT / "tests" / "data" / "faceapi_sample5.jpg"
"""A damaged and a good copy of one photo of five people."""
SIDE = 512


def read(path):
    with Pil.open(path) as photo:
        return np.array(photo.convert("RGB"))


@pytest.fixture(scope="module")
def engine():
    return FaceFix()


@pytest.fixture(scope="module")
def group(engine):
    """The damaged photo with its plan, and the undamaged faces, aligned, from left to right."""
    image, good = read(GROUP), read(SAME_GROUP)
    plan = engine.plan(image, FaceSettings(method="restore"))
    jobs = engine.plan(good, FaceSettings(method="restore")).jobs
    assert len(plan.jobs) == len(jobs) == 5
    return image, plan, [warp(good, Upright(SIDE).matrix(job.face), (SIDE, SIDE)) for job in jobs]


class Planted:
    """The engine with another restorer: `work` makes the fixed crop from the crop and the number of the face."""

    def __init__(self, engine, work):
        self.masker, self.judge, self._work = engine.masker, engine.judge, work

    def fixer(self, job):
        return self

    def framing(self, job):
        return Upright(SIDE)

    def batch_key(self, job):
        return "planted"

    def fix(self, crops, jobs):
        for crop, job in zip(crops, jobs, strict=True):
            yield Fixed(self._work(crop.image, job.number), "planted")


def fix(engine, image, plan, work, guard):
    jobs = (replace(job, treatment=job.treatment.but({"guard": guard})) for job in plan.jobs)
    [result] = fix_faces([image], [FixPlan(plan.size, tuple(jobs))], Planted(engine, work))
    return result


def distances(image, after, plan):
    """Return the distance of each face between two images, measured in the images themselves."""
    embedder = Embedder()
    chips = [[cut_chip(one, job.face, embedder) for one in (image, after)] for job in plan.jobs]
    return [float(np.linalg.norm(embedder.embed_chip(one) - embedder.embed_chip(other))) for one, other in chips]


def test_every_swap_in_a_group_is_caught_and_restoring_changes_nobody(engine, group):
    image, plan, good = group
    swapped = fix(engine, image, plan, lambda crop, number: good[number % 5], "report")
    honest = fix(engine, image, plan, lambda crop, number: good[number - 1], "report")
    [restored] = engine.run([image], [plan])
    found = [[one.identity.verdict for one in result.outcomes] for result in (swapped, honest, restored)]
    assert found == [["drifted"] * 5, ["kept"] * 5, ["kept"] * 5]


def make_noise(crop, number):
    """Return what a net with random weights makes of a crop."""
    rng = np.random.default_rng(number)
    kernels = rng.normal(0, 0.4, (3, 3, 7, 7)).astype(np.float32)
    planes = [crop[..., i].astype(np.float32) for i in range(3)]
    channels = [sum(cv2.filter2D(planes[i], -1, kernels[o, i]) for i in range(3)) for o in range(3)]
    return np.clip(np.stack(channels, -1) + 128, 0, 255).astype(np.uint8)


def oversharpen(crop, number):
    blurred = cv2.GaussianBlur(crop, (0, 0), 20).astype(np.float32)
    return np.clip(crop + 15 * (crop - blurred), 0, 255).astype(np.uint8)


def sharpen_finely(crop, number):
    """Return a crop with fine detail that pixels of a small face cannot show."""
    return np.clip(crop + 6.0 * (crop - cv2.GaussianBlur(crop, (0, 0), 4).astype(np.float32)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("work", [pytest.param(None, id="swap"), oversharpen, sharpen_finely, make_noise])
@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_the_figure_is_that_of_the_pixels_in_the_result(engine, group, work, scale):
    image, plan, good = group
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    plan = rescale_plan(plan, small.shape[1::-1])
    result = fix(engine, small, plan, work or (lambda crop, number: good[number % 5]), "report")
    reported = [one.identity.distance for one in result.outcomes]
    assert reported == pytest.approx(distances(small, result.image, plan), abs=0.03 if scale == 1 else 0.05)


@pytest.mark.parametrize("guard", ["back-off", "strict"])
@pytest.mark.parametrize(
    "work",
    [
        pytest.param(make_noise, id="random weights"),
        pytest.param(oversharpen, id="over-sharpened"),
        pytest.param(None, id="swap"),
    ],
)
def test_after_backing_off_every_face_is_within_its_limit_or_left(engine, group, work, guard):
    image, plan, good = group
    result = fix(engine, image, plan, work or (lambda crop, number: good[number % 5]), guard)
    after = distances(image, result.image, plan)
    for outcome, distance in zip(result.outcomes, after, strict=True):
        check = outcome.identity
        if outcome.verdict == "left":
            box = outcome.job.face.box
            rows, columns = slice(round(box.top), round(box.bottom)), slice(round(box.left), round(box.right))
            assert np.array_equal(result.image[rows, columns], image[rows, columns])
        else:
            assert check.verdict in ("kept", "backed off")
            assert check.distance <= check.limit
            assert distance <= check.limit + 0.03
    assert {one.identity.verdict for one in result.outcomes} & {"backed off", "left"}


def test_small_blurred_and_turned_faces_are_unmeasured_and_strict_leaves_them(engine):
    image = read(ROOT / "examples" / "astronaut.jpg")
    small = cv2.resize(image, None, fx=0.2, fy=0.2, interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(image, (0, 0), 8)
    for damaged, why in ((small, "too small"), (blurred, "too blurred")):
        reported, strict = (
            engine.fix([damaged], FaceSettings(method="restore", fidelity=0.3, guard=guard))[0]
            for guard in ("report", "strict")
        )
        assert [one.identity.why.startswith(why) for one in reported.outcomes] == [True]
        assert reported.outcomes[0].verdict == "fixed"
        assert [one.verdict for one in strict.outcomes] == ["left"]
        assert np.array_equal(strict.image, damaged)


def test_the_limits_cover_every_model_and_fall_with_detail_and_with_smaller_size():
    assert read_limits().keys() == set(EMBEDDINGS.names())
    limits = read_limits()["dlib"]
    for knots in (limits.detail, limits.size):
        assert list(knots) == sorted(set(knots))
    assert list(limits.by_detail) == sorted(limits.by_detail, reverse=True)
    assert list(limits.by_size) == sorted(limits.by_size)
    assert limits.find(0.4, 36) == limits.by_size[0]
    assert limits.find(0.1, 48) == limits.find(0.1, 300) == limits.by_detail[0]
    halfway = np.mean(limits.fade) * limits.sharp_detail[1]
    sharp, blurred = limits.by_size[1], np.interp(halfway, limits.detail, limits.by_detail)
    assert limits.find(halfway, 48) == pytest.approx((sharp + blurred) / 2)
    assert 0.2 < limits.by_size[0] < limits.by_detail[0] < 0.6


def test_arcface_is_used_where_the_user_has_it_and_named_where_not(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    engine = FaceFix(Runtime(models=str(tmp_path)))
    with pytest.raises(BadModel, match=r"w600k_r50\.onnx"):
        engine.prepare(Needs.of_settings(FaceSettings(method="restore", guard_model="arcface")))


def test_the_guard_costs_at_most_twice_the_rest_of_the_work_on_a_face(engine, group):
    image, plan, good = group
    one = FixPlan(plan.size, plan.jobs[:1])
    spent = {}
    for guard in ("off", "report") * 6:
        started = time.process_time()
        fix(engine, image, one, lambda crop, number: good[0], guard)
        spent[guard] = min(spent.get(guard, 9.0), time.process_time() - started)
    assert spent["report"] <= 3 * spent["off"]  # benchmarks/identity_guard.py shows the milliseconds
