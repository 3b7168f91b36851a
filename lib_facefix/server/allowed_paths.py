"""Checks the folders and model files on the server that a client names. Only allowed ones may be used."""

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
from .fields import shorten


def inside(named: str, folders: Iterable[Path], name: str) -> Path:
    """Return a path that a client named, with links followed. Raises `Refusal` unless it is inside one of the folders.

    named: a relative path refers to the first folder. name: the field that contains it.
    """
    allowed = [folder.resolve() for folder in folders]
    if not allowed:
        raise refuse(FORBIDDEN, "this server gives no access to its folders; send the images instead", "body", name)
    path = _resolve_links(allowed[0] / named)
    if path is None or not is_inside(path, allowed):
        raise refuse(FORBIDDEN, f"{shorten(named)} is outside the folders that this server allows", "body", name)
    return path


def is_inside(path: Path, folders: Iterable[Path]) -> bool:
    """Return whether the path, with links followed, is inside one of the folders."""
    resolved = _resolve_links(path)
    return resolved is not None and any(resolved.is_relative_to(folder.resolve()) for folder in folders)


def _resolve_links(path: Path) -> Path | None:
    """Return the path with its links followed, or None for an invalid path or a circular link."""
    try:
        path.exists()  # raises for names that are too long
        return path.resolve()
    except (OSError, RuntimeError, ValueError):  # RuntimeError: a circular link, up to Python 3.12
        return None


def check_paths(
    engine: FaceFix,
    folders: Sequence[Path],
    *,
    settings: FaceSettings | None = None,
    overrides: Overrides | None = None,
    plan: FixPlan | None = None,
) -> None:
    """Raise `Refusal` if a request names a file outside the server's model folders and the allowed folders."""
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
    """Raise `Refusal` for a model file outside the server's model folders and the allowed folders.

    values: settings by name. part, more: path of the field in the body that contains them.
    """
    for name, sentence in find_outside_paths(values, engine, folders):
        raise refuse(UNREADABLE, sentence, "body", part, *more, name)


def find_outside_paths(
    values: Mapping[str, Any], engine: FaceFix, folders: Iterable[Path]
) -> Iterator[tuple[str, str]]:
    """Yield the name of each setting with a file outside the model folders and the allowed folders, and an error."""
    for name, label, path in find_named_files(values):
        shelf = engine.models.paths
        if Path(path).name == path and not Path(path).exists() and shelf.find_local(path):
            continue  # a file in a model folder, by its name alone
        allowed = (*shelf.folders, *shelf.hosts, *shelf.yolo, *folders)
        # some settings expand ~ to the home folder and others do not, so both paths must be allowed
        if not all(is_inside(one, allowed) for one in {Path(path), expand_home(path)}):
            yield name, f"{label}: {shorten(path)} is outside the model folders; use a name from GET models"


def find_named_files(values: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield the setting's name, its label, and the path of each file in these settings."""
    for field, known in options(FaceSettings):
        value = values.get(field.name)
        for path in known.files(value) if value is not None else ():
            yield field.name, known.label, path
