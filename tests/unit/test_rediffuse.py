from dataclasses import dataclass, field, fields, replace

import cv2
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from lib_facefix.errors import BadCrop, BadSetting, DegenerateLandmarks, FaceFixError, Stopped
from lib_facefix.fixers.rediffuse import MAX_FACES_PER_RUN, Rediffuse, fit_size
from lib_facefix.imaging.align import transform_points
from lib_facefix.imaging.blend import paste
from lib_facefix.imaging.quality import pose
from lib_facefix.maskers.shape import EllipseMasker
from lib_facefix.pipeline.run import fix_faces
from lib_facefix.planning.plan import FaceJob, FixPlan
from lib_facefix.planning.planner import make_plan
from lib_facefix.settings.face_prompt import GenerationParams
from lib_facefix.settings.face_settings import FaceSettings
from lib_facefix.settings.sampling import Sampling
from lib_facefix.settings.treatment import Treatment
from lib_facefix.types import Box, Face, Pose

PLAIN = Treatment(match_colour=False)
RED = (255, 0, 0)


@dataclass(eq=False)
class Negative:
    """A `Diffuser` that turns crops into their negatives, far beyond the mask, and remembers its runs."""

    native: int = 64
    engine = "a darkroom"
    room: int = 1000
    """Crops that memory takes."""
    blind: frozenset = frozenset()
    """Numbers of the faces of which it makes no picture."""
    stopped_in: int = 0
    """The run, from 1, in which the person stops it."""
    runs: list = field(default_factory=list)

    def shares(self, job):
        return job.treatment.negative_prompt.count("long")

    def redraw(self, items, sampling):
        self.runs.append((list(items), sampling))
        if len(self.runs) == self.stopped_in:
            raise Stopped("stopped")
        if len(items) > self.room:
            raise MemoryError("too many")
        if self.blind & {item.number for item in items}:
            raise BadCrop("nothing but NaN")
        return [self.drawn(item) for item in items]

    def drawn(self, item):
        return 255 - item.image

    @property
    def asked(self):
        """The numbers of the faces of each run."""
        return [[item.number for item in items] for items, _ in self.runs]


class WithinTheMask(Negative):
    def drawn(self, item):
        return np.where(item.mask[..., None] > 0, 255 - item.image, item.image)


@dataclass
class Parts:
    made: Rediffuse

    def fixer(self, job):
        return self.made

    def masker(self, job):
        return EllipseMasker()

    def judge(self, job):
        return None


def job_for(face, number=1, treatment=PLAIN):
    return FaceJob(number, face, "re-diffuse", "", treatment, pose(face), 0.5)


def plan_for(image, faces, treatment=PLAIN, **own):
    """Make a plan; own: settings of single faces, as `_2={"steps": 5}`."""
    numbered = enumerate(faces, start=1)
    jobs = (job_for(face, n, treatment.but(own.get(f"_{n}", {}))) for n, face in numbered)
    return FixPlan(image.shape[1::-1], tuple(jobs))


def fix(image, plan, diffuser, most=MAX_FACES_PER_RUN):
    [result] = fix_faces([image], [plan], Parts(Rediffuse(diffuser, most)))
    return result


def verdicts(result):
    return [outcome.verdict for outcome in result.outcomes]


