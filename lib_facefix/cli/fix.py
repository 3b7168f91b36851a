"""Find the faces in images, restore them, and save the results. Originals are kept unless you use --in-place."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..batch import (
    Batch,
    below_common_folder,
    choose_targets,
    exclude_results,
    keep_apart,
    make_document,
    make_planner,
    open_log,
    plan_from_file,
    refuse_to_replace,
)
from ..errors import BadPlan, BadSetting, MissingDiffuser
from ..fsio import check_place
from ..pictures import PNG_LEVEL, Found, Picture, check_writable, find_pictures
from ..planning.needs import Needs
from ..planning.plan import FixPlan
from ..protocols import Engine
from ..visualize import draw_sheet
from ..weights import ModelPaths, Published
from .engines import add_remote, choose_engine
from .flags import (
    add_overwrite,
    add_runtime,
    add_salvage,
    add_settings,
    list_given_settings,
    read_overrides,
    read_settings,
)
from .models_get import add_fetch_flags, ask_to_fetch
from .terminal import (
    STOPPED,
    escape_controls,
    match_plans,
    print_lines,
    read_plans,
    write_drawing,
    write_json,
)

if TYPE_CHECKING:
    from tqdm import tqdm

NO_DIFFUSER = (
    "re-diffuse needs Stable Diffusion, which is not available; use `--method restore`, or give the address of a WebUI "
    "with --api, such as `--remote http://127.0.0.1:7860`"
)


def add(commands: Any) -> None:
    """Add the command to a parser."""
    parser = commands.add_parser("fix", help="fix the faces in images", description=__doc__)
    parser.add_argument("inputs", nargs="*", metavar="INPUT", help="image, folder, or pattern such as 'old/*.jpg'")
    parser.add_argument("-o", "--output", help="output file or folder (default: NAME.fixed.EXT beside each image)")
    parser.add_argument("--in-place", action="store_true", help="overwrite the original images")
    add_overwrite(parser)
    parser.add_argument("--report", type=Path, metavar="FILE", help="write a JSON report of all faces")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="write a before/after sheet of all faces")
    parser.add_argument("--plan", type=Path, metavar="FILE", help="run a plan from `facefix plan`, edited or not")
    level = {"type": int, "choices": range(10), "default": PNG_LEVEL, "metavar": "0..9"}
    parser.add_argument("--png-level", **level, help=f"PNG compression, 9 for the smallest file [default {PNG_LEVEL}]")
    add_salvage(parser)
    parser.add_argument("--keep-times", action="store_true", help="give results the modification time of their inputs")
    parser.add_argument("--dry-run", action="store_true", help="print the plan without writing any image")
    parser.add_argument("-q", "--quiet", action="store_true", help="print only errors")
    add_settings(parser)
    add_remote(parser)
    add_fetch_flags(add_runtime(parser))
    parser.set_defaults(run=run, writes=True)


@dataclass(frozen=True, slots=True)
class ImageProgress:
    """A `Progress` that shows the progress within the current image."""

    bar: tqdm[Any] | None
    """Progress bar of all images; None if none is shown."""
    name: str
    """File name of the current image."""

    def step(self, done: int, total: int, doing: str) -> None:
        """Show the number of finished faces and the current step after the progress bar."""
        if self.bar is not None:
            self.bar.set_postfix_str(escape_controls(f"{self.name}: {done}/{total} faces, {doing}"))

    def should_stop(self) -> bool:
        """Return False. Ctrl-C stops the run with an exception instead."""
        return False


def run(arguments: argparse.Namespace) -> int:
    """Run the command. Return its exit code."""
    if arguments.compare:
        check_writable(arguments.compare)
    if arguments.report:
        check_place(arguments.report)
    engine = choose_engine(arguments)
    found, plan, needs = _plan_work(arguments, engine)
    batch = Batch(
        engine,
        plan,
        draw=arguments.compare is not None,
        png_level=arguments.png_level,
        salvage=arguments.salvage,
        keep_times=arguments.keep_times,
        log=open_log(),
    )
    found, lines = batch.pass_over(found)
    targets = choose_targets(found, arguments.output, arguments.in_place)
    sources = [*(file.path for file in found), *([arguments.plan] if arguments.plan else [])]
    keep_apart(sources, targets, (arguments.report, arguments.compare))
    if not arguments.overwrite:
        results = [] if arguments.in_place or arguments.dry_run else targets
        refuse_to_replace([*results, arguments.report, arguments.compare], open_log())

    def fetch(missing: Published, paths: ModelPaths) -> None:
        ask_to_fetch(missing, paths, yes=arguments.yes, offline=arguments.offline, mirror=arguments.mirror)

    try:  # a missing model is reported before any image is written
        engine.prepare(needs, None if arguments.dry_run else fetch)
    except MissingDiffuser as error:
        raise BadSetting(NO_DIFFUSER) from error
    if found and arguments.quiet:
        lines = []
    print_lines(lines, error=not found)
    code = _fix_all(batch, found, targets, arguments)
    if arguments.report:
        write_json(make_document(batch.records), arguments.report)
    if arguments.compare and not arguments.dry_run:
        write_drawing(draw_sheet(batch.strips), arguments.compare)
    return code


def _plan_work(
    arguments: argparse.Namespace, engine: Engine
) -> tuple[list[Found], Callable[[Picture], FixPlan], Needs]:
    """Return the image files, the function that plans each, and the needs of all. Raises `BadSetting` or `BadPlan`."""
    if arguments.plan:
        if given := list_given_settings(arguments):
            raise BadPlan(f"a plan contains all settings; edit it instead of using {', '.join(given)}")
        plans = read_plans(arguments.plan)
        found = find_pictures(arguments.inputs) if arguments.inputs else below_common_folder(find_pictures(list(plans)))
        matched = match_plans(plans, [file for file in found if not file.skipped])
        return found, plan_from_file(matched), Needs.of_plans(matched.values())
    settings, overrides = read_settings(arguments), read_overrides(arguments)
    if not arguments.inputs:
        raise BadSetting("give at least one image, folder, or pattern such as 'old/*.jpg'")
    found = exclude_results(find_pictures(arguments.inputs), arguments.inputs, arguments.output)
    if arguments.upscaler and not settings.upscale:
        print_lines(["facefix: --upscaler has no effect without --upscale; add it, as in --upscale 2"], error=True)
    return found, make_planner(engine, settings, overrides), Needs.of_settings(settings, overrides)


def _fix_all(batch: Batch, found: Sequence[Found], targets: Sequence[Path], arguments: argparse.Namespace) -> int:
    """Fix the images one after another. Return the exit code."""
    quiet = arguments.quiet
    with _make_bar(len(found), quiet=quiet) as bar:
        for path, target in zip((file.path for file in found), targets, strict=True):
            try:
                lines = (
                    batch.look(path) if arguments.dry_run else batch.fix(path, target, ImageProgress(bar, path.name))
                )
                if (failed := bool(batch.records[-1]["error"])) or not quiet:
                    print_lines(lines, error=failed)
                if bar is not None:
                    bar.update()
            except KeyboardInterrupt:  # Ctrl-C, or SIGTERM
                done = sum(not record["error"] and not record["skipped"] for record in batch.records)
                print_lines([f"stopped at {path}; {done} of {len(found)} images done"], error=True)
                return STOPPED
    return 1 if batch.failed else 0


def _make_bar(total: int, *, quiet: bool) -> AbstractContextManager[tqdm[Any] | None]:
    """Return the progress bar, or None where it would not be visible: importing tqdm takes a while."""
    if quiet or not sys.stderr.isatty():
        return nullcontext()
    from tqdm import tqdm

    return tqdm(total=total, unit="image", leave=False)
