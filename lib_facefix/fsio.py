"""Atomic file writes: a file is written completely or not at all."""

import contextlib
import errno
import io
import os
import re
import secrets
import shutil
import stat
import sys
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from .errors import CannotWrite

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

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
    errno.ENXIO: "nothing reads from it. Start its reader first.",
}
_NO_SYNC = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM, errno.EACCES, errno.EROFS}
"""Errors of file systems that cannot sync. A failed sync raises EIO, ENOSPC, or EDQUOT."""


ABANDONED_AFTER = 15 * 60
"""Seconds without a change after which an unfinished file or folder of ours was left by a killed run."""
TEMP_PREFIX = "facefix-"
"""Prefix of FaceFix's folders in the temporary folder; `tempfile` adds the rest of the name."""
_PART = re.compile(r"\.[0-9a-f]{16}\.part")
_TEMP = re.compile(TEMP_PREFIX + r"[a-z0-9_]{8}")
_swept: set[Path] = set()


@dataclass(frozen=True, slots=True)
class Handover:
    """What is done between a finished temporary file and its way to its place."""

    ready: Callable[[Path], None]
    """Receives the temporary file, which will have this size, time and inode in its place."""
    owner: str = ""
    """Eight hexadecimal digits that begin the name of the temporary file, so that `sweep_owned` can tell whose it
    is."""


class RangeLock:
    """Locks on parts of a file, for processes that share a folder, also over a network drive that supports locks.

    They end with the process, however it ends. Two locks of one process never exclude each other.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, or create it; raises OSError."""
        self._file = path.open("a+b")

    def acquire(self, start: int, length: int, *, shared: bool = False) -> bool:
        """Lock these bytes; return False if another process has locked one of them, except both being shared.

        Returns True without a lock on a drive that has none. On Windows, no lock is shared.
        """
        try:
            if sys.platform == "win32":
                self._file.seek(start)
                msvcrt.locking(self._file.fileno(), msvcrt.LK_NBLCK, length)
            else:
                kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
                fcntl.lockf(self._file.fileno(), kind | fcntl.LOCK_NB, length, start)
        except OSError as error:
            return error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
        return True

    def release(self, start: int, length: int) -> None:
        """Unlock these bytes."""
        with contextlib.suppress(OSError):  # without a lock, see `acquire`
            if sys.platform == "win32":
                self._file.seek(start)
                msvcrt.locking(self._file.fileno(), msvcrt.LK_UNLCK, length)
            else:
                fcntl.lockf(self._file.fileno(), fcntl.LOCK_UN, length, start)

    def close(self) -> None:
        """Unlock all bytes."""
        self._file.close()


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


def sweep(folder: Path) -> None:
    """Delete what killed runs left in `folder`: our unfinished files. Once a process; raises no error."""
    if folder not in _swept:
        _swept.add(folder)
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in [entry for entry in entries if _PART.fullmatch(entry.name)]:
                with contextlib.suppress(OSError):
                    state = entry.stat(follow_symlinks=False)
                    if stat.S_ISREG(state.st_mode) and _is_abandoned(state):
                        Path(entry).unlink()


def sweep_owned(folder: Path, owners: Collection[str]) -> None:
    """Delete the unfinished files in `folder` that runs left which have ended; raises no error. owners: of these runs.

    See `Handover.owner`.
    """
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in [entry for entry in entries if _PART.fullmatch(entry.name) and entry.name[1:9] in owners]:
            with contextlib.suppress(OSError):
                Path(entry).unlink()


def sweep_temp(folder: Path) -> None:
    """Delete the temporary folders of killed runs from `folder`. Raises no error.

    Only what `tempfile` made for this user with our prefix is taken: its names, and closed to all others.
    """
    own = os.geteuid() if hasattr(os, "geteuid") else None
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in [entry for entry in entries if _TEMP.fullmatch(entry.name)]:
            with contextlib.suppress(OSError):
                state = entry.stat(follow_symlinks=False)
                ours = own is None or (state.st_uid == own and stat.S_IMODE(state.st_mode) == 0o700)
                if not ours or not stat.S_ISDIR(state.st_mode):
                    continue
                inside = [path.lstat() for path in Path(entry).rglob("*")]
                if all(map(_is_abandoned, [state, *inside])):
                    shutil.rmtree(entry, ignore_errors=True)


