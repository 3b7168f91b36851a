"""The identity guard in the pipeline: which faces it catches, how far it backs off, and what stays as it was."""

import json
import subprocess
import sys
from dataclasses import dataclass, field

import numpy as np
import pytest
from test_pipeline import Disc, Painter
from test_rediffuse import Negative

from lib_facefix.fixers.rediffuse import Rediffuse
from lib_facefix.imaging.align import FFHQ_512, fit_similarity
from lib_facefix.imaging.frames import Upright
from lib_facefix.pipeline.run import fix_faces
from lib_facefix.planning.identity import IdentityCheck
from lib_facefix.planning.needs import Needs
from lib_facefix.planning.plan import FaceJob, FixPlan
from lib_facefix.protocols import Fixed
from lib_facefix.settings.face_settings import FaceSettings
from lib_facefix.settings.treatment import Treatment
from lib_facefix.types import Pose

SIDE = 64
FULL = 100
"""Levels by which `Lighter` and `Lamp` change a face."""


@dataclass
class Remembered:
    limit: float
    chip: np.ndarray
    looks: list = field(default_factory=list)

    def measure(self, chip):
        self.looks.append(chip)
        return float(np.abs(chip.astype(float) - self.chip).max() / 255)


@dataclass
class Meter:
    """A judge whose distance is the largest change of a pixel; 1 is from black to white."""

    limits: dict = field(default_factory=dict)
    """Limits by the number of the face, or why it cannot be measured; 1 for all others."""
    remembered: dict = field(default_factory=dict)
    side = SIDE

    def matrix(self, face):
        return fit_similarity(face.landmarks, FFHQ_512 * SIDE / 512)

    def remember(self, chip, job):
        limit = self.limits.get(job.number, 1.0)
        if isinstance(limit, str):
            return limit
        assert job.number not in self.remembered, "a face is remembered once, before it is fixed for the first time"
        self.remembered[job.number] = Remembered(limit, chip)
        return self.remembered[job.number]


@dataclass
class Parts:
    made: object
    meter: Meter

    def fixer(self, job):
        return self.made

    def masker(self, job):
        return Disc()

    def judge(self, job):
        return None if job.treatment.guard == "off" else self.meter


class Lighter(Painter):
    """Makes faces lighter by `FULL` levels, whatever the fidelity."""

    def batch_key(self, job):
        return None

    def fix(self, crops, jobs):
        self.batches.append([job.number for job in jobs])
        for crop, job in zip(crops, jobs, strict=True):
            yield Fixed(np.asarray(np.clip(crop.image + self.levels(job), 0, 255), np.float32), "a lamp")

    def levels(self, job):
        return FULL


class Dimmable(Lighter):
    """Reads the fidelity: at 1 it changes nothing."""

    def batch_key(self, job):
        return job.treatment.fidelity

    def levels(self, job):
        return FULL * (1 - job.treatment.fidelity)


class Lamp(Negative):
    """A diffuser that makes crops lighter in proportion to the denoising strength."""

    def redraw(self, items, sampling):
        self.strength = sampling.denoising_strength
        return super().redraw(items, sampling)

    def drawn(self, item):
        return np.asarray(np.clip(item.image + FULL * self.strength, 0, 255), np.float32)


@pytest.fixture
def grey():
    return np.full((600, 800, 3), 90, np.uint8)


@pytest.fixture
def three(face_at):
    return [face_at(150, 150), face_at(400, 300, degrees=40), face_at(650, 450)]


def plan_for(image, faces, decision="restore", **settings):
    treatment = Treatment(**{"mask": "ellipse", "mask_feather": 0.0, "match_colour": False, "grain": 0.0, **settings})
    jobs = (FaceJob(n, face, decision, "", treatment, Pose(0, 0, 0), 0.5) for n, face in enumerate(faces, start=1))
    return FixPlan(image.shape[1::-1], tuple(jobs))


def fix(image, faces, made, limits=None, decision="restore", **settings):
    [result] = fix_faces([image], [plan_for(image, faces, decision, **settings)], Parts(made, Meter(limits or {})))
    return result


def lamp():
    return Lighter(Upright(128))


def changes(image, result, faces):
    """Return by how many levels the centre of each face has changed."""
    centres = [tuple(map(int, face.box.centre[::-1])) for face in faces]
    return [int(result.image[centre][0]) - int(image[centre][0]) for centre in centres]


def verdicts(result):
    return [(outcome.verdict, outcome.identity and outcome.identity.verdict) for outcome in result.outcomes]


def test_a_face_within_its_limit_is_fixed_as_without_the_guard(grey, three):
    plain, guarded = (fix(grey, three, lamp(), guard=guard) for guard in ("off", "back-off"))
    assert np.array_equal(plain.image, guarded.image)
    assert verdicts(plain) == [("fixed", None)] * 3
    assert verdicts(guarded) == [("fixed", "kept")] * 3
    assert [one.identity.distance for one in guarded.outcomes] == pytest.approx([FULL / 255] * 3, abs=0.005)
    assert [one.note for one in guarded.outcomes] == [""] * 3


