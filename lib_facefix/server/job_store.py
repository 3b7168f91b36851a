"""The folder jobs of a server, in a SQLite file that outlives it: what was asked for, and what became of each image.

The file holds no image, no token, and no client. It has one user at a time: SQLite's lock on it ends with the process.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import BadSetting, CannotWrite, FaceFixError
from .job import VERSION

FILE = "jobs.sqlite3"
SCHEMA = 1
"""Version of the tables, as SQLite's user_version."""
KEEP_SECONDS = 7 * 24 * 3600
"""Seconds for which ended jobs are kept."""
KEEP_JOBS = 128
"""Number of ended jobs that are kept."""
BUSY_SECONDS = 2.0
"""Seconds to wait for another process that uses the file."""
_TABLES = """
CREATE TABLE jobs (
    id TEXT PRIMARY KEY, created REAL NOT NULL, body TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting', ended REAL, error TEXT
);
CREATE TABLE images (
    job TEXT NOT NULL REFERENCES jobs ON DELETE CASCADE, path TEXT NOT NULL,
    place INTEGER, tries INTEGER NOT NULL DEFAULT 0, record TEXT, PRIMARY KEY (job, path)
) WITHOUT ROWID;
"""
_SETTINGS = (
    "locking_mode = EXCLUSIVE",
    "journal_mode = WAL",
    "synchronous = NORMAL",  # in WAL: a power failure may lose the last notes, and damages nothing
    "foreign_keys = ON",
    "secure_delete = ON",
)
_COLUMNS = {"jobs": "id, created, body, state, ended, error", "images": "job, path, place, tries, record"}
_REFUSED = ("readonly", "disk I/O", "is full", "unable to open", "out of memory")
"""Parts of SQLite's words for what a file is not to blame for."""
_LOG = logging.getLogger(__name__)


class Note(NamedTuple):
    """What is known of one image of a job."""

    tries: int
    """How often the work on it has begun."""
    record: dict[str, Any] | None
    """What became of it, as in a report, or None if nothing is known."""


class InUse(BadSetting):
    """Raised if another process uses the file."""


class Unreadable(FaceFixError):
    """Raised if the file was damaged while it was in use."""


