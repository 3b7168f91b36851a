import math
from dataclasses import dataclass, field, replace
from itertools import product
from types import SimpleNamespace

import cv2
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from lib_facefix.errors import BadCrop, BadModel, DegenerateLandmarks, FaceFixError, Stopped
from lib_facefix.imaging.boxes import overlap
from lib_facefix.imaging.frames import Surrounded, Upright
from lib_facefix.maskers.shape import EllipseMasker
from lib_facefix.pipeline.batching import Task, make_rounds, meetings
from lib_facefix.pipeline.run import fix_faces
from lib_facefix.planning.plan import FaceJob, FixPlan
from lib_facefix.protocols import Fixed
from lib_facefix.settings.treatment import Treatment
from lib_facefix.types import Box, Face, Mesh, Pose

RED = (255, 0, 0)
HARD = Treatment(mask_feather=0.0, match_colour=False)
NOTHING = object()
"""What `Painter` is to be spoiled with where it is to give no picture."""


def is_red(pixels):
    """Return where pixels are red, give or take what finer detail was there before."""
    return (np.abs(np.asarray(pixels, int) - RED) <= 16).all(-1)


@dataclass(eq=False)
class Painter:
    """A fixer whose work is easy to see; paints `colour`, or for each job what `spoil` says."""

    frame: object = Upright(128)
    colour: tuple = RED
    batches: list = field(default_factory=list)
    spoil: dict = field(default_factory=dict)

    def framing(self, job):
        return self.frame

    def batch_key(self, job):
        return job.treatment.fidelity

    def fix(self, crops, jobs):
        self.batches.append([job.number for job in jobs])
        for crop, job in zip(crops, jobs, strict=True):
            spoiled = self.spoil.get(job.number)
            if isinstance(spoiled, Exception):
                raise spoiled
            if isinstance(spoiled, str):
                return
            if spoiled is NOTHING:
                yield Fixed(None, "a brush")
            else:
                yield Fixed(np.full_like(crop.image, self.colour) if spoiled is None else spoiled, "a brush")


class Same(Painter):
    """Gives each crop back as it came."""

    def fix(self, crops, jobs):
        return iter([Fixed(crop.image.copy(), "nothing") for crop in crops])


class Blurrer(Painter):
    """Gives each crop back blurred: what it does depends on what it sees."""

    def fix(self, crops, jobs):
        self.batches.append([job.number for job in jobs])
        yield from (Fixed(cv2.GaussianBlur(crop.image, (0, 0), 5), "a lens") for crop in crops)


class Disc:
    def mask(self, crop, face):
        height, width = crop.image.shape[:2]
        y, x = np.indices((height, width)) + 0.5
        return (np.hypot(x - width / 2, y - height / 2) <= min(width, height) / 4).astype(np.float32)


@dataclass
class Parts:
    made: object
    hopeless: frozenset = frozenset()

    def fixer(self, job):
        if job.number in self.hopeless:
            raise BadModel("its model is gone")
        return self.made

    def masker(self, job):
        return Disc()

    def judge(self, job):
        return None


def plan_for(image, faces, treatment=HARD, decision="restore"):
    jobs = (FaceJob(n, face, decision, "", treatment, Pose(0, 0, 0), 0.5) for n, face in enumerate(faces, start=1))
    return FixPlan(image.shape[1::-1], tuple(jobs))


def fix(image, faces, made, treatment=HARD, **more):
    [result] = fix_faces([image], [plan_for(image, faces, treatment)], Parts(made), **more)
    return result


@pytest.fixture
def three(face_at):
    return [face_at(150, 150), face_at(400, 300, degrees=40), face_at(650, 450)]


FRAMES = {
    "upright": Upright(256),
    "surrounded": Surrounded(256, margin=0.0),
    "surrounded, turned": Surrounded(256, margin=0.0, degrees=30),
    "surrounded, broad": Surrounded((320, 256), margin=0.0, degrees=90),
    "surrounded, tall": Surrounded((256, 400), margin=0.0, degrees=-170),
}
every_frame = pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)


