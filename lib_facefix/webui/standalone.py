"""Re-diffusing faces of a picture that was not drawn just now: what stands in for the run that drew it.

What the picture itself was made from is its `Origin`, which a plan takes in; all else is as the host has it at first.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from modules import images, sd_models, shared
from modules.processing import StableDiffusionProcessingImg2Img
from PIL import Image as Pil

from ..errors import MissingDiffuser
from ..facefix import FaceFix
from ..planning.plan import FaceJob, FixPlan, FixResult
from ..settings.face_prompt import GenerationParams
from ..settings.generation_info import parse_generation_info
from ..types import Image
from .config.choices import host_list, is_known_choice
from .config.engine import get_engine
from .config.options import read_options
from .host.diffuser import HostDiffuser
from .host.progress import HostProgress

STEPS, CFG_SCALE = 20, 7.0
"""What hosts start with."""
NO_CHECKPOINT = "re-diffusing needs a checkpoint, and none is loaded; choose one at the top of the page"


def read_origin(picture: Pil.Image) -> GenerationParams | None:
    """Return what the picture's infotext says that it was made from; None where it has none."""
    text, _ = images.read_info_from_image(picture)
    origin = parse_generation_info(text or "")
    return origin and drop_unknown_samplers(origin)


def drop_unknown_samplers(origin: GenerationParams) -> GenerationParams:
    """Return the origin without a sampler or scheduler that this host lacks."""
    return replace(
        origin,
        sampler=origin.sampler if is_known_choice("samplers", origin.sampler) else "",
        scheduler=origin.scheduler if is_known_choice("schedulers", origin.scheduler) else "",
    )


def run_plan(image: Image, plan: FixPlan) -> FixResult:
    """Carry out a plan, with the loaded checkpoint where faces are to be re-diffused.

    image: RGB (H, W, 3). For whoever has the host to himself.
    """
    watch = HostProgress()
    with watch.restored_textinfo():
        [result] = diffusing_engine(watch).run([image], [plan], progress=watch)
    return result


def diffusing_engine(watch: HostProgress) -> FaceFix:
    """Return an engine that re-diffuses faces, for whoever has the host to himself."""
    return get_engine().with_diffuser(StandaloneDiffuser(watch), read_options().faces_at_once)


def planning_engine() -> FaceFix:
    """Return an engine that plans faces to be re-diffused, whatever the host is doing; nothing is run by it."""
    return diffusing_engine(HostProgress())


class StandaloneDiffuser(HostDiffuser):
    """A `Diffuser` on the checkpoint that is chosen, which is loaded when the first face wants it."""

    def __init__(self, watch: HostProgress) -> None:
        super().__init__(_make_standalone_run(), watch)

    @property
    def native(self) -> int:
        """Side in pixels of the squares that the model draws best; raises `MissingDiffuser`."""
        _load_checkpoint()
        return super().native

    def shares(self, job: FaceJob) -> Hashable:
        """Return what jobs of one run must have in common; raises `MissingDiffuser`."""
        _load_checkpoint()
        return super().shares(job)


def _load_checkpoint() -> None:
    """Have the host load the checkpoint that is chosen, unless it is loaded; raises `MissingDiffuser`."""
    if hasattr(sd_models, "forge_model_reload"):
        try:
            sd_models.forge_model_reload()
        except ValueError as error:  # so a host says that it has no checkpoint
            raise MissingDiffuser(NO_CHECKPOINT) from error
    elif shared.sd_model is None:
        raise MissingDiffuser(NO_CHECKPOINT)


def _make_standalone_run() -> StableDiffusionProcessingImg2Img:
    """Return a run that draws nothing itself; faces inherit from it what neither origin nor settings say."""
    schedulers = host_list("schedulers")  # not every host has any
    return StableDiffusionProcessingImg2Img(
        sampler_name=host_list("samplers")[0],
        steps=STEPS,
        cfg_scale=CFG_SCALE,
        tiling=shared.opts.tiling,
        restore_faces=False,
        **({"scheduler": schedulers[0]} if schedulers else {}),
    )
