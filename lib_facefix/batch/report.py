"""Reports about plans and results, as text for people and as JSON."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..pictures.objects import as_url
from ..planning.identity import IdentityCheck
from ..planning.plan import VERSION, FixPlan
from ..registry import BUILT_IN

VERDICT_WORDS = {"fixed": "fixed", "left": "unchanged", "failed": "failed"}
"""Words for each verdict, in the order of a summary."""


def has_failed(record: Mapping[str, Any]) -> bool:
    """Return whether an image, or a face of it, has failed."""
    return record["error"] is not None or any(face.get("outcome") == "failed" for face in record["faces"])


def new_record(path: Path) -> dict[str, Any]:
    """Return the record of an image of which nothing is known yet."""
    record: dict[str, Any] = {"path": as_url(path), "size": None, "upscale": None, "result_size": None, "faces": []}
    return record | {
        "output": None, "notes": [], "fixed_before": None, "skipped": None, "error": None, "seconds": 0.0
    }  # fmt: skip


def make_document(pictures: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the JSON document of `facefix detect`, `facefix plan` and `--report`."""
    return {"version": VERSION, "pictures": pictures}


def summarize_faces(record: Mapping[str, Any]) -> str:
    """Return "4 faces: 3 fixed, 1 unchanged, upscaled to 1600x1200 with lanczos" for the record of an image."""
    upscale, faces = record["upscale"], record["faces"]
    enlarged = _describe_enlarging(record["size"], upscale["size"], upscale["upscaler"]) if upscale else ""
    where = f" on {len(record['pages'])} pages" if "pages" in record else ""
    if not faces:
        return f"no faces found{where}, {enlarged or 'unchanged'}"
    counts = Counter(face["outcome"] for face in faces)
    parts = [f"{counts[verdict]} {word}" for verdict, word in VERDICT_WORDS.items() if counts[verdict]]
    return f"{_count(len(faces), 'face')}{where}: {', '.join(filter(None, [*parts, enlarged]))}"


def describe_plan(plan: FixPlan) -> list[str]:
    """Return a line with the number of faces and the size of the result, then one with the decision for each face."""
    enlarged = _describe_enlarging(plan.size, plan.upscaled, plan.upscaler) if plan.upscaled else ""
    lines = [f"  {job.number}: {job.face.box.size:.0f} px, {job.decision}: {job.reason}" for job in plan.jobs]
    counted = _count(len(plan.jobs), "face") if lines else "no faces found"
    return [f"{counted}, to be {enlarged}" if enlarged else counted, *lines]


def list_reasons(record: Mapping[str, Any]) -> list[str]:
    """Return a line for each face in the record that was not fixed, or not as asked to keep its identity."""
    return [
        f"{_name(face)} {VERDICT_WORDS[face['outcome']]}: {_explain(face)}"
        for face in record["faces"]
        if face["outcome"] != "fixed" or _guard_of(face) in ("drifted", "backed off")
    ]


def list_details(record: Mapping[str, Any]) -> list[str]:
    """Return a line for each face in the record, with its method, engine, time, and reason."""
    lines = []
    for face in record["faces"]:
        how = face["decision"]
        if face["decision"] == "restore":
            restorer, fidelity = (face["parameters"][name] for name in ("restorer", "fidelity"))
            with_what = "the built-in restorer" if restorer == BUILT_IN else restorer
            how = f"restored with {with_what}, fidelity {fidelity:g}"
        elif face["decision"] == "re-diffuse":
            how = "re-diffused"
        ran = f", {face['engine']}, {face['seconds']:.2f} s" if face["outcome"] == "fixed" else ""
        told = _describe_identity(face) if face["outcome"] == "fixed" else ""
        noted = "" if told and told in face["note"] else told
        why = face["error"] or "; ".join(filter(None, (face["reason"], face["note"], noted)))
        what = how if face["outcome"] == "fixed" else VERDICT_WORDS[face["outcome"]]
        lines.append(f"{_name(face)}, {face['size']:.0f} px: {what}{ran} ({why})")
    return lines


def _name(face: Mapping[str, Any]) -> str:
    """Return "face 2", or "page 3, face 2" in a file of several pages."""
    return f"page {face['page']}, face {face['number']}" if "page" in face else f"face {face['number']}"


def _explain(face: Mapping[str, Any]) -> str:
    """Return why a face was not fixed, or not as asked."""
    if face["outcome"] == "fixed":
        return _describe_identity(face)
    return str(face["error"] or face["note"] or face["reason"])


def _guard_of(face: Mapping[str, Any]) -> str:
    """Return the verdict of the identity guard, blank if there is none, as from servers of older versions."""
    return str(face["identity"]["verdict"]) if face.get("identity") else ""


def _describe_identity(face: Mapping[str, Any]) -> str:
    return IdentityCheck.from_json(face["identity"]).describe() if face.get("identity") else ""


def explain_absent(wanted: Mapping[str, Collection[int]], record: Mapping[str, Any]) -> list[str]:
    """Return a line for each wanted number or range that is none of the faces in the record.

    wanted: face numbers by the text that names them, such as "7" or "5-9".
    """
    known = {face["number"] for face in record["faces"]}
    found = _count(len(known), "face")
    return [f"there is no face {text}: {found} found" for text, numbers in wanted.items() if known.isdisjoint(numbers)]


def _describe_enlarging(was: Sequence[int], size: Sequence[int], upscaler: str) -> str:
    """Return "upscaled to 1600x1200 with lanczos" ("scaled" unless both sides grow)."""
    how = "upscaled" if size[0] > was[0] and size[1] > was[1] else "scaled"
    return f"{how} to {size[0]}x{size[1]} with {upscaler}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
