"""What plans each image of a batch."""

from collections.abc import Callable, Mapping
from pathlib import Path

from ..pictures import Picture
from ..planning.plan import FixPlan
from ..protocols import Engine
from ..settings.face_settings import FaceSettings
from ..settings.generation_info import parse_generation_info
from ..settings.treatment import Overrides


def make_planner(
    engine: Engine, settings: FaceSettings, overrides: Overrides | None = None
) -> Callable[[Picture], FixPlan]:
    """Return a planner that uses the settings and the generation parameters in each image."""
    return lambda picture: engine.plan(
        picture.image, settings, overrides=overrides, origin=parse_generation_info(picture.metadata.parameters)
    )


def plan_from_file(plans: Mapping[Path, FixPlan]) -> Callable[[Picture], FixPlan]:
    """Return a planner that uses existing plans, by path."""
    return lambda picture: plans[picture.path]