@every_frame
def test_paint_lands_on_the_face_and_nowhere_else(picture, face_at, frame):
    image = fix(picture, [face_at(300, 200, degrees=30)], Painter(frame)).image
    rows, columns = np.indices(picture.shape[:2]) + 0.5
    distance = np.hypot(columns - 300, rows - 200)
    assert is_red(image[distance < 27]).all()
    assert (image[distance > 33] == picture[distance > 33]).all()


@every_frame
def test_a_face_at_the_edge_is_fixed_too(picture, face_at, frame):
    result = fix(picture, [face_at(5, 5)], Painter(frame))
    assert result.outcomes[0].verdict == "fixed"
    assert is_red(result.image[0, 0])


frames = st.sampled_from([Upright(128), Surrounded(128), Surrounded((96, 160), 0.2, 75.0), Surrounded((136, 64), 2.0)])


@given(st.floats(-300, 1100), st.floats(-300, 900), st.floats(2, 900), st.floats(0, 360), frames)
def test_an_unchanged_crop_leaves_the_picture_byte_for_byte(x, y, size, degrees, frame):
    image = np.random.default_rng(6).integers(0, 256, (300, 400, 3), np.uint8)
    face = Face(Box(x, y, x + size, y + size), 0.9, np.random.default_rng(7).random((5, 2)) * size + (x, y), degrees)
    result = fix(image, [face], Same(frame), Treatment(mask_feather=0.3))
    assert result.outcomes[0].verdict == "fixed"
    assert (result.image == image).all()


FAILURES = {
    "no landmarks": ({}, DegenerateLandmarks),
    "the fixer raises": ({2: BadModel("too hard")}, BadModel),
    "out of memory": ({2: MemoryError("too much")}, FaceFixError),
    "a fault in OpenCV": ({2: cv2.error("insufficient memory")}, FaceFixError),
    "the fixer stops early": ({2: "nothing more"}, BadCrop),
    "a crop of another size": ({2: np.zeros((64, 64, 3), np.uint8)}, BadCrop),
    "a crop of another type": ({2: np.zeros((128, 128, 3), np.float64)}, BadCrop),
    "a crop of what is no number": ({2: np.full((128, 128, 3), np.nan, np.float32)}, BadCrop),
    "a crop of what is infinite": ({2: np.full((128, 128, 3), np.inf, np.float32)}, BadCrop),
    "no crop": ({2: NOTHING}, BadCrop),
    "no fixer": ({}, BadModel),
}


@pytest.mark.parametrize("how", FAILURES)
def test_one_hopeless_face_does_not_spoil_the_others(picture, three, how):
    spoil, kind = FAILURES[how]
    if how == "no landmarks":
        three[1] = replace(three[1], landmarks=None)
    parts = Parts(Painter(spoil=spoil), frozenset([2] if how == "no fixer" else []))

    [result] = fix_faces([picture], [plan_for(picture, three)], parts)

    assert [outcome.verdict for outcome in result.outcomes] == ["fixed", "failed", "fixed"]
    assert type(result.outcomes[1].error) is kind
    assert str(result.outcomes[1].error)
    assert (result.image[200:400, 300:500] == picture[200:400, 300:500]).all()
    assert is_red(result.image[150, 150])
    assert is_red(result.image[450, 650])


@pytest.mark.parametrize(
    ("how", "batches"),
    [
        ("the fixer raises", [[1, 2, 3], [3]]),
        ("out of memory", [[1, 2, 3], [3]]),
        ("a crop of another size", [[1, 2, 3]]),
        ("a crop of what is no number", [[1, 2, 3]]),
        ("no crop", [[1, 2, 3]]),
        ("no landmarks", [[1, 3]]),
        ("no fixer", [[1, 3]]),
    ],
)
def test_a_fixer_is_asked_again_only_where_it_went_no_further(picture, three, how, batches):
    if how == "no landmarks":
        three[1] = replace(three[1], landmarks=None)
    painter = Painter(spoil=FAILURES[how][0])
    parts = Parts(painter, frozenset([2] if how == "no fixer" else []))
    fix_faces([picture], [plan_for(picture, three)], parts)
    assert painter.batches == batches


