"""Checks the folders and model files on the server that a client names. Only allowed ones may be used."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..facefix import FaceFix
from ..settings.face_settings import FaceSettings
from ..settings.options import options
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


def check_models(values: Mapping[str, Any], engine: FaceFix, folders: Iterable[Path], part: str = "settings") -> None:
    """Raise `Refusal` for a model file outside the server's model folders and the allowed folders.

    values: settings by name. part: the field of the body that contains them.
    """
    for field, known in options(FaceSettings):
        value = values.get(field.name)
        for path in known.files(value) if value is not None else ():
            shelf = engine.models.paths
            if not is_inside(Path(path), (*shelf.folders, *shelf.hosts, *shelf.yolo, *folders)):
                sentence = f"{known.label}: {shorten(path)} is outside the model folders; use a name from GET models"
                raise refuse(UNREADABLE, sentence, "body", part, field.name)
