"""Reports of a batch as files that are written while the batch runs: JSON, JSON lines, or CSV."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TextIO, cast

from ..errors import BadSetting
from ..fsio import atomic_write, cannot_write
from ..planning.plan import VERSION

KINDS = ("json", "jsonl", "csv")
SUFFIXES = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv"}
"""Kinds by the suffix of the file; any other is JSON."""
COLUMNS = (
    *("path", "output", "status", "width", "height", "result_width", "result_height"),
    *("faces", "fixed", "unchanged", "failed", "identity", "seconds", "why"),
)
"""Columns of a CSV report. identity: the largest distance between a face before and after."""
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


def open_report(path: Path, kind: str) -> Report:
    """Return a report to be written to `path`; raises `CannotWrite`. JSON lines and CSV are added to a file of theirs.

    Check with `may_continue` that the file is one.
    """
    return _Document(path) if kind == "json" else _Lines(path, kind)


def may_continue(path: Path, kind: str) -> bool:
    """Return whether the file is a report of this kind that can be added to, as a run that was killed has left it."""
    if kind == "json":
        return False
    try:
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


def read_paths(path: Path, kind: str) -> Iterator[str]:
    """Yield the images that such a file already names."""
    with path.open("r", encoding="utf-8", errors="surrogateescape", newline="") as file:
        if kind == "csv":
            yield from (row["path"] for row in csv.DictReader(file) if row.get("path"))
            return
        for line in file:
            with contextlib.suppress(ValueError):  # a line that was cut off
                yield str(json.loads(line)["path"])


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

    def __init__(self, path: Path, kind: str) -> None:
        self._path, self._kind = path, kind
        with _writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: TextIO = path.open("a+", encoding="utf-8", errors="surrogateescape", newline="")
            self._mend()

    def add(self, record: Mapping[str, Any]) -> None:
        text = dump({"version": VERSION, **record}) + "\n" if self._kind == "jsonl" else _row(_columns(record))
        with _writing(self._path):
            self._file.write(text)
            self._file.flush()

    def close(self) -> tuple[str, ...]:
        with _writing(self._path), self._file:
            os.fsync(self._file.fileno())
        return ()

    def _mend(self) -> None:
        """Cut off a last line that is not complete, and begin an empty file with the names of the columns."""
        raw = self._file.buffer
        end = raw.seek(0, os.SEEK_END)
        start = max(0, end - (1 << 24))
        raw.seek(start)
        tail = raw.read()
        if tail and not tail.endswith(b"\n"):
            raw.truncate(start + tail.rfind(b"\n") + 1)
        if self._kind == "csv" and raw.seek(0, os.SEEK_END) == 0:
            self._file.write(_row(COLUMNS))
            self._file.flush()


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
    csv.writer(text, lineterminator="\n").writerow(cast(Any, values))
    return text.getvalue()


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