def test_a_face_whose_company_cannot_be_told_fails_alone(picture, three):
    class Choosy(Painter):
        def batch_key(self, job):
            if job.number == 2:
                raise BadModel("cannot say")
            return "paint"

    result = fix(picture, three, Choosy())
    assert [outcome.verdict for outcome in result.outcomes] == ["fixed", "failed", "fixed"]
    assert str(result.outcomes[1].error) == "cannot say"


def test_a_fixer_is_asked_once_for_the_key_of_each_face(picture, face_at):
    class Counting(Painter):
        def batch_key(self, job):
            asked.append(job.number)
            return job.number % 3

    asked, faces = [], [face_at(60 + 95 * i, 100 + 60 * (i % 2), size=80) for i in range(8)]
    fix(picture, faces, Counting())
    assert asked == [1, 2, 3, 4, 5, 6, 7, 8]


def test_a_masker_that_fails_fails_its_face_alone(picture, three):
    class NoMask(Parts):
        def masker(self, job):
            if job.number == 1:
                raise FaceFixError("no mask")
            return Disc()

    [result] = fix_faces([picture], [plan_for(picture, three)], NoMask(Painter()))
    assert [outcome.verdict for outcome in result.outcomes] == ["failed", "fixed", "fixed"]


def test_a_fixer_that_fails_before_it_yields_spoils_nothing_else(picture, three):
    class Eager(Painter):
        def fix(self, crops, jobs):
            if jobs[0].number == 1:
                raise BadModel("at once")
            return iter([Fixed(np.full_like(crop.image, RED), "a brush") for crop in crops])

    result = fix(picture, three, Eager())
    assert [outcome.verdict for outcome in result.outcomes] == ["failed", "fixed", "fixed"]


def test_a_mistake_in_the_code_is_not_hidden(picture, three):
    with pytest.raises(ZeroDivisionError):
        fix(picture, three, Painter(spoil={2: ZeroDivisionError()}))


def test_a_face_that_is_left_keeps_its_bytes_and_asks_nothing(picture, three):
    painter = Painter()
    [result] = fix_faces([picture], [plan_for(picture, three, decision="leave")], Parts(painter))
    assert [outcome.verdict for outcome in result.outcomes] == ["left"] * 3
    assert painter.batches == []
    assert not result.changed
    assert (result.image == picture).all()


def test_the_pictures_given_are_never_changed(picture, three):
    before = picture.copy()
    assert fix(picture, three, Painter()).changed
    assert (picture == before).all()


def test_faces_of_several_pictures_share_a_round(picture, three):
    painter = Painter()
    fix_faces([picture, picture], [plan_for(picture, three), plan_for(picture, three[:2])], Parts(painter))
    assert painter.batches == [[1, 2, 3, 1, 2]]


def test_faces_of_different_settings_take_a_pass_each(picture, three):
    painter, plan = Painter(), plan_for(picture, three)
    other = replace(plan.jobs[1], treatment=HARD.but({"fidelity": 0.1}))
    fix_faces([picture], [replace(plan, jobs=(plan.jobs[0], other, plan.jobs[2]))], Parts(painter))
    assert painter.batches == [[1, 3], [2]]


def test_the_later_of_two_overlapping_faces_sees_the_earlier_ones_result(picture, face_at):
    blurrer = Blurrer()
    pair = [face_at(300, 300), face_at(340, 300)]
    both = fix(picture, pair, blurrer).image
    step_by_step = fix(fix(picture, pair[:1], Blurrer()).image, pair[1:], Blurrer()).image
    assert blurrer.batches == [[1], [2]]
    assert (both == step_by_step).all()


def boxes_and_keys():
    one = st.tuples(st.integers(0, 2), st.integers(0, 400), st.integers(0, 400), st.integers(5, 120), st.integers(0, 2))
    return st.lists(one, max_size=14)


