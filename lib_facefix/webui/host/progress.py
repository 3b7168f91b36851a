"""What a person sees while faces are fixed, and how they stop it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from modules import shared
from PIL import Image as Pil

from ...planning.redraw import Redraw
from .compat import sampling_callbacks
from .preview import draw_numbers


class HostProgress:
    """A `Progress` in the host's own progress line and live preview."""

    def step(self, done: int, total: int, doing: str) -> None:
        """Say how many faces are through."""
        shared.state.textinfo = f"FaceFix: {done} of {total} faces ({doing})"

    def __init__(self) -> None:
        self._finishing = bool(shared.state.stopping_generation)

    def should_stop(self) -> bool:
        """Return True when the person wants no further run.

        "Interrupt" may mean "after the current picture". Said before the faces' turn, they are part of that picture;
        said while they are drawn, the run at hand is the last.
        """
        return self.was_interrupted() or bool(shared.state.stopping_generation and not self._finishing)

    def was_interrupted(self) -> bool:
        """Return True when the run at hand was ended in the middle: what came of it is not finished."""
        return bool(shared.state.interrupted or shared.state.skipped)

    @contextmanager
    def restored_textinfo(self) -> Iterator[None]:
        """From the first face to the last: the progress line is the picture's own again afterwards."""
        before = shared.state.textinfo
        try:
            yield
        finally:
            shared.state.textinfo = before

    @contextmanager
    def sampling_run(self, items: Sequence[Redraw]) -> Iterator[None]:
        """For one sampling run: name its faces in the progress line, number them in the preview."""
        state = shared.state
        before = state.job, state.textinfo
        stopping, state.stopping_generation = state.stopping_generation, False  # or the host would not begin the run
        state.job_count = max(state.job_count, 0) + 1  # the run counts itself as done
        what = f"FaceFix: {len(items)} faces in one run" if len(items) > 1 else f"FaceFix: face {items[0].number}"

        def tell(_: Any) -> None:
            state.job, state.textinfo = "FaceFix", f"{what}, step {state.sampling_step + 1}/{state.sampling_steps}"

        assign = state.assign_current_image
        height, width = items[0].image.shape[:2]
        shown = [item.number for item in (items if shared.opts.show_progress_grid else items[:1])]

        def show(image: Pil.Image) -> None:
            assign(draw_numbers(image, shown, (width, height)))

        state.textinfo = what
        state.assign_current_image = show
        try:
            with sampling_callbacks(cfg_denoiser=tell):
                yield
        finally:
            del state.assign_current_image
            state.stopping_generation = state.stopping_generation or stopping
            state.job, state.textinfo = before
