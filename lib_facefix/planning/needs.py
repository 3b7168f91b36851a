"""What a piece of work will need of an engine, known before it begins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..settings.face_settings import FaceSettings
from ..settings.treatment import Overrides, Treatment
from .plan import FixPlan


@dataclass(frozen=True, slots=True)
class Needs:
    """The models that a piece of work may need, and whether it needs Stable Diffusion."""

    treatments: Sequence[Treatment]
    """Treatments of all faces, which decide about the networks that masks are made with."""
    restorers: frozenset[str]
    """Names, or paths of model files, of what restores faces."""
    upscalers: frozenset[str]
    """Names, or paths of model files, of what enlarges pictures."""
    rediffuses: bool = False
    """True if settings ask for re-diffusing; False for plans, as each of their faces fails alone where nothing does."""

    detectors: frozenset[str] = frozenset()
    """What finds faces, as the setting `detector` names it; of plans, which have their faces, nothing."""

    @classmethod
    def of_settings(cls, settings: FaceSettings, overrides: Overrides | None = None) -> Needs:
        """Return what work by these settings needs; raises `BadSetting` for an override that is not allowed."""
        everyone = settings.of_one_face()
        treatments = [everyone, *(everyone.but(own) for own in (overrides or {}).values())]
        upscalers = frozenset([settings.upscaler] if settings.upscale else [])
        restorers = frozenset(one.restorer for one in treatments if one.method in ("auto", "restore"))
        rediffuses = any(one.method == "re-diffuse" for one in treatments)
        return cls(treatments, restorers, upscalers, rediffuses, frozenset([settings.detector]))

    @classmethod
    def of_plans(cls, plans: Iterable[FixPlan]) -> Needs:
        """Return what carrying out these plans needs."""
        plans = list(plans)
        treatments = [job.treatment for plan in plans for job in plan.jobs if job.decision == "restore"]
        upscalers = frozenset(plan.upscaler for plan in plans if plan.upscaled)
        return cls(treatments, frozenset(one.restorer for one in treatments), upscalers)
