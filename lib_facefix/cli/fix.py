"""Find the faces of pictures, restore them, and write the results; inputs are never overwritten unless asked."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ..batch import (
    Batch,
    below_common_folder,
    choose_targets,
    exclude_results,
    keep_apart,
    make_document,
    make_planner,
    plan_from_file,
)
from ..errors import BadPlan, BadSetting, MissingDiffuser
from ..pictures import PNG_LEVEL, Found, Picture, check_writable, find_pictures
from ..planning.needs import Needs
from ..planning.plan import FixPlan
from ..protocols import Engine
from ..visualize import draw_sheet
from ..weights import ModelPaths, Published
from .engines import add_remote, engine_for
from .flags import add_runtime, add_salvage, add_settings, given_settings, read_overrides, read_settings
from .models_get import add_fetch_flags, ask_to_fetch
from .sheets import write_drawing
from .terminal import match_plans, read_plans, tell, write_json

STOPPED = 130
"""Exit code after Ctrl-C, as shells use it."""
NO_DIFFUSER = (
    "re-diffusing needs Stable Diffusion, which is not here; give the address of a WebUI that runs with --api, as in "
    "--remote http://127.0.0.1:7860, or use --method restore"
)


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("fix", help="fix the faces of pictures", description=__doc__)
    parser.add_argument("inputs", nargs="*", metavar="INPUT", help="picture, folder, or pattern such as 'old/*.jpg'")
    parser.add_argument("-o", "--output", help="file for one picture, else folder; default: NAME.fixed.EXT beside it")
    parser.add_argument("--in-place", action="store_true", help="write over the pictures themselves")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write what was found and done as JSON")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="write a sheet of faces before and after")
    parser.add_argument("--plan", type=Path, metavar="FILE", help="carry out a plan of `facefix plan`, perhaps edited")
    level = {"type": int, "choices": range(10), "default": PNG_LEVEL, "metavar": "0..9"}
    parser.add_argument("--png-level", **level, help=f"compression of PNGs: 0 none, 9 smallest; default: {PNG_LEVEL}")
    add_salvage(parser)
    parser.add_argument("--keep-times", action="store_true", help="give results the modification time of their inputs")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done; write no picture")
    parser.add_argument("-q", "--quiet", action="store_true", help="print errors only")
    add_settings(parser)
    add_remote(parser)
    add_fetch_flags(add_runtime(parser))
    parser.set_defaults(run=run)


@dataclass(frozen=True, slots=True)
class Bar:
    """A `Progress` that tells how far the faces of the picture at hand are."""

    bar: tqdm[Any]
    name: str

    def step(self, done: int, total: int, doing: str) -> None:
        """Show it behind the bar of pictures."""
        self.bar.set_postfix_str(f"{self.name}: {done}/{total} faces, {doing}")

    def should_stop(self) -> bool:
        """Return False: Ctrl-C ends the run between pictures, by an exception."""
        return False


def run(arguments: argparse.Namespace) -> int:
    """Carry the command out; return its exit code."""
    if arguments.compare:
        check_writable(arguments.compare)
    engine = engine_for(arguments)
    work = _plan_work(arguments, engine)
    found = work.found
    places = choose_targets(found, arguments.output, arguments.in_place)
    sources = [*(one.path for one in found), *([arguments.plan] if arguments.plan else [])]
    keep_apart(sources, places, (arguments.report, arguments.compare))
    _prepare(engine, work.needs, arguments)
    batch = Batch(
        engine,
        work.plan,
        draw=arguments.compare is not None,
        png_level=arguments.png_level,
        salvage=arguments.salvage,
        keep_times=arguments.keep_times,
    )
    code = _fix_all(batch, found, places, arguments)
    if arguments.report:
        write_json(make_document(batch.records), arguments.report)
    if arguments.compare and not arguments.dry_run:
        write_drawing(draw_sheet(batch.strips), arguments.compare)
    return code


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done."""

    found: list[Found]
    plan: Callable[[Picture], FixPlan]
    needs: Needs


def _prepare(engine: Engine, needs: Needs, arguments: argparse.Namespace) -> None:
    """Get and load every model; what cannot be used is refused before any picture is written without it."""

    def fetch(missing: Published, places: ModelPaths) -> None:
        ask_to_fetch(missing, places, yes=arguments.yes, offline=arguments.offline, mirror=arguments.mirror)

    try:
        engine.prepare(needs, None if arguments.dry_run else fetch)
    except MissingDiffuser as error:
        raise BadSetting(NO_DIFFUSER) from error


def _plan_work(arguments: argparse.Namespace, engine: Engine) -> Work:
    """Return the pictures and how each is planned; raises `BadSetting` or `BadPlan`."""
    if arguments.plan:
        if given := given_settings(arguments):
            raise BadPlan(f"a plan holds all settings; edit it instead of giving {', '.join(given)}")
        plans = read_plans(arguments.plan)
        found = find_pictures(arguments.inputs) if arguments.inputs else below_common_folder(find_pictures(list(plans)))
        matched = match_plans(plans, found)
        return Work(found, plan_from_file(matched), Needs.of_plans(matched.values()))
    settings, overrides = read_settings(arguments), read_overrides(arguments)
    if not arguments.inputs:
        raise BadSetting("give at least one picture, folder, or pattern such as 'old/*.jpg'")
    found = exclude_results(find_pictures(arguments.inputs), arguments.inputs, arguments.output)
    if arguments.upscaler and not settings.upscale:
        tell(["facefix: --upscaler enlarges nothing without --upscale; give that too, such as --upscale 2"], error=True)
    return Work(found, make_planner(engine, settings, overrides), Needs.of_settings(settings, overrides))


def _fix_all(batch: Batch, found: Sequence[Found], places: Sequence[Path], arguments: argparse.Namespace) -> int:
    """Take the pictures one after another; return the exit code."""
    quiet = arguments.quiet
    with tqdm(total=len(found), unit="picture", disable=True if quiet else None, leave=False) as bar:
        for one, target in zip(found, places, strict=True):
            try:
                if arguments.dry_run:
                    lines = batch.look(one.path)
                else:
                    lines = batch.fix(one.path, target, Bar(bar, one.path.name))
            except KeyboardInterrupt:
                tell([f"stopped at {one.path}; {len(batch.records) - 1} of {len(found)} pictures are done"], error=True)
                return STOPPED
            if batch.records[-1]["error"]:
                tell(lines, error=True)
            elif not quiet:
                tell(lines)
            bar.update()
    return 1 if batch.failed else 0
