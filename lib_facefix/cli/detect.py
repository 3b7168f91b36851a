"""Find faces and print them as JSON, without fixing them."""

import argparse
from pathlib import Path
from typing import Any

from ..errors import BadSetting
from .engines import add_remote, choose_engine, prepare_detection
from .flags import add_inputs, add_overwrite, add_runtime, add_salvage, add_settings, read_inputs, read_settings
from .parser import Parser
from .terminal import print_lines


def add(parser: Parser) -> None:
    """Add the command to its parser."""
    parser.usage = "%(prog)s IMAGE... [FLAGS]"
    parser.examples = (
        "facefix detect old.jpg                     print boxes, landmarks, and pose",
        "facefix detect old.jpg --draw boxes.png    draw the numbered boxes",
        "facefix detect album/ -o faces.json        all images of a folder",
    )
    add_inputs(parser)
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="file for the JSON (default: print it)")
    parser.add_argument("--draw", type=Path, metavar="FILE", help="save one image with numbered boxes")
    add_overwrite(parser)
    add_settings(parser, groups=("find",))
    add_salvage(parser)
    add_remote(parser)
    add_runtime(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command. Return its exit code."""
    from ..batch import Batch, exclude_results, keep_apart, make_document, make_planner, open_log, refuse_to_replace
    from ..fsio import check_place
    from ..pictures import check_writable, find_pictures
    from ..planning.plan import face_to_json
    from ..visualize import draw_boxes
    from .files import write_drawing, write_json

    inputs = read_inputs(arguments)
    settings = read_settings(arguments)
    if arguments.output:
        check_place(arguments.output)
    engine = choose_engine(arguments)
    prepare_detection(engine, settings)
    batch = Batch(engine, make_planner(engine, settings), salvage=arguments.salvage)
    found, lines = batch.pass_over(exclude_results(find_pictures(inputs), inputs, log=open_log()))
    keep_apart((file.path for file in found), (arguments.output, arguments.draw))
    if not arguments.overwrite:
        refuse_to_replace([arguments.output, arguments.draw], open_log())
    if arguments.draw:
        check_writable(arguments.draw)
        if len(found) > 1:
            raise BadSetting(f"--draw supports only one image, not {len(found)}")
    print_lines(lines, error=True)
    for one in found:
        with batch.recording(one.path) as record:
            picture = batch.read(one.path)
            plan = batch.plan(picture)
            if arguments.draw:
                faces = [(job.number, job.face) for job in plan.jobs]
                write_drawing(draw_boxes(picture.image, faces), arguments.draw)
            found_faces = [face_to_json(job.number, job.face, job.pose) for job in plan.jobs]
            record.update(size=list(plan.size), faces=found_faces)
            continue
        print_lines(batch.failure(), error=True)
    write_json(make_document([_detection_record(record) for record in batch.records]), arguments.output)
    return 1 if batch.failed else 0


def _detection_record(record: dict[str, Any]) -> dict[str, Any]:
    """Return the members of a record that detection sets, and the reason if there is no result."""
    names = ("path", "size", "faces", *(name for name in ("skipped", "error") if record[name]))
    return {name: record[name] for name in names}
