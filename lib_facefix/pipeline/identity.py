"""Whether fixed faces still look like the people before, and what is done about those that do not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ..imaging.align import compose, inverse, scale_factor
from ..imaging.resample import warp
from ..imaging.tone import learn_tone
from ..planning.identity import IdentityCheck
from ..planning.plan import FaceJob
from ..protocols import FaceFixer, Judge, RememberedFace
from ..types import Crop, Image, Mask, Matrix, Patch

MAX_RERUNS = {"restore": 1, "re-diffuse": 2}
"""Number of milder runs for a face that drifted, by decision."""
BISECTIONS = 4
"""Number of steps in which the largest share of a change is found: 4 find it to 1/16."""
LEAST_SHARE = 1 / 8
"""Smallest share of a change that is worth pasting."""


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """What a fixed crop does to one face, as its judge sees it."""

    before: RememberedFace
    chip: Image
    """The aligned face before, RGB (side, side, 3)."""
    change: NDArray[np.float32]
    """What the fixed crop adds to the chip where it shows, (side, side, 3), in levels of 0..255."""

    def measure(self, share: float = 1.0) -> float:
        """Return the distance between the face before and after. share: part of the change that is added, 0..1."""
        after = np.clip(np.rint(self.chip + np.float32(share) * self.change), 0, 255)
        return self.before.measure(np.asarray(after, np.uint8))


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """A fixed crop, and what its judges say about its faces."""

    asked: FaceJob
    """The job as the fixer was given it."""
    patch: Patch
    engine: str
    changes: Mapping[FaceJob, Change | str]
    """What happens to each guarded face, or why it cannot be measured."""
    distances: Mapping[FaceJob, float]
    """Distance of each measured face."""
    matched: bool = False
    """Whether the colours of the patch match those around the mask already."""

    @property
    def drifted(self) -> list[FaceJob]:
        """Faces beyond their limit, unless they are only reported."""
        return [
            job
            for job, one in self.changes.items()
            if not isinstance(one, str) and self.distances[job] > one.before.limit and job.treatment.guard != "report"
        ]

    @property
    def drift(self) -> float:
        """By how much the worst face exceeds its limit; 0 or less if none does."""
        changes = self.changes.items()
        over = (self.distances[job] - one.before.limit for job, one in changes if not isinstance(one, str))
        return max(over, default=0.0)


def see_change(
    judge: Judge,
    crop: Crop,
    patch: Patch,
    mask: Mask,
    job: FaceJob,
    enlarged: float,
    earlier: Change | str | None,
) -> Change | str:
    """Return what a fixed crop does to one face, or why it cannot be measured.

    patch: (h, w, 3), made from `crop`. mask: how much of it shows, (h, w), 0..1. enlarged: pixels of the result for
    each pixel of the image. earlier: the change of an earlier trial with the same crop, whose face is remembered.
    """
    if isinstance(earlier, str):
        return earlier
    from_image = judge.matrix(job.face)
    if from_image is None:
        return "the detector found no usable landmarks"
    way, size = compose(from_image, inverse(crop.matrix)), (judge.side, judge.side)
    chip = earlier.chip if earlier else warp(crop.image, way, size)
    before = earlier.before if earlier else judge.remember(chip, job)
    if isinstance(before, str):
        return before
    # pixels of the result that are larger than those of the chip cannot show all of the change
    shown_side = max(1, round(judge.side / max(1.0, scale_factor(from_image) / enlarged)))
    smaller, shown_size = _scaling(shown_side / judge.side), (shown_side, shown_side)
    there = compose(smaller, way)
    base = chip if shown_size == size else warp(crop.image, there, shown_size)
    shown = warp(mask, there, shown_size, interpolation=cv2.INTER_LINEAR, beyond=cv2.BORDER_CONSTANT)
    change = np.subtract(warp(patch, there, shown_size), base, dtype=np.float32) * shown[..., None]
    if shown_size != size:
        change = np.asarray(warp(change, inverse(smaller), size), np.float32)
    tone = learn_tone(chip)
    return Change(before, chip, tone.keep(chip, change) if tone else change)


def _scaling(factor: float) -> Matrix:
    return np.array([(factor, 0.0, 0.0), (0.0, factor, 0.0)])


def make_milder(fixer: FaceFixer, trials: Sequence[Trial]) -> FaceJob | None:
    """Return the job for a milder run of the fixer, or None if no face needs one or none could help.

    Re-diffusing is repeated with half the denoising strength. Restoring is repeated once with a fidelity halfway to 1,
    but only by fixers whose result is then another one: from others it is the same change, only weaker.
    """
    asked, treatment = trials[-1].asked, trials[-1].asked.treatment
    if not trials[-1].drifted or len(trials) > MAX_RERUNS[asked.decision]:
        return None
    if asked.decision == "re-diffuse":
        return replace(asked, treatment=treatment.but({"denoising_strength": treatment.denoising_strength / 2}))
    milder = replace(asked, treatment=treatment.but({"fidelity": (1 + treatment.fidelity) / 2}))
    return milder if fixer.batch_key(milder) != fixer.batch_key(asked) else None


def settle(trials: Sequence[Trial]) -> tuple[Trial, dict[FaceJob, tuple[float, IdentityCheck]]]:
    """Return the trial to paste; and for each guarded face the share of its change, 0..1, with the finding.

    The trial is the last one, or an earlier one that drifts less. If a restored face still drifts, the largest share
    within the limit is found by bisection. A re-diffused one is left: half of another face would shine through.
    """
    best = min(reversed(trials), key=lambda trial: trial.drift)
    return best, {job: _settle_face(job, change, trials[0], best) for job, change in best.changes.items()}


def _settle_face(job: FaceJob, change: Change | str, first: Trial, best: Trial) -> tuple[float, IdentityCheck]:
    guard = job.treatment.guard
    if isinstance(change, str):
        return 0.0 if guard == "strict" else 1.0, IdentityCheck("unmeasured", why=change)
    distance, limit, asked = best.distances[job], change.before.limit, first.distances[job]
    how = _describe_milder(first.asked, best.asked) if best is not first else ""
    if distance <= limit:
        return 1.0, IdentityCheck("backed off" if how else "kept", distance, limit, asked, how)
    if guard == "report":
        return 1.0, IdentityCheck("drifted", distance, limit, asked)
    if job.decision == "restore":
        share, distance = _bisect(change, distance)
        if share:
            how = "; ".join(filter(None, (how, f"{share:.0%} of the change")))
            return share, IdentityCheck("backed off", distance, limit, asked, how, share=share)
    return 0.0, IdentityCheck("left", distance, limit, asked, how, share=0.0)


def _bisect(change: Change, distance: float) -> tuple[float, float]:
    """Return the largest share within the limit, 0 if there is none, and its distance, or the smallest one found.

    distance: that of the whole change, which is beyond the limit.
    """
    low, high, found = 0.0, 1.0, distance
    for _ in range(BISECTIONS):
        share = (low + high) / 2
        distance = change.measure(share)
        if distance <= change.before.limit:
            low, found = share, distance
        else:
            high, found = share, found if low else min(found, distance)
    return (low, found) if low >= LEAST_SHARE else (0.0, found)


def _describe_milder(asked: FaceJob, milder: FaceJob) -> str:
    if asked.decision == "re-diffuse":
        return f"denoising strength {milder.treatment.denoising_strength:.3g}"
    return f"fidelity {milder.treatment.fidelity:.3g}"
