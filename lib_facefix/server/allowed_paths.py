"""What on the server a client may name: folders and model files, and nothing outside those allowed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..facefix import FaceFix
from ..planning.plan import FixPlan
from ..settings.face_settings import FaceSettings
from ..settings.options import options
from ..settings.treatment import Overrides
from ..weights.model_paths import expand_home
from .errors import FORBIDDEN, UNREADABLE, refuse
from .fields import short


def inside(named: str, folders: Iterable[Path], name: str) -> Path:
    """Return a path that a client named, links followed; raises `Refusal` unless it lies in one of the folders.

    A relative one is meant in the first of them.
    """
    allowed = [folder.resolve() for folder in folders]
    if not allowed:
        raise refuse(
            FORBIDDEN, "folders of the server may not be named here; send the pictures themselves", "body", name
        )
    path = _resolve_links(allowed[0] / named)
    if path is None or not is_inside(path, allowed):
        raise refuse(FORBIDDEN, f"{short(named)} does not lie in a folder that may be named here", "body", name)
    return path


def is_inside(path: Path, folders: Iterable[Path]) -> bool:
    """Return whether what `path` leads to, links followed, lies in one of the folders."""
    place = _resolve_links(path)
    return place is not None and any(place.is_relative_to(folder.resolve()) for folder in folders)


def _resolve_links(path: Path) -> Path | None:
    """Return the path with its links followed; None for what can be none, or where links go round in a circle."""
    try:
        path.exists()  # raises for names that are too long
        return path.resolve()
    except (OSError, RuntimeError, ValueError):  # RuntimeError: a circle, up to Python 3.12
        return None


def check_paths(
    engine: FaceFix,
    folders: Sequence[Path],
    *,
    settings: FaceSettings | None = None,
    overrides: Overrides | None = None,
    plan: FixPlan | None = None,
) -> None:
    """Raise `Refusal` for any file that a request names outside the folders of models and those allowed."""
    if settings:
        check_models(settings.to_json(), engine, folders)
    for number, changes in (overrides or {}).items():
        check_models(changes, engine, folders, "overrides", str(number))
    if plan:
        check_models({"upscaler": plan.upscaler}, engine, folders, "plan")
        for job in plan.jobs:
            check_models(job.treatment.to_json(), engine, folders, "plan")


def check_models(
    values: Mapping[str, Any], engine: FaceFix, folders: Iterable[Path], part: str = "settings", *more: str
) -> None:
    """Raise `Refusal` for a file of the server's that does not lie in a folder of models, or an allowed one.

    values: settings by name; those that may be paths are looked at. part, more: where in the request they are.
    """
    for name, sentence in outside_paths(values, engine, folders):
        raise refuse(UNREADABLE, sentence, "body", part, *more, name)


def outside_paths(values: Mapping[str, Any], engine: FaceFix, folders: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """Yield each setting that names a file outside the folders of models and those allowed, and a sentence about it."""
    for name, label, path in named_files(values):
        shelf = engine.models.paths
        allowed = (*shelf.folders, *shelf.hosts, *shelf.yolo, *folders)
        # some settings are read with the home in place of a ~, others as they are: both must be allowed
        if not all(is_inside(one, allowed) for one in {Path(path), expand_home(path)}):
            yield name, f"{label}: {short(path)} lies in no folder of models here; choose a name of GET models"


def named_files(values: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield name, label and path of each file that these settings name."""
    for field, known in options(FaceSettings):
        value = values.get(field.name)
        for path in known.files(value) if value is not None else ():
            yield field.name, known.label, path
