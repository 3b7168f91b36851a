"""Carries out `facefix fix`: chooses files and targets, prepares the engine, and fixes one image after another."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..batch import (
    STREAM,
    Batch,
    Naming,
    below_common_folder,
    choose_targets,
    exclude_results,
    explain_absent,
    keep_apart,
    make_document,
    make_planner,
    open_log,
    plan_from_file,
    refuse_to_replace,
    skip_existing,
)
from ..errors import BadPlan, BadSetting, MissingDiffuser
from ..fsio import check_place
from ..pictures import PNG_LEVEL, Found, Picture, check_writable, find_pictures
from ..planning.needs import Needs
from ..planning.plan import FixPlan
from ..protocols import Engine
from ..provenance import Recorder
from ..settings.treatment import AUTO_RESTORER
from ..visualize import draw_sheet
from ..weights import ModelPaths, Published
from .engines import choose_engine, prepare_detection, tell_choices
from .files import match_plans, read_plans, write_drawing, write_json
from .fix import FORMATS
from .flags import list_given_settings, read_face_numbers, read_inputs, read_overrides, read_settings
from .models_get import ask_to_fetch
from .streams import choose_streams
from .terminal import STOPPED, escape_controls, print_lines

if TYPE_CHECKING:
    from tqdm import tqdm

NO_DIFFUSER = (
    "re-diffuse needs Stable Diffusion, which is not available; use `--method restore`, or give the address of a WebUI "
    "with --api, such as `--remote http://127.0.0.1:7860`"
)


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
    """Fix the images that the flags name. Return the exit code."""
    _check_flags(arguments)
    recorder = _read_recorder(arguments)
    source, sink = choose_streams(arguments)
    engine = choose_engine(arguments)
    found, plan, needs = _plan_work(arguments, engine)
    log = open_log()
    batch = Batch(
        engine,
        plan,
        draw=arguments.compare is not None,
        png_level=PNG_LEVEL if arguments.png_level is None else arguments.png_level,
        quality=arguments.quality or 0,
        salvage=arguments.salvage,
        keep_times=arguments.keep_times,
        verbose=arguments.verbose,
        source=source,
        sink=sink,
        sink_suffix=FORMATS.get(arguments.format, ""),
        recorder=recorder,
        log=log,
    )
    found, lines = batch.pass_over(found)
    naming = Naming(arguments.suffix, FORMATS.get(arguments.format, ""))
    targets = choose_targets(found, arguments.output, arguments.in_place, naming)
    if arguments.skip_existing:
        found, targets, skipped = skip_existing(batch, found, targets)
        lines += skipped
    sources = [*(file.path for file in found), *([arguments.plan] if arguments.plan else [])]
    keep_apart(sources, [target for target in targets if target != STREAM], (arguments.report, arguments.compare))
    if not arguments.overwrite:
        results = [] if arguments.in_place or arguments.dry_run else targets
        refuse_to_replace([*results, arguments.report, arguments.compare], log)

    def fetch(missing: Published, paths: ModelPaths) -> None:
        ask_to_fetch(missing, paths, yes=arguments.yes, offline=arguments.offline, mirror=arguments.mirror)

    try:  # a missing model is reported before any image is written
        if not arguments.dry_run:
            engine.prepare(needs, fetch)
        else:
            engine.prepare(replace(needs, detectors=frozenset()))  # those are tried once, in the next step
            if not arguments.plan:
                prepare_detection(engine, read_settings(arguments))
    except MissingDiffuser as error:
        raise BadSetting(NO_DIFFUSER) from error
    if found and arguments.quiet:
        lines = []
    info = engine.describe()
    print_lines(lines, error=not found or sink is not None)
    code = _fix_all(batch, found, targets, arguments)
    if not arguments.quiet:
        restores = any(face["decision"] == "restore" for record in batch.records for face in record.get("faces", ()))
        tell_choices(engine, info, restorer=restores and AUTO_RESTORER in needs.restorers)
    if arguments.report:
        write_json(make_document(batch.records), arguments.report)
    if arguments.compare and not arguments.dry_run:
        write_drawing(draw_sheet(batch.strips), arguments.compare)
    return code


def _check_flags(arguments: argparse.Namespace) -> None:
    """Raise an error for flags that exclude each other, and for outputs that cannot be written."""
    if arguments.skip_existing and (arguments.in_place or arguments.overwrite):
        other = "--in-place" if arguments.in_place else "--overwrite"
        raise BadSetting(f"--skip-existing keeps existing results and {other} replaces them; remove one of them")
    if arguments.quiet and arguments.verbose:
        raise BadSetting("--quiet and --verbose exclude each other; remove one of them")
    if arguments.compare:
        check_writable(arguments.compare)
    if arguments.report:
        check_place(arguments.report)


def _read_recorder(arguments: argparse.Namespace) -> Recorder:
    """Return what is recorded in results. Raises `BadSetting` or `MissingPackage` if they cannot be signed."""
    if (arguments.sign is None) != (arguments.sign_key is None):
        given, other = ("--sign", "--sign-key") if arguments.sign else ("--sign-key", "--sign")
        raise BadSetting(f"{given} needs {other}, too: one names the certificate, the other its private key")
    signer = None
    if arguments.sign:
        from ..provenance.credentials import Signer  # which few runs need

        signer = Signer(arguments.sign, arguments.sign_key)
    return Recorder(mark=not arguments.no_mark, again=arguments.again, signer=signer)


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
    inputs = read_inputs(arguments)
    if inputs == [str(STREAM)]:
        found = [Found(STREAM, STREAM)]
    else:
        found = exclude_results(find_pictures(inputs), inputs, arguments.output, open_log())
    if arguments.upscaler and not settings.upscale:
        print_lines(["facefix: --upscaler has no effect without --upscale; add it, as in --upscale 2"], error=True)
    return found, make_planner(engine, settings, overrides), Needs.of_settings(settings, overrides)


def _fix_all(batch: Batch, found: Sequence[Found], targets: Sequence[Path], arguments: argparse.Namespace) -> int:
    """Fix the images one after another. Return the exit code."""
    quiet, wanted = arguments.quiet, {} if arguments.plan else read_face_numbers(arguments)
    with _make_bar(len(found), quiet=quiet) as bar:
        for path, target in zip((file.path for file in found), targets, strict=True):
            try:
                lines = (
                    batch.look(path) if arguments.dry_run else batch.fix(path, target, ImageProgress(bar, path.name))
                )
                if (failed := bool(batch.records[-1]["error"])) or not quiet:
                    print_lines(lines, error=failed or batch.sink is not None)
                if not failed:
                    absent = explain_absent(wanted, batch.records[-1])
                    print_lines((f"facefix: {path}: {line}" for line in absent), error=True)
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
