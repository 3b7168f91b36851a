"""Where each result goes: decided, and refused where it must be, before any work is done."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import BadSetting
from ..pictures import SUFFIXES, Found, check_writable

MARK = ".fixed"
"""Stands before the suffix of a result that lies beside its input."""


def choose_targets(found: Sequence[Found], output: str | None, in_place: bool) -> list[Path]:
    """Return where the result of each picture goes; raises `BadSetting` for what cannot be meant.

    output: a file for one picture, else a folder; None puts each result beside its input.
    """
    if in_place:
        if output is not None:
            raise BadSetting("--in-place writes over the pictures themselves; leave out -o")
        return [one.path for one in found]
    chosen = [_beside(one.path) for one in found] if output is None else _named_target(found, output)
    _spare_inputs(found, chosen)
    return chosen


def exclude_results(found: Sequence[Found], inputs: Sequence[str], output: str | None = None) -> list[Found]:
    """Leave out what an earlier run made, unless `inputs` name it in full.

    That is what lies beside its input, and what is in an output folder that lies inside an input folder.
    """
    folder = None if output is None else Path(output).resolve()
    inside = folder is not None and any(Path(text).resolve() in folder.parents for text in inputs)

    def is_result(path: Path) -> bool:
        return path.stem.endswith(MARK) or (inside and folder in path.resolve().parents)

    return [one for one in found if str(one.path) in inputs or not is_result(one.path)]


def below_common_folder(found: Sequence[Found]) -> list[Found]:
    """Return pictures that a plan names one by one, to be mirrored as the folder they came from would be."""
    if len(found) < 2:
        return list(found)
    paths = [one.path.resolve() for one in found]
    root = os.path.commonpath([path.parent for path in paths])
    return [replace(one, relative=path.relative_to(root)) for one, path in zip(found, paths, strict=True)]


def keep_apart(sources: Iterable[Path], results: Iterable[Path], extras: Iterable[Path | None]) -> None:
    """Raise `BadSetting` if a report, sheet or drawing would overwrite a source, a result, or another of them."""
    taken = {path.resolve(): "a result goes there" for path in results}
    taken |= {path.resolve(): "it is an input" for path in sources}
    for extra in extras:
        if extra is not None:
            if why := taken.get(extra.resolve()):
                raise BadSetting(f"{extra} would be overwritten, but {why}; choose another name")
            taken[extra.resolve()] = "something else is written there, too"


def _named_target(found: Sequence[Found], output: str) -> list[Path]:
    path = Path(output)
    names_file = path.suffix.lower() in SUFFIXES and not path.is_dir() and not output.endswith(("/", "\\"))
    if not names_file:
        if path.is_file():
            raise BadSetting(f"{path} is a file whose suffix is no picture's; give a folder, or a name such as out.png")
        return [path / one.relative for one in found]
    if len(found) > 1:
        raise BadSetting(f"{len(found)} pictures cannot all go to {path}; give a folder")
    check_writable(path)
    return [path]


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.stem}{MARK}{path.suffix}")


def _spare_inputs(found: Sequence[Found], chosen: Sequence[Path]) -> None:
    inputs = {one.path.resolve() for one in found}
    for path in chosen:
        if path.resolve() in inputs:
            raise BadSetting(f"the result would overwrite the input {path}; choose another place, or pass --in-place")
