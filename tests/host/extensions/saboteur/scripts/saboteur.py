"""Records every sampling run, and makes nested ones fail on demand.

GET /saboteur: the runs since DELETE /saboteur, which also takes all orders back. POST /saboteur: orders,
    nan_for         the model gives NaN for the items in whose prompt this stands
    most            it runs out of memory when it is given more items than this at once
    out_of_memory   the words in which it says so
    interrupt_in    the person interrupts in the nested run of this number, counted from 1, at its second step
    skip_in         or skips
    stop_in         or asks for an end after the picture at hand
    interrupt_main  interrupts while the picture itself is drawn
    stop_main       or asks then for an end after it
    fail_in         the nested run of this number raises a RuntimeError
    strangers       the denoising strength above which the model draws another person, by a face's "prompt/seed"; up to
                    it, and for all others, it draws the face as it is, `LIGHTER`
    stranger        the path of that person's photo
    marked          the WebUI takes the loaded model for one of this kind, such as "edit"; the answer says if it has any
"""

from dataclasses import asdict, dataclass, field
from importlib.util import find_spec

import numpy as np
import torch
from modules import processing, script_callbacks, sd_samplers_cfg_denoiser, shared
from PIL import Image

ORDERS = {}
RUNS = []
STACK = []
LIGHTER = 6
"""Levels by which a face that the model draws as it is comes out lighter, so that it has changed."""


@dataclass(eq=False)
class Run:
    kind: str
    depth: int
    width: int
    height: int
    batch_size: int
    steps: int
    cfg_scale: float
    denoising_strength: float
    sampler: str
    scheduler: str
    prompts: list = field(default_factory=list)
    negative_prompts: list = field(default_factory=list)
    seeds: list = field(default_factory=list)
    subseeds: list = field(default_factory=list)
    items: list = field(default_factory=list)
    """Of each call of the model, how many it was given."""
    told: list = field(default_factory=list)
    """What the person could read at each call."""
    comments: str = ""
    """What stands under the result."""
    checkpoint: str = ""
    clip_skip: int = 0


class Drawn(list):
    already_decoded = True


def nested():
    return [run for run in RUNS if run.depth > 1]


def process_images_inner(p):
    run = Run(
        type(p).__name__, len(STACK) + 1, p.width, p.height, p.batch_size, p.steps, p.cfg_scale,
        getattr(p, "denoising_strength", None) or 0.0, p.sampler_name, p.scheduler or "",
    )  # fmt: skip
    RUNS.append(run)
    STACK.append(run)
    if run.depth > 1 and "strangers" in ORDERS:
        p.sample = replaced(p, p.sample)
    try:
        done = inner(p)
        run.comments = str(done.comments)
        return done
    finally:
        STACK.pop()
        run.prompts, run.negative_prompts = list(p.all_prompts or ()), list(p.all_negative_prompts or ())
        run.seeds, run.subseeds = list(p.all_seeds or ()), list(p.all_subseeds or ())
        run.checkpoint, run.clip_skip = str(getattr(p, "sd_model_name", "")), shared.opts.CLIP_stop_at_last_layers


def forward(self, x, *args, **kwargs):
    run = STACK[-1]
    run.items.append(len(x))
    run.told.append(" | ".join(str(text) for text in (shared.state.job, shared.state.textinfo) if text))
    if run.depth > 1:
        sabotage(run, len(x))
    elif ORDERS.get("interrupt_main"):
        shared.state.interrupt()
    elif ORDERS.get("stop_main"):
        shared.state.stop_generating()
    out = denoise(self, x, *args, **kwargs)
    if run.depth > 1 and ORDERS.get("nan_for"):
        spoilt = torch.tensor([ORDERS["nan_for"] in prompt for prompt in self.p.prompts])
        out = torch.where(spoilt[:, None, None, None].to(out.device), torch.full_like(out, float("nan")), out)
    return out


def sabotage(run, items):
    number = nested().index(run) + 1
    if items > ORDERS.get("most", items):
        raise torch.cuda.OutOfMemoryError(ORDERS.get("out_of_memory", "CUDA out of memory. Tried to allocate 2 GiB"))
    if ORDERS.get("fail_in") == number:
        raise RuntimeError("the saboteur was here")
    if len(run.items) == 2 and ORDERS.get("interrupt_in") == number:
        shared.state.interrupt()
    if len(run.items) == 2 and ORDERS.get("skip_in") == number:
        shared.state.skip()
    if len(run.items) == 2 and ORDERS.get("stop_in") == number:
        shared.state.stop_generating()


def replaced(p, sample):
    """Return what samples as `sample` does, and then gives back strangers, or the faces as they were."""

    def draw(*args, **kwargs):
        sample(*args, **kwargs)
        named = (f"{prompt}/{seed}" for prompt, seed in zip(p.prompts, p.seeds, strict=True))
        return Drawn(person(face, name, p.denoising_strength) for face, name in zip(p.init_images, named, strict=True))

    return draw


def person(face, name, strength):
    """Return a picture of one face as a decoder gives it: (3, H, W), -1..1."""
    if strength > ORDERS["strangers"].get(name, 1.0):
        with Image.open(ORDERS["stranger"]) as photo:
            seen = np.asarray(photo.convert("RGB").resize(face.size), np.float32)
    else:
        seen = np.minimum(np.asarray(face.convert("RGB"), np.float32) + LIGHTER, 255)
    return torch.from_numpy(np.moveaxis((seen + 0.5) / 255 * 2 - 1, 2, 0).copy())


def order(orders: dict):
    ORDERS.update(orders)
    return mark(True)


def forget():
    mark(False)
    ORDERS.clear()
    RUNS.clear()


def mark(value):
    """Mark the loaded model as ordered, or take that back; returns whether the WebUI has such marks."""
    if find_spec("backend") is None or find_spec("backend.args") is None:
        return False
    from backend import args

    marks = getattr(args, "dynamic_args", None)
    if hasattr(marks, "ref_latents") and "marked" in ORDERS:
        setattr(marks, ORDERS["marked"], value)
    return hasattr(marks, "ref_latents")


def serve(_, app):
    app.add_api_route("/saboteur", lambda: [asdict(run) for run in RUNS], methods=["GET"])
    app.add_api_route("/saboteur", order, methods=["POST"])
    app.add_api_route("/saboteur", forget, methods=["DELETE"])


inner, processing.process_images_inner = processing.process_images_inner, process_images_inner
denoise, sd_samplers_cfg_denoiser.CFGDenoiser.forward = sd_samplers_cfg_denoiser.CFGDenoiser.forward, forward
script_callbacks.on_app_started(serve)
