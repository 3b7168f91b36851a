"""What the extras tab shows of the faces: pictures, captions, a table; pure, of plain data."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape

import numpy as np
from PIL import Image as Pil

from ...planning.plan import FaceJob, FixPlan
from ...settings.face_prompt import GenerationParams
from ...types import Image, Mask
from ...visualize import crop_around, tint_mask
from ..compare.history import Comparison

WORDS = ((0.25, "blurred"), (0.45, "soft"), (1.01, "sharp"))
"""What a face's sharpness is called: each word up to its number."""
THUMBNAIL, OVERVIEW, TRIED = 160, 1280, 1024
"""Longest sides in pixels of what is sent to the page: a thumbnail, the whole picture, one face."""
COLUMNS = ("#", "fix", "method", "restorer", "fidelity", "visibility", "denoise", "why")
DONE = {"restore": "restore", "re-diffuse": "re-diffuse", "leave": "—"}
FROM = {
    "known": "prompt read from the picture's PNG info",
    "unknown": "no prompt in the picture's PNG info",
}


def sharpness_in_words(sharpness: float) -> str:
    """Return a word for 0 (nothing but blur) .. 1 (crisp)."""
    return next(word for most, word in WORDS if sharpness < most)


def caption(job: FaceJob) -> str:
    """Return what stands under a thumbnail: "3 · 96 px · soft · restore"."""
    return " · ".join([str(job.number), *_facts(job), job.decision])


def line(job: FaceJob) -> str:
    """Return a face in a line: "Face 3 · 96 px · soft · restore, because: not sharp (0.31), 96 px"."""
    return " · ".join([f"Face {job.number}", *_facts(job), f"{job.decision}, because: {job.reason}"])


def _facts(job: FaceJob) -> tuple[str, str]:
    return f"{job.face.box.size:.0f} px", sharpness_in_words(job.sharpness)


def describe_found(plan: FixPlan, origin: GenerationParams | None) -> str:
    """Return what the button Find faces has found, in HTML: "4 faces found · prompt read from ..."."""
    count = len(plan.jobs)
    faces = f"{count or 'No'} face{'' if count == 1 else 's'} found"
    if origin is None:
        return f"<p>{faces} · {FROM['unknown']}</p>"
    return f"<p>{faces} · {FROM['known']}</p>{_details(origin)}"


def _details(origin: GenerationParams) -> str:
    """Return what the picture was made from, to be unfolded."""
    told = {
        "Prompt": origin.prompt,
        "Negative prompt": origin.negative_prompt,
        "Seed": origin.seed,
        "Sampler": " ".join(filter(None, (origin.sampler, origin.scheduler))),
        "Steps": origin.steps,
        "CFG scale": origin.cfg_scale,
        "Clip skip": origin.clip_skip,
    }
    rows = (f"<dt>{name}</dt><dd>{escape(str(value))}</dd>" for name, value in told.items() if value)
    return f"<details><summary>What was read</summary><dl class='facefix-origin'>{''.join(rows)}</dl></details>"


def table(plan: FixPlan, shown: int = 0) -> str:
    """Return all faces and what is to be done to each as an HTML table. shown: the one whose controls are there."""
    head = "".join(f"<th scope='col'>{column}</th>" for column in COLUMNS)
    jobs = sorted(plan.jobs, key=lambda job: job.number)
    rows = "".join(_row(job, job.number == shown) for job in jobs)
    return (
        "<div class='facefix-faces' role='region' aria-label='What is to be done to each face' tabindex='0'>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _row(job: FaceJob, shown: bool) -> str:
    asked, fixed = job.treatment, job.decision != "leave"
    cells = (
        "yes" if fixed else "no",
        DONE[job.decision],
        asked.restorer if job.decision == "restore" else "—",
        f"{asked.fidelity:.2f}" if job.decision == "restore" else "—",
        f"{asked.visibility:.2f}" if fixed else "—",
        f"{asked.denoising_strength:.2f}" if job.decision == "re-diffuse" else "—",
        job.reason,
    )
    mark = " aria-current='true'" if shown else ""
    return f"<tr{mark}><th scope='row'>{job.number}</th>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"


def overview(image: Image, mask: Mask, plan: FixPlan) -> str:
    """Return the picture, tinted where it may change, with a numbered box for each face, as HTML.

    The boxes are laid over it by the page, so that their numbers can be read however small it is shown.
    """
    height, width = image.shape[:2]
    jobs = sorted(plan.jobs, key=lambda job: job.number)
    alt = f"The picture, tinted red where it may change. {'. '.join(map(caption, jobs))}"
    boxes = "".join(_box(job, width, height) for job in jobs)
    url = data_url(tint_mask(image, mask), OVERVIEW)
    return f"<div class='facefix-overview'><img alt='{escape(alt)}' src='{url}'>{boxes}</div>"


def _box(job: FaceJob, width: int, height: int) -> str:
    box = job.face.box
    places = {
        "left": box.left / width,
        "top": box.top / height,
        "width": box.width / width,
        "height": box.height / height,
    }
    style = ";".join(f"{name}:{place:.2%}" for name, place in places.items())
    return f"<span class='facefix-box facefix-{job.decision}' style='{style}'><b>{job.number}</b></span>"


def thumbnails(image: Image, plan: FixPlan) -> list[tuple[Pil.Image, str]]:
    """Return each face with its caption, in the order of their numbers."""
    jobs = sorted(plan.jobs, key=lambda job: job.number)
    return [(_small(crop_around(image, job.face.box), THUMBNAIL), caption(job)) for job in jobs]


def compare_face(before: Image, after: Image, job: FaceJob) -> Comparison:
    """Return what the slider shows of one face that was fixed."""
    part, now = crop_around(before, job.face.box), crop_around(after, job.face.box)
    return Comparison(before=data_url(part, TRIED), after=data_url(now, TRIED))


def data_url(image: Image, longest: int) -> str:
    """Return a picture as an address that holds it, JPEG, its longer side at most `longest` pixels."""
    file = io.BytesIO()
    _small(image, longest).save(file, "JPEG", quality=92)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def note(sentences: Sequence[str]) -> str:
    """Return messages as HTML."""
    return "".join(f"<p>{escape(sentence[0].upper() + sentence[1:])}</p>" for sentence in sentences if sentence)


def _small(image: Image, longest: int) -> Pil.Image:
    small = Pil.fromarray(np.ascontiguousarray(image))
    small.thumbnail((longest, longest), Pil.Resampling.LANCZOS)
    return small
