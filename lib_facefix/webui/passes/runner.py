"""Pass after pass over the pictures of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...facefix import FaceFix
from ...planning.plan import FixPlan, FixResult
from ...settings.face_prompt import GenerationParams
from ...types import Image
from ..config.engine import get_engine
from ..config.options import read_options
from ..host.diffuser import HostDiffuser
from ..host.images import choose_by_position
from ..host.progress import HostProgress
from ..host.wildcards import expand_wildcards
from .debug_images import DebugImageSaver
from .settings import PassSettings


@dataclass(slots=True, eq=False)
class Worked:
    """One picture of a batch, and what each pass did to it."""

    index: int
    """Its place in the batch."""
    origin: GenerationParams
    before: Image
    image: Image
    """As it is now."""
    results: list[FixResult] = field(default_factory=list)


def fix_pictures(p: Any, pictures: Sequence[Worked], passes: Sequence[PassSettings]) -> None:
    """Do all passes, each over all pictures at once; what came of it stands in the pictures.

    Raises a `FaceFixError` where a pass cannot be done; what those before it did stands there all the same.
    """
    page, watch = read_options(), HostProgress()
    keeper = DebugImageSaver(p, page)
    fixer = get_engine().with_diffuser(HostDiffuser(p, watch, keeper.crop), page.faces_at_once)
    try:
        with watch.over():
            for settings in passes:
                if watch.should_stop():
                    break
                plans = [_make_plan(p, fixer, picture, settings) for picture in pictures]
                images, wanted = [picture.image for picture in pictures], keeper.wants_masks
                results = fixer.run(images, plans, progress=watch, keep_masks=wanted)
                for picture, plan, result in zip(pictures, plans, results, strict=True):
                    if result.mask is not None:
                        keeper.masks(picture, plan, result.mask)
                    picture.results.append(result)
                    picture.image = result.image
    finally:
        keeper.before(pictures)


def _make_plan(p: Any, fixer: FaceFix, picture: Worked, settings: PassSettings) -> FixPlan:
    plan = fixer.plan(picture.image, _with_wildcards(settings, picture.origin), origin=picture.origin)
    return choose_by_position(p, plan, settings.inpaint)


def _with_wildcards(settings: PassSettings, origin: GenerationParams) -> PassSettings:
    """Return the settings with the wildcards of their prompts drawn, by the picture's seed."""
    prompts = expand_wildcards(settings.prompt, origin.seed), expand_wildcards(settings.negative_prompt, origin.seed)
    return replace(settings, prompt=prompts[0], negative_prompt=prompts[1])
