"""Progress and interruption in the host while faces are fixed, and the host's lock."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from modules import shared
from modules.call_queue import queue_lock
from PIL import Image as Pil

from ...planning.redraw import Redraw
from .compat import sampling_callbacks
from .preview import draw_numbers


class HostProgress:
    """A `Progress` in the host's own progress line and live preview."""

    def step(self, done: int, total: int, doing: str) -> None:
        """Show how many faces are done."""
        shared.state.textinfo = f"FaceFix: {done} of {total} faces ({doing})"

    def __init__(self) -> None:
        self._finishing = bool(shared.state.stopping_generation)

    def should_stop(self) -> bool:
        """Return whether to start no further sampling run.

        "Interrupt" may mean "after the current image". Faces belong to that image if it came before they were started;
        otherwise the current run is the last.
        """
        return self.was_interrupted() or bool(shared.state.stopping_generation and not self._finishing)

    def was_interrupted(self) -> bool:
        """Return whether the current run was ended early, so its results are not finished."""
        return bool(shared.state.interrupted or shared.state.skipped)

    @contextmanager
    def sampling_run(self, items: Sequence[Redraw]) -> Iterator[None]:
        """Show the faces of one sampling run in the progress line, and their numbers in the preview."""
        state = shared.state
        before = state.job, state.textinfo
        stopping, state.stopping_generation = state.stopping_generation, False  # or the host would not begin the run
        state.job_count = max(state.job_count, 0) + 1  # the run counts itself as done
        title = f"FaceFix: {len(items)} faces in one run" if len(items) > 1 else f"FaceFix: face {items[0].number}"

        def show_step(_: Any) -> None:
            state.job, state.textinfo = "FaceFix", f"{title}, step {state.sampling_step + 1}/{state.sampling_steps}"

        assign = state.assign_current_image
        height, width = items[0].image.shape[:2]
        shown = [item.number for item in (items if shared.opts.show_progress_grid else items[:1])]

        def show(image: Pil.Image) -> None:
            assign(draw_numbers(image, shown, (width, height)))

        state.textinfo = title
        state.assign_current_image = show
        try:
            with sampling_callbacks(cfg_denoiser=show_step):
                yield
        finally:
            del state.assign_current_image
            state.stopping_generation = state.stopping_generation or stopping
            state.job, state.textinfo = before


@contextmanager
def exclusive() -> Iterator[None]:
    """Wait until the host is idle, then hold its lock for a button or an endpoint; "Interrupt" still works."""
    with queue_lock:
        shared.state.begin(job="FaceFix")
        try:
            yield
        finally:
            shared.state.end()
