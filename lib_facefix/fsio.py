"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from .errors import CannotWrite

_REASONS = {
    errno.ENOSPC: "the disk is full. Free some space, or choose another folder.",
    errno.EDQUOT: "your share of the disk is used up. Free some space, or choose another folder.",
    errno.EFBIG: "the file would be larger than allowed here. Choose another folder.",
    errno.EACCES: "writing is not allowed there. Choose another folder, or change its permissions.",
    errno.EPERM: "writing is not allowed there. Choose another folder, or change its permissions.",
    errno.EROFS: "that disk is read-only. Choose another folder.",
    errno.ENOTDIR: "a file stands where its folder should be. Choose another folder, or move that file.",
    errno.EEXIST: "a file stands where its folder should be. Choose another folder, or move that file.",
    errno.EISDIR: "a folder of that name is in the way. Choose another name.",
    errno.ENAMETOOLONG: "the name is too long. Choose a shorter one.",
}


def is_filled(path: Path) -> bool:
    """Return whether `path` is a file that holds at least one byte."""
    try:
        return path.is_file() and path.stat().st_size > 0
    except OSError:
        return False


def cannot_write(path: Path, error: OSError) -> CannotWrite:
    """Return what to raise when `path` could not be written: why, and what to do."""
    reason = _REASONS.get(error.errno or 0, f"{error.strerror or error}. Choose another name or folder.")
    return CannotWrite(f"{path} cannot be written: {reason}")


def atomic_write(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let `write` fill a file beside `path`, then put it in the place of `path`.

    Whatever goes wrong, what stood at `path` keeps its bytes and nothing half-written is left. Missing folders
    are made. A link is followed: what it points to is replaced. Permissions of an existing file are kept. File and
    folder are on the disk before this returns. Raises CannotWrite with the reason; to one that `write` raises the
    path is added.
    """
    try:
        _write(Path(os.path.realpath(path)), write)
    except CannotWrite as error:
        raise CannotWrite(f"{path} cannot be written: {error}") from error
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


def _write(target: Path, write: Callable[[BinaryIO], object]) -> None:
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as file:  # the umask's mode; a file of `tempfile` would be closed to others
            write(file)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            part.chmod(stat.S_IMODE(target.stat().st_mode))
        put_in_place(part, target)
    finally:
        part.unlink(missing_ok=True)
