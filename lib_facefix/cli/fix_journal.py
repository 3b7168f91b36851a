"""The journal of `facefix fix`: which runs have one, and what they leave to do."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..batch import STREAM, Job, Journal, hash_file, hash_models, hash_work
from ..batch.journal_lines import Stamp
from ..pictures import ResultLog, find_root
from ..pictures.objects import as_path, is_remote
from ..planning.needs import Needs
from ..protocols import Engine
from .fix_work import open_journal
from .flags import read_overrides, read_settings


def choose_journal(arguments: argparse.Namespace, engine: Engine, needs: Needs, jobs: Sequence[Job]) -> Journal | None:
    """Return the journal of this run, read but not started, or None if it has none.

    It is in the output folder, or else in each folder whose images are fixed. Files that are named one by one have no
    journal: who names a file wants it done now. Raises `BadSetting` if another run is at work in the folder.
    """
    folders = _choose_folders(arguments, jobs)
    if not folders:
        return None
    work = describe_work(arguments, engine, needs)
    journal = open_journal(arguments, folders, hash_work(work))
    journal.look({os.path.dirname(job.target) for job in jobs})  # noqa: PTH120 - a Path of each would take memory
    return journal


def _choose_folders(arguments: argparse.Namespace, jobs: Sequence[Job]) -> list[Path]:
    named = arguments.inputs and all(os.path.isfile(name) for name in arguments.inputs)  # noqa: PTH113 - long names
    if arguments.dry_run or named or not jobs or jobs[0].target == STREAM:
        return []
    if arguments.output is not None:
        return [] if jobs[0].target == as_path(arguments.output) else [as_path(arguments.output)]
    roots = {os.path.realpath(root): root for root in map(find_root, arguments.inputs) if root}
    return [root for real, root in roots.items() if not any(Path(real).is_relative_to(o) for o in {*roots} - {real})]


def start_journal(journal: Journal, work: Mapping[str, Any], left: Sequence[Job]) -> list[Job]:
    """Begin the run, if there is anything to do, and return what is left: another run may have ended just now."""
    if left and journal.start({"work": work}):
        left = [job for job in left if not journal.is_done(*job)]
    if left:
        journal.announce(job.target for job in left)
    return list(left)


def split_edited(journal: Journal, log: ResultLog | None, left: Sequence[Job]) -> tuple[list[Job], list[Job]]:
    """Return the jobs without those whose result somebody has changed since it was written, and these.

    With a damaged journal, any file in the place of a result may be one of somebody else, and is kept.
    """

    def is_ours(target: Path) -> bool:
        return log is not None and not is_remote(target) and log.may_replace(target)

    def is_edited(target: Path) -> bool:
        unknown = journal.damaged and not journal.has_written(target) and Stamp.of(target) is not None
        return bool(unknown or journal.was_edited(target)) and not is_ours(target)

    edited = {job for job in left if job.source != job.target and is_edited(job.target)}
    return [job for job in left if job not in edited], [job for job in left if job in edited]


def describe_earlier(journal: Journal, jobs: Sequence[Job], left: Sequence[Job], edited: Sequence[Job]) -> list[str]:
    """Return what to tell the person of earlier runs."""
    lines = []
    if journal.damaged:
        what = "1 line of the journal is" if journal.damaged == 1 else f"{journal.damaged} lines of the journal are"
        lines.append(f"{what} damaged. Images whose results are gone are done again")
    if edited:
        several = len(edited) > 1
        what = f"{len(edited)} results were" if several else "1 result was"
        them, kept = ("them", "are kept") if several else ("it", "is kept")
        lost = ", or their lines were damaged" if several else ", or its line was damaged"
        lines.append(
            f"{what} changed since FaceFix wrote {them}{lost if journal.damaged else ''}, and {kept}: "
            f"{edited[0].target}{' ...' if several else ''}. Add --overwrite to replace what you have changed"
        )
    done = len(jobs) - len(left) - len(edited)
    if done:
        rest = f"{len(left)} to do" if left else "nothing to do. Add --again to fix them again"
        lines.append(f"{done} of {len(jobs)} images were done by an earlier run; {rest}")
    return lines


def describe_work(arguments: argparse.Namespace, engine: Engine, needs: Needs) -> dict[str, Any]:
    """Return what results depend on besides their images, as JSON data; raises `BadModel`."""
    output = ("format", "quality", "png_level", "salvage", "keep_times", "no_mark")
    machine = ("engine", "precision", "device", "native")
    server = urlsplit(arguments.remote or "")  # without user and password: the journal is not a secret
    if arguments.plan:
        settings: Any = {"plan": hash_file(arguments.plan)}
    else:
        settings = {**asdict(read_settings(arguments)), "faces": read_overrides(arguments)}
    return {
        "settings": settings,
        "models": hash_models(needs, engine.describe().restorer),
        "output": {name: getattr(arguments, name) for name in output},
        "machine": {name: getattr(arguments, name) for name in machine},
        "server": f"{server.scheme}://{server.hostname}:{server.port}" if arguments.remote else "",
        "certificate": hash_file(arguments.sign),
    }
