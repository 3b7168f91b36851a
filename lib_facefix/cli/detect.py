"""Find faces and print them as JSON; nothing is fixed."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..batch import Batch, exclude_results, keep_apart, make_document, make_planner
from ..errors import BadSetting
from ..pictures import check_writable, find_pictures
from ..planning.plan import face_to_json
from ..visualize import numbered_boxes
from .engines import add_remote, engine_for
from .flags import add_runtime, add_salvage, add_settings, read_settings
from .sheets import write_drawing
from .terminal import tell, write_json


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("detect", help="find faces and print them as JSON", description=__doc__)
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help="picture, folder, or pattern such as 'old/*.jpg'")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the JSON there")
    parser.add_argument("--draw", type=Path, metavar="FILE", help="draw the numbered boxes; for one picture")
    add_settings(parser, groups=("find",))
    add_salvage(parser)
    add_remote(parser)
    add_runtime(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Carry the command out; return its exit code."""
    settings = read_settings(arguments)
    found = exclude_results(find_pictures(arguments.inputs), arguments.inputs)
    keep_apart((one.path for one in found), (), (arguments.output, arguments.draw))
    if arguments.draw:
        check_writable(arguments.draw)
        if len(found) > 1:
            raise BadSetting(f"--draw takes one picture, not {len(found)}")
    engine = engine_for(arguments)
    batch = Batch(engine, make_planner(engine, settings), salvage=arguments.salvage)
    for one in found:
        lines = batch.record(one.path, lambda record: _detect(batch, record, arguments.draw))
        tell(lines, error=True)
    write_json(make_document([_detection_record(record) for record in batch.records]), arguments.output)
    return 1 if batch.failed else 0


def _detect(batch: Batch, record: dict[str, Any], draw: Path | None) -> list[str]:
    picture = batch.read(Path(record["path"]))
    plan = batch.plan(picture)
    if draw:
        write_drawing(numbered_boxes(picture.image, [(job.number, job.face) for job in plan.jobs]), draw)
    faces = [face_to_json(job.number, job.face, job.pose) for job in plan.jobs]
    record.update(size=list(plan.size), faces=faces)
    return []


def _detection_record(record: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a record that detecting fills; with the error, if there was one."""
    names = ("path", "size", "faces", *(("error",) if record["error"] else ()))
    return {name: record[name] for name in names}
