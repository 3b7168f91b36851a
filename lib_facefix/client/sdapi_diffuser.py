"""Re-diffuses faces through the img2img API of a WebUI, one face a request. The WebUI does not need FaceFix."""

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
from .png import decode_base64, decode_png, encode_base64, encode_png
from .webui_api import ROOT, SD1_SIDE, WebUI

POLL_INTERVAL = 0.5
"""Interval in seconds between two progress requests."""
BASE_REQUEST: Mapping[str, Any] = {
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
"""Parameters of every request: use the crop unchanged, save nothing, and run no other processing."""


@dataclass(slots=True)
class FaceProgress:
    """A `Progress` that remembers how many faces are done, so that steps within a face can be reported."""

    progress: Progress
    total: int
    """Number of faces to fix."""
    done: int = 0
    """Number of faces that are finished."""

    def step(self, done: int, total: int, doing: str) -> None:
        """Report and remember the number of finished faces."""
        self.done, self.total = done, total
        self.progress.step(done, total, doing)

    def should_stop(self) -> bool:
        """Return whether the user wants to stop."""
        return self.progress.should_stop()

    def report(self, doing: str) -> None:
        """Report a step within the current face."""
        self.progress.step(self.done, self.total, doing)


class SdapiDiffuser:
    """A `Diffuser` that uses a WebUI's img2img. It takes one face at a time, as a request has one mask and prompt."""

    def __init__(self, webui: WebUI, native: int = SD1_SIDE, within: FaceProgress | None = None) -> None:
        """native: native image side of the model in pixels. within: may stop the run in the middle of a face."""
        self._webui, self._transport, self._native, self._within = webui, webui.transport, native, within

    @property
    def engine(self) -> str:
        """Name of the checkpoint, for the report."""
        return f"WebUI, {self._webui.checkpoint}"

    @property
    def native(self) -> int:
        """Native image side of the model, in pixels."""
        return self._native

    def shares(self, job: FaceJob) -> Hashable:  # noqa: ARG002 the same for all jobs
        """Return None, as each face has its own run."""
        return None

    def redraw(self, items: Sequence[Redraw], sampling: Sampling) -> list[Image | None]:
        """Return the crops, re-diffused inside their masks. See `protocols.Diffuser`."""
        overrides = self._webui.make_overrides(sampling)
        self._webui.save_options(overrides)
        return [
            self._redraw_one(item, {**make_request(item, sampling), "override_settings": overrides}) for item in items
        ]

    def _redraw_one(self, item: Redraw, asked: Mapping[str, Any]) -> Image | None:
        task = f"facefix-{uuid.uuid4().hex}"
        answer = _start_thread(lambda: self._transport.post(f"{ROOT}/img2img", {**asked, "force_task_id": task}))
        try:
            self._await_answer(answer, task, item.number)
        except BaseException:  # also Ctrl-C
            self._interrupt(task)
            raise
        return _decode_image(answer.result())

    def _await_answer(self, answer: Future[Any], task: str, number: int) -> None:
        """Wait for the response and report progress. Raises `Stopped` when the user stops the work."""
        while not wait([answer], POLL_INTERVAL).done:
            if self._within is None:
                continue
            if self._within.should_stop():
                raise Stopped("stopped while a face was re-diffused")
            self._within.report(_describe_state(self._fetch_state(task), number))

    def _fetch_state(self, task: str) -> Mapping[str, Any]:
        """Return the WebUI's progress data of a task, or an empty mapping if it has none."""
        try:
            state = self._transport.post("/internal/progress", {"id_task": task, "live_preview": False})
        except (CannotReach, Refused):
            return {}
        return state if isinstance(state, Mapping) else {}

    def _interrupt(self, task: str) -> None:
        """Interrupt the current run, unless it belongs to another client."""
        if self._fetch_state(task).get("active", True):
            try:
                self._transport.post(f"{ROOT}/interrupt", {})
            except (CannotReach, Refused):
                return  # the WebUI is gone, or nothing runs: there is nothing to interrupt


def make_request(item: Redraw, sampling: Sampling) -> dict[str, Any]:
    """Return the img2img request for one face. Settings that are not known are left to the API's defaults."""
    height, width = item.image.shape[:2]
    names = {"steps": "steps", "cfg_scale": "cfg_scale", "sampler_name": "sampler", "scheduler": "scheduler"}
    chosen = {name: value for name, field in names.items() if (value := getattr(sampling, field))}
    noise = {} if sampling.noise_multiplier < 0 else {"initial_noise_multiplier": sampling.noise_multiplier}
    return {
        **BASE_REQUEST,
        **chosen,
        **noise,
        "init_images": [encode_base64(encode_png(item.image))],
        "mask": encode_base64(encode_png(make_latent_blocks(item.mask))),
        "prompt": item.prompt,
        "negative_prompt": item.negative_prompt,
        "seed": item.seed,
        "subseed": item.subseed,
        "width": width,
        "height": height,
        "denoising_strength": sampling.denoising_strength,
    }


def make_latent_blocks(mask: Mask) -> Image:
    """Return a mask (h, w), 0..1, as an image (h, w), uint8, 0 or 255, in blocks of whole latent pixels.

    A block is 255 if any of its pixels may change. The WebUI shrinks and rounds the mask, which keeps whole blocks.
    """
    shown: Image = latent_mask(mask).repeat(LATENT, 0).repeat(LATENT, 1).astype(np.uint8) * np.uint8(255)
    return shown


def _start_thread(work: Callable[[], Any]) -> Future[Any]:
    """Run `work` in a thread and return its future. Unlike a pool's, this thread does not block the process's exit."""
    future: Future[Any] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 passed to the waiting thread
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future


def _decode_image(answer: Any) -> Image | None:
    """Return the crop (h, w, 3) in a response, or None if the response contains no image."""
    images = answer.get("images") if isinstance(answer, Mapping) else None
    data = decode_base64(str(images[0]).rpartition(",")[2]) if images else None
    return decode_png(data) if data else None


def _describe_state(state: Mapping[str, Any], number: int) -> str:
    """Return a progress message for a face."""
    if state.get("queued"):
        return f"face {number} waits for the WebUI"
    share = state.get("progress")
    return f"re-diffusing face {number}" + (f", {share:.0%}" if isinstance(share, float) else "")
