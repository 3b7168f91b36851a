"""Plan how each face is fixed, and write the plan as JSON. Edit the plan and run it with `facefix fix --plan`."""

import argparse
from pathlib import Path

from .engines import add_remote, choose_engine, prepare_detection
from .flags import (
    add_inputs,
    add_overwrite,
    add_runtime,
    add_salvage,
    add_settings,
    read_inputs,
    read_overrides,
    read_settings,
)
from .parser import Parser
from .terminal import print_lines


def add(parser: Parser) -> None:
    """Add the command to its parser."""
    parser.usage = "%(prog)s IMAGE... [FLAGS]"
    parser.examples = (
        "facefix plan old.jpg                 print the plan",
        "facefix plan old.jpg -o plan.json    write it to a file, edit the file, then:",
        "facefix fix --plan plan.json         carry it out",
    )
    add_inputs(parser)
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="file for the plan (default: print it)")
    add_overwrite(parser)
    add_settings(parser)
    add_salvage(parser)
    add_remote(parser)
    add_runtime(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command. Return its exit code."""
    from ..batch import Batch, exclude_results, keep_apart, make_document, make_planner, open_log, refuse_to_replace
    from ..fsio import check_place
    from ..pictures import find_pictures
    from .files import write_json

    inputs = read_inputs(arguments)
    settings, overrides = read_settings(arguments), read_overrides(arguments)
    if arguments.output:
        check_place(arguments.output)
    engine = choose_engine(arguments)
    prepare_detection(engine, settings)
    batch = Batch(engine, make_planner(engine, settings, overrides), salvage=arguments.salvage)
    found, lines = batch.pass_over(exclude_results(find_pictures(inputs), inputs, log=open_log()))
    keep_apart((file.path for file in found), (arguments.output,))
    if not arguments.overwrite:
        refuse_to_replace([arguments.output], open_log())
    print_lines(lines, error=True)
    for file in found:
        lines = batch.look(file.path)
        if (failed := bool(batch.records[-1]["error"])) or arguments.output:
            print_lines(lines, error=failed)
    planned = [record for record in batch.records if not record["error"] and not record["skipped"]]
    names = ("path", "size", "upscale", "faces")
    write_json(make_document([{name: record[name] for name in names} for record in planned]), arguments.output)
    return 1 if batch.failed else 0
