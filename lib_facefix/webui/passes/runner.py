"""Carries out the runs of all passes over the images of a batch."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from modules import shared

from ...facefix import FaceFix
from ...planning.plan import FixPlan, FixResult
from ...settings.face_prompt import GenerationParams
from ...settings.treatment import AUTO_RESTORER
from ...types import Image
from ..config.engine import get_engine
from ..config.options import read_options
from ..host.compat import attribute_set
from ..host.diffuser import HostDiffuser
from ..host.images import select_by_inpaint_area
from ..host.progress import HostProgress
from ..host.wildcards import expand_wildcards
from .advice import tell_choice
from .debug_images import DebugImageSaver
from .runs import Run
from .settings import PassSettings


@dataclass(slots=True, eq=False)
class BatchImage:
    """One image of a batch, and the results of its runs."""

    index: int
    """Place of the image in the batch, from 0."""
    origin: GenerationParams
    before: Image
    image: Image
    """The image after the latest run, RGB uint8 (H, W, 3)."""
    results: list[FixResult] = field(default_factory=list)


def fix_pictures(p: Any, pictures: Sequence[BatchImage], runs: Sequence[Run]) -> None:
    """Carry out all runs, each over all images at once, and write the results into `pictures`.

    Raises a `FaceFixError` if a run fails; the results of earlier runs are kept.
    """
    page, watch = read_options(), HostProgress()
    keeper = DebugImageSaver(p, page)
    fixer = get_engine().with_diffuser(HostDiffuser(p, watch, keeper.save_crop), page.faces_at_once)
    try:
        with attribute_set(shared.state, "textinfo", shared.state.textinfo):
            for run in runs:
                if watch.should_stop():
                    break
                if run.skipped:
                    for picture in pictures:
                        picture.results.append(FixResult(picture.image, ()))
                    continue
                plans = [_make_plan(p, fixer, picture, run.settings) for picture in pictures]
                if run.settings.restorer == AUTO_RESTORER:
                    tell_choice(fixer.models.restorer)
                images, wanted = [picture.image for picture in pictures], keeper.wants_masks
                results = fixer.run(images, plans, progress=watch, keep_masks=wanted)
                for picture, plan, result in zip(pictures, plans, results, strict=True):
                    if result.mask is not None:
                        keeper.save_masks(picture, plan, result.mask)
                    picture.results.append(result)
                    picture.image = result.image
    finally:
        keeper.save_originals(pictures)


def _make_plan(p: Any, fixer: FaceFix, picture: BatchImage, settings: PassSettings) -> FixPlan:
    """Return the plan for one image, with the wildcards of the pass's prompts resolved by the image's seed."""
    prompt, negative_prompt = (
        expand_wildcards(text, picture.origin.seed) for text in (settings.prompt, settings.negative_prompt)
    )
    resolved = replace(settings, prompt=prompt, negative_prompt=negative_prompt)
    plan = fixer.plan(picture.image, resolved, origin=picture.origin)
    return select_by_inpaint_area(p, plan, settings.inpaint)