@pytest.fixture
def row(face_at):
    """Make so many faces that do not meet."""

    def make(count):
        return [face_at(60 + 95 * (i % 8), 100 + 200 * (i // 8), size=50) for i in range(count)]

    return make


def test_two_faces_in_each_of_four_pictures_take_one_run_of_eight(picture, face_at):
    faces, diffuser = [face_at(200, 300), face_at(600, 250, size=40)], Negative()
    images = [np.ascontiguousarray(np.roll(picture, 50 * i, axis=0)) for i in range(4)]
    results = fix_faces(images, [plan_for(image, faces) for image in images], Parts(Rediffuse(diffuser)))
    assert diffuser.asked == [[1, 2] * 4]
    assert [verdicts(result) for result in results] == [["fixed", "fixed"]] * 4
    assert {outcome.engine for result in results for outcome in result.outcomes} == {"a darkroom"}
    for image, result in zip(images, results, strict=True):
        assert (result.image == fix(image, plan_for(image, faces), Negative(), most=1).image).all()


def test_a_run_is_asked_for_each_faces_own_prompts_and_seeds(picture, row):
    own = {"_2": {"prompt": "old", "negative_prompt": "hat", "seed": 7, "subseed": 8}}
    diffuser = Negative()
    fix(picture, plan_for(picture, row(2), PLAIN.but({"prompt": "young", "seed": 1, "subseed": 0}), **own), diffuser)
    [(items, sampling)] = diffuser.runs
    told = [(item.number, item.prompt, item.negative_prompt, item.seed, item.subseed) for item in items]
    assert told == [(1, "young", "", 1, 0), (2, "old", "hat", 7, 8)]
    assert all(item.image.shape == (64, 64, 3) and item.mask.shape == (64, 64) for item in items)
    assert type(sampling) is Sampling


APART = {
    "denoising_strength": 0.7,
    "width": 128,
    "height": 128,
    "steps": 5,
    "cfg_scale": 3.0,
    "sampler": "Euler",
    "scheduler": "Karras",
    "checkpoint": "other",
    "vae": "other",
    "clip_skip": 2,
    "noise_multiplier": 0.5,
}
TOGETHER = {
    "prompt": "old",
    "negative_prompt": "hat",
    "seed": 5,
    "subseed": 5,
    "padding": 1.0,
    "upright_above": 0.0,
    "denoise_by_size": 0.5,
    "prompt_mode": "append",
    "keep_loras": False,
}


@pytest.mark.parametrize(("name", "value"), APART.items(), ids=str)
def test_faces_that_differ_in_what_a_run_shares_take_a_run_each(picture, row, name, value):
    diffuser = Negative()
    fix(picture, plan_for(picture, row(3), _2={name: value}), diffuser)
    assert diffuser.asked == [[1, 3], [2]]
    if name not in ("width", "height"):
        assert [getattr(sampling, name) for _, sampling in diffuser.runs] == [getattr(PLAIN, name), value]


@pytest.mark.parametrize(("name", "value"), [*TOGETHER.items(), ("fidelity", 0.1), ("mask_grow", 0.1)], ids=str)
def test_faces_that_differ_in_what_is_their_own_share_a_run(picture, row, name, value):
    diffuser = Negative()
    fix(picture, plan_for(picture, row(3), _2={name: value}), diffuser)
    assert diffuser.asked == [[1, 2, 3]]


def test_every_setting_of_sampling_is_shared_by_a_run_or_each_faces_own():
    assert {one.name for one in fields(Sampling)} == APART.keys() | TOGETHER.keys()
    assert Treatment(**APART, **TOGETHER).run_settings() == Sampling(**APART | {"width": 0, "height": 0})


def test_faces_that_the_diffuser_keeps_apart_take_a_run_each(picture, row):
    diffuser = Negative()
    fix(picture, plan_for(picture, row(3), _1={"negative_prompt": "long, long"}), diffuser)
    assert diffuser.asked == [[1], [2, 3]]


def test_the_diffuser_is_asked_once_a_face_what_its_run_shares(picture, row):
    class Counting(Negative):
        told = 0

        def shares(self, job):
            self.told += 1
            return job.number % 8

    diffuser = Counting()
    fix(picture, plan_for(picture, row(24)), diffuser)
    assert (diffuser.told, len(diffuser.runs)) == (24, 8)


def test_a_face_of_which_the_diffuser_cannot_say_what_its_run_shares_fails_alone(picture, row):
    class Choosy(Negative):
        def shares(self, job):
            if job.number == 2:
                raise BadSetting("no such LoRA")

    diffuser = Choosy()
    result = fix(picture, plan_for(picture, row(3)), diffuser)
    assert verdicts(result) == ["fixed", "failed", "fixed"]
    assert str(result.outcomes[1].error) == "no such LoRA"
    assert diffuser.asked == [[1, 3]]


@pytest.mark.parametrize(("most", "sizes"), [(16, [8]), (8, [8]), (3, [3, 3, 2]), (1, [1] * 8)])
def test_a_run_has_at_most_as_many_faces_as_it_may(picture, row, most, sizes):
    diffuser, plan = Negative(), plan_for(picture, row(8))
    assert verdicts(fix(picture, plan, diffuser, most)) == ["fixed"] * 8
    assert list(map(len, diffuser.asked)) == sizes
    assert [number for numbers in diffuser.asked for number in numbers] == list(range(1, 9))


class AfterFaceTwo:
    """Says stop once two faces are done."""

    done = 0

    def step(self, done, total, doing):
        self.done = done

    def should_stop(self):
        return self.done >= 2


def test_a_stop_keeps_all_faces_that_a_run_has_drawn(picture, row):
    diffuser, plan = Negative(), plan_for(picture, row(8))
    [result] = fix_faces([picture], [plan], Parts(Rediffuse(diffuser, 3)), AfterFaceTwo())
    assert diffuser.asked == [[1, 2, 3]]
    assert verdicts(result) == ["fixed"] * 3 + ["left"] * 5


def test_a_run_that_memory_does_not_take_is_halved_until_it_does_and_that_is_remembered(picture, row):
    diffuser, plan = Negative(room=3), plan_for(picture, row(8))
    parts = Parts(Rediffuse(diffuser))
    [first] = fix_faces([picture], [plan], parts)
    assert list(map(len, diffuser.asked)) == [8, 4, 2, 2, 2, 2]
    assert verdicts(first) == ["fixed"] * 8

    diffuser.runs.clear()
    [again] = fix_faces([picture], [plan], parts)
    assert list(map(len, diffuser.asked)) == [2, 2, 2, 2]
    assert (again.image == first.image).all()
    assert (again.image == fix(picture, plan, Negative()).image).all()


def test_what_memory_does_not_take_of_large_crops_does_not_limit_small_ones(picture, row):
    class OfPixels(Negative):
        def redraw(self, items, sampling):
            self.room = 3 if items[0].image.shape[0] == 512 else 1000
            return super().redraw(items, sampling)

    diffuser = OfPixels()
    fix(picture, plan_for(picture, row(12), **{f"_{number}": {"width": 512} for number in range(1, 5)}), diffuser)
    assert diffuser.asked == [[1, 2, 3, 4], [1, 2], [3, 4], [5, 6, 7, 8, 9, 10, 11, 12]]


def test_where_memory_takes_not_even_one_face_all_fail_with_a_sentence_and_keep_their_bytes(picture, row):
    result = fix(picture, plan_for(picture, row(3)), Negative(room=0))
    assert verdicts(result) == ["failed"] * 3
    assert all(type(outcome.error) is FaceFixError for outcome in result.outcomes)
    assert "out of memory" in str(result.outcomes[0].error)
    assert (result.image == picture).all()


@pytest.mark.parametrize("blind", [{1}, {4}, {6}, {2, 5}, {1, 2, 3, 4, 5, 6}], ids=str)
@pytest.mark.parametrize("room", [1000, 2])
def test_a_face_of_which_no_picture_comes_fails_alone(picture, row, blind, room):
    faces = row(6)
    result = fix(picture, plan_for(picture, faces), Negative(blind=frozenset(blind), room=room))
    assert {outcome.job.number for outcome in result.outcomes if outcome.verdict == "failed"} == blind
    assert {str(outcome.error) for outcome in result.outcomes} <= {"nothing but NaN", "None"}
    others = plan_for(picture, faces)
    others = replace(others, jobs=tuple(job for job in others.jobs if job.number not in blind))
    assert (result.image == fix(picture, others, Negative()).image).all()


def test_behind_a_face_of_which_no_picture_comes_the_others_share_a_run_again(picture, row):
    diffuser = Negative(blind=frozenset([2]))
    fix(picture, plan_for(picture, row(6)), diffuser)
    assert diffuser.asked[-1] == [3, 4, 5, 6]


def test_behind_a_run_without_pictures_runs_grow_again_to_as_many_as_they_may(picture, row):
    class OnceBlind(Negative):
        def redraw(self, items, sampling):
            self.blind = frozenset() if self.runs else frozenset([1])
            return super().redraw(items, sampling)

    diffuser = OnceBlind()
    assert verdicts(fix(picture, plan_for(picture, row(24)), diffuser, most=8)) == ["fixed"] * 24
    assert list(map(len, diffuser.asked)) == [8, 4, 8, 8, 4]


NO_PICTURES = {
    "none": lambda drawn: None,
    "of another size": lambda drawn: drawn[:5, :5],
    "of another type": lambda drawn: drawn.astype(np.float64),
    "not a number": lambda drawn: np.full_like(drawn, np.nan, np.float32),
    "not a number in one place": lambda drawn: np.pad(
        drawn[1:] * np.float32(1), ((1, 0), (0, 0), (0, 0)), constant_values=np.inf
    ),
}


@pytest.mark.parametrize("spoil", NO_PICTURES.values(), ids=NO_PICTURES)
def test_a_single_answer_that_is_no_picture_fails_its_face_alone_and_costs_no_further_run(picture, row, spoil):
    class OneBad(Negative):
        def drawn(self, item):
            return spoil(super().drawn(item)) if item.number == 2 else super().drawn(item)

    diffuser = OneBad()
    result = fix(picture, plan_for(picture, row(6)), diffuser)
    assert diffuser.asked == [[1, 2, 3, 4, 5, 6]]
    assert verdicts(result) == ["fixed", "failed", *["fixed"] * 4]
    assert type(result.outcomes[1].error) is BadCrop
    assert "returned no image" in str(result.outcomes[1].error)
    others = plan_for(picture, row(6))
    others = replace(others, jobs=tuple(job for job in others.jobs if job.number != 2))
    assert (result.image == fix(picture, others, Negative()).image).all()


MISCOUNTS = {
    "none": lambda answers: [],
    "the last alone": lambda answers: answers[-1:],
    "one too many": lambda answers: [answers[-1], *answers],
}


@pytest.mark.parametrize("miscount", MISCOUNTS.values(), ids=MISCOUNTS)
def test_a_run_with_more_or_fewer_pictures_than_faces_lands_on_no_face_and_is_done_again(picture, row, miscount):
    class OnceWrong(Negative):
        def redraw(self, items, sampling):
            answers = super().redraw(items, sampling)
            return miscount(answers) if len(self.runs) == 1 else answers

    diffuser, plan = OnceWrong(), plan_for(picture, row(4))
    result = fix(picture, plan, diffuser, most=2)
    assert diffuser.asked == [[1, 2], [1], [2, 3], [4]]
    assert verdicts(result) == ["fixed"] * 4
    assert (result.image == fix(picture, plan, Negative()).image).all()


def test_a_diffuser_that_never_gives_as_many_pictures_as_faces_fails_each_with_a_sentence(picture, row):
    class Wrong(Negative):
        def redraw(self, items, sampling):
            return super().redraw(items, sampling)[1:]

    result = fix(picture, plan_for(picture, row(3)), Wrong())
    assert [str(outcome.error) for outcome in result.outcomes] == ["The model returned 0 images for 1 faces."] * 3
    assert (result.image == picture).all()


def test_a_face_whose_box_has_no_extent_fails_alone(picture, row):
    faces = row(3)
    faces[1] = replace(faces[1], box=Box(50, 50, 50, 50))
    result = fix(picture, plan_for(picture, faces, PLAIN.but({"padding": 0.0})), Negative())
    assert verdicts(result) == ["fixed", "failed", "fixed"]
    assert type(result.outcomes[1].error) is DegenerateLandmarks


@pytest.mark.parametrize(("stopped_in", "fixed"), [(1, 0), (2, 3), (3, 6)])
def test_what_is_done_before_a_stop_is_kept_and_the_rest_is_left(picture, row, stopped_in, fixed):
    faces = row(8)
    result = fix(picture, plan_for(picture, faces), Negative(stopped_in=stopped_in), most=3)
    assert verdicts(result) == ["fixed"] * fixed + ["left"] * (8 - fixed)
    assert {outcome.error for outcome in result.outcomes} == {None}
    assert (result.image == fix(picture, plan_for(picture, faces[:fixed]), Negative()).image).all()


def test_after_a_stop_no_further_run_is_asked_for(picture, row):
    diffuser = Negative(stopped_in=1)
    result = fix(picture, plan_for(picture, row(3), _2={"steps": 5}, _3={"steps": 6}), diffuser)
    assert diffuser.asked == [[1]]
    assert verdicts(result) == ["left"] * 3


def test_a_stop_while_looking_for_the_face_without_a_picture_keeps_those_before_it(picture, row):
    diffuser = Negative(blind=frozenset([4]), stopped_in=4)
    assert verdicts(fix(picture, plan_for(picture, row(4)), diffuser)) == ["fixed", "fixed", "left", "left"]


def test_of_two_overlapping_faces_the_second_is_drawn_later_and_sees_the_first_ones_result(picture, face_at):
    pair, diffuser = [face_at(300, 300), face_at(340, 300)], Negative()
    both = fix(picture, plan_for(picture, pair), diffuser).image
    first = fix(picture, plan_for(picture, pair[:1]), Negative()).image
    alone = Negative()
    second = fix(first, plan_for(first, pair[1:]), alone).image
    assert diffuser.asked == [[1], [2]]
    assert (diffuser.runs[1][0][0].image == alone.runs[0][0][0].image).all()
    assert (both == second).all()


def test_faces_share_a_run_where_one_is_seen_in_the_others_crop_but_not_changed_by_it(picture, face_at):
    pair, diffuser = [face_at(200, 300, size=60), face_at(320, 300, size=60)], Negative()
    plan = plan_for(picture, pair, PLAIN.but({"padding": 1.0}))
    one, other = (Rediffuse(diffuser).framing(job).extent(job.face)[0] / 2 for job in plan.jobs)
    assert one + other > 120
    fix(picture, plan, diffuser)
    assert diffuser.asked == [[1, 2]]
    for item, job in zip(diffuser.runs[0][0], plan.jobs, strict=True):
        alone = Negative()
        fix(picture, replace(plan, jobs=(job,)), alone)
        assert (item.image == alone.runs[0][0][0].image).all()


FRAMES = pytest.mark.parametrize(
    ("degrees", "size"),
    [(0, {}), (0, {"width": 96, "height": 64}), (45, {}), (90, {"width": 64, "height": 128}), (-170, {"padding": 0.0})],
    ids=str,
)


@FRAMES
def test_outside_the_mask_that_the_diffuser_was_given_no_byte_changes(picture, face_at, degrees, size):
    diffuser, plan = Negative(), plan_for(picture, [face_at(300, 200, degrees=degrees)], PLAIN.but(size))
    result = fix(picture, plan, diffuser)
    [([item], _)] = diffuser.runs
    rows, columns = np.indices(picture.shape[:2])
    matrix = Rediffuse(diffuser).framing(plan.jobs[0]).matrix(plan.jobs[0].face)
    places = np.floor(transform_points(np.column_stack([columns.ravel(), rows.ravel()]) + 0.5, matrix)).astype(int)
    shown = np.pad(cv2.dilate((item.mask > 0).astype(np.uint8), np.ones((5, 5))), 1)  # what interpolation reaches
    height, width = item.mask.shape
    places = np.clip(places, -1, (width, height)) + 1
    reached = shown[places[:, 1], places[:, 0]].reshape(picture.shape[:2]) > 0
    changed = (result.image != picture).any(2)
    assert changed.sum() > 3000
    assert not (changed & ~reached).any()


@FRAMES
def test_the_mask_that_the_diffuser_is_given_is_the_one_pasted_by(picture, face_at, degrees, size):
    diffuser, plan = Negative(), plan_for(picture, [face_at(300, 200, degrees=degrees)], PLAIN.but(size))
    result = fix(picture, plan, diffuser)
    [([item], _)], expected = diffuser.runs, picture.copy()
    matrix = Rediffuse(diffuser).framing(plan.jobs[0]).matrix(plan.jobs[0].face)
    paste(expected, 255 - item.image, item.mask, matrix, base=item.image)
    assert (result.image == expected).all()
    assert (result.image == fix(picture, plan, WithinTheMask()).image).all()


@pytest.mark.parametrize(("added", "seen"), [(0.0, 0), (0.4, 0), (0.6, 1), (2.0, 2), (-0.6, -1)])
def test_fractions_that_a_diffuser_knows_are_rounded_once_where_the_mask_shows_all(face_at, added, seen):
    class Brighter(Negative):
        def drawn(self, item):
            return item.image + np.float32(added)

    grey = np.full((400, 600, 3), 128, np.uint8)
    changed = fix(grey, plan_for(grey, [face_at(300, 200)]), Brighter()).image.astype(int) - 128
    assert (changed[190:210, 290:310] == seen).all()
    assert sorted(np.unique(changed)) == sorted(range(min(seen, 0), max(seen, 0) + 1))


@pytest.mark.parametrize("match", [False, True])
def test_a_diffuser_that_knows_no_fractions_may_answer_in_floats_all_the_same(picture, row, match):
    class Floats(Negative):
        def drawn(self, item):
            return super().drawn(item).astype(np.float32)

    plan = plan_for(picture, row(2), PLAIN.but({"match_colour": match}))
    floats, bytes_ = (fix(picture, plan, diffuser).image.astype(int) for diffuser in (Floats(), Negative()))
    assert np.abs(floats - bytes_).max() <= (1 if match else 0)
    assert (floats != picture).any()


@pytest.mark.parametrize("degrees", [45, 90, 180, -170])
def test_a_head_that_is_tilted_far_is_drawn_upright(picture, face_at, degrees):
    up = np.radians(degrees - 90)
    above = round(300 + 60 * np.cos(up)), round(200 + 60 * np.sin(up))
    cv2.circle(picture, above, 8, RED, -1)  # where the hair begins
    diffuser = Negative(native=256)
    fix(picture, plan_for(picture, [face_at(300, 200, size=120, degrees=degrees)]), diffuser)
    [([item], _)] = diffuser.runs
    [y, x] = np.argwhere((np.abs(item.image.astype(int) - RED) < 40).all(2)).mean(0)
    assert (x, y) == pytest.approx((128, 64), abs=3)


@pytest.mark.parametrize(
    ("roll", "above", "degrees"),
    [
        pytest.param(24.9, 25.0, 0.0, id="a little"),
        pytest.param(25.0, 25.0, 0.0, id="just as far as the limit"),
        pytest.param(25.1, 25.0, 25.1, id="further"),
        pytest.param(-30.0, 25.0, -30.0, id="anticlockwise"),
        pytest.param(-170.0, 25.0, -170.0, id="on its head"),
        pytest.param(3.0, 0.0, 3.0, id="always"),
        pytest.param(180.0, 180.0, 0.0, id="never"),
    ],
)
def test_only_a_head_tilted_further_than_the_limit_is_turned(face_at, roll, above, degrees):
    job = replace(job_for(face_at(300, 200), treatment=PLAIN.but({"upright_above": above})), pose=Pose(0, 0, roll))
    assert Rediffuse(Negative()).framing(job).degrees == degrees


@pytest.mark.parametrize(
    ("given", "size"),
    [
        ({}, (512, 512)),
        ({"width": 768}, (768, 768)),
        ({"height": 640}, (640, 640)),
        ({"width": 640, "height": 768}, (640, 768)),
        ({"width": 500, "height": 509}, (496, 512)),
        ({"width": 1}, (64, 64)),
        ({"width": 4096, "height": 9}, (4096, 64)),
    ],
    ids=str,
)
def test_the_size_is_what_was_asked_for_in_whole_pixels_of_the_latent_or_the_models_own(face_at, given, size):
    job = job_for(face_at(300, 200), treatment=PLAIN.but({"padding": 0.25, **given}))
    framing = Rediffuse(Negative(native=512)).framing(job)
    assert (framing.size, framing.margin) == (size, 0.25)


@pytest.mark.parametrize(
    ("box", "padding", "size"),
    [
        pytest.param((100, 100), 0.5, (512, 512), id="square"),
        pytest.param((100, 110), 0.0, (512, 512), id="nearly square"),
        pytest.param((100, 120), 0.0, (448, 576), id="tall"),
        pytest.param((120, 100), 0.0, (576, 448), id="broad"),
        pytest.param((100, 120), 0.5, (512, 512), id="tall, with much room"),
        pytest.param((10, 1000), 0.0, (448, 576), id="a slit"),
    ],
)
@pytest.mark.parametrize("native", [512, 1024])
def test_a_fitted_size_has_the_shape_nearest_to_that_of_the_face_with_its_room(box, padding, size, native):
    face = Face(Box(7, 9, 7 + box[0], 9 + box[1]), 0.9)
    framing = Rediffuse(Negative(native=native)).framing(job_for(face, treatment=PLAIN.but({"padding": padding})))
    assert framing.size == (size[0] * native // 512, size[1] * native // 512)


@pytest.mark.parametrize(
    ("roll", "size"),
    [(0, (576, 448)), (30, (576, 448)), (60, (448, 576)), (90, (448, 576)), (-90, (448, 576)), (180, (576, 448))],
)
def test_a_broad_box_is_drawn_tall_where_the_head_lies_and_is_turned_upright(roll, size):
    job = job_for(Face(Box(200, 150, 400, 250), 0.9, tilt=roll), treatment=PLAIN.but({"padding": 0.0}))
    diffuser = Rediffuse(Negative(native=512))
    assert diffuser.framing(job).size == size
    never = replace(job, treatment=job.treatment.but({"upright_above": 180.0}))
    assert diffuser.framing(never).size == (576, 448)


sides = st.integers(10, 400)
quarters = st.sampled_from([-90, 0, 90, 180])


@given(sides, sides, st.floats(0, 2), quarters)
def test_a_crop_shows_the_whole_box_and_its_room_also_of_a_head_that_lies(width, height, padding, roll):
    box = Box(200, 150, 200 + width, 150 + height)
    job = job_for(Face(box, 0.9, tilt=roll), treatment=PLAIN.but({"padding": padding}))
    framing = Rediffuse(Negative(native=512)).framing(job)
    room = padding * box.size
    around = Box(box.left - room, box.top - room, box.right + room, box.bottom + room)
    seen = transform_points(around.corners, framing.matrix(job.face)) / framing.size
    assert (seen > -1e-9).all()
    assert (seen < 1 + 1e-9).all()
    assert (seen.min(0) < 1e-9).any()  # and no more than its shape makes it


@given(st.floats(10, 400), st.floats(10, 400))
def test_a_fitted_size_lies_on_its_side_where_the_extent_does(width, height):
    across, down = fit_size((width, height), 512)
    assert fit_size((height, width), 512) == (down, across)


@pytest.mark.parametrize("extent", [(0, 0), (0, 5), (5, 0), (-5, 5), (np.nan, 5), (5, np.nan)], ids=str)
def test_what_has_no_extent_is_fitted_with_the_models_own_square(extent):
    assert fit_size(extent, 512) == (512, 512)


def test_a_plan_written_and_read_asks_for_the_same(picture, face_at):
    faces = [face_at(150, 150, size=70, degrees=40), face_at(420, 300, size=200), face_at(690, 450)]
    wanted = FaceSettings(
        method="re-diffuse", prompt="[PROMPT], old [SEP] young", denoise_by_size=0.5, denoising_strength=0.63, seed=-1
    )
    origin = GenerationParams("a crowd", "blurry", 2**32 - 2, 5)
    plan = make_plan(picture, faces, wanted, {2: {"prompt": "[PROMPT]!", "padding": 1 / 3}}, origin)
    asked = []
    for one in (plan, FixPlan.from_json(plan.to_json())):
        diffuser = Negative()
        assert verdicts(fix(picture, one, diffuser)) == ["fixed"] * 3
        asked.append([(item, sampling) for items, sampling in diffuser.runs for item in items])

    assert [item.prompt for item, _ in asked[0]] == ["a crowd, old", "a crowd!", "young"]
    assert [item.seed for item, _ in asked[0]] == [2**32 - 2, 2**32 - 1, 0]
    for (item, sampling), (read, read_sampling) in zip(*asked, strict=True):
        assert sampling == read_sampling
        for name in ("prompt", "negative_prompt", "seed", "subseed", "number"):
            assert getattr(item, name) == getattr(read, name)
        assert (item.image == read.image).all()
        assert (item.mask == read.mask).all()
