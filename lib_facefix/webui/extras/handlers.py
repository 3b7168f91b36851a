"""Event handlers of the accordion in the extras tab.

Each handler returns the changes to the page, by component name, as keyword arguments of the toolkit's update.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image as Pil

from ...errors import BadPicture, BadSetting
from ...registry import BUILT_IN
from ...settings.face_settings import FaceSettings
from ..compare.history import Comparison
from ..passes.summary import capitalize
from ..ui.controls import why_idle
from . import view
from .face_overrides import (
    FACE_CONTROLS,
    FACE_SETTINGS,
    FIND_AGAIN,
    FIX,
    TUNING,
    ExtrasInput,
    FaceOverrides,
    fingerprint,
)
from .findings import FINDINGS

if TYPE_CHECKING:
    from ...planning.plan import FixPlan
    from ...types import Image, Mask

NOTE, OVERVIEW, THUMBNAILS, TABLE, LINE, ONE_FACE, TRIED = (
    "note", "overview", "thumbnails", "table", "line", "one_face", "tried"
)  # fmt: skip
"""Names of the accordion's other components, which show results."""
NOTHING = Comparison()
NO_PICTURE = "add an image to Single Image first"

Changes = dict[str, dict[str, Any]]


def to_pixels(picture: Pil.Image | None) -> Image:
    """Return an image as RGB uint8 (H, W, 3); raises `BadPicture` for None."""
    if picture is None:
        raise BadPicture(NO_PICTURE)
    return np.asarray(picture.convert("RGB"))


def find_faces(picture: Pil.Image | None, given: ExtrasInput) -> Changes:
    """Detect the faces of an image and show them; earlier settings of single faces are dropped."""
    from ..standalone import read_origin

    image = to_pixels(picture)
    assert picture is not None
    origin = read_origin(picture)
    plan = given.engine.plan(image, given.settings, origin=origin)
    tuning = FaceOverrides.start(given.engine, image, given.settings, plan, origin)
    return {
        **clear_faces(),
        NOTE: _show_html(view.describe_found(plan, origin)),
        **_pictures(image, plan, tuning.picture),
        TABLE: _show_html(view.render_table(plan, findings=FINDINGS.find(tuning.picture, plan))),
        TUNING: {"value": tuning.to_text()},
    }


def clear_faces() -> Changes:
    """Clear all faces, because the image has changed."""
    return {
        **{name: _show_html("") for name in (NOTE, OVERVIEW, TABLE, LINE)},
        THUMBNAILS: {"value": [], "visible": False},
        ONE_FACE: {"visible": False},
        **_show_tried(),
        TUNING: {"value": ""},
    }


def choose_face(place: int, given: ExtrasInput) -> Changes:
    """Show the controls of the face whose thumbnail is at this place, from 0."""
    tuning = _require_found(given)
    numbers = sorted(job.number for job in tuning.plan.jobs)
    if place >= len(numbers):
        return {}
    shown = tuning.show_face(numbers[place], given.settings)
    return {**_show_decisions(shown, given.settings, refill=True), ONE_FACE: {"visible": True}, **_show_tried()}


def show_edit(given: ExtrasInput) -> Changes:
    """Update the table after a change to a control of the shown face."""
    return _show_decisions(given.tuning, given.settings) if given.tuning else {}


def edit_and_redraw(picture: Pil.Image | None, given: ExtrasInput) -> Changes:
    """Update the table, the image and the thumbnails after a change to a control of the shown face."""
    return {**refill(given), **redraw(picture, given)} if given.tuning else {}


def refill(given: ExtrasInput) -> Changes:
    """Update the table and the controls of the shown face after a change to a setting for all faces."""
    if given.tuning is None:
        return {}
    tuning, settings = given.tuning, given.settings
    return _show_decisions(tuning.show_face(tuning.shown, settings) if tuning.shown else tuning, settings, refill=True)


def apply_to_all(picture: Pil.Image | None, given: ExtrasInput) -> Changes:
    """Copy the overrides of the shown face to all faces."""
    tuning = _require_chosen(given).apply_to_all(given.settings)
    return edit_and_redraw(picture, replace(given, tuning=tuning))


