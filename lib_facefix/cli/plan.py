"""Decide what would be done to every face, and write it as JSON to be read, edited, and run by `facefix fix --plan`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..batch import Batch, exclude_results, keep_apart, make_document, make_planner
from ..pictures import find_pictures
from .engines import add_remote, engine_for
from .flags import add_runtime, add_salvage, add_settings, read_overrides, read_settings
from .terminal import tell, write_json


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("plan", help="decide what would be done, as JSON to edit and run", description=__doc__)
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help="picture, folder, or pattern such as 'old/*.jpg'")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the plan there; default: print it")
    add_settings(parser)
    add_salvage(parser)
    add_remote(parser)
    add_runtime(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Carry the command out; return its exit code."""
    settings, overrides = read_settings(arguments), read_overrides(arguments)
    engine = engine_for(arguments)
    batch = Batch(engine, make_planner(engine, settings, overrides), salvage=arguments.salvage)
    found = exclude_results(find_pictures(arguments.inputs), arguments.inputs)
    keep_apart((one.path for one in found), (), (arguments.output,))
    for one in found:
        lines = batch.look(one.path)
        if batch.records[-1]["error"]:
            tell(lines, error=True)
        elif arguments.output:
            tell(lines)
    planned = [record for record in batch.records if not record["error"]]
    names = ("path", "size", "upscale", "faces")
    write_json(make_document([{name: record[name] for name in names} for record in planned]), arguments.output)
    return 1 if batch.failed else 0
