"""Requirements of work, computed before it starts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ..settings.face_settings import FaceSettings
from ..settings.treatment import Overrides, Treatment
from .plan import FixPlan


@dataclass(frozen=True, slots=True)
class Needs:
    """The models that some work may need, and whether it needs Stable Diffusion."""

    treatments: Sequence[Treatment]
    """Treatments of all faces, which determine the models for their masks."""
    restorers: frozenset[str]
    """Names or file paths of the restorers."""
    upscalers: frozenset[str]
    """Names, or paths of model files, of what enlarges pictures."""
    detectors: frozenset[str] = frozenset()
    """Values of the setting `detector`; none for plans, as their faces are found."""
    landmarkers: frozenset[str] = frozenset()
    """Names of what places landmarks on found faces; none for plans."""
    person: str = ""
    """Path of the reference photo; blank: none."""
    guesses: bool = False
    """True if faces are selected by gender or age."""
    guard_models: frozenset[str] = frozenset()
    """Names of the models that guard the identity of faces."""
    rediffuses: bool = False
    """True if settings select re-diffusing. False for plans: only the affected faces fail there."""

    @classmethod
    def of_settings(cls, settings: FaceSettings, overrides: Overrides | None = None) -> Needs:
        """Return the requirements of these settings; raises `BadSetting` for an invalid override."""
        everyone = settings.face_treatment()
        treatments = [everyone, *(everyone.but(own) for own in (overrides or {}).values())]
        upscalers = frozenset([settings.upscaler] if settings.upscale else [])
        restorers = frozenset(one.restorer for one in treatments if one.method in ("auto", "restore"))
        rediffuses = any(one.method == "re-diffuse" for one in treatments)
        finds = cls.of_detection(settings)
        own = replace(finds, treatments=treatments, restorers=restorers, upscalers=upscalers, rediffuses=rediffuses)
        return replace(own, guard_models=_list_guard_models(one for one in treatments if one.method != "leave"))

    @classmethod
    def of_detection(cls, settings: FaceSettings) -> Needs:
        """Return the requirements of finding and choosing faces with these settings, without fixing them."""
        finders = frozenset([settings.detector]), frozenset([settings.landmarker])
        return cls((), frozenset(), frozenset(), *finders, settings.person, settings.uses_attributes)

    @classmethod
    def of_plans(cls, plans: Iterable[FixPlan]) -> Needs:
        """Return the requirements of these plans."""
        plans = list(plans)
        treatments = [job.treatment for plan in plans for job in plan.jobs if job.decision == "restore"]
        upscalers = frozenset(plan.upscaler for plan in plans if plan.upscaled)
        guarded = _list_guard_models(job.treatment for plan in plans for job in plan.jobs if job.decision != "leave")
        restorers = frozenset(item.restorer for item in treatments)
        return cls(treatments, restorers, upscalers, guard_models=guarded)


def _list_guard_models(treatments: Iterable[Treatment]) -> frozenset[str]:
    return frozenset(one.guard_model for one in treatments if one.guard != "off")
