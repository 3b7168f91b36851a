"""Thumbnails, captions and HTML with which the extras tab shows faces. Pure functions of plain data."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as Pil

from ...registry import RESTORERS
from ...settings.face_prompt import GenerationParams
from ..compare.history import Comparison
from ..passes.summary import capitalize

if TYPE_CHECKING:
    from ...planning.identity import IdentityCheck
    from ...planning.plan import FaceJob, FixPlan
    from ...types import Image, Mask

SHARPNESS_WORDS = ((0.4, "blurred"), (0.65, "soft"), (1.01, "sharp"))
"""Words for a face's sharpness, each with its exclusive upper limit (0 to 1)."""
THUMBNAIL, OVERVIEW, TRIED = 160, 1280, 1024
"""Longest sides, in pixels, of a thumbnail, the whole image, and a tried face."""
COLUMNS = ("#", "fix", "method", "restorer", "fidelity", "visibility", "denoise", "why")
NO_FINDINGS: Mapping[int, IdentityCheck] = {}


def describe_sharpness(sharpness: float) -> str:
    """Return a word for a sharpness from 0 (blurred) to 1 (sharp)."""
    return next(word for most, word in SHARPNESS_WORDS if sharpness < most)


def make_caption(job: FaceJob, found: IdentityCheck | None = None) -> str:
    """Return the caption of a thumbnail: "3 · 96 px · soft · restore". found: finding of the identity guard, to add."""
    told = [found.abbreviate()] if found else []
    return " · ".join([str(job.number), *_facts(job), job.decision, *told])


def describe_face(job: FaceJob) -> str:
    """Return a line about a face: "Face 3 · 96 px · soft · restore, because: small (96 px), noise"."""
    return " · ".join([f"Face {job.number}", *_facts(job), f"{job.decision}, because: {job.reason}"])


def _facts(job: FaceJob) -> tuple[str, str]:
    return f"{job.face.box.size:.0f} px", describe_sharpness(job.sharpness)


def describe_found(plan: FixPlan, origin: GenerationParams | None) -> str:
    """Return the result of Find faces as HTML: "4 faces found · prompt read from ..."."""
    count = len(plan.jobs)
    faces = f"{count or 'No'} face{'' if count == 1 else 's'} found"
    if origin is None:
        return f"<p>{faces} · no prompt in the image's PNG info</p>"
    values = {
        "Prompt": origin.prompt,
        "Negative prompt": origin.negative_prompt,
        "Seed": origin.seed,
        "Sampler": " ".join(filter(None, (origin.sampler, origin.scheduler))),
        "Steps": origin.steps,
        "CFG scale": origin.cfg_scale,
        "Clip skip": origin.clip_skip,
    }
    rows = (f"<dt>{name}</dt><dd>{escape(str(value))}</dd>" for name, value in values.items() if value)
    note = f"<p>{faces} · prompt read from the image's PNG info</p>"
    facts = f"<dl class='facefix-origin'>{''.join(rows)}</dl>"
    return f"{note}<details><summary>Generation parameters</summary>{facts}</details>"


def render_table(plan: FixPlan, shown: int = 0, findings: Mapping[int, IdentityCheck] = NO_FINDINGS) -> str:
    """Return the faces and their decisions as an HTML table.

    shown: number of the face to highlight, 0: none. findings: of the identity guard, by number, once faces were fixed.
    """
    columns = (*COLUMNS, "identity") if findings else COLUMNS
    head = "".join(f"<th scope='col'>{column}</th>" for column in columns)
    jobs = sorted(plan.jobs, key=lambda job: job.number)
    told = {job.number: findings[job.number].describe() if job.number in findings else "—" for job in jobs}
    rows = "".join(_row(job, job.number == shown, [told[job.number]] if findings else []) for job in jobs)
    return (
        "<div class='facefix-faces' role='region' aria-label='Decision for each face' tabindex='0'>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _row(job: FaceJob, shown: bool, identity: Sequence[str]) -> str:
    treatment, fixed = job.treatment, job.decision != "leave"
    cells = (
        "yes" if fixed else "no",
        job.decision if fixed else "—",
        RESTORERS.label(treatment.restorer) if job.decision == "restore" else "—",
        f"{treatment.fidelity:.2f}" if job.decision == "restore" else "—",
        f"{treatment.visibility:.2f}" if fixed else "—",
        f"{treatment.denoising_strength:.2f}" if job.decision == "re-diffuse" else "—",
        job.reason,
        *identity,
    )
    mark = " aria-current='true'" if shown else ""
    return f"<tr{mark}><th scope='row'>{job.number}</th>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"


def render_overview(image: Image, mask: Mask, plan: FixPlan) -> str:
    """Return the image as HTML: tinted inside `mask`, with a numbered box for each face.

    The page draws the boxes over the image, so their numbers are readable at any size.
    """
    from ...visualize import tint_mask

    height, width = image.shape[:2]
    jobs = sorted(plan.jobs, key=lambda job: job.number)
    alt = f"The image, tinted red where it may change. {'. '.join(map(make_caption, jobs))}"
    boxes = ""
    for job in jobs:
        box = job.face.box
        style = f"left:{box.left / width:.2%};top:{box.top / height:.2%}"
        style += f";width:{box.width / width:.2%};height:{box.height / height:.2%}"
        boxes += f"<span class='facefix-box facefix-{job.decision}' style='{style}'><b>{job.number}</b></span>"
    url = make_jpeg_url(tint_mask(image, mask), OVERVIEW)
    return f"<div class='facefix-overview'><img alt='{escape(alt)}' src='{url}'>{boxes}</div>"


def make_thumbnails(
    image: Image, plan: FixPlan, findings: Mapping[int, IdentityCheck] = NO_FINDINGS
) -> list[tuple[Pil.Image, str]]:
    """Return a thumbnail and a caption for each face, sorted by number. findings: as in `render_table`."""
    from ...visualize import crop_around

    jobs = sorted(plan.jobs, key=lambda job: job.number)
    captions = [make_caption(job, findings.get(job.number)) for job in jobs]
    return [
        (_small(crop_around(image, job.face.box), THUMBNAIL), caption)
        for job, caption in zip(jobs, captions, strict=True)
    ]


def compare_face(before: Image, after: Image, job: FaceJob) -> Comparison:
    """Return the comparison of one fixed face; both images are RGB uint8 (H, W, 3)."""
    from ...visualize import crop_around

    part, now = crop_around(before, job.face.box), crop_around(after, job.face.box)
    return Comparison(before=make_jpeg_url(part, TRIED), after=make_jpeg_url(now, TRIED))


def make_jpeg_url(image: Image, longest: int) -> str:
    """Return an image as a JPEG data URL, its longer side at most `longest` pixels."""
    file = io.BytesIO()
    _small(image, longest).save(file, "JPEG", quality=92)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def render_note(sentences: Sequence[str]) -> str:
    """Return messages as HTML."""
    return "".join(f"<p>{escape(capitalize(sentence))}</p>" for sentence in sentences if sentence)


def _small(image: Image, longest: int) -> Pil.Image:
    small = Pil.fromarray(np.ascontiguousarray(image))
    small.thumbnail((longest, longest), Pil.Resampling.LANCZOS)
    return small