def _is_abandoned(state: os.stat_result) -> bool:
    return time.time() - state.st_mtime > ABANDONED_AFTER


def check_place(path: Path) -> None:
    """Raise `CannotWrite` if no file can be written at `path`: its name is too long, or it is a folder.

    This also holds below a file, and in a folder that may not be written. Nothing is created: this is for use before
    long work.
    """
    real = Path(os.path.realpath(path))
    folder = next((parent for parent in real.parents if os.path.lexists(parent)), Path())
    try:
        for name in (real, *(folder / part for part in real.relative_to(folder).parts)):
            with contextlib.suppress(FileNotFoundError):
                name.lstat()
        if real.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    except OSError as error:
        raise cannot_write(path, error) from error
    allowed = os.access(folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids)
    is_replaced = real.is_file() or not os.path.lexists(real)  # not a device or a pipe, see `open_special`
    if not allowed and is_replaced and find_open_number(path) is None:
        read_only = hasattr(os, "statvfs") and os.statvfs(folder).f_flag & os.ST_RDONLY
        raise cannot_write(path, OSError(errno.EROFS if read_only else errno.EACCES, ""))


def atomic_write(path: Path, write: Callable[[BinaryIO], object], handover: Handover | None = None) -> tuple[str, ...]:
    """Call `write` with a temporary file next to `path`, then replace `path` with it.

    If anything fails, `path` keeps its content and no partial file is left; those of killed runs are deleted. Creates
    missing folders, follows links, keeps the permissions of an existing file, and syncs file and folder to the disk.
    Returns sentences for what the drive refused of this. A device, a pipe, or an open file such as /dev/stdout is
    written into. Raises `CannotWrite` with path and reason. handover: called before `path` is replaced.
    """
    try:
        into = open_special(path)
        if into is None:
            return _write(Path(os.path.realpath(path)), write, handover)
        content = io.BytesIO()  # writers of pictures want to seek
        write(content)
        with into:
            into.write(content.getbuffer())
    except CannotWrite as error:
        raise CannotWrite(f"{path} cannot be written: {error}") from error
    except OSError as error:
        raise cannot_write(path, error) from error
    return ()


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


def open_special(path: Path) -> BinaryIO | None:
    """Return an open file if `path` must be written into rather than replaced, otherwise None.

    Raises `OSError` at once for a pipe without a reader, and for what takes no stream of bytes.
    """
    number = find_open_number(path)
    if number is not None:
        return os.fdopen(os.dup(number), "wb")
    try:
        mode = path.stat().st_mode
    except OSError:
        return None
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return None
    if not stat.S_ISCHR(mode) and not stat.S_ISFIFO(mode):
        raise OSError(errno.EINVAL, "it is a socket or a disk")
    opened = os.open(path, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0))
    os.set_blocking(opened, True)  # not while opening: that would wait for ever for a reader
    return os.fdopen(opened, "wb")


def find_open_number(path: Path) -> int | None:
    """Return the number of this process's open file that `path` leads to, as /dev/stdout does, otherwise None."""
    own = os.path.realpath("/proc/self/fd")
    for _ in range(40):  # as many links as Linux follows
        if path.name.isdecimal() and os.path.realpath(path.parent) == own:
            return int(path.name)
        try:
            path = path.parent / path.readlink()
        except OSError:
            break
    return None


def _write(target: Path, write: Callable[[BinaryIO], object], handover: Handover | None) -> tuple[str, ...]:
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    target.parent.mkdir(parents=True, exist_ok=True)
    sweep(target.parent)
    owner = handover.owner if handover else ""
    part = target.with_name(f".{(owner + secrets.token_hex(8))[:16]}.part")
    notes = []
    try:
        with part.open("xb") as file:  # permissions from the umask; `tempfile` would deny others access
            write(file)
            file.flush()
            try:
                os.fsync(file.fileno())
            except OSError as error:
                if error.errno not in _NO_SYNC:
                    raise
                notes.append(f"The drive does not confirm that the file is stored safely ({error.strerror}).")
        if target.exists():
            try:
                part.chmod(stat.S_IMODE(target.stat().st_mode))
            except OSError as error:  # some network drives refuse it
                notes.append(f"The permissions of the old file could not be kept ({error.strerror}).")
        if handover:
            handover.ready(part)
        put_in_place(part, target)
    finally:
        part.unlink(missing_ok=True)
    return tuple(notes)
