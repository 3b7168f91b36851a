"""Getting published weights: asked for, checked by size and SHA-256, resumed, written whole or not at all."""

from __future__ import annotations

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
from .weight_record import Published, Wheel

Progress = Callable[[int, int], None]
"""Callback with the bytes done and the bytes in total (0 if unknown)."""
FREE_BYTES_LEFT = 64 << 20
"""Disk space that stays free, in bytes."""
_OFF = ("", "0", "no", "false", "off")


def is_offline(environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether FACEFIX_OFFLINE forbids the network."""
    return environ.get("FACEFIX_OFFLINE", "").strip().lower() not in _OFF


def list_mirror_urls(url: str, mirror: str) -> tuple[str, ...]:
    """Return where a mirror may hold what lies at `url`: under the same path, or under the file's name alone."""
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
    """Download the file into `paths.own`, trying its sources in order; return where it lies.

    A source that is a data wheel gives a .safetensors. With a mirror (or FACEFIX_MIRROR) nothing else is asked; what
    comes from it must have the same hash. What a stopped download left is carried on with.
    Raises `Offline` where the network is not to be used, `CannotFetch` if no source has the file, `CannotWrite`.
    """
    target = paths.own / published.name
    if _is_fetched(target, published):
        return target
    if offline or is_offline(environ):
        raise Offline(
            f"{published.name} is not here, and the network is not to be used. Put it into {paths.own} yourself, or "
            f"name its folder in FACEFIX_MODELS; it is published at {published.urls[0]}."
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
        f"{published.name} could not be had: {'; '.join(reasons)}. Try again later (what has come is kept), give a "
        f"mirror, or put the file into {paths.own} yourself."
    )


def _is_fetched(target: Path, published: Published) -> bool:
    """Return whether the file is there; raises `CannotWrite` where another one has its name."""
    if not is_filled(target):
        return False
    if sha256_of(target) == published.sha256:
        return True
    raise CannotWrite(f"{target} is not the published file, and is not overwritten. Move or delete it, and try again.")


def list_sources(
    published: Published, mirror: str, environ: Mapping[str, str] = os.environ
) -> Iterator[tuple[str, Wheel | None]]:
    """Yield each URL that may have the file, with the data wheel that it is, if any; mirror: or FACEFIX_MIRROR."""
    mirror = mirror or environ.get("FACEFIX_MIRROR", "")
    yield from ((place, None) for url in published.urls for place in list_mirror_urls(url, mirror))
    if published.packaged:
        wheel = published.packaged.wheel
        yield from ((place, wheel) for place in list_mirror_urls(wheel.url, mirror))


def _download(url: str, target: Path, size: int, sha256: str, progress: Progress | None) -> Path:
    """Download one URL; raises `CannotFetch` or `CannotWrite`."""
    from .http_download import open_locked  # the network's modules are imported only now

    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with open_locked(part) as file:
            if is_filled(target) and sha256_of(target) == sha256:  # another process has got it meanwhile
                part.unlink()
                return target
            _check_disk_space(target, size - part.stat().st_size)
            _fill(file, part, url, size, sha256, progress)
            if sys.platform != "win32":
                put_in_place(part, target)
        if sys.platform == "win32":  # where no open file can be renamed
            put_in_place(part, target)
    except (CannotWrite, CannotFetch):
        raise
    except OSError as error:
        raise cannot_write(target, error) from error
    return target


def _fill(file: BinaryIO, part: Path, url: str, size: int, sha256: str, progress: Progress | None) -> None:
    """Download the rest of an open part; raises `CannotFetch`, also where the whole has another hash."""
    from .http_download import download

    resumed = part.stat().st_size > 0
    download(url, file, size, progress)
    if resumed and not _matches(file, part, sha256):  # it was a part of something else: once more, all of it
        file.truncate(0)
        download(url, file, size, progress)
    if not _matches(file, part, sha256):
        part.unlink()
        raise CannotFetch(f"{url} holds another file: its SHA-256 differs")


def _matches(file: BinaryIO, part: Path, sha256: str) -> bool:
    file.flush()
    os.fsync(file.fileno())
    return sha256_of(part) == sha256


def _check_disk_space(target: Path, needed: int) -> None:
    free = shutil.disk_usage(target.parent).free
    if free < needed + FREE_BYTES_LEFT:
        raise CannotWrite(
            f"{target} needs {needed / 1e6:.0f} MB, but its disk has {free / 1e6:.0f} MB left. Free some space, or "
            "choose another folder."
        )
