"""Plan how each face is fixed, and write the plan as JSON. Edit the plan and run it with `facefix fix --plan`."""

import argparse
from pathlib import Path
from typing import Any

from ..batch import Batch, exclude_results, keep_apart, make_document, make_planner, open_log, refuse_to_replace
from ..fsio import check_place
from ..pictures import find_pictures
from ..planning.needs import Needs
from .engines import add_remote, choose_engine
from .flags import add_overwrite, add_runtime, add_salvage, add_settings, read_overrides, read_settings
from .terminal import print_lines, write_json


def add(commands: Any) -> None:
    """Add the command to a parser."""
    parser = commands.add_parser("plan", help="write a plan as JSON, to edit and run", description=__doc__)
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help="image, folder, or pattern such as 'old/*.jpg'")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="file for the plan (default: print it)")
    add_overwrite(parser)
    add_settings(parser)
    add_salvage(parser)
    add_remote(parser)
    add_runtime(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command. Return its exit code."""
    settings, overrides = read_settings(arguments), read_overrides(arguments)
    if arguments.output:
        check_place(arguments.output)
    engine = choose_engine(arguments)
    batch = Batch(engine, make_planner(engine, settings, overrides), salvage=arguments.salvage)
    found, lines = batch.pass_over(exclude_results(find_pictures(arguments.inputs), arguments.inputs))
    keep_apart((file.path for file in found), (), (arguments.output,))
    if not arguments.overwrite:
        refuse_to_replace([arguments.output], open_log())
    engine.prepare(Needs.of_detection(settings))
    print_lines(lines, error=True)
    for file in found:
        lines = batch.look(file.path)
        if (failed := bool(batch.records[-1]["error"])) or arguments.output:
            print_lines(lines, error=failed)
    planned = [record for record in batch.records if not record["error"] and not record["skipped"]]
    names = ("path", "size", "upscale", "faces")
    write_json(make_document([{name: record[name] for name in names} for record in planned]), arguments.output)
    return 1 if batch.failed else 0
