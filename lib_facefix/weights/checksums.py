"""SHA-256 of files, cached so that a large file is read once, and comparison with the published hashes."""

import hashlib
from pathlib import Path

from ..errors import BadModel
from .json_cache import JsonCache
from .published import Published, Wheel
from .tensorfile import CHUNK, content_of, read_origin

MAX_CACHED_HASHES = 500


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits; raises `BadModel` if it cannot be read."""
    digest = hashlib.sha256()
    if path.exists() and not path.is_file():
        raise BadModel(f"{path} is not a regular file, so reading it may never end")
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise BadModel(f"{path} cannot be read: {error.strerror or error}") from error
    return digest.hexdigest()


class Hashes:
    """Hashes by path, size and modification time, stored in one small file of the cache folder.

    A full or locked cache raises no error; its hashes are computed again.
    """

    def __init__(self, cache: Path) -> None:
        self._kept = JsonCache(cache / "hashes.json", MAX_CACHED_HASHES)

    def of(self, path: Path, *, content: bool = False) -> str:
        """Return the SHA-256 of a file, or of the content of a safetensors file, without its metadata."""
        key, now = _identify(path, "content" if content else "sha256")
        if known := self._look_up(key, now):
            return known
        digest = content_of(path) if content else sha256_of(path)
        self._kept.put(key, [*now, digest])
        return digest

    def knows(self, path: Path) -> bool:
        """Return whether the hash of a file is cached, so that `of` need not read it; raises `BadModel`."""
        return bool(self._look_up(*_identify(path, "sha256")))

    def _look_up(self, key: str, now: list[int]) -> str:
        """Return the cached hash of the file in this state, or blank."""
        known = self._kept.get(key)
        current = isinstance(known, list) and known[:-1] == now and isinstance(known[-1], str)
        return str(known[-1]) if known and current else ""


def _identify(path: Path, kind: str) -> tuple[str, list[int]]:
    """Return the key of a file in the cache, and its size, modification time and inode; raises `BadModel`."""
    try:
        status = path.stat()
        return f"{kind}:{path.resolve()}", [status.st_size, status.st_mtime_ns, status.st_ino]
    except OSError as error:
        raise BadModel(f"{path} cannot be read: {error.strerror or error}") from error


def verify_file(path: Path, published: Published, cache: Path | None = None) -> Path:
    """Return `path` if the file is the published one or was converted from it; raises `BadModel`.

    cache: folder for cached hashes; without it every call reads the whole file.
    """
    hashes = Hashes(cache) if cache else None
    if path.suffix.lower() != ".safetensors":
        found = hashes.of(path) if hashes else sha256_of(path)
        if found != published.sha256:
            raise BadModel(describe_mismatch(path, published, found))
        return path
    origin = read_origin(path)
    sources = {published.sha256, published.packaged.bin_sha256 if published.packaged else published.sha256}
    if "content" not in origin:
        raise BadModel(
            f"{path} cannot be verified, because it does not name the file it was converted from. Use the original "
            f"{published.name}, or select this file by its path."
        )
    if origin.get("sha256") not in sources:
        raise BadModel(describe_mismatch(path, published, origin.get("sha256", "")))
    if origin["content"] != (hashes.of(path, content=True) if hashes else content_of(path)):
        raise BadModel(f"{path} was changed after its conversion, so it is damaged. Delete it and convert again.")
    return path


def describe_mismatch(path: Path, published: Published | Wheel, found: str) -> str:
    """Return an error message for a file whose SHA-256 differs from the published one."""
    or_select = "" if isinstance(published, Wheel) else ", or select it by its path if you trust it"
    return (
        f"{path} is not the published {published.name}, or it is damaged: its SHA-256 is {found[:12]}… instead of "
        f"{published.sha256[:12]}…. Delete it and download it again{or_select}."
    )