class JobStore:
    """Folder jobs by id. Thread-safe. What cannot be written while a job runs is logged, and does not stop the job."""

    def __init__(self, folder: Path) -> None:
        """Open or create the file in `folder`, which is created, too. A damaged file is put aside, and a new one begun.

        Raises `InUse`, `CannotWrite`, or `BadSetting` for a file of a newer version.
        """
        self.file = folder / FILE
        self.put_aside: Path | None = None
        """Where a damaged file was put, if there was one."""
        self._lock = threading.RLock()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self.file, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise CannotWrite(
                f"{self.file} cannot be written: {error.strerror or error}. Choose another --state"
            ) from error
        try:
            self._base = self._open()
        except sqlite3.DatabaseError:  # no database, or a broken one; `_open` explains the other errors
            self.put_aside = _put_aside(self.file)
            self._base = self._open()
        self._delete_old()

    def close(self) -> None:
        """Close the file. Work that is still running must not be noted any more."""
        with self._lock:
            self._base.close()

    def add(self, job: str, body: Mapping[str, Any]) -> None:
        """Add a waiting job. body: its request. Raises `CannotWrite`."""
        try:
            with self._lock, self._base:
                self._base.execute(
                    "INSERT INTO jobs (id, created, body) VALUES (?, ?, ?)", (job, time.time(), _pack(body))
                )
        except sqlite3.Error as error:
            raise CannotWrite(f"the job cannot be stored in {self.file}: {error}") from error

    def delete(self, job: str) -> None:
        """Delete a job."""
        with self._writing() as base:
            base.execute("DELETE FROM jobs WHERE id = ?", (job,))

    def list_unfinished(self) -> list[tuple[str, Any]]:
        """Return id and request of the jobs that have not ended, in order of arrival; no request if it is damaged."""
        query = "SELECT id, body FROM jobs WHERE ended IS NULL ORDER BY created, rowid"
        return [(job, _unpack(body)) for job, body in self._read(query)]

    def read_images(self, job: str) -> dict[str, Note]:
        """Return what is known of the images of a job, by path. Raises `Unreadable`."""
        rows = self._read("SELECT path, tries, record FROM images WHERE job = ?", job)
        return {str(_unpack(path)): Note(tries, _unpack_record(record)) for path, tries, record in rows}

    def begin_image(self, job: str, path: str) -> None:
        """Note that the work on an image begins."""
        with self._writing() as base:
            base.execute(
                "INSERT INTO images (job, path, tries) VALUES (?, ?, 1) "
                "ON CONFLICT (job, path) DO UPDATE SET tries = tries + 1",
                (job, _pack(path)),
            )

    def leave_image(self, job: str, path: str) -> None:
        """Note that the work on an image was given up in good order, so that it does not count as a try."""
        with self._writing() as base:
            base.execute("UPDATE images SET tries = tries - 1 WHERE job = ? AND path = ?", (job, _pack(path)))

    def end_image(self, job: str, record: Mapping[str, Any]) -> None:
        """Note what became of an image."""
        with self._writing() as base:
            base.execute(
                "UPDATE images SET record = ? WHERE job = ? AND path = ?", (_pack(record), job, _pack(record["path"]))
            )

    def end(self, job: str, state: str, error: str | None, records: Sequence[Mapping[str, Any]] | None = None) -> None:
        """Note the end of a job, and delete old ones. records: of all its images, in order; None: as noted so far."""
        with self._writing() as base:
            base.execute(
                "UPDATE jobs SET state = ?, error = ?, ended = ? WHERE id = ?", (state, error, time.time(), job)
            )
            if records is not None:
                base.execute("DELETE FROM images WHERE job = ?", (job,))
                base.executemany(
                    "INSERT OR REPLACE INTO images (job, path, place, record) VALUES (?, ?, ?, ?)",
                    ((job, _pack(record["path"]), place, _pack(record)) for place, record in enumerate(records)),
                )
        self._delete_old()

    def describe(self, job: str) -> dict[str, Any] | None:
        """Return the state of an ended job, as the API returns it, or None if there is none. Raises `Unreadable`."""
        found = self._read("SELECT state, error FROM jobs WHERE id = ? AND ended NOT NULL", job)
        if not found:
            return None
        rows = self._read("SELECT record FROM images WHERE job = ? AND record NOT NULL ORDER BY place, path", job)
        state, error = found[0]
        records = [record for (packed,) in rows if (record := _unpack_record(packed))]
        result = None if error is not None and not records else {"version": VERSION, "pictures": records}
        count = len(records)
        return {
            "version": VERSION,
            "job": job,
            "state": state,
            "done": count,
            "total": count,
            "doing": state,
            "error": error,
            "result": result,
        }

    def _read(self, query: str, *given: str) -> list[Any]:
        try:
            with self._lock:
                return self._base.execute(query, given).fetchall()
        except sqlite3.Error as error:
            raise Unreadable(f"{self.file} cannot be read: {error}. Start the server again") from error

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Write in one transaction; log an error, as results are more important than notes on them."""
        try:
            with self._lock, self._base:
                yield self._base
        except sqlite3.Error as error:
            _LOG.warning("%s cannot be written, so this job may be done again after a restart: %s", self.file, error)

    def _open(self) -> sqlite3.Connection:
        """Return a connection to a checked file with tables. Raises `sqlite3.DatabaseError` if it is damaged."""
        base = sqlite3.connect(self.file, timeout=BUSY_SECONDS, check_same_thread=False)
        try:
            for setting in _SETTINGS:
                base.execute(f"PRAGMA {setting}")
            with base:
                base.execute("BEGIN EXCLUSIVE")  # and so the lock is held until the end
                self._check(base)
        except sqlite3.OperationalError as error:
            base.close()
            if "locked" in str(error):
                raise InUse(f"{self.file} is in use by another `facefix serve`. Choose another --state") from error
            if not any(words in str(error) for words in _REFUSED):  # such as "unsupported file format"
                raise sqlite3.DatabaseError(str(error)) from error
            raise CannotWrite(f"{self.file} cannot be opened: {error}. Choose another --state") from error
        except BaseException:
            base.close()
            raise
        return base

    def _check(self, base: sqlite3.Connection) -> None:
        """Create the tables of a new file. Raises `sqlite3.DatabaseError`, or `BadSetting` for a newer version."""
        [found] = base.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(found)
        [version] = base.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA:
            raise BadSetting(f"{self.file} was written by a newer FaceFix. Update FaceFix, or choose another --state")
        if version == 0:
            if base.execute("SELECT 1 FROM sqlite_master").fetchone():
                raise BadSetting(f"{self.file} is a database of another program. Choose another --state")
            for statement in _TABLES.split(";"):
                base.execute(statement)
            base.execute(f"PRAGMA user_version = {SCHEMA}")
        for table, columns in _COLUMNS.items():
            base.execute(f"SELECT {columns} FROM {table} LIMIT 0")

    def _delete_old(self) -> None:
        with self._writing() as base:
            base.execute("DELETE FROM jobs WHERE ended < ?", (time.time() - KEEP_SECONDS,))
            base.execute(
                "DELETE FROM jobs WHERE ended NOT NULL AND id NOT IN "
                "(SELECT id FROM jobs WHERE ended NOT NULL ORDER BY ended DESC LIMIT ?)",
                (KEEP_JOBS,),
            )


def _pack(value: Any) -> str:
    """Return JSON in ASCII, which can also hold file names that are no valid text."""
    return json.dumps(value, separators=(",", ":"))


def _unpack(packed: Any) -> Any:
    """Return what `_pack` packed, None if it is damaged."""
    try:
        return json.loads(packed)
    except (TypeError, ValueError):
        return None


def _unpack_record(packed: Any) -> dict[str, Any] | None:
    """Return a record as in a report, None if there is none, or if it is damaged."""
    record = _unpack(packed)
    return record if isinstance(record, dict) else None


def _put_aside(file: Path) -> Path:
    """Rename a damaged file, with the files that SQLite keeps beside it, and return its new path."""
    aside = file.with_name(f"{file.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
    for end in ("-wal", "-shm", ""):
        with contextlib.suppress(FileNotFoundError):
            file.with_name(file.name + end).replace(aside.with_name(aside.name + end))
    return aside
