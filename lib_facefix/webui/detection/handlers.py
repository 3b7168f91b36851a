"""What *Preview detection* shows: the faces that each pass would find in an image, and what it would do to them.

Nothing is sampled, and the host's queue is not used, so the preview also works while the host is generating.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from PIL import Image as Pil

from ...errors import BadPicture
from ...settings.face_prompt import GenerationParams
from ..compare.history import BEFORES, OriginalStore
from ..extras import view
from ..extras.handlers import find_mask, to_pixels
from ..passes.paths import check_paths
from ..passes.runs import Run, list_runs
from ..passes.settings import read_passes
from ..passes.summary import capitalize

if TYPE_CHECKING:
    from ...protocols import Engine
    from ...types import Image

NO_PICTURE = "add an image first, or select Last result"
NO_RESULT = "there is no result yet. Generate an image, or add one"
NO_PASS = "all passes are switched off. Switch one on"
INFOTEXT_KEY = "parameters"
"""Key of the host's infotext in the text fields of an image."""


def preview_passes(picture: Pil.Image | None, passes_text: str) -> str:
    """Return what the active passes would do to an image as HTML. passes_text: the page's text of the passes.

    The image is the same for every pass, though a pass would see the result of the one before. Raises a `FaceFixError`.
    """
    from ..standalone import diffusing_engine, read_origin

    if picture is None:
        raise BadPicture(NO_PICTURE)
    passes = read_passes([True, passes_text])
    if not passes:
        raise BadPicture(NO_PASS)
    check_paths(((f"pass {number}: ", one.to_json()) for number, one in enumerate(passes, start=1)), is_api=False)
    runs, origin = list_runs(passes), read_origin(picture) or GenerationParams()
    engine, image = diffusing_engine(), to_pixels(picture)
    return "".join(_render_run(image, run, engine, origin) for run in runs)


def pick_result(pictures: Sequence[Pil.Image | None], generation_info: str, chosen: int) -> Pil.Image:
    """Return the chosen result as it was before FaceFix, or as it is, if that is not kept; raises `BadPicture`.

    pictures: those of the gallery. generation_info: JSON with which the host describes them. chosen: place in the
    gallery; -1: the first one that is no grid.
    """
    return pick_original(pictures, generation_info, chosen, BEFORES)


def pick_original(
    pictures: Sequence[Pil.Image | None], generation_info: str, chosen: int, befores: OriginalStore
) -> Pil.Image:
    """Return the image as `pick_result` does, from the given store of originals."""
    info = json.loads(generation_info or "{}")
    infotexts, place = info.get("infotexts", []), info.get("index_of_first_image", 0) if chosen < 0 else chosen
    infotext = infotexts[place] if place < len(infotexts) else ""
    before = befores.find(infotext)
    shown = Pil.fromarray(before.image) if before else pictures[place] if place < len(pictures) else None
    if shown is None:
        raise BadPicture(NO_RESULT)
    if infotext:
        shown.info[INFOTEXT_KEY] = infotext
    return shown


def _render_run(image: Image, run: Run, engine: Engine, origin: GenerationParams) -> str:
    plan = engine.plan(image, run.settings, origin=origin)
    title = f"<h4>{escape(capitalize(run.title))}</h4>" if run.title else ""
    if not plan.jobs:
        return f"{title}<p>No face found.</p>"
    count = f"<p>{len(plan.jobs)} face{'' if len(plan.jobs) == 1 else 's'} found.</p>"
    overview = view.render_overview(image, find_mask(image, plan), plan)
    return f"{title}{count}{overview}{view.render_table(plan)}"
