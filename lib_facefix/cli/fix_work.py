"""Makes the batch that `facefix fix` runs from its flags, in this process or in another one."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from ..batch import (
    STREAM,
    Batch,
    Journal,
    ObjectJournal,
    Shard,
    below_common_folder,
    exclude_results,
    make_planner,
    open_log,
    plan_from_file,
)
from ..errors import BadPlan, BadSetting
from ..pictures import PNG_LEVEL, Found, Picture, ResultLog, find_pictures
from ..pictures.objects import is_remote
from ..planning.needs import Needs
from ..planning.plan import FixPlan
from ..protocols import Engine
from ..provenance import Recorder
from .engines import choose_engine
from .files import match_plans, read_plans
from .fix import FORMATS
from .flags import list_given_settings, read_inputs, read_overrides, read_settings
from .terminal import print_lines

Planner = Callable[[Picture], FixPlan]


def make_batch(
    arguments: argparse.Namespace, engine: Engine, plan: Planner, recorder: Recorder, log: ResultLog
) -> Batch:
    """Return a batch that writes files as the flags say."""
    return Batch(
        engine,
        plan,
        draw=arguments.compare is not None,
        previews=arguments.gallery is not None,
        png_level=PNG_LEVEL if arguments.png_level is None else arguments.png_level,
        quality=arguments.quality or 0,
        salvage=arguments.salvage,
        keep_times=arguments.keep_times,
        verbose=arguments.verbose,
        sink_suffix=FORMATS.get(arguments.format, ""),
        recorder=recorder,
        pages=arguments.plan is None,
        log=log,
    )


def make_worker_batch(arguments: argparse.Namespace, folders: Sequence[Path], config: str, run: str) -> Batch:
    """Return the batch of a process that does some of the images of another one.

    folders, config, run: of the journal that the other process has started; no folder without a journal.
    """
    engine = choose_engine(arguments)
    plan = plan_work(arguments, engine)[1] if arguments.plan else plan_by_settings(arguments, engine)
    batch = make_batch(arguments, engine, plan, read_recorder(arguments), open_log())
    if folders:
        batch.journal = open_journal(arguments, folders, config)
        batch.journal.join(run)
    return batch


def open_journal(arguments: argparse.Namespace, folders: Sequence[Path], config: str) -> Journal:
    """Return the journal of folders, or of an address, which is neither read nor started."""
    (folder, *more), among = folders, arguments.output is None
    kind = ObjectJournal if is_remote(folder) else Journal
    return kind(folder, config, read_shard(arguments), again=arguments.again, more=more, among=among)


def read_shard(arguments: argparse.Namespace) -> Shard:
    """Return the part of all images that --shard names; raises `BadSetting`."""
    return Shard.parse(arguments.shard) if arguments.shard else Shard()


def read_recorder(arguments: argparse.Namespace) -> Recorder:
    """Return what is recorded in results. Raises `BadSetting` or `MissingPackage` if they cannot be signed."""
    if (arguments.sign is None) != (arguments.sign_key is None):
        given, other = ("--sign", "--sign-key") if arguments.sign else ("--sign-key", "--sign")
        raise BadSetting(f"{given} needs {other}, too: one names the certificate, the other its private key")
    signer = None
    if arguments.sign:
        from ..provenance.credentials import Signer  # which few runs need

        signer = Signer(arguments.sign, arguments.sign_key)
    return Recorder(mark=not arguments.no_mark, again=arguments.again, signer=signer)


def plan_by_settings(arguments: argparse.Namespace, engine: Engine) -> Planner:
    """Return the function that plans each image as the flags say."""
    return make_planner(engine, read_settings(arguments), read_overrides(arguments))


def plan_work(arguments: argparse.Namespace, engine: Engine) -> tuple[list[Found], Planner, Needs]:
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
        found = [Found(str(STREAM), str(STREAM))]
    else:
        found = exclude_results(find_pictures(inputs), inputs, arguments.output, open_log())
    if arguments.upscaler and not settings.upscale:
        print_lines(["facefix: --upscaler has no effect without --upscale; add it, as in --upscale 2"], error=True)
    return found, plan_by_settings(arguments, engine), Needs.of_settings(settings, overrides)