def test_a_face_that_drifts_is_only_reported_if_asked(grey, three):
    result = fix(grey, three, lamp(), {2: 0.2}, guard="report")
    assert changes(grey, result, three) == [FULL] * 3
    assert verdicts(result) == [("fixed", "kept"), ("fixed", "drifted"), ("fixed", "kept")]
    check = result.outcomes[1].identity
    assert (check.distance, check.first, check.limit) == (pytest.approx(FULL / 255, abs=0.005), check.distance, 0.2)


@pytest.mark.parametrize("guard", ["back-off", "strict"])
@pytest.mark.parametrize("levels", [90, 60, 20])
def test_a_face_that_drifts_is_changed_as_far_as_its_limit(grey, three, guard, levels):
    limit = levels / 255
    result = fix(grey, three, lamp(), {2: limit}, guard=guard)
    assert verdicts(result) == [("fixed", "kept"), ("fixed", "backed off"), ("fixed", "kept")]
    first, own, third = changes(grey, result, three)
    assert (first, third) == (FULL, FULL)
    assert levels - FULL / 16 - 1 <= own <= levels
    check = result.outcomes[1].identity
    assert check.distance <= limit < check.first
    assert check.distance == pytest.approx(own / 255, abs=0.005)
    assert f"{own:.0f}" in check.how.replace("%", "") or abs(int(check.how.split("%")[0]) - own) <= 1
    assert "backed off to keep the identity" in result.outcomes[1].note


def test_of_a_face_that_is_beyond_its_limit_even_so_every_byte_stays(grey, three):
    result = fix(grey, three, lamp(), {2: 5 / 255}, guard="back-off")
    assert verdicts(result) == [("fixed", "kept"), ("left", "left"), ("fixed", "kept")]
    others = fix(grey, [three[0], three[2]], lamp(), guard="off")
    assert np.array_equal(result.image, others.image)
    assert "would look like another person" in result.outcomes[1].note
    assert result.outcomes[1].engine == ""


def test_nothing_outside_the_masks_changes_when_it_backs_off(picture, three):
    result = fix(picture, three, lamp(), {1: 0.1, 2: 0.2, 3: 0.3})
    changed = (result.image != picture).any(2)
    rows, columns = np.nonzero(changed)
    away = [np.hypot(columns - face.box.centre[0], rows - face.box.centre[1]) / face.box.size for face in three]
    assert changed.any()
    assert np.min(away, 0).max() < 0.28  # the disc has a quarter of the crop as radius


@pytest.mark.parametrize(
    ("guard", "verdict", "levels"), [("report", "fixed", 100), ("back-off", "fixed", 100), ("strict", "left", 0)]
)
def test_a_face_that_cannot_be_measured_is_said_to_be_and_left_only_if_strict(grey, three, guard, verdict, levels):
    result = fix(grey, three, lamp(), {2: "too small (20 px)"}, guard=guard)
    assert verdicts(result)[1] == (verdict, "unmeasured")
    assert changes(grey, result, three) == [FULL, levels, FULL]
    check = result.outcomes[1].identity
    assert (check.distance, check.limit, check.why) == (None, None, "too small (20 px)")
    assert check.describe() == "identity unmeasured: too small (20 px)"


def test_a_fixer_that_reads_fidelity_fixes_only_the_faces_that_drift_once_more(grey, three):
    fixer = Dimmable(Upright(128))
    result = fix(grey, three, fixer, {2: 30 / 255}, fidelity=0.5)
    assert fixer.batches == [[1, 2, 3], [2]]
    assert changes(grey, result, three) == [50, 25, 50]
    assert result.outcomes[1].identity.how == "fidelity 0.75"


def test_if_more_fidelity_is_not_enough_its_result_is_laid_on_in_part(grey, three):
    fixer = Dimmable(Upright(128))
    result = fix(grey, three, fixer, {2: 13 / 255}, fidelity=0.5)
    assert fixer.batches == [[1, 2, 3], [2]]
    assert 10 <= changes(grey, result, three)[1] <= 13
    assert result.outcomes[1].identity.how == "fidelity 0.75; 50% of the change"


def test_one_whose_result_only_gets_weaker_is_not_run_again(grey, three):
    fixer = lamp()
    fix(grey, three, fixer, {2: 0.1})
    assert fixer.batches == [[1, 2, 3]]