def redraw(picture: Pil.Image | None, given: ExtrasInput) -> Changes:
    """Update the image with its boxes and masks, and the thumbnails."""
    image, tuning = to_pixels(picture), _require_found(given)
    if tuning.picture != fingerprint(image):
        return {}
    return _pictures(image, tuning.plan_for(given.settings), tuning.picture)


def show_findings(picture: Pil.Image | None, given: ExtrasInput) -> Changes:
    """Update the table and the thumbnails with what the identity guard found, once faces of the image were fixed."""
    tuning = given.tuning
    if picture is None or tuning is None:
        return {}
    image = to_pixels(picture)
    return _show_findings(image, tuning, given.settings) if tuning.picture == fingerprint(image) else {}


def try_face(picture: Pil.Image | None, given: ExtrasInput) -> Changes:
    """Fix only the shown face, and show it before and after; nothing is kept."""
    from ..host.progress import exclusive
    from ..standalone import run_plan

    image, tuning = to_pixels(picture), _require_chosen(given)
    if why := tuning.explain_mismatch(fingerprint(image), given.settings):
        raise BadSetting(f"{why}; {FIND_AGAIN}")
    job = tuning.shown_job(given.settings)
    if job.decision == "leave":
        note = f"Face {job.number} is skipped ({job.reason}). Tick Fix this face to try it."
        return _show_tried(Comparison(note=note))
    with exclusive():
        result = run_plan(image, replace(tuning.plan, jobs=(job,)))
    [outcome] = result.outcomes
    FINDINGS.keep(tuning.picture, result.outcomes)
    found = _show_findings(image, tuning, given.settings)
    if outcome.verdict != "fixed":
        why = str(outcome.error or outcome.note or "stopped")
        return {**found, **_show_tried(Comparison(note=f"Face {job.number} was not fixed: {why}."))}
    told = capitalize(outcome.identity.describe()) if outcome.identity else ""
    return {**found, **_show_tried(replace(view.compare_face(image, result.image, job), note=told))}


def _show_findings(image: Image, tuning: FaceOverrides, settings: FaceSettings) -> Changes:
    plan = tuning.plan_for(settings)
    findings = FINDINGS.find(tuning.picture, plan)
    return {
        TABLE: _show_html(view.render_table(plan, tuning.shown, findings)),
        THUMBNAILS: {"value": view.make_thumbnails(image, plan, findings), "visible": bool(plan.jobs)},
    }


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
    """Update the table and the line above the controls. refill: also the controls of the shown face."""
    plan = tuning.plan_for(settings)
    changes: Changes = {
        TUNING: {"value": tuning.to_text()},
        TABLE: _show_html(view.render_table(plan, tuning.shown, FINDINGS.find(tuning.picture, plan))),
    }
    if not tuning.shown:
        return changes
    changes |= {LINE: _show_html(view.render_note([view.describe_face(tuning.shown_job(settings))]))}
    if refill:
        values = tuning.control_values(settings)
        changes[FACE_CONTROLS[FIX]] = {"value": values[FIX]}
        for name in FACE_SETTINGS:
            changes[FACE_CONTROLS[name]] = {"value": values[name], "idle": why_idle(name, values["method"])}
    return changes


def _pictures(image: Image, plan: FixPlan, picture: str) -> Changes:
    """Update the image with boxes and masks, and the thumbnails. picture: fingerprint of the image."""
    return {
        OVERVIEW: _show_html(view.render_overview(image, find_mask(image, plan), plan)),
        THUMBNAILS: {
            "value": view.make_thumbnails(image, plan, FINDINGS.find(picture, plan)),
            "visible": bool(plan.jobs),
        },
    }


def find_mask(image: Image, plan: FixPlan) -> Mask:
    """Return where the plan may change an image, (H, W), 0 to 1."""
    from ..config.engine import get_engine

    # a mask is the same for every method and restorer, so the cheapest one is used
    fixed = (job for job in plan.jobs if job.decision != "leave")
    cheap = (replace(job, decision="restore", treatment=job.treatment.but({"restorer": BUILT_IN})) for job in fixed)
    return get_engine().mask(image, replace(plan, jobs=tuple(cheap)))


def _show_html(html: str) -> dict[str, Any]:
    return {"value": html, "visible": bool(html)}
