"""What happens in the accordion of the extras tab: each function returns what changes on the page.

The changes come by the names of components; what is told of each is what the host's toolkit calls an update.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image as Pil

from ...errors import BadPicture, BadSetting
from ...planning.plan import FaceJob, FixPlan
from ...settings.face_settings import FaceSettings
from ...types import Image
from ..compare.history import Comparison
from ..ui.controls import why_idle
from . import view
from .face_overrides import FACE_SETTINGS, FIND_AGAIN, FIX, FaceOverrides, fingerprint
from .inputs import FACE_CONTROLS, TUNING, ExtrasInput

NOTE, OVERVIEW, THUMBNAILS, TABLE, LINE, ONE_FACE, TRIED = (
    "note", "overview", "thumbnails", "table", "line", "one_face", "tried"
)  # fmt: skip
"""Beside the controls: what the accordion shows."""
NOTHING = Comparison()
NO_PICTURE = "put a picture into Single Image first"

Changes = dict[str, dict[str, Any]]


def to_pixels(picture: Pil.Image | None) -> Image:
    """Return a picture's colours, (H, W, 3); raises `BadPicture` where there is none."""
    if picture is None:
        raise BadPicture(NO_PICTURE)
    return np.asarray(picture.convert("RGB"))


def find_faces(picture: Pil.Image | None, given: ExtrasInput) -> Changes:
    """Find the faces of a picture and show them; whatever was set for faces before is gone."""
    from ..standalone import read_origin

    image = to_pixels(picture)
    assert picture is not None
    origin = read_origin(picture)
    plan = given.engine.plan(image, given.settings, origin=origin)
    return {
        **clear_faces(),
        NOTE: _show_html(view.describe_found(plan, origin)),
        **_pictures(image, plan),
        TABLE: _show_html(view.render_table(plan)),
        TUNING: {"value": FaceOverrides.start(given.engine, image, given.settings, plan, origin).to_text()},
    }


def clear_faces() -> Changes:
    """Forget all faces: the picture is another."""
    return {
        **{name: _show_html("") for name in (NOTE, OVERVIEW, TABLE, LINE)},
        THUMBNAILS: {"value": [], "visible": False},
        ONE_FACE: {"visible": False},
        **_show_tried(),
        TUNING: {"value": ""},
    }


def choose_face(place: int, given: ExtrasInput) -> Changes:
    """Show the controls of the face whose thumbnail stands at this place, from 0."""
    tuning = _require_found(given)
    numbers = sorted(job.number for job in tuning.plan.jobs)
    if place >= len(numbers):
        return {}
    shown = tuning.show_face(numbers[place], given.settings)
    return {**_show_decisions(shown, given.settings, refill=True), ONE_FACE: {"visible": True}, **_show_tried()}


def show_edit(given: ExtrasInput) -> Changes:
    """Say what is to be done now that a control was changed."""
    return _show_decisions(given.tuning, given.settings) if given.tuning else {}


def edit_and_redraw(picture: Pil.Image | None, given: ExtrasInput) -> Changes:
    """Say and show what is to be done now that a control was changed."""
    return {**refill(given), **redraw(picture, given)} if given.tuning else {}


def refill(given: ExtrasInput) -> Changes:
    """Say what is to be done now that a setting of all faces was changed; the shown face may have changed with it."""
    if given.tuning is None:
        return {}
    shown = given.tuning.shown
    return _show_decisions(
        given.tuning.show_face(shown, given.settings) if shown else given.tuning, given.settings, refill=True
    )


def apply_to_all(picture: Pil.Image | None, given: ExtrasInput) -> Changes:
    """Set all faces as the shown one is."""
    alike = _require_chosen(given).apply_to_all(given.settings)
    return edit_and_redraw(picture, replace(given, tuning=alike))


def redraw(picture: Pil.Image | None, given: ExtrasInput) -> Changes:
    """Show the picture with its boxes and masks, and the thumbnails, as is decided now."""
    image, tuning = to_pixels(picture), _require_found(given)
    if tuning.picture != fingerprint(image):
        return {}
    return _pictures(image, tuning.plan_for(given.settings))


def try_face(picture: Pil.Image | None, given: ExtrasInput) -> Changes:
    """Fix the shown face alone, and show it before and after; nothing is kept."""
    from ..host.lock import exclusive
    from ..standalone import run_plan

    image, tuning = to_pixels(picture), _require_chosen(given)
    if why := tuning.explain_mismatch(fingerprint(image), given.settings):
        raise BadSetting(f"{why}; {FIND_AGAIN}")
    job = tuning.shown_job(given.settings)
    if job.decision == "leave":
        return _show_tried(Comparison(note=f"Face {job.number} is left ({job.reason}); tick Fix this face to try it."))
    with exclusive():
        result = run_plan(image, replace(tuning.plan, jobs=(job,)))
    [outcome] = result.outcomes
    if outcome.verdict != "fixed":
        return _show_tried(Comparison(note=f"Face {job.number} was not fixed: {outcome.error or 'stopped'}."))
    return _show_tried(view.compare_face(image, result.image, job))


def _show_tried(shown: Comparison = NOTHING) -> Changes:
    return {TRIED: {"value": shown.to_text()}}


def _require_found(given: ExtrasInput) -> FaceOverrides:
    if given.tuning is None:
        raise BadSetting(f"no faces were found yet; {FIND_AGAIN}")
    return given.tuning


def _require_chosen(given: ExtrasInput) -> FaceOverrides:
    tuning = _require_found(given)
    if not tuning.shown:
        raise BadSetting("choose a face first")
    return tuning


def _show_decisions(tuning: FaceOverrides, settings: FaceSettings, *, refill: bool = False) -> Changes:
    """Return what stands in the table and over the controls. refill: and in the controls of the shown face."""
    changes = {
        TUNING: {"value": tuning.to_text()},
        TABLE: _show_html(view.render_table(tuning.plan_for(settings), tuning.shown)),
    }
    if not tuning.shown:
        return changes
    changes |= {LINE: _show_html(view.render_note([view.describe_face(tuning.shown_job(settings))]))}
    return {**changes, **_controls(tuning, settings)} if refill else changes


def _controls(tuning: FaceOverrides, settings: FaceSettings) -> Changes:
    values = tuning.control_values(settings)
    idle = {name: why_idle(name, values["method"]) for name in FACE_SETTINGS}
    changes = {FACE_CONTROLS[name]: {"value": values[name], "idle": idle[name]} for name in FACE_SETTINGS}
    return {FACE_CONTROLS[FIX]: {"value": values[FIX]}, **changes}


def _pictures(image: Image, plan: FixPlan) -> Changes:
    """Return the picture with boxes and masks, and the thumbnails."""
    return {
        OVERVIEW: _show_html(view.render_overview(image, _mask(image, plan), plan)),
        THUMBNAILS: {"value": view.make_thumbnails(image, plan), "visible": bool(plan.jobs)},
    }


def _mask(image: Image, plan: FixPlan) -> Any:
    """Return where the picture may change; as all framings show the same masks, the one that costs least is used."""
    from ..config.engine import get_engine

    return get_engine().mask(image, replace(plan, jobs=tuple(map(_cheap, plan.jobs))))


def _cheap(job: FaceJob) -> FaceJob:
    if job.decision == "leave":
        return job
    return replace(job, decision="restore", treatment=job.treatment.but({"restorer": "lite"}))


def _show_html(html: str) -> dict[str, Any]:
    return {"value": html, "visible": bool(html)}
