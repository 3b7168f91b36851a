"""Reports of a batch as files that are written while the batch runs: JSON, JSON lines, or CSV."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol, TextIO, cast

from ..errors import BadSetting
from ..fsio import atomic_write, cannot_write, find_open_number, open_special
from ..planning.plan import VERSION
from .journal_entries import FOLDER

KINDS = ("json", "jsonl", "csv")
SUFFIXES = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv"}
"""Kinds by the suffix of the file; any other is JSON."""
COLUMNS = (
    *("path", "output", "status", "width", "height", "result_width", "result_height"),
    *("faces", "fixed", "unchanged", "failed", "identity", "seconds", "why"),
)
"""Columns of a CSV report. identity: the largest distance between a face before and after."""
RESULT, PLANNED = "result", "planned"
"""What a row tells of: a result, or the plan of a dry run. One of a failure does not say which run it is from."""
KEPT_BYTES = 64 << 20
"""Bytes that wait in memory for the end of a run; more go to a temporary file."""


class Report(Protocol):
    """A report that is being written."""

    def add(self, record: Mapping[str, Any]) -> None:
        """Add one image; raises `CannotWrite`."""

    def close(self) -> tuple[str, ...]:
        """Complete the file, and return notes on what the drive refused; raises `CannotWrite`."""


def kind_of(path: Path, kind: str | None = None) -> str:
    """Return the kind of a report, "json", "jsonl", or "csv". kind: as the user has chosen it, if at all."""
    return kind or SUFFIXES.get(path.suffix.lower(), "json")


def open_report(path: Path, kind: str, *, continues: bool = False) -> Report:
    """Return a report to be written to `path`; raises `CannotWrite`.

    continues: whether JSON lines or CSV are added to a file of theirs, see `may_continue` and `keep_rows`.
    """
    return _Document(path) if kind == "json" else _Lines(path, kind, continues=continues)


def may_continue(path: Path, kind: str) -> bool:
    """Return whether the file is a report of this kind that can be added to, as a run that was killed has left it."""
    try:
        if kind == "json" or not path.is_file() or find_open_number(path) is not None:
            return False
        with path.open("rb") as file:
            first = file.readline(1 << 20)
    except OSError:
        return False
    if not first:
        return True
    if kind == "csv":
        return first.rstrip(b"\r\n") == ",".join(COLUMNS).encode()
    with contextlib.suppress(ValueError):
        record = json.loads(first)
        return isinstance(record, dict) and record.get("version") == VERSION and "path" in record
    return False


class _Row(NamedTuple):
    """A whole row of a report."""

    name: str
    """Image."""
    text: str
    state: str
    """`RESULT`, `PLANNED`, or blank if it tells of neither."""


def holds_results(path: Path, kind: str) -> bool:
    """Return whether such a file tells of results, which a dry run must not replace."""
    states = {row.state for row in _list_rows(path, kind)}
    return RESULT in states or ("" in states and PLANNED not in states)


def keep_rows(path: Path, kind: str, redone: Collection[str], named: Collection[str] = ()) -> set[str]:
    """Remove the rows of images that are done again from such a file, and what a killed run wrote of a last one.

    named: all images of the run; of these, the rows of a dry run are removed, too. So each image has one row in the
    end. Returns the images that the file names still; raises `CannotWrite`.
    """
    kept = set[str]()

    def write(file: BinaryIO) -> None:
        if kind == "csv":
            file.write(_row(COLUMNS).encode())
        for row in _list_rows(path, kind):
            if row.name not in redone and not (row.state == PLANNED and row.name in named):
                kept.add(row.name)
                file.write(row.text.encode("utf-8", "surrogateescape"))

    atomic_write(path, write)
    return kept


def _list_rows(path: Path, kind: str) -> Iterator[_Row]:
    """Yield each whole row of a report."""
    with path.open("r", encoding="utf-8", errors="surrogateescape", newline="") as file:
        if kind == "csv":
            yield from _list_csv(file)
            return
        for line in file:
            with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):  # a line that was cut off
                record = json.loads(line)
                state = RESULT if record.get("output") else PLANNED if record.get("dry_run") else ""
                row = _Row(str(record["path"]), line, state)
                if line.endswith("\n"):
                    yield row


def _list_csv(file: TextIO) -> Iterator[_Row]:
    before: list[str] = []
    with contextlib.suppress(csv.Error):  # a row that was cut off in a name of two lines
        for row in csv.reader(file, strict=True):
            if len(before) == len(COLUMNS) and before != list(COLUMNS):
                yield _read_csv_row(before)
            before = row
        file.buffer.seek(-1, os.SEEK_END)
        if len(before) == len(COLUMNS) and before != list(COLUMNS) and file.buffer.read() == b"\n":
            yield _read_csv_row(before)


def _read_csv_row(values: Sequence[str]) -> _Row:
    name, output, status, *_ = values
    planned = status in ("fixed", "unchanged")  # without an output: by a dry run
    return _Row(name, _row(values), RESULT if output else PLANNED if planned else "")


def status_of(record: Mapping[str, Any]) -> str:
    """Return "failed", "skipped", "fixed before", "fixed", or "unchanged" for the record of an image."""
    if record["error"] or any(face["outcome"] == "failed" for face in _outcomes(record)):
        return "failed"
    if record["skipped"]:
        return "skipped"
    if record["fixed_before"]:
        return "fixed before"
    changed = record["upscale"] or any(face["outcome"] == "fixed" for face in _outcomes(record))
    return "fixed" if changed else "unchanged"


def largest_distance(record: Mapping[str, Any]) -> float | None:
    """Return the largest distance between a face before and after, None if none was measured."""
    measured = [face["identity"]["distance"] for face in _outcomes(record) if face.get("identity")]
    return max((distance for distance in measured if distance is not None), default=None)


class _Document:
    """One JSON document, complete only at its end. Until then its images wait; many go to a temporary file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting = cast(BinaryIO, tempfile.SpooledTemporaryFile(KEPT_BYTES))  # noqa: SIM115 - closed with the report

    def add(self, record: Mapping[str, Any]) -> None:
        text = dump(record, indent=2)
        with _writing(self._path):
            self._waiting.write(text.replace("\n", "\n    ").encode() + b"\0")

    def close(self) -> tuple[str, ...]:
        with self._waiting:
            return atomic_write(self._path, self._write)

    def _write(self, file: BinaryIO) -> None:
        self._waiting.seek(0)
        file.write(b'{\n  "version": %d,\n  "pictures": [' % VERSION)
        left, count = b"", 0
        while chunk := self._waiting.read(1 << 20):
            *whole, left = (left + chunk).split(b"\0")
            for text in whole:
                file.write((b",\n    " if count else b"\n    ") + text)
                count += 1
        file.write(b"\n  ]\n}\n" if count else b"]\n}\n")


