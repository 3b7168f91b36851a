"""Say how alike the faces of two photos are, each face of the first with each face of the second.

Likeness is no evidence of who someone is. Nothing about the faces is stored or sent.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadSetting
from .flags import add_runtime, add_salvage, add_settings, read_runtime, read_settings
from .parser import Parser
from .terminal import print_lines

if TYPE_CHECKING:
    from ..analysis.likeness import Likeness
    from ..facefix import FaceFix
    from ..planning.plan import FaceJob
    from ..settings.face_settings import FaceSettings
    from ..types import Image

VERSION = 1
"""Version of the JSON."""
CAVEAT = (
    "Likeness is no evidence of who someone is.",
    "Relatives and strangers may look alike, and one person may look different in two photos.",
)
"""Sentences that go with every result."""
MEANINGS = {
    "alike": "different people seldom come out this close",
    "somewhat alike": "common for two photos of one person, but also for different people",
    "not alike": "most pairs of different people; age, pose, or damage may also cause it",
    "unmeasured": "at least one of the two faces cannot be measured",
}
"""Meaning of each verdict, as a phrase for people."""


def add(parser: Parser) -> None:
    """Add the command to its parser."""
    parser.usage = "%(prog)s IMAGE IMAGE [FLAGS]"
    parser.examples = (
        "facefix compare old.jpg old.fixed.jpg    is the restored face still alike?",
        "facefix compare a.jpg b.jpg --json       the distances as JSON",
    )
    parser.add_argument("inputs", nargs="*", metavar="IMAGE", help="the two photos")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_settings(parser, groups=("find",))
    add_salvage(parser)
    add_runtime(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command. Return 0, or 1 if a photo shows no face or no pair can be measured."""
    from ..analysis.likeness import compare_images
    from ..facefix import FaceFix
    from ..pictures import read_picture
    from .files import write_json

    if len(arguments.inputs) != 2:
        raise BadSetting(f"give two images to compare, not {len(arguments.inputs)}")
    settings, engine = read_settings(arguments), FaceFix(read_runtime(arguments))
    images = [read_picture(Path(name), salvage=arguments.salvage).image for name in arguments.inputs]
    faces = [_find_faces(engine, image, settings) for image in images]
    comparison = compare_images(engine.models, images[0], faces[0], images[1], faces[1])
    pairs = [_describe_pair(pair) for pair in comparison.pairs]
    photos = [
        {"path": path, "faces": [_describe_face(job, reasons.get(job.number)) for job in jobs]}
        for path, jobs, reasons in zip(arguments.inputs, faces, comparison.unmeasured, strict=True)
    ]
    if arguments.json:
        write_json({"version": VERSION, "pictures": photos, "pairs": pairs, "note": " ".join(CAVEAT)}, None)
    else:
        print_lines(_make_table(photos, pairs))
    return 0 if any(pair["distance"] is not None for pair in pairs) else 1


def _find_faces(engine: FaceFix, image: Image, settings: FaceSettings) -> Sequence[FaceJob]:
    """Return the faces of an image, in order of their numbers, with pose and sharpness."""
    return sorted(engine.plan(image, settings).jobs, key=lambda job: job.number)


def _describe_face(job: FaceJob, unmeasured: str | None) -> dict[str, Any]:
    box = job.face.box
    corners = [round(value, 1) for value in (box.left, box.top, box.right, box.bottom)]
    return {"number": job.number, "box": corners, "size": round(box.size, 1), "unmeasured": unmeasured}


def _describe_pair(pair: Likeness) -> dict[str, Any]:
    distance = None if pair.distance is None else round(pair.distance, 4)
    return {"first": pair.first, "second": pair.second, "distance": distance, "verdict": pair.verdict}


def _make_table(photos: Sequence[Mapping[str, Any]], pairs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the faces of both photos, a row for each pair, and the meaning of the verdicts that occur."""
    for word, photo in zip(("first", "second"), photos, strict=True):
        count = len(photo["faces"])
        yield f"{word}: {photo['path']}: {count or 'no'} face{'' if count == 1 else 's'}"
        for face in photo["faces"]:
            if face["unmeasured"]:
                yield f"  face {face['number']} is not measured: {face['unmeasured']}"
    if not pairs:
        yield "There is nothing to compare."
        return
    yield ""
    yield "  first  second  distance  verdict"
    for pair in pairs:
        shown = "-" if pair["distance"] is None else f"{pair['distance']:.2f}"
        yield f"  {pair['first']:>5}  {pair['second']:>6}  {shown:>8}  {pair['verdict']}"
    yield ""
    verdicts = {pair["verdict"] for pair in pairs}
    yield from (f"{verdict}: {meaning}" for verdict, meaning in MEANINGS.items() if verdict in verdicts)
    yield from CAVEAT
