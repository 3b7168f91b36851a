"""What on the server a client may name: folders and model files, and nothing outside those allowed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..facefix import FaceFix
from ..settings.face_settings import FaceSettings
from ..settings.options import options
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


def check_models(values: Mapping[str, Any], engine: FaceFix, folders: Iterable[Path], part: str = "settings") -> None:
    """Raise `Refusal` for a model file of the server's that does not lie in a folder of models, or an allowed one.

    values: settings by name; those that may be paths are looked at.
    """
    for field, known in options(FaceSettings):
        value = values.get(field.name)
        for path in known.files(value) if value is not None else ():
            shelf = engine.models.paths
            if not is_inside(Path(path), (*shelf.folders, *shelf.hosts, *shelf.yolo, *folders)):
                sentence = f"{known.label}: {short(path)} lies in no folder of models here; choose a name of GET models"
                raise refuse(UNREADABLE, sentence, "body", part, field.name)
