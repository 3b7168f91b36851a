"""Re-diffuses faces of existing images, without the run that generated them.

The image's own generation parameters are the plan's origin; everything else has the host's defaults.
"""

from collections.abc import Hashable, Sequence
from dataclasses import replace

from modules import images, sd_models, shared
from modules.processing import StableDiffusionProcessingImg2Img
from PIL import Image as Pil

from ..errors import MissingDiffuser
from ..facefix import FaceFix
from ..planning.plan import FaceJob, FixPlan, FixResult
from ..planning.redraw import Redraw
from ..settings.face_prompt import GenerationParams
from ..settings.generation_info import parse_generation_info
from ..settings.options import options
from ..settings.sampling import Sampling
from ..types import Image, Patch
from .config.choices import check_choices, host_list, is_known_choice
from .config.engine import get_engine
from .config.options import read_options
from .host.compat import attribute_set
from .host.diffuser import HostDiffuser
from .host.progress import HostProgress

STEPS, CFG_SCALE = 20, 7.0
"""The hosts' default number of steps and CFG scale."""
NO_CHECKPOINT = "re-diffusing needs a checkpoint, and none is loaded. Choose one at the top of the page"


def read_infotext(picture: Pil.Image) -> str:
    """Return the image's infotext, blank without one."""
    text, _ = images.read_info_from_image(picture)
    return text or ""


def read_origin(picture: Pil.Image) -> GenerationParams | None:
    """Return the generation parameters in the image's infotext, without a sampler or schedule type unknown here."""
    origin = parse_generation_info(read_infotext(picture))
    if origin is None:
        return None
    return replace(
        origin,
        sampler=origin.sampler if is_known_choice("samplers", origin.sampler) else "",
        scheduler=origin.scheduler if is_known_choice("schedulers", origin.scheduler) else "",
    )


def run_plan(image: Image, plan: FixPlan) -> FixResult:
    """Run a plan on an RGB uint8 image (H, W, 3); the caller must hold the host's lock."""
    watch = HostProgress()
    with attribute_set(shared.state, "textinfo", shared.state.textinfo):
        [result] = diffusing_engine(watch).run([image], [plan], progress=watch)
    return result


def diffusing_engine(watch: HostProgress | None = None) -> FaceFix:
    """Return an engine that re-diffuses faces; planning needs no lock, but running it needs the host's."""
    return get_engine().with_diffuser(StandaloneDiffuser(watch or HostProgress()), read_options().faces_at_once)


class StandaloneDiffuser(HostDiffuser):
    """A `Diffuser` with the chosen checkpoint, which is loaded for the first face that needs it."""

    def __init__(self, watch: HostProgress) -> None:
        super().__init__(_make_standalone_run(), watch)

    @property
    def native(self) -> int:
        """Native size of the model, in pixels; raises `MissingDiffuser`."""
        _load_checkpoint()
        return super().native

    def shares(self, job: FaceJob) -> Hashable:
        """Return a key that jobs of one sampling run must share; raises `MissingDiffuser`."""
        _load_checkpoint()
        return super().shares(job)

    def redraw(self, items: Sequence[Redraw], sampling: Sampling) -> list[Patch | None]:
        """Return the crops, re-diffused; raises `BadSetting` for a sampler or model that the host does not have."""
        check_choices(sampling, options(Sampling))
        return super().redraw(items, sampling)


def _load_checkpoint() -> None:
    """Load the chosen checkpoint if needed; raises `MissingDiffuser`."""
    if hasattr(sd_models, "forge_model_reload"):
        try:
            sd_models.forge_model_reload()
        except ValueError as error:  # how Forge reports a missing checkpoint
            raise MissingDiffuser(NO_CHECKPOINT) from error
    elif shared.sd_model is None:
        raise MissingDiffuser(NO_CHECKPOINT)


def _make_standalone_run() -> StableDiffusionProcessingImg2Img:
    """Return a run that is never started; faces inherit its values where neither origin nor settings have any."""
    schedulers = host_list("schedulers")  # empty in older hosts
    return StableDiffusionProcessingImg2Img(
        sampler_name=host_list("samplers")[0],
        steps=STEPS,
        cfg_scale=CFG_SCALE,
        tiling=shared.opts.tiling,
        restore_faces=False,
        **({"scheduler": schedulers[0]} if schedulers else {}),
    )
