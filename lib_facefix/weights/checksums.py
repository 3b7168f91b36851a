"""SHA-256 of files, remembered, so that a large file is read once; and whether a file is the published one."""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path
from typing import Any

from ..errors import BadModel, CannotWrite
from ..fsio import atomic_write
from .tensorfile import CHUNK, content_of, read_origin
from .weight_record import Published, Wheel

MOST_REMEMBERED = 500


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits; raises `BadModel` if it cannot be read."""
    digest = hashlib.sha256()
    if path.exists() and not path.is_file():
        raise BadModel(f"{path} is no regular file, so it may never end")
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise BadModel(f"{path} cannot be read: {error.strerror or error}") from error
    return digest.hexdigest()


class Hashes:
    """Hashes by path, size and time of the last change, kept in one small file of the cache folder.

    What cannot be kept is computed again: no error comes from a full or locked cache.
    """

    def __init__(self, cache: Path) -> None:
        self._file = cache / "hashes.json"

    def of(self, path: Path) -> str:
        """Return the SHA-256 of the file."""
        return self._recall(path, "sha256")

    def content(self, path: Path) -> str:
        """Return the SHA-256 of what the safetensors holds."""
        return self._recall(path, "content")

    def _recall(self, path: Path, kind: str) -> str:
        try:
            status = path.stat()
            key, now = f"{kind}:{path.resolve()}", [status.st_size, status.st_mtime_ns, status.st_ino]
        except OSError as error:
            raise BadModel(f"{path} cannot be read: {error.strerror or error}") from error
        known = self._read().get(key)
        if isinstance(known, list) and known[:-1] == now and isinstance(known[-1], str):
            return known[-1]
        digest = sha256_of(path) if kind == "sha256" else content_of(path)
        kept = self._read()  # again: another process may have hashed meanwhile
        kept.pop(key, None)
        kept[key] = [*now, digest]
        text = json.dumps(dict(list(kept.items())[-MOST_REMEMBERED:]), indent=0)
        with contextlib.suppress(CannotWrite):
            atomic_write(self._file, lambda file: file.write(text.encode()))
        return digest

    def _read(self) -> dict[str, Any]:
        try:
            kept = json.loads(self._file.read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        return kept if isinstance(kept, dict) else {}


def verify_file(path: Path, published: Published, cache: Path | None = None) -> Path:
    """Return `path` if its bytes are those that were published, or were converted from them; raises `BadModel`.

    cache: folder in which hashes are remembered; without it every call reads the whole file.
    """
    hashes = Hashes(cache) if cache else None
    if path.suffix.lower() != ".safetensors":
        found = hashes.of(path) if hashes else sha256_of(path)
        if found != published.sha256:
            raise BadModel(describe_mismatch(path, published, found))
        return path
    said = read_origin(path)
    sources = {published.sha256, published.packaged.bin_sha256 if published.packaged else published.sha256}
    if "content" not in said:
        raise BadModel(
            f"{path} does not say what it was converted from, so it cannot be checked. Give the original "
            f"{published.name}, or choose this file itself by its path."
        )
    if said.get("sha256") not in sources:
        raise BadModel(describe_mismatch(path, published, said.get("sha256", "")))
    if said["content"] != (hashes.content(path) if hashes else content_of(path)):
        raise BadModel(f"{path} has changed since it was converted: it is damaged. Delete it, and convert again.")
    return path


def describe_mismatch(path: Path, published: Published | Wheel, found: str) -> str:
    """Return the sentence about a file whose SHA-256 is another one than the published file's."""
    or_choose = "" if isinstance(published, Wheel) else ", or choose it itself by its path if you trust it"
    return (
        f"{path} is not the published {published.name}: its SHA-256 is {found[:12]}… instead of "
        f"{published.sha256[:12]}…. It is damaged or another file. Delete it and get it again{or_choose}."
    )
