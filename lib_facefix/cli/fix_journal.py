"""The journal of `facefix fix`: which runs have one, and what they leave to do."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..batch import STREAM, Job, Journal, fingerprint, hash_file, hash_models
from ..pictures.objects import as_path
from ..planning.needs import Needs
from .fix_work import open_journal
from .flags import read_overrides, read_settings


def choose_journal(arguments: argparse.Namespace, needs: Needs, jobs: Sequence[Job]) -> Journal | None:
    """Return the journal of this run, read but not started, or None if it has none.

    It is in the folder of results, or in the folder whose images are overwritten. Files that are named one by one have
    no journal: who names a file wants it done now. Raises `BadSetting` if another run is at work in the folder.
    """
    folder = _choose_folder(arguments, jobs)
    if folder is None:
        return None
    work = describe_work(arguments, needs)
    journal = open_journal(arguments, folder, fingerprint(work))
    journal.look()
    return journal


def _choose_folder(arguments: argparse.Namespace, jobs: Sequence[Job]) -> Path | None:
    named = arguments.inputs and all(os.path.isfile(name) for name in arguments.inputs)  # noqa: PTH113 - long names
    if arguments.dry_run or named or not jobs or jobs[0].target == STREAM:
        return None
    if arguments.in_place:
        return Path(arguments.inputs[0]) if len(arguments.inputs) == 1 and Path(arguments.inputs[0]).is_dir() else None
    if arguments.output is None or jobs[0].target == as_path(arguments.output):
        return None
    return as_path(arguments.output)


def describe_work(arguments: argparse.Namespace, needs: Needs) -> dict[str, Any]:
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
        "models": hash_models(needs),
        "output": {name: getattr(arguments, name) for name in output},
        "machine": {name: getattr(arguments, name) for name in machine},
        "server": f"{server.scheme}://{server.hostname}:{server.port}" if arguments.remote else "",
        "certificate": hash_file(arguments.sign),
    }
