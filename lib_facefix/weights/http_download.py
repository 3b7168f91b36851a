"""Downloading one file over HTTPS. Interrupted downloads resume."""

import contextlib
import http.client
import os
import socket
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from ..errors import CannotFetch
from .urls import explain_failure, is_loopback, open_url

TIMEOUT = 30.0
"""Longest wait for the next byte, in seconds."""
ATTEMPTS = 3
"""Number of successive attempts without a byte before giving up."""
MAX_CONNECTIONS = 60
"""Largest number of connections for one file."""
PAUSE = 1.0
"""Delay before the second attempt, in seconds; it doubles each time."""
CHUNK = 1 << 20
MAX_BYTES = 4 << 30
"""Largest download, in bytes, if the size is not known."""
_HOPELESS = (socket.gaierror, ssl.SSLCertVerificationError, ConnectionRefusedError)
"""Failures that another attempt would not cure."""
_LOCK_AT = 1 << 40
NETWORK_USE = {
    "what": "downloads model files",
    "when": "you confirm a download in `facefix models get`, `facefix setup`, `facefix fix`, on the page of "
    "`facefix serve`, or press Download in a WebUI; never with --offline or FACEFIX_OFFLINE",
    "with": "the servers in the model's record (github.com, files.pythonhosted.org), or only your --mirror",
    "files": ("weights/http_download.py", "weights/urls.py"),
}
"""What this code uses the network for, for `facefix doctor`."""


class _Broken(Exception):
    """The connection ended early; a new one may resume the download."""


def download(url: str, file: BinaryIO, size: int, progress: Callable[[int, int], None] | None = None) -> None:
    """Append the rest of the file at `url` to the bytes that `file` already has.

    size: total size in bytes, 0 if not known. If the server cannot resume, the download starts again. Raises
    `CannotFetch` for all failures of network or server; an `OSError` comes from the disk.
    """
    vain, most = 0, file.seek(0, os.SEEK_END)
    for _ in range(MAX_CONNECTIONS):
        try:
            _resume(url, file, size, progress or (lambda _done, _total: None))
        except _Broken as error:
            vain, most = (0, file.tell()) if file.tell() > most else (vain + 1, most)
            if vain == ATTEMPTS:
                raise CannotFetch(f"{url} cannot be reached: {error}") from error
            time.sleep(PAUSE * 2 ** (vain - 1) if vain else 0)
        else:
            return
    raise CannotFetch(f"{url} interrupted the download {MAX_CONNECTIONS} times")


def _resume(url: str, file: BinaryIO, size: int, progress: Callable[[int, int], None]) -> None:
    have = file.tell()
    if size and have >= size:
        if have == size:
            progress(size, size)
            return
        have = _restart(file)
    with contextlib.closing(_open(url, have)) as answer:
        if answer.status == 206 and not str(answer.headers["Content-Range"]).startswith(f"bytes {have}-"):
            raise CannotFetch(f"{url} returned another part of the file than requested")
        if answer.status != 206 and have:  # 200: all of it; 416: our part is longer than the file
            have = _restart(file)
            if answer.status == 416:
                raise _Broken("the file is shorter than the partial download")
        rest = answer.headers["Content-Length"] or ""
        total = have + int(rest) if rest.isascii() and rest.isdigit() else size
        if size and total != size:
            raise CannotFetch(f"{url} offers another file: {total} bytes instead of {size}")
        for chunk in _read_chunks(answer):
            have += len(chunk)
            if have > (total or MAX_BYTES):
                raise CannotFetch(f"{url} sent more than {total or MAX_BYTES} bytes")
            file.write(chunk)
            progress(have, total)
        if have < total:
            raise _Broken("the connection ended early")


def _restart(file: BinaryIO) -> int:
    file.seek(0)
    file.truncate()
    return 0


def _read_chunks(answer: Any) -> Iterator[bytes]:
    while True:
        try:
            chunk = answer.read1(CHUNK)
        except (OSError, http.client.HTTPException) as error:
            raise _Broken(explain_failure(error)) from error
        if not chunk:
            return
        yield chunk


def _open(url: str, have: int) -> Any:
    """Return the response, 200, 206 or 416; raises `CannotFetch`, or `_Broken` if another attempt may succeed."""
    check_scheme(url, loopback=True)
    headers = {"User-Agent": "facefix", "Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
    request = urllib.request.Request(url, headers=headers)
    try:
        return open_url(request, TIMEOUT, _Redirects())
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:
            return error
        error.close()
        reason = next(iter(str(error.reason).splitlines()), "").rstrip(".")  # a redirect loop has three lines
        if error.code in (408, 425, 429) or error.code >= 500:
            raise _Broken(f"the server returned {error.code} {reason}") from error
        raise CannotFetch(f"{url} returned {error.code} {reason}") from error
    except (OSError, http.client.HTTPException) as error:
        if isinstance(getattr(error, "reason", None), _HOPELESS):
            raise CannotFetch(f"{url} cannot be reached: {explain_failure(error)}") from error
        raise _Broken(explain_failure(error)) from error


def check_scheme(url: str, *, loopback: bool) -> None:
    """Raise `CannotFetch` unless the address is https, or, if `loopback` allows it, http on this machine."""
    parts = urlsplit(url)
    if not (parts.scheme == "https" or (loopback and parts.scheme == "http" and is_loopback(parts.hostname))):
        raise CannotFetch(f"{url} is not a secure address. Use one that begins with https://")


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to https only, and from this machine also to this machine."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        try:
            check_scheme(newurl, loopback=urlsplit(req.full_url).scheme == "http")
        except CannotFetch:
            fp.close()
            raise
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@contextlib.contextmanager
def open_locked(path: Path) -> Iterator[BinaryIO]:
    """Open or create the file for reading and writing, after waiting until no other process or thread locks it."""
    while True:
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666), "r+b") as file:
            _lock(file)
            if _is_at(file, path):  # else it was renamed while we waited
                try:
                    yield file
                finally:
                    if _is_at(file, path) and not path.stat().st_size and sys.platform != "win32":
                        path.unlink()  # leave no empty file behind
                return


def _is_at(file: BinaryIO, path: Path) -> bool:
    try:
        return path.stat().st_ino == os.fstat(file.fileno()).st_ino
    except FileNotFoundError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _lock(file: BinaryIO) -> None:
        while True:
            file.seek(_LOCK_AT)  # far behind the data, since these locks also keep others from reading
            with contextlib.suppress(OSError):
                msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
                return

else:
    import fcntl

    def _lock(file: BinaryIO) -> None:
        with contextlib.suppress(OSError):  # some network file systems have no locks
            fcntl.flock(file, fcntl.LOCK_EX)
