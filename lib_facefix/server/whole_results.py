"""An engine that gives whole results or none, for work that may be given up in the middle of an image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..errors import Stopped
from ..planning.needs import Needs
from ..planning.plan import FixPlan, FixResult
from ..protocols import Engine, EngineInfo, Fetch, Progress
from ..settings.face_prompt import GenerationParams
from ..settings.face_settings import FaceSettings
from ..settings.treatment import Overrides
from ..types import Image


@dataclass(frozen=True, slots=True)
class WholeResults:
    """An `Engine` that does the work of another one, and drops what was given up.

    A result with some of its faces unfixed would later count as done.
    """

    engine: Engine
    is_abandoned: Callable[[], bool]
    """Returns whether the work was given up."""

    def describe(self) -> EngineInfo:
        """Return the location and the abilities of the engine."""
        return self.engine.describe()

    def prepare(self, needs: Needs, fetch: Fetch | None = None) -> None:
        """Raise a `FaceFixError` if the requirements cannot be met."""
        self.engine.prepare(needs, fetch)

    def plan(
        self,
        image: Image,
        settings: FaceSettings | None = None,
        *,
        overrides: Overrides | None = None,
        origin: GenerationParams | None = None,
    ) -> FixPlan:
        """Return the decision for each face of one image."""
        return self.engine.plan(image, settings, overrides=overrides, origin=origin)

    def replan(
        self,
        plan: FixPlan,
        settings: FaceSettings | None = None,
        *,
        overrides: Overrides | None = None,
        origin: GenerationParams | None = None,
    ) -> FixPlan:
        """Return the plan for the same faces with other settings."""
        return self.engine.replan(plan, settings, overrides=overrides, origin=origin)

    def run(
        self, images: Sequence[Image], plans: Sequence[FixPlan], *, progress: Progress | None = None
    ) -> list[FixResult]:
        """Carry out one plan for each image. Raises `Stopped` if the work was given up meanwhile."""
        results = self.engine.run(images, plans, progress=progress)
        if self.is_abandoned():
            raise Stopped("the server stopped before this image was finished")
        return results
