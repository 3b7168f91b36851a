"""Re-diffusing faces of a picture that was not drawn just now: what stands in for the run that drew it.

What the picture itself was made from is its `Origin`, which a plan takes in; all else is as the host has it at first.
"""

from __future__ import annotations

from dataclasses import replace

from modules import images, sd_models, shared
from modules.processing import StableDiffusionProcessingImg2Img
from PIL import Image as Pil

from ..assembly import FaceFix
from ..faces import Image
from ..jobs import FixPlan, FixResult
from ..origins import read_infotext
from ..prompts import Origin
from .diffuser import HostDiffuser
from .engine import engine
from .lists import host_list, knows
from .options_page import chosen
from .watching import Watch

STEPS, CFG_SCALE = 20, 7.0
"""What hosts start with."""


def read_origin(picture: Pil.Image) -> Origin | None:
    """Return what the picture's infotext says that it was made from; None where it has none.

    A sampler or scheduler that this host lacks is left out.
    """
    text, _ = images.read_info_from_image(picture)
    infotext = read_infotext(text or "")
    return known_here(infotext.origin) if infotext.fields else None


def known_here(origin: Origin) -> Origin:
    """Return the origin without a sampler or scheduler that this host lacks."""
    return replace(
        origin,
        sampler=origin.sampler if knows("samplers", origin.sampler) else "",
        scheduler=origin.scheduler if knows("schedulers", origin.scheduler) else "",
    )


def fix(image: Image, plan: FixPlan) -> FixResult:
    """Carry out a plan, with the loaded checkpoint where faces are to be re-diffused.

    image: RGB (H, W, 3). For whoever has the host's queue to himself.
    """
    watch = Watch()
    redraws = any(job.decision == "re-diffuse" for job in plan.jobs)
    fixer = diffusing(plan.size, watch) if redraws and model_is_loaded() else engine()
    with watch.over():
        [result] = fixer.run([image], [plan], progress=watch)
    return result


def diffusing(size: tuple[int, int], watch: Watch) -> FaceFix:
    """Return an engine that re-diffuses faces in a picture of this width and height."""
    return engine().with_diffuser(HostDiffuser(_standing(size), watch), chosen().faces_at_once)


def model_is_loaded() -> bool:
    """Load the checkpoint that is chosen, if that has not been done; returns False where there is none."""
    if not hasattr(sd_models, "forge_model_reload"):
        return shared.sd_model is not None
    try:
        sd_models.forge_model_reload()
    except ValueError:  # so a host says that it has no checkpoint
        return False
    return True


def _standing(size: tuple[int, int]) -> StableDiffusionProcessingImg2Img:
    """Return a run that draws nothing itself; faces inherit from it what neither origin nor settings say."""
    return StableDiffusionProcessingImg2Img(
        sampler_name=host_list("samplers")[0],
        scheduler=next(iter(host_list("schedulers")), None),
        steps=STEPS,
        cfg_scale=CFG_SCALE,
        width=size[0],
        height=size[1],
        tiling=shared.opts.tiling,
        restore_faces=False,
    )
