"""Which files FaceFix has written, so that a later run may replace them, and nothing else."""

import contextlib
import hashlib
import os
from pathlib import Path

from ..errors import CannotWrite
from ..fsio import atomic_write, find_open_number

MAX_BYTES = 8 << 20
"""Of the log; beyond it, the older half is forgotten."""
_SLACK = 2_000_000_000
"""Nanoseconds by which some drives round the time of a file."""


class ResultLog:
    """Written files by path, size, and modification time, in one text file that is only appended to.

    Paths are stored as hashes. A file that somebody changed or put in the place of a result is not ours. A log that
    cannot be read or written raises no error: then no file is known to be ours.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._made: dict[str, tuple[int, int]] | None = None

    def may_replace(self, path: Path) -> bool:
        """Return whether no file would be lost at `path`: there is none, or FaceFix wrote it; links are followed.

        What is no regular file, or is open as standard output is, gets more and loses nothing.
        """
        try:
            if not os.path.isfile(path) or find_open_number(path) is not None:  # noqa: PTH113 - raises for a long name
                return True
            (size, time), now = self._read().get(_key(path), (-1, 0)), path.stat()
        except OSError:
            return False
        return now.st_size == size and abs(now.st_mtime_ns - time) <= _SLACK

    def add(self, path: Path) -> None:
        """Remember that FaceFix wrote the file at `path` as it is now."""
        with contextlib.suppress(OSError):
            state = path.stat()
            self._read()[_key(path)] = state.st_size, state.st_mtime_ns
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a", encoding="ascii") as file:  # one short write: safe beside other processes
                file.write(f"{_key(path)} {state.st_size} {state.st_mtime_ns}\n")

    def _read(self) -> dict[str, tuple[int, int]]:
        if self._made is None:
            self._made = {}
            try:
                lines = self._file.read_bytes()
            except OSError:
                return self._made
            if len(lines) > MAX_BYTES:
                lines = lines[-MAX_BYTES // 2 :].partition(b"\n")[2]
                with contextlib.suppress(CannotWrite):
                    atomic_write(self._file, lambda file: file.write(lines))
            for line in lines.decode("ascii", "replace").splitlines():
                with contextlib.suppress(ValueError):  # a line that was cut off
                    key, size, time = line.split(" ")
                    self._made[key] = int(size), int(time)
        return self._made


def _key(path: Path) -> str:
    return hashlib.sha256(os.fsencode(os.path.realpath(path))).hexdigest()[:32]
