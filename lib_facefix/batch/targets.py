"""Paths of results, chosen and checked before any work starts."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import BadSetting
from ..pictures import SUFFIXES, Found, ResultLog, check_writable, format_for, names_unwritten_file
from ..weights import cache_folder

RESULT_MARK = ".fixed"
"""Text before the suffix of a result that is written next to its input."""


def choose_targets(found: Sequence[Found], output: str | None, in_place: bool) -> list[Path]:
    """Return the path of each result; raises `BadSetting` if the arguments contradict each other.

    output: a file for one image, or a folder. None writes each result next to its input.
    """
    if in_place:
        if output is not None:
            raise BadSetting("--in-place overwrites the input files. Remove -o")
        return [file.path for file in found]
    if output is None:
        chosen = [file.path.with_name(f"{file.path.stem}{RESULT_MARK}{file.path.suffix}") for file in found]
    else:
        chosen = _named_target(found, output)
    inputs = {_real(file.path) for file in found}
    for path in chosen:
        if _real(path) in inputs:
            raise BadSetting(f"the result would overwrite the input {path}. Choose another output, or add --in-place")
    return chosen


def exclude_results(found: Sequence[Found], inputs: Sequence[str], output: str | None = None) -> list[Found]:
    """Return the files without results of earlier runs, unless `inputs` names them explicitly.

    Results are files marked as such, and files in an output folder inside an input folder.
    """
    folder = None if output is None else _real(output)
    inside = folder is not None and any(_real(text) in folder.parents for text in inputs)

    def is_result(path: Path) -> bool:
        return path.stem.endswith(RESULT_MARK) or (inside and folder in _real(path).parents)

    return [file for file in found if str(file.path) in inputs or not is_result(file.path)]


def below_common_folder(found: Sequence[Found]) -> list[Found]:
    """Return the files with paths relative to their common folder, to keep the folder structure in the output."""
    if len(found) < 2:
        return list(found)
    paths = [_real(file.path) for file in found]
    root = os.path.commonpath([path.parent for path in paths])
    return [replace(file, relative=path.relative_to(root)) for file, path in zip(found, paths, strict=True)]


def open_log() -> ResultLog:
    """Return the log of the files that FaceFix wrote, in the cache folder."""
    return ResultLog(cache_folder() / "results.txt")


def refuse_to_replace(outputs: Iterable[Path | None], log: ResultLog, remedy: str = "add --overwrite") -> None:
    """Raise `BadSetting` if a file of somebody else has the path of an output. FaceFix may replace its own.

    remedy: how the user allows it, as the end of the error message.
    """
    taken = [path for path in outputs if path is not None and not log.may_replace(path)]
    if taken:
        leads = f", a link to {_real(taken[0])}," if _real(taken[0].parent) / taken[0].name != _real(taken[0]) else ""
        more = f" ({len(taken) - 1} more like it)" if len(taken) > 1 else ""
        raise BadSetting(
            f"{taken[0]}{leads} would be overwritten, but FaceFix did not write it, or it was changed since{more}. "
            f"Choose another output, or {remedy}"
        )


def keep_apart(sources: Iterable[Path], results: Iterable[Path], extras: Iterable[Path | None]) -> None:
    """Raise `BadSetting` if a report, sheet or drawing would overwrite an input, a result, or another of them."""
    taken = {_real(path): "a result has this path" for path in results}
    taken |= {_real(path): "it is an input" for path in sources}
    for extra in extras:
        if extra is not None:
            if why := taken.get(_real(extra)):
                raise BadSetting(f"{extra} would be overwritten, but {why}. Choose another name")
            taken[_real(extra)] = "another output has this path"


def _real(path: str | Path) -> Path:
    """Return the path without links, as far as they lead anywhere: Path.resolve raises for a link to itself."""
    return Path(os.path.realpath(path))


def _named_target(found: Sequence[Found], output: str) -> list[Path]:
    path = Path(output)
    means_folder = output.endswith(("/", "\\")) or os.path.isdir(path)  # noqa: PTH112 - raises for a long name
    if means_folder or path.suffix.lower() not in SUFFIXES:
        if not means_folder and names_unwritten_file(path):
            format_for(path)  # says what can be written
        if os.path.isfile(path):  # noqa: PTH113 - raises for a long name
            raise BadSetting(f"{path} is not an image file. Choose a folder, or a file name such as out.png")
        check_writable(path / "any.png")
        return [path / file.relative for file in found]
    if len(found) > 1:
        raise BadSetting(f"{path} cannot hold {len(found)} images. Choose a folder")
    check_writable(path)
    return [path]
