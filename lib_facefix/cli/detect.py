"""Find faces and print them as JSON; nothing is fixed."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..assembly import FaceFix
from ..drawing import numbered_boxes
from ..errors import BadSetting, FaceFixError
from ..jobs import face_to_json
from ..pictures import check_writable, find_pictures, read_picture
from ..settings import FaceSettings
from .flags import add_settings, read_settings
from .printing import document, tell, write_json
from .sheets import write_drawing


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("detect", help="find faces and print them as JSON", description=__doc__)
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help="picture, folder, or pattern such as 'old/*.jpg'")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the JSON there")
    parser.add_argument("--draw", type=Path, metavar="FILE", help="draw the numbered boxes; for one picture")
    add_settings(parser, groups=("find",))
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Carry the command out; return its exit code."""
    settings = read_settings(arguments)
    found = find_pictures(arguments.inputs)
    if arguments.draw:
        check_writable(arguments.draw)
        if len(found) > 1:
            raise BadSetting(f"--draw takes one picture, not {len(found)}")
    engine, failed = FaceFix(), False
    pictures = []
    for one in found:
        try:
            pictures.append(_detect(engine, one.path, settings, arguments.draw))
        except FaceFixError as error:
            failed = True
            tell([f"{one.path}: failed: {error}"], error=True)
            pictures.append({"path": str(one.path), "size": None, "faces": [], "error": str(error)})
    write_json(document(pictures), arguments.output)
    return 1 if failed else 0


def _detect(engine: FaceFix, path: Path, settings: FaceSettings, draw: Path | None) -> dict[str, Any]:
    image = read_picture(path).image
    jobs = engine.plan(image, settings).jobs
    if draw:
        write_drawing(numbered_boxes(image, [(job.number, job.face) for job in jobs]), draw)
    height, width = image.shape[:2]
    faces = [face_to_json(job.number, job.face, job.pose) for job in jobs]
    return {"path": str(path), "size": [width, height], "faces": faces}
