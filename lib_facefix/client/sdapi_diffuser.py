"""Redrawing faces with a WebUI that need not have FaceFix: by its own img2img, one face a request."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from threading import Thread
from typing import Any

import numpy as np

from ..errors import CannotReach, Refused, Stopped
from ..planning.plan import FaceJob
from ..planning.redraw import LATENT, Redraw, latent_mask
from ..protocols import Progress
from ..settings.sampling import Sampling
from ..types import Image, Mask
from .png import decode_png, encode_png, from_text, to_text
from .webui_api import ROOT, SMALL, WebUI

LOOK = 0.5
"""Seconds between two looks at how far a face is."""
ALONE: Mapping[str, Any] = {
    "alwayson_scripts": {},
    "batch_size": 1,
    "n_iter": 1,
    "do_not_save_samples": True,
    "do_not_save_grid": True,
    "save_images": False,
    "send_images": True,
    "resize_mode": 0,
    "mask_blur": 0,
    "mask_blur_x": 0,
    "mask_blur_y": 0,
    "inpainting_fill": 1,
    "inpaint_full_res": False,
    "inpainting_mask_invert": 0,
    "restore_faces": False,
    "tiling": False,
    "override_settings_restore_afterwards": True,
}
"""What is told of every face: the crop as it is, nothing saved, nothing done beside."""


@dataclass(slots=True)
class FaceProgress:
    """A `Progress` that remembers how many faces are through, so that what is done within one can be told, too."""

    progress: Progress
    total: int
    """Faces to be fixed."""
    done: int = 0

    def step(self, done: int, total: int, doing: str) -> None:
        """Say and remember it."""
        self.done, self.total = done, total
        self.progress.step(done, total, doing)

    def should_stop(self) -> bool:
        """Return what the person wants."""
        return self.progress.should_stop()

    def tell(self, doing: str) -> None:
        """Say what is being done with the face at hand."""
        self.progress.step(self.done, self.total, doing)


class SdapiDiffuser:
    """A `Diffuser` over a WebUI's img2img. Give it one face at a time: its API has one mask and one prompt a run."""

    def __init__(self, webui: WebUI, native: int = SMALL, within: FaceProgress | None = None) -> None:
        """native: side in pixels of the squares that its model draws best. within: may stop a face in the middle."""
        self._webui, self._wire = webui, webui.wire
        self._native, self._within = native, within

    @property
    def engine(self) -> str:
        """The checkpoint's name."""
        return f"WebUI, {self._webui.checkpoint}"

    @property
    def native(self) -> int:
        """Side in pixels of the squares that the model draws best."""
        return self._native

    def shares(self, job: FaceJob) -> Hashable:  # noqa: ARG002 whatever the job is
        """Return None: faces have nothing in common but what they share anyway, as each has a run of its own."""
        return None

    def redraw(self, items: Sequence[Redraw], sampling: Sampling) -> list[Image | None]:
        """Return the crops redrawn inside their masks, one after another; see `protocols.Diffuser`."""
        overrides = self._webui.overrides(sampling)
        self._webui.keep(overrides)
        return [
            self._redraw_one(item, {**make_request(item, sampling), "override_settings": overrides}) for item in items
        ]

    def _redraw_one(self, item: Redraw, asked: Mapping[str, Any]) -> Image | None:
        task = f"facefix-{uuid.uuid4().hex}"
        answer = _start_thread(lambda: self._wire.post(f"{ROOT}/img2img", {**asked, "force_task_id": task}))
        try:
            self._watch(answer, task, item.number)
        except BaseException:  # also Ctrl-C
            self._interrupt(task)
            raise
        return _picture(answer.result())

    def _watch(self, answer: Future[Any], task: str, number: int) -> None:
        """Wait for the answer, telling how far it is; raises `Stopped` when the person wants no more."""
        while not wait([answer], LOOK).done:
            if self._within is None:
                continue
            if self._within.should_stop():
                raise Stopped("stopped while a face was drawn")
            self._within.tell(_so_far(self._state(task), number))

    def _state(self, task: str) -> Mapping[str, Any]:
        """Return what the WebUI says of a task; nothing where it is of a kind that does not say."""
        try:
            state = self._wire.post("/internal/progress", {"id_task": task, "live_preview": False})
        except (CannotReach, Refused):
            return {}
        return state if isinstance(state, Mapping) else {}

    def _interrupt(self, task: str) -> None:
        """End the run at hand, unless it is somebody else's."""
        if self._state(task).get("active", True):
            try:
                self._wire.post(f"{ROOT}/interrupt", {})
            except (CannotReach, Refused):
                return  # it is lost, or has nothing to end: either way we go on ending


def make_request(item: Redraw, sampling: Sampling) -> dict[str, Any]:
    """Return what img2img is told of one face; what is the picture's own and not known is the API's default."""
    height, width = item.image.shape[:2]
    chosen = {
        "steps": sampling.steps,
        "cfg_scale": sampling.cfg_scale,
        "sampler_name": sampling.sampler,
        "scheduler": sampling.scheduler,
    }
    noise = {} if sampling.noise_multiplier < 0 else {"initial_noise_multiplier": sampling.noise_multiplier}
    return {
        **ALONE,
        **{name: value for name, value in chosen.items() if value},
        **noise,
        "init_images": [_text(item.image)],
        "mask": _text(latent_blocks(item.mask)),
        "prompt": item.prompt,
        "negative_prompt": item.negative_prompt,
        "seed": item.seed,
        "subseed": item.subseed,
        "width": width,
        "height": height,
        "denoising_strength": sampling.denoising_strength,
    }


def latent_blocks(mask: Mask) -> Image:
    """Return (h, w), 0 or 255, of a mask (h, w), 0..1: whole latent pixels, each if any of its pixels may show.

    The WebUI makes its latent mask by shrinking this and rounding, which whole blocks survive as they are.
    """
    shown: Image = latent_mask(mask).repeat(LATENT, 0).repeat(LATENT, 1).astype(np.uint8) * np.uint8(255)
    return shown


def _start_thread(work: Callable[[], Any]) -> Future[Any]:
    """Return what `work` will have come to; its thread, unlike one of a pool, keeps nobody who wants to leave."""
    future: Future[Any] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 whoever waits gets it
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future


def _picture(answer: Any) -> Image | None:
    """Return the drawn crop, (h, w, 3); None where there is none in the answer."""
    images = answer.get("images") if isinstance(answer, Mapping) else None
    data = from_text(str(images[0]).rpartition(",")[2]) if images else None
    return decode_png(data) if data else None


def _so_far(state: Mapping[str, Any], number: int) -> str:
    """Return in words how far a face is."""
    if state.get("queued"):
        return f"face {number} waits for the WebUI"
    share = state.get("progress")
    return f"redrawing face {number}" + (f", {share:.0%}" if isinstance(share, float) else "")


def _text(image: Image) -> str:
    return to_text(encode_png(image))