@given(boxes_and_keys())
def test_rounds_keep_meeting_faces_apart_and_in_order(given_tasks):
    painter = Painter()
    tasks = []
    for number, (where, x, y, size, key) in enumerate(given_tasks):
        face = Face(Box(x, y, x + size, y + size), 0.9)
        job = FaceJob(number, face, "restore", "", Treatment(fidelity=key / 2), Pose(0, 0, 0), 0.5)
        tasks.append(Task.make(where, (job,), Parts(painter)))

    done = list(make_rounds(tasks))

    assert sorted(task.asked.number for together in done for task in together) == list(range(len(tasks)))
    when = {task.asked.number: i for i, together in enumerate(done) for task in together}
    for together in done:
        assert len({task.key for task in together}) == 1
    for i, one in enumerate(tasks):
        for other in tasks[i + 1 :]:
            meet = one.picture == other.picture and overlap(one.reach, other.reach) > 0
            assert meet == (one in meetings(tasks)[other])
            if meet:
                assert when[one.asked.number] < when[other.asked.number]


class Watched(SimpleNamespace):
    """A task that counts how often it is asked what it may touch."""

    __hash__ = object.__hash__
    looks = 0

    @property
    def reach(self):
        self.looks += 1
        return Box(self.x, 0, self.x + 60, 50)


def test_many_faces_are_sorted_into_rounds_without_comparing_them_pair_by_pair():
    tasks = [Watched(picture=0, key=0, x=50 * number) for number in range(2000)]
    done = list(make_rounds(tasks))
    assert [len(together) for together in done] == [1] * 2000
    assert {task.looks for task in tasks} == {1}


class Ellipses(Parts):
    def masker(self, job):
        return EllipseMasker()


EDGES = [{}, {"mask_feather": -1.0}, {"mask_grow": 0.3}, {"mask_x": 0.4, "mask_y": -0.3}]


@pytest.mark.parametrize(("width", "height"), [(120, 120), (40, 120)])
@pytest.mark.parametrize("degrees", [0, 45, 90])
def test_a_fixed_face_stays_within_its_reach(width, height, degrees):
    image = np.zeros((600, 600, 3), np.uint8)
    box = Box(300 - width / 2, 300 - height / 2, 300 + width / 2, 300 + height / 2)
    painter = Painter(Surrounded(256, margin=1.0))
    plan = plan_for(image, [Face(box, 0.9, tilt=degrees)], Treatment(match_colour=False))

    [result] = fix_faces([image], [plan], Ellipses(painter))

    reach = Task.make(0, plan.jobs, Parts(painter)).reach
    top, left = np.argwhere(result.image.any(2)).min(0)
    bottom, right = np.argwhere(result.image.any(2)).max(0) + 1
    assert math.floor(reach.left) <= left < right <= math.ceil(reach.right)
    assert math.floor(reach.top) <= top < bottom <= math.ceil(reach.bottom)


def test_no_face_however_small_or_large_changes_a_byte_outside_its_reach():
    cases = product((30, 120, 700), (0.0, 0.5, 2.0), (0, 45, 90), EDGES)
    for size, margin, degrees, changes in cases:
        image = np.zeros((4 * size, 4 * size, 3), np.uint8)
        face = Face(Box(1.5 * size, 1.5 * size, 2.5 * size, 2.5 * size), 0.9, tilt=degrees)
        painter, plan = Painter(Surrounded(512, margin)), plan_for(image, [face], HARD.but(changes))
        [result] = fix_faces([image], [plan], Ellipses(painter))
        reach = Task.make(0, plan.jobs, Parts(painter)).reach
        changed = np.argwhere(result.image.any(2))
        assert (changed.min(0) >= (reach.top, reach.left)).all(), (size, margin, degrees, changes)
        assert (changed.max(0) < (reach.bottom, reach.right)).all(), (size, margin, degrees, changes)


