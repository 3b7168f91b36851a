"""Carries out `facefix fix`: chooses files and targets, prepares the engine, and fixes the images."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

from ..batch import (
    STREAM,
    Batch,
    Done,
    Gallery,
    Job,
    Journal,
    Listed,
    Naming,
    RaySettings,
    Report,
    WorkerFailed,
    check_kind,
    choose_targets,
    fix_on_ray,
    fix_one,
    fix_overlapped,
    holds_results,
    keep_apart,
    keep_rows,
    kind_of,
    may_continue,
    open_log,
    open_report,
    refuse_own_folder,
    refuse_to_replace,
    skip_existing,
)
from ..errors import BadSetting, MissingDiffuser
from ..fsio import check_place
from ..pictures import Found, check_writable
from ..pictures.objects import as_url, forget_listed
from ..planning.needs import Needs
from ..protocols import Engine
from ..settings.treatment import AUTO_RESTORER
from ..visualize import draw_sheet
from ..weights import ModelPaths, Published
from .engines import choose_engine, prepare_detection, tell_choices
from .files import tell_notes, write_drawing
from .fix import FORMATS
from .fix_journal import choose_journal, describe_earlier, describe_work, split_edited, start_journal
from .fix_processes import count_processes, fix_in_processes, make_room
from .fix_progress import ImageProgress, Tally, make_bar
from .fix_work import make_batch, make_worker_batch, plan_work, read_recorder, read_shard
from .flags import read_face_numbers, read_settings
from .models_get import ask_to_fetch
from .streams import choose_streams
from .terminal import STOPPED, print_lines

NO_DIFFUSER = (
    "re-diffuse needs Stable Diffusion, which is not available; use `--method restore`, or give the address of a WebUI "
    "with --api, such as `--remote http://127.0.0.1:7860`"
)


def run(arguments: argparse.Namespace) -> int:
    """Fix the images that the flags name. Return the exit code."""
    _check_flags(arguments)
    forget_listed()
    recorder = read_recorder(arguments)
    source, sink = choose_streams(arguments)
    engine = choose_engine(arguments)
    listed, plan, needs = plan_work(arguments, engine)
    log = open_log()
    batch = make_batch(arguments, engine, plan, recorder, log)
    batch.source, batch.sink = source, sink
    found, lines = batch.pass_over(listed)
    extras = arguments.report, arguments.compare, arguments.gallery
    keep_apart([*(file.name for file in listed), *([arguments.plan] if arguments.plan else [])], extras)
    found, jobs = _choose_jobs(arguments, found, extras)
    if arguments.skip_existing:
        found, targets, skipped = skip_existing(batch, found, [job.target for job in jobs])
        jobs = [Job(file.path, target) for file, target in zip(found, targets, strict=True)]
        lines += skipped
    batch.journal = choose_journal(arguments, engine, needs, jobs)
    with batch.journal or nullcontext():
        left, earlier = _choose_left(arguments, batch, jobs)
        with _explaining_diffuser():  # what is missing is reported before any image is written
            if arguments.dry_run:
                _prepare_detection(arguments, engine, needs)
            else:
                engine.prepare(needs, _make_fetch(arguments))
        if batch.journal:
            left = start_journal(batch.journal, describe_work(arguments, engine, needs), left)
            batch.journal.sweep({job.target.parent for job in jobs})
        if jobs and arguments.quiet:
            lines, earlier = [], []
        print_lines([*lines, *earlier], error=not jobs or sink is not None)
        tally, info = _start_tally(arguments, batch, jobs, left), engine.describe()
        try:
            if len(left) == 1 and not arguments.dry_run and not arguments.ray:
                progress = ImageProgress(tally.bar, left[0].source.name)
                fix_one(batch, left[0], progress, tally.put)
            else:
                _fix_all(batch, left, tally, arguments)
        except KeyboardInterrupt:  # Ctrl-C, or SIGTERM
            tally.is_stopped = True
        except (BadSetting, WorkerFailed):
            _finish(arguments, batch, jobs, left, tally)  # report and gallery tell what was done until then
            raise
        code = _finish(arguments, batch, jobs, left, tally)
        if not arguments.quiet:
            tell_choices(engine, info, restorer=tally.is_restored and AUTO_RESTORER in needs.restorers)
        return code


def _choose_left(arguments: argparse.Namespace, batch: Batch, jobs: Sequence[Job]) -> tuple[list[Job], list[str]]:
    """Return what no earlier run has done, and what to tell the person of the rest.

    Raises `BadSetting` if a file of somebody else would be lost, or if another run is at work in the folder.
    """
    journal = batch.journal
    left = list(jobs) if journal is None else [job for job in jobs if not journal.is_done(*job)]
    edited = list[Job]()
    if journal and not arguments.overwrite:
        left, edited = split_edited(journal, batch.log, left)
    if not arguments.overwrite and batch.log:
        results = [] if arguments.in_place or arguments.dry_run else [job.target for job in left]
        kind = kind_of(arguments.report, arguments.report_format) if arguments.report else ""
        report = None if arguments.report and may_continue(arguments.report, kind) else arguments.report
        extras = report, arguments.compare, arguments.gallery
        refuse_to_replace([*results, *extras], batch.log, journal=journal)
    return left, describe_earlier(journal, jobs, left, edited) if journal else []


def _choose_jobs(
    arguments: argparse.Namespace, found: Sequence[Found], extras: Sequence[Path | None]
) -> tuple[list[Found], list[Job]]:
    """Return the images of this shard, and what is to be done with each. extras: must be no results of any shard."""
    shard = read_shard(arguments)
    targets = choose_targets(
        found, arguments.output, arguments.in_place, Naming(arguments.suffix, FORMATS.get(arguments.format, ""))
    )
    keep_apart((target for target in targets if target != STREAM), extras, "a result has this path")
    pairs = [(file, target) for file, target in zip(found, targets, strict=True) if shard.contains(file.below)]
    return [file for file, _ in pairs], [Job(file.path, target) for file, target in pairs]


@contextmanager
def _explaining_diffuser() -> Iterator[None]:
    try:
        yield
    except MissingDiffuser as error:
        raise BadSetting(NO_DIFFUSER) from error


def _make_fetch(arguments: argparse.Namespace) -> Callable[[Published, ModelPaths], None]:
    """Return the function that asks to download a model, and downloads it."""

    def fetch(missing: Published, paths: ModelPaths) -> None:
        ask_to_fetch(missing, paths, yes=arguments.yes, offline=arguments.offline, mirror=arguments.mirror)

    return fetch


def _prepare_detection(arguments: argparse.Namespace, engine: Engine, needs: Needs) -> None:
    engine.prepare(replace(needs, detectors=frozenset()))  # those are tried once, in the next step
    if not arguments.plan:
        prepare_detection(engine, read_settings(arguments))


def _check_flags(arguments: argparse.Namespace) -> None:
    """Raise an error for flags that exclude each other, and for outputs that cannot be written."""
    if arguments.skip_existing and (arguments.in_place or arguments.overwrite):
        other = "--in-place" if arguments.in_place else "--overwrite"
        raise BadSetting(f"--skip-existing keeps existing results and {other} replaces them; remove one of them")
    if arguments.quiet and arguments.verbose:
        raise BadSetting("--quiet and --verbose exclude each other; remove one of them")
    if arguments.ray and (arguments.compare or arguments.inputs == [str(STREAM)]):
        other = "--compare" if arguments.compare else "standard input"
        raise BadSetting(f"--ray and {other} exclude each other; remove one of them")
    read_shard(arguments)
    check_kind(arguments.report, arguments.report_format)
    if arguments.compare:
        check_writable(arguments.compare)
    for path in (arguments.report, arguments.gallery):
        if path:
            check_place(path)
            refuse_own_folder(path)


def _start_tally(arguments: argparse.Namespace, batch: Batch, jobs: Sequence[Job], left: Sequence[Job]) -> Tally:
    """Open report and gallery, and show the progress bar."""
    report = _open_report(arguments, batch, jobs, left)
    gallery = _open_gallery(arguments, batch.journal)
    wanted = {} if arguments.plan else read_face_numbers(arguments)
    bar = make_bar(arguments, len(jobs), len(jobs) - len(left))
    tally = Tally(len(jobs), arguments.quiet, batch.sink is not None, wanted, bar, report, gallery)
    for record in batch.records:
        tally.note(record)
    return tally


def _finish(arguments: argparse.Namespace, batch: Batch, jobs: Sequence[Job], left: Sequence[Job], tally: Tally) -> int:
    """Complete report, gallery and sheet, tell the person how it went, and return the exit code."""
    if tally.bar is not None:
        tally.bar.close()
    if tally.is_stopped:
        print_lines([tally.explain_stop(len(jobs) - len(left))], error=True)
    elif batch.journal and left and not arguments.quiet:
        print_lines([tally.summarize(len(jobs) - len(left))])
    if tally.report:
        tell_notes(tally.report.close(), arguments.report)
        open_log().add(arguments.report)
    if tally.gallery:
        for job in set(jobs) - set(left):
            tally.gallery.add_earlier(job)
        tell_notes(tally.gallery.close(), arguments.gallery)
        open_log().add(arguments.gallery)
    if arguments.compare and not arguments.dry_run and not tally.is_stopped:
        write_drawing(draw_sheet(tally.strips), arguments.compare)
    if tally.is_stopped:
        return STOPPED
    return 1 if batch.failed or tally.failures else 0


def _fix_all(batch: Batch, jobs: Sequence[Job], tally: Tally, arguments: argparse.Namespace) -> None:
    """Fix the images, in this process or in several. Ctrl-C is passed on."""

    def progress_of(path: Path) -> ImageProgress:
        return ImageProgress(tally.bar, path.name)

    if arguments.dry_run:
        for job in jobs:
            lines = batch.look(job.source)
            tally.put(Done(lines, batch.records[-1]))
    elif arguments.ray:
        actors = arguments.jobs if arguments.jobs > 1 else 0
        settings, given = RaySettings(arguments.ray, actors, arguments.ray_gpus), (arguments, (), "", "")
        fix_on_ray(
            settings, jobs, tally.put, make_worker_batch, *given,
            journal=batch.journal, keep_times=arguments.keep_times,
        )  # fmt: skip
    elif (count := count_processes(arguments)) > 1:
        fix_in_processes(batch.journal, jobs, count, tally.put, arguments)
    else:
        fix_overlapped(batch, Listed(jobs, make_room(arguments, 1)), progress_of, tally.put)


def _open_report(
    arguments: argparse.Namespace, batch: Batch, jobs: Sequence[Job], left: Sequence[Job]
) -> Report | None:
    """Return the report, if any, with the images that an earlier run has done and that it does not name yet.

    Rows of other images stay in it: they are of another shard, or of another folder.
    """
    if not arguments.report:
        return None
    path, kind = arguments.report, kind_of(arguments.report, arguments.report_format)
    continues = may_continue(path, kind) and (batch.journal is not None or not arguments.overwrite)
    known = set[str]()
    if continues:
        if arguments.dry_run and holds_results(path, kind):
            what = "has the results of an earlier run, and --dry-run has only plans"
            raise BadSetting(f"{path} {what}. Choose another report, or add --overwrite to replace it")
        known = keep_rows(path, kind, *({as_url(job.source) for job in some} for some in (left, jobs)))
        batch.records[:] = [record for record in batch.records if record["path"] not in known]
    for job in set(jobs) - set(left):
        if as_url(job.source) not in known:
            with batch.recording(job.source) as record:
                record.update(output=as_url(job.target), skipped="done by an earlier run")
    return open_report(path, kind, continues=continues)


def _open_gallery(arguments: argparse.Namespace, journal: Journal | None) -> Gallery | None:
    if not arguments.gallery or arguments.dry_run:
        return None
    return Gallery(arguments.gallery, journal.beside("gallery") if journal else None)