class _Lines:
    """One line for each image, in the file as soon as the image is finished."""

    def __init__(self, path: Path, kind: str, *, continues: bool) -> None:
        self._path, self._kind, self._notes = path, kind, tuple[str, ...]()
        with _writing(path):
            start = _row(COLUMNS).encode() if kind == "csv" and not continues else b""
            special = open_special(path)
            if special is None and not continues:
                self._notes = atomic_write(path, lambda file: file.write(start))  # other names of the old file keep it
            self._file = special or path.open("ab")
            if special:
                self._file.write(start)
                self._file.flush()

    def add(self, record: Mapping[str, Any]) -> None:
        text = dump({"version": VERSION, **record}) + "\n" if self._kind == "jsonl" else _row(_columns(record))
        with _writing(self._path):
            self._file.write(text.encode("utf-8", "surrogateescape"))
            self._file.flush()

    def close(self) -> tuple[str, ...]:
        with _writing(self._path), self._file:
            if self._path.is_file():  # a pipe cannot be synced
                os.fsync(self._file.fileno())
        return self._notes


def dump(content: Mapping[str, Any], indent: int | None = None) -> str:
    """Return JSON, with ASCII alone if a file name is not valid Unicode."""
    text = json.dumps(content, indent=indent, ensure_ascii=False, allow_nan=False)
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        return json.dumps(content, indent=indent, allow_nan=False)
    return text


def _columns(record: Mapping[str, Any]) -> list[object]:
    faces = _outcomes(record)
    counts = Counter(face["outcome"] for face in faces)
    distance = largest_distance(record)
    failures = "; ".join(f"face {face['number']}: {face['error']}" for face in faces if face["error"])
    why = record["error"] or record["skipped"] or record["fixed_before"] or failures
    sizes = [*(record["size"] or ("", "")), *(record["result_size"] or ("", ""))]
    return [
        *(record["path"], record["output"] or "", status_of(record), *sizes),
        *(len(faces), counts["fixed"], counts["left"], counts["failed"]),
        *("" if distance is None else round(distance, 4), record["seconds"], why),
    ]


def _outcomes(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the faces of the record that were worked on; a dry run has none."""
    return [face for face in record["faces"] if "outcome" in face]


def _row(values: object) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cast(Any, values))  # up to Python 3.12, only these are quoted
    return text.getvalue().removesuffix("\r\n") + "\n"


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise cannot_write(path, error) from error


def check_kind(path: Path | None, kind: str | None) -> None:
    """Raise `BadSetting` for a kind of report without a report."""
    if kind and path is None:
        raise BadSetting("--report-format has no effect without --report FILE")


def refuse_own_folder(path: Path) -> None:
    """Raise `BadSetting` for a file in a folder of journals, one of which it might replace."""
    if FOLDER in Path(os.path.realpath(path)).parts:
        raise BadSetting(
            f"{path} is in a folder called {FOLDER}, where FaceFix keeps its journal. Choose another folder"
        )