def test_a_mesh_that_passes_the_box_belongs_to_the_reach(face_at):
    points = np.array([(300.0, 200.0, 0.0), (450.0, 180.0, 5.0), (310.0, 40.0, -9.0)])
    face = replace(face_at(300, 200), mesh=Mesh(points, 0.9))
    image = np.zeros((600, 800, 3), np.uint8)
    [reach, bare] = [
        Task.make(0, plan_for(image, [one]).jobs, Parts(Painter())).reach for one in (face, replace(face, mesh=None))
    ]
    assert reach.right - bare.right == pytest.approx(450 - (300 + 0.62 * 120))
    assert bare.top - reach.top == pytest.approx(200 - 0.62 * 120 - 40)
    assert (reach.left, reach.bottom) == (bare.left, bare.bottom)


@pytest.mark.parametrize(
    ("changes", "more"),
    [
        ({"mask_grow": 0.25}, 30),
        ({"mask_grow": -0.25}, 0),
        ({"mask_feather": 0.5}, 60),
        ({"mask_x": -0.5, "mask_y": 0.25}, 60),
        ({"mask_grow": 0.25, "mask_feather": 0.5, "mask_y": 1.0}, 210),
    ],
    ids=str,
)
def test_a_mask_that_is_grown_softened_or_moved_reaches_further(face_at, changes, more):
    image, parts = np.zeros((600, 800, 3), np.uint8), Parts(Painter())
    plain, reach = [
        Task.make(0, plan_for(image, [face_at(300, 200)], one).jobs, parts).reach for one in (HARD, HARD.but(changes))
    ]
    told = plain.left - reach.left, plain.top - reach.top, reach.right - plain.right, reach.bottom - plain.bottom
    assert told == pytest.approx((more,) * 4)


def test_faces_that_do_not_meet_and_agree_take_one_round(face_at):
    painter = Painter()
    jobs = plan_for(np.zeros((600, 800, 3), np.uint8), [face_at(x, 100) for x in range(100, 2000, 250)]).jobs
    assert [len(together) for together in make_rounds([Task.make(0, (job,), Parts(painter)) for job in jobs])] == [
        len(jobs)
    ]


@dataclass
class Stopper:
    """Stops after so many faces; remembers what it was told."""

    after: int = 1000
    told: list = field(default_factory=list)

    def step(self, done, total, doing):
        self.told.append((done, total, doing))

    def should_stop(self):
        return len(self.told) >= self.after


def test_a_stop_keeps_what_is_done(picture, face_at):
    overlapping = [face_at(300, 300), face_at(330, 300), face_at(360, 300)]
    result = fix(picture, overlapping, Painter(), progress=Stopper(after=1))
    assert [outcome.verdict for outcome in result.outcomes] == ["fixed", "left", "left"]
    assert (result.image == fix(picture, overlapping[:1], Painter()).image).all()


def test_a_stop_inside_a_batch_keeps_what_is_done(picture, three):
    stopper, painter = Stopper(after=2), Painter()
    result = fix(picture, three, painter, progress=stopper)
    assert painter.batches == [[1, 2, 3]]
    assert [outcome.verdict for outcome in result.outcomes] == ["fixed", "fixed", "left"]
    assert [done for done, *_ in stopper.told] == [1, 2]
    assert (result.image == fix(picture, three[:2], Painter()).image).all()


def test_a_stop_while_faces_are_cut_fixes_nothing(picture, three):
    """A face that cannot be cut out is reported while those behind it wait to be cut."""
    painter = Painter()
    result = fix(picture, [replace(three[0], landmarks=None), *three[1:]], painter, progress=Stopper(after=1))
    assert painter.batches == []
    assert [outcome.verdict for outcome in result.outcomes] == ["failed", "left", "left"]
    assert (result.image == picture).all()


@pytest.mark.parametrize(("number", "verdicts"), [(1, ["left"] * 3), (2, ["fixed", "left", "left"])])
def test_a_fixer_that_is_stopped_leaves_the_face_at_hand_and_those_behind_it(picture, three, number, verdicts):
    stopper = Stopper()
    result = fix(picture, three, Painter(spoil={number: Stopped("enough")}), progress=stopper)
    assert [outcome.verdict for outcome in result.outcomes] == verdicts
    assert [outcome.error for outcome in result.outcomes] == [None] * 3
    assert len(stopper.told) == number - 1
    assert (result.image == fix(picture, three[: number - 1], Painter()).image).all()


