"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from ..errors import CannotWrite


def filled(path: Path) -> bool:
    """Return whether a file with something in it lies there."""
    try:
        return path.is_file() and path.stat().st_size > 0
    except OSError:
        return False


def cannot_write(path: Path, error: OSError) -> CannotWrite:
    """Return what to raise when `path` could not be written."""
    why = error.strerror or str(error)
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    todo = "Free some space, or choose another folder." if full else "Choose another folder, or make this one writable."
    return CannotWrite(f"{path} cannot be written: {why}. {todo}")


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let `write` fill a new file, and put it in the place of `path`; folders are made. Raises `CannotWrite`."""
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("xb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            put_in_place(part, path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from error


def put_in_place(part: Path, path: Path) -> None:
    """Rename a finished file, and see that the folder remembers it after a loss of power."""
    part.replace(path)
    if os.name == "posix":
        with contextlib.suppress(OSError):  # some file systems have no such thing for folders
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
