"""The journal of a folder of results, which folder jobs share with `facefix fix`: what one has done, both know.

Locks of one process never exclude each other, and closing the file of a lock ends all locks that the process has on it.
So a process must not open the journal of a folder twice: `_FOLDERS` sees to that.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..batch import Journal, hash_models, hash_work
from ..errors import BadSetting, CannotWrite
from ..facefix import FaceFix
from ..planning.needs import Needs
from ..settings.runtime import Runtime
from .schemas import BatchBody

_OPENING = threading.Lock()
_FOLDERS: set[Path] = set()
"""Folders whose journals this process has open."""


class FolderInUse(BadSetting):
    """Raised if another process is writing into the folder."""


def describe_work(engine: FaceFix, body: BatchBody, needs: Needs, job: str) -> dict[str, Any]:
    """Return what results depend on besides their images, in the words of `facefix fix`, so that both agree.

    job: id of the job, which counts if the engine re-diffuses: nothing here tells with which checkpoint. Raises
    `BadModel`.
    """
    runtime, usual = engine.models.runtime, Runtime()
    machine = {
        name: None if getattr(runtime, name) == getattr(usual, name) else getattr(runtime, name)
        for name in ("engine", "precision", "device")
    }
    output = {"format": None, "quality": None, "png_level": None, "salvage": False, "keep_times": False}
    work = {
        "settings": {**asdict(body.settings), "faces": body.overrides or {}},
        "models": hash_models(needs, engine.describe().restorer),
        "output": {**output, "no_mark": not body.mark},
        "machine": {**machine, "native": None},
        "server": "",
        "certificate": "",
    }
    return {**work, "job": job} if engine.describe().rediffuses else work


@contextmanager
def open_journal(folder: Path, work: dict[str, Any]) -> Iterator[Journal]:
    """Give the journal of a folder of results, read and locked, but not started.

    work: as `describe_work` returns it. Raises `FolderInUse` if another process writes into the folder, and
    `CannotWrite`.
    """
    journal = Journal(folder, hash_work(work))
    with _OPENING:
        if folder in _FOLDERS:
            raise FolderInUse(_explain(folder))
        _look(journal)
        _FOLDERS.add(folder)
    try:
        yield journal
    finally:
        with _OPENING:
            journal.close()
            _FOLDERS.discard(folder)


def check_free(folder: Path) -> None:
    """Raise `FolderInUse` if another process writes into the folder. A job of this process may: others wait for it."""
    with _OPENING:
        if folder not in _FOLDERS:
            journal = Journal(folder, "")
            try:
                _look(journal)
            finally:
                journal.close()


def _look(journal: Journal) -> None:
    try:
        journal.look()
    except CannotWrite:
        journal.close()
        raise
    except BadSetting as error:
        journal.close()
        raise FolderInUse(_explain(journal.folder)) from error


def _explain(folder: Path) -> str:
    return f"another FaceFix is writing into {folder}. Wait until it has ended, or choose another output"
