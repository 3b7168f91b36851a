"""Paths of results, chosen and checked before any work starts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadSetting
from ..pictures import (
    SUFFIXES,
    Found,
    RealPaths,
    ResultLog,
    check_writable,
    format_for,
    is_drawing,
    name_apart,
    names_unwritten_file,
)
from ..pictures.objects import as_path, as_url, is_remote, stamp_object
from ..weights import cache_folder
from .journal import Journal
from .noted_results import find_noted

if TYPE_CHECKING:
    from .batch_runner import Batch

RESULT_MARK = ".fixed"
"""Text before the suffix of a result that is written next to its input."""


STREAM = Path("-")
"""Path that stands for standard input and standard output."""


def name_source(path: Path | str) -> str:
    """Return the name of an input for people."""
    return "standard input" if str(path) == str(STREAM) else as_url(path)


def name_target(target: Path) -> str:
    """Return the name of a result for people."""
    return "standard output" if target == STREAM else as_url(target)


@dataclass(frozen=True, slots=True)
class Naming:
    """How the names of results differ from those of their inputs."""

    mark: str | None = None
    """Text before the suffix. None: `RESULT_MARK` beside the input, and nothing in another folder."""
    suffix: str = ""
    """Suffix of all results, such as ".png". Blank: that of each input."""

    def __post_init__(self) -> None:
        if self.mark is not None and (not self.mark.strip() or set(self.mark) & set("/\\\0")):
            raise BadSetting(f"--suffix must be part of a file name, such as -new, not {self.mark!r}")

    def apply(self, path: Path, mark: str = "") -> Path:
        """Return the path with the text and the suffix of results. mark: the text if `mark` is None."""
        text = mark if self.mark is None else self.mark
        return path.with_name(f"{path.stem}{text}{self.suffix or path.suffix}")


def choose_targets(
    found: Sequence[Found], output: str | None, in_place: bool, naming: Naming | None = None
) -> list[Path]:
    """Return the path of each result; raises `BadSetting` if the arguments contradict each other.

    output: a file for one image, a folder, or "-" for standard output. None writes each result next to its input.
    """
    naming = naming or Naming()
    if in_place:
        if any(is_remote(file.name) for file in found):
            raise BadSetting("--in-place needs files. Give another address with -o")
        if output is not None:
            raise BadSetting("--in-place overwrites the input files. Remove -o")
        if naming != Naming():
            raise BadSetting("--in-place keeps the names of the files. Remove --format and --suffix")
        return [file.path for file in found]
    real = RealPaths()
    if output == str(STREAM):
        if len(found) > 1:
            raise BadSetting(f"standard output cannot hold {len(found)} images. Choose a folder")
        return [STREAM for _ in found]
    if output is None:
        beside = (replace(file, below=str(naming.apply(file.path, RESULT_MARK))) for file in found)
        chosen = [file.relative for file in name_apart(beside)]
    else:
        chosen = _named_target(found, output, naming)
    inputs = {real.find(file.name) for file in found}
    for path in chosen:
        if real.find(path) in inputs:
            where = as_url(path)
            raise BadSetting(f"the result would overwrite the input {where}. Choose another output, or add --in-place")
    return chosen


def exclude_results(
    found: Sequence[Found], inputs: Sequence[str], output: str | None = None, log: ResultLog | None = None
) -> list[Found]:
    """Return the files without those that FaceFix made of others, unless `inputs` names them explicitly.

    These are results beside their input, sheets and other drawings, and files in an output folder inside an input
    folder. log: remembers what was written on this machine; the journals of the folders know results, too.
    """
    folder = None if output is None else _real(as_path(output))
    inside = folder is not None and any(_real(as_path(text)) in folder.parents for text in inputs)
    real, start = RealPaths(), f"{folder}{os.sep}"
    noted = find_noted(found, inputs)

    def is_result(path: Path) -> bool:
        if noted and real.find(path) in noted:
            return True
        if path.stem.endswith(RESULT_MARK) or (inside and real.find(path).startswith(start)):
            return True
        return (log is not None and log.is_product(path)) or is_drawing(path)

    return [file for file in found if file.name in inputs or not is_result(file.path)]


def below_common_folder(found: Sequence[Found]) -> list[Found]:
    """Return the files with paths relative to their common folder, to keep the folder structure in the output."""
    if len(found) < 2:
        return list(found)
    paths = [_real(file.path) for file in found]
    root = os.path.commonpath([path.parent for path in paths])
    return [replace(file, below=str(path.relative_to(root))) for file, path in zip(found, paths, strict=True)]


def open_log() -> ResultLog:
    """Return the log of the files that FaceFix wrote, in the cache folder."""
    return ResultLog(cache_folder() / "results.txt")


def refuse_to_replace(
    outputs: Iterable[Path | None], log: ResultLog, remedy: str = "add --overwrite", journal: Journal | None = None
) -> None:
    """Raise `BadSetting` if a file of somebody else has the path of an output. FaceFix may replace its own.

    remedy: how the user allows it, as the end of the error message. journal: knows results, too, if there is one.
    """
    taken = [
        path
        for path in outputs
        if path is not None and not _may_replace(path, log) and not (journal and journal.has_written(path))
    ]
    if taken:
        leads = f", a link to {_real(taken[0])}," if _real(taken[0].parent) / taken[0].name != _real(taken[0]) else ""
        more = f" ({len(taken) - 1} more like it)" if len(taken) > 1 else ""
        raise BadSetting(
            f"{as_url(taken[0])}{leads} would be overwritten, but FaceFix did not write it, or it was changed "
            f"since{more}. Choose another output, or {remedy}"
        )


def _may_replace(path: Path, log: ResultLog) -> bool:
    return stamp_object(path) is None if is_remote(path) else log.may_replace(path)


def keep_apart(paths: Iterable[str | Path], extras: Sequence[Path | None], why: str = "it is an input") -> None:
    """Raise `BadSetting` if a report, sheet or drawing would overwrite one of these files, or another of them.

    why: what is wrong about it, as the end of the sentence.
    """
    real = RealPaths()
    given = {real.find(extra): extra for extra in extras if extra is not None}
    if len(given) < sum(extra is not None for extra in extras):
        raise BadSetting(f"{extras[-1]} would be overwritten, but another output has this path. Choose another name")
    for path in paths if given else ():
        if extra := given.get(real.find(path)):
            raise BadSetting(f"{extra} would be overwritten, but {why}. Choose another name")


def _real(path: str | Path) -> Path:
    """Return the path without links, as far as they lead anywhere: Path.resolve raises for a link to itself."""
    return Path(os.path.realpath(path))


def _named_target(found: Sequence[Found], output: str, naming: Naming) -> list[Path]:
    path = as_path(output)
    means_folder = output.endswith(("/", "\\")) or os.path.isdir(path)  # noqa: PTH112 - raises for a long name
    if means_folder or path.suffix.lower() not in SUFFIXES:
        if not means_folder and names_unwritten_file(path):
            format_for(path)  # says what can be written
        if os.path.isfile(path):  # noqa: PTH113 - raises for a long name
            raise BadSetting(f"{path} is not an image file. Choose a folder, or a file name such as out.png")
        check_writable(path / "any.png")
        wanted = (replace(file, below=str(naming.apply(file.relative))) for file in found)
        return [path / file.relative for file in name_apart(wanted)]
    if len(found) > 1:
        raise BadSetting(f"{path} cannot hold {len(found)} images. Choose a folder")
    check_writable(path)
    if naming.suffix and format_for(path) != format_for(Path(f"x{naming.suffix}")):
        raise BadSetting(f"--format and the name {path.name} disagree. Change one of them")
    if naming.mark is not None:
        raise BadSetting(f"--suffix has no effect on {path}. Remove it, or choose a folder")
    return [path]


def skip_existing(
    batch: Batch, found: Sequence[Found], targets: Sequence[Path]
) -> tuple[list[Found], list[Path], list[str]]:
    """Return the files and targets without those whose result exists, and what to tell the person of these."""
    left = []
    for file, target in zip(found, targets, strict=True):
        if os.path.lexists(target):
            with batch.recording(file.path) as record:
                record["skipped"] = f"its result {target} exists"
        else:
            left.append((file, target))
    skipped = len(found) - len(left)
    lines = [f"{skipped} of {len(found)} images skipped: their results exist"] if skipped else []
    return [file for file, _ in left], [target for _, target in left], lines