def test_a_fixer_that_is_stopped_is_asked_nothing_more(picture, three):
    painter, plan = Painter(spoil={1: Stopped("enough")}), plan_for(picture, three)
    last = replace(plan.jobs[2], treatment=HARD.but({"fidelity": 0.1}))
    [result] = fix_faces([picture], [replace(plan, jobs=(*plan.jobs[:2], last))], Parts(painter))
    assert painter.batches == [[1, 2]]
    assert [outcome.verdict for outcome in result.outcomes] == ["left"] * 3


def test_progress_counts_every_face_once(picture, three):
    stopper = Stopper()
    fix(picture, three, Painter(spoil={2: BadModel("no")}), progress=stopper)
    assert [(done, total) for done, total, _ in stopper.told] == [(1, 3), (2, 3), (3, 3)]
    assert [doing for *_, doing in stopper.told] == ["face 1 fixed", "face 2 failed", "face 3 fixed"]


def test_visibility_goes_evenly_from_the_old_face_to_the_new(picture, face_at):
    seen = []
    for visibility in (0.0, 0.25, 0.5, 0.75, 1.0):
        image = fix(picture, [face_at(300, 200)], Painter(), HARD.but({"visibility": visibility})).image
        seen.append(image[200, 300].astype(int))
    assert (seen[0] == picture[200, 300]).all()
    assert is_red(seen[-1])
    way = np.abs(np.array(seen) - RED).sum(1)
    assert (np.diff(way) < 0).all()
    assert np.diff(way) == pytest.approx(np.diff(way).mean(), abs=4)


def test_visibility_0_leaves_every_byte(picture, three):
    assert (fix(picture, three, Painter(), HARD.but({"visibility": 0.0})).image == picture).all()


@pytest.mark.parametrize(
    ("changes", "centre", "radius"),
    [
        ({"mask_x": 0.5}, (360, 200), 30),
        ({"mask_y": -0.25}, (300, 170), 30),
        ({"mask_grow": 0.2}, (300, 200), 54),
        ({"mask_grow": -0.1}, (300, 200), 18),
    ],
    ids=str,
)
def test_the_mask_moves_and_grows_in_shares_of_the_faces_width(picture, face_at, changes, centre, radius):
    painter = Painter(Surrounded(256, margin=0.5))
    small = replace(face_at(300, 200), box=Box(240, 140, 360, 260))

    class Small(Parts):
        def masker(self, job):
            return self

        def mask(self, crop, face):
            y, x = np.indices((256, 256)) + 0.5
            return (np.hypot(x - 128, y - 128) <= 32).astype(np.float32)

    [result] = fix_faces([picture], [plan_for(picture, [small], HARD.but(changes))], Small(painter))
    painted = np.argwhere(is_red(result.image))[:, ::-1] + 0.5
    assert painted.mean(0) == pytest.approx(centre, abs=1.5)
    assert np.sqrt(len(painted) / np.pi) == pytest.approx(radius, rel=0.08, abs=1.5)


def test_results_do_not_depend_on_the_company(picture, face_at):
    pictures = [picture, np.ascontiguousarray(picture[::-1]), np.ascontiguousarray(picture[:, ::-1])]
    plans = [plan_for(picture, [face_at(100 + 60 * i, 200), face_at(500, 300 - 20 * i)]) for i in range(3)]
    alone = [fix_faces([image], [plan], Parts(Blurrer()))[0].image for image, plan in zip(pictures, plans, strict=True)]
    for order in ([0, 1, 2], [2, 0, 1]):
        together = fix_faces([pictures[i] for i in order], [plans[i] for i in order], Parts(Blurrer()))
        assert all((result.image == alone[i]).all() for i, result in zip(order, together, strict=True))


def test_no_pictures_give_no_results():
    assert fix_faces([], [], Parts(Painter())) == []
