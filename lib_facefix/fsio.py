"""Atomic file writes: a file is written completely or not at all."""

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
    errno.EDQUOT: "your disk quota is used up. Free some space, or choose another folder.",
    errno.EFBIG: "the file is too large for this file system. Choose another folder.",
    **dict.fromkeys(
        (errno.EACCES, errno.EPERM), "permission denied. Choose another folder, or change its permissions."
    ),
    errno.EROFS: "the disk is read-only. Choose another folder.",
    **dict.fromkeys((errno.ENOTDIR, errno.EEXIST), "its folder is a file. Choose another folder, or move that file."),
    errno.EISDIR: "it is a folder. Choose another name.",
    errno.ENAMETOOLONG: "the name is too long. Choose a shorter one.",
}


def is_filled(path: Path) -> bool:
    """Return True if `path` is a file with at least one byte."""
    try:
        return path.is_file() and path.stat().st_size > 0
    except OSError:
        return False


def cannot_write(path: Path, error: OSError) -> CannotWrite:
    """Return the error for a failed write to `path`, with the reason and the remedy."""
    reason = _REASONS.get(error.errno or 0, f"{error.strerror or error}. Choose another name or folder.")
    return CannotWrite(f"{path} cannot be written: {reason}")


def atomic_write(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Call `write` with a temporary file next to `path`, then replace `path` with it.

    If anything fails, `path` keeps its content and no partial file is left. Creates missing folders, follows links,
    keeps the permissions of an existing file, and syncs file and folder to the disk. Raises `CannotWrite` with path
    and reason.
    """
    try:
        _write(Path(os.path.realpath(path)), write)
    except CannotWrite as error:
        raise CannotWrite(f"{path} cannot be written: {error}") from error
    except OSError as error:
        raise cannot_write(path, error) from error


def put_in_place(part: Path, path: Path) -> None:
    """Rename a finished file, and sync the folder so that the new name survives a power failure."""
    part.replace(path)
    if os.name == "posix":
        with contextlib.suppress(OSError):  # some file systems cannot sync folders
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
        with part.open("xb") as file:  # permissions from the umask; `tempfile` would deny others access
            write(file)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            part.chmod(stat.S_IMODE(target.stat().st_mode))
        put_in_place(part, target)
    finally:
        part.unlink(missing_ok=True)
