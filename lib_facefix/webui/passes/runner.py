"""Pass after pass over the pictures of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...facefix import FaceFix
from ...planning.plan import FixPlan, FixResult
from ...settings.face_prompt import Origin
from ...types import Image
from ..config.engine import engine
from ..config.options import chosen
from ..host.diffuser import HostDiffuser
from ..host.images import chosen_by_place
from ..host.progress import Watch
from ..host.wildcards import drawn
from .debug_images import Keeper
from .settings import PassSettings


@dataclass(slots=True, eq=False)
class Worked:
    """One picture of a batch, and what each pass did to it."""

    index: int
    """Its place in the batch."""
    origin: Origin
    before: Image
    image: Image
    """As it is now."""
    results: list[FixResult] = field(default_factory=list)


def fix_pictures(p: Any, pictures: Sequence[Worked], passes: Sequence[PassSettings]) -> None:
    """Do all passes, each over all pictures at once; what came of it stands in the pictures.

    Raises a `FaceFixError` where a pass cannot be done; what those before it did stands there all the same.
    """
    page, watch = chosen(), Watch()
    keeper = Keeper(p, page)
    fixer = engine().with_diffuser(HostDiffuser(p, watch, keeper.crop), page.faces_at_once)
    try:
        with watch.over():
            for settings in passes:
                if watch.stopped():
                    break
                plans = [_planned(p, fixer, picture, settings) for picture in pictures]
                keeper.plans(fixer, pictures, plans)
                results = fixer.run([picture.image for picture in pictures], plans, progress=watch)
                for picture, result in zip(pictures, results, strict=True):
                    picture.results.append(result)
                    picture.image = result.image
    finally:
        keeper.before(pictures)


def _planned(p: Any, fixer: FaceFix, picture: Worked, settings: PassSettings) -> FixPlan:
    plan = fixer.plan(picture.image, _with_wildcards(settings, picture.origin), origin=picture.origin)
    return chosen_by_place(p, plan, settings.inpaint)


def _with_wildcards(settings: PassSettings, origin: Origin) -> PassSettings:
    """Return the settings with the wildcards of their prompts drawn, by the picture's seed."""
    prompts = drawn(settings.prompt, origin.seed), drawn(settings.negative_prompt, origin.seed)
    return replace(settings, prompt=prompts[0], negative_prompt=prompts[1])