def test_only_faces_that_drift_are_rediffused_again_all_of_them_in_one_run(grey, three):
    diffuser = Lamp(native=128)
    result = fix(grey, three, Rediffuse(diffuser), {2: 0.2, 3: 0.19}, "re-diffuse", denoising_strength=0.9)
    assert diffuser.asked == [[1, 2, 3], [2, 3]]
    assert [sampling.denoising_strength for _, sampling in diffuser.runs] == [0.9, 0.45]
    assert changes(grey, result, three) == [90, 45, 45]
    assert [one.identity.how for one in result.outcomes] == ["", "denoising strength 0.45", "denoising strength 0.45"]
    assert [one.job.treatment.denoising_strength for one in result.outcomes] == [0.9] * 3


def test_a_face_that_drifts_in_two_more_runs_keeps_its_bytes(grey, three):
    diffuser = Lamp(native=128)
    result = fix(grey, three, Rediffuse(diffuser), {1: 0.1, 2: 0.2, 3: 0.05}, "re-diffuse", denoising_strength=0.9)
    assert diffuser.asked == [[1, 2, 3], [1, 2, 3], [1, 3]]
    assert changes(grey, result, three) == [22, 45, 0]
    assert verdicts(result) == [("fixed", "backed off"), ("fixed", "backed off"), ("left", "left")]


def test_merged_faces_are_rediffused_again_together(grey, face_at):
    pair, diffuser = [face_at(300, 300), face_at(420, 300)], Lamp(native=256)
    result = fix(grey, pair, Rediffuse(diffuser), {2: 0.2}, "re-diffuse", denoising_strength=0.8, mask_merge=True)
    assert [len(items) for items, _ in diffuser.runs] == [1, 1]
    assert [one.identity.verdict for one in result.outcomes] == ["backed off", "backed off"]


def test_a_stop_in_a_milder_run_keeps_what_is_done(grey, three):
    diffuser = Lamp(native=128, stopped_in=2)
    result = fix(grey, three, Rediffuse(diffuser), {2: 0.2}, "re-diffuse", denoising_strength=0.9)
    assert verdicts(result) == [("fixed", "kept"), ("left", None), ("fixed", "kept")]
    assert changes(grey, result, three) == [90, 0, 90]


def test_a_face_in_which_nothing_changes_is_not_measured(grey, three):
    class Same(Lighter):
        def levels(self, job):
            return 0 if job.number == 2 else FULL

    meter = Meter()
    [result] = fix_faces([grey], [plan_for(grey, three)], Parts(Same(Upright(128)), meter))
    assert sorted(meter.remembered) == [1, 3]
    assert verdicts(result)[1] == ("fixed", None)


def test_what_a_small_face_cannot_show_does_not_count(grey, face_at):
    class Chequered(Lighter):
        def fix(self, crops, jobs):
            for crop in crops:
                pattern = np.indices(crop.image.shape[:2]).sum(0) % 2 * 2.0 - 1
                yield Fixed(np.asarray(crop.image + FULL / 2 * pattern[..., None], np.float32), "a loom")

    distances = []
    for size in (40, 400):  # in pixels; the chip has 64, the crop 64, too
        result = fix(grey, [face_at(400, 300, size=size)], Chequered(Upright(SIDE)), guard="report")
        distances.append(result.outcomes[0].identity.distance)
    assert distances[0] < 0.1 < 0.18 < distances[1]


@pytest.mark.parametrize(
    "check",
    [
        IdentityCheck("kept", 0.1234, 0.5, 0.1234),
        IdentityCheck("backed off", 0.4, 0.5, 0.7, "44% of the change"),
        IdentityCheck("left", 0.6, 0.5, 0.9, "denoising strength 0.1"),
        IdentityCheck("unmeasured", why="too blurred"),
    ],
    ids=lambda check: check.verdict,
)
def test_a_finding_survives_its_way_through_json(check):
    assert IdentityCheck.from_json(json.loads(json.dumps(check.to_json()))) == check


def test_a_finding_of_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="moved"):
        IdentityCheck.from_json({**IdentityCheck("kept", 0.1, 0.5, 0.1).to_json(), "verdict": "moved"})


def test_needs_name_the_model_that_guards():
    assert Needs.of_settings(FaceSettings()).guard_models == {"dlib"}
    assert Needs.of_settings(FaceSettings(guard="off")).guard_models == frozenset()
    assert Needs.of_settings(FaceSettings(guard_model="arcface", method="leave")).guard_models == frozenset()
    assert Needs.of_settings(FaceSettings(guard_model="built-in", guard="strict")).guard_models == {"dlib"}


def test_off_loads_no_model_and_imports_no_guard():
    code = (
        "import sys; from lib_facefix import FaceFix; from lib_facefix.settings.treatment import Treatment;"
        "from types import SimpleNamespace as N; engine = FaceFix();"
        "assert engine.judge(N(treatment=Treatment(guard='off'))) is None;"
        "print('lib_facefix.analysis.identity_guard' in sys.modules, 'lib_facefix.inference' in sys.modules);"
        "engine.judge(N(treatment=Treatment()));"
        "print('lib_facefix.analysis.identity_guard' in sys.modules)"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert printed[0] == "False"
    assert printed[2] == "True"
