"""Pictures in object stores, such as s3:// and gs://, by the package fsspec. No other file uses it.

An object has a `Path` like a file, with one slash after its scheme: `s3:/bucket/album/old.jpg`. So names, suffixes and
folders are dealt with in one way. `as_url` gives the address back.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from ..errors import BadPicture, BadSetting, CannotWrite, MissingPackage, briefly

NETWORK_USE = {
    "what": "reads and writes images in object stores",
    "when": "you give an address such as s3://bucket/folder as input or output of `facefix fix`",
    "with": "the store at this address",
    "files": ("pictures/objects.py",),
}
"""What this code uses the network for, for `facefix doctor`."""
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):/+(?=[^/])")
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
"""How a text begins that was meant as an address, also one that names nothing."""
_VERSIONS = ("ETag", "etag", "md5Hash", "LastModified", "last_modified", "updated", "mtime", "created")
"""What stores call the property that differs once an object has changed, the surest first."""


class ObjectStamp(NamedTuple):
    """How an object is told from an earlier one of its name."""

    size: int
    version: int
    """Number made from the store's own version of the object."""


_listed: dict[str, ObjectStamp] = {}
"""Stamps of objects that were listed or written by this process: asking for each would take a request."""


def as_path(text: str) -> Path:
    """Return the path that stands for a file, a folder, or the address of an object; of file:// the file's own.

    Raises `BadSetting` for an address that names nothing: as a path it would be a folder that nobody meant.
    """
    if text[:7].lower() == "file://":
        return _read_file_address(text)
    path = Path(text)
    if _ADDRESS.match(text) and not is_remote(path):
        raise BadSetting(
            f"{text} names nothing in a store. Write the scheme in small letters, and a name after it, such as "
            "s3://bucket/folder"
        )
    return path


def is_remote(path: str | Path) -> bool:
    """Return whether a path or an address is that of an object."""
    return _SCHEME.match(str(path)) is not None and not str(path).startswith("file:/")


def as_url(path: str | Path) -> str:
    """Return the address of an object, or the path of a file as text."""
    return _SCHEME.sub(r"\1://", str(path), count=1) if is_remote(path) else str(path)


def list_objects(folder: Path) -> Iterator[Path]:
    """Yield the objects below a folder, in the order of their names. Raises BadPicture or MissingPackage."""
    with _reading(folder):
        store, root = _open(folder)
        store.invalidate_cache()  # another program may have added to it
        found: Mapping[str, Mapping[str, Any]] = store.find(root, detail=True)
    start, scheme = root.strip("/"), str(folder).partition(":")[0]
    for name in sorted(found):
        path = Path(f"{scheme}:/{name.lstrip('/')}")
        if found[name].get("type", "file") == "file" and name.lstrip("/").startswith(start):
            _listed[str(path)] = _stamp(found[name])
            yield path


def read_object(path: Path) -> tuple[bytes, ObjectStamp]:
    """Return the content of an object, and its stamp. Raises BadPicture or MissingPackage."""
    with _reading(path):
        store, name = _open(path)
        content: bytes = store.cat_file(name)
        return content, _listed.get(str(path)) or _stamp(store.info(name))


def write_object(path: Path, content: bytes) -> ObjectStamp:
    """Write an object: whole or not at all, as all stores do. Return its stamp; raises CannotWrite."""
    try:
        store, name = _open(path)
        store.pipe_file(name, content)
        store.invalidate_cache(store._parent(name))
        _listed[str(path)] = stamp = _stamp(store.info(name))
    except MissingPackage:
        raise
    except Exception as error:  # the clients of stores raise errors of their own
        raise CannotWrite(f"{as_url(path)} cannot be written: {briefly(error)}") from error
    return stamp


def stamp_object(path: Path) -> ObjectStamp | None:
    """Return the stamp of an object, None if there is none. Raises BadPicture or MissingPackage."""
    if str(path) in _listed:
        return _listed[str(path)]
    with _reading(path):
        store, name = _open(path)
        try:
            return _stamp(store.info(name))
        except FileNotFoundError:
            return None


def delete_object(path: Path) -> None:
    """Delete an object, if it is there; raises CannotWrite."""
    try:
        store, name = _open(path)
        if store.exists(name):
            store.rm_file(name)
    except Exception as error:  # as above
        raise CannotWrite(f"{as_url(path)} cannot be deleted: {briefly(error)}") from error


def forget_listed() -> None:
    """Forget what was listed: other programs may have changed it since."""
    _listed.clear()


def store_of(path: Path) -> tuple[Any, str]:
    """Return the fsspec file system of an object, and the object's name in it. Raises MissingPackage."""
    return _open(path)


def _open(path: Path) -> tuple[Any, str]:
    try:
        import fsspec
    except ModuleNotFoundError as error:
        raise MissingPackage(
            as_url(path), "fsspec", "Install it with `pip install 'facefix[s3]'`, or 'facefix[fsspec]'"
        ) from error
    try:
        store, name = fsspec.core.url_to_fs(as_url(path))
    except ImportError as error:  # the package of this scheme: fsspec's sentence names it
        raise MissingPackage(as_url(path), getattr(error, "name", None) or "fsspec", f"{briefly(error)}.") from error
    return store, str(name)


def _read_file_address(text: str) -> Path:
    host, slash, name = text[7:].partition("/")
    if host.lower() not in ("", "localhost") or not slash or "%00" in name:
        plain = text[7:].strip("/") or "album"
        raise BadSetting(
            f"{text} names no file of this machine: the whole path must follow after file://. Write file:///{plain}, "
            f"or {plain}"
        )
    return Path(unquote(f"/{name}", errors="surrogateescape"))


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (BadPicture, MissingPackage):
        raise
    except FileNotFoundError as error:
        raise BadPicture(f"{as_url(path)} does not exist. Check the address") from error
    except Exception as error:  # the clients of stores raise errors of their own
        raise BadPicture(f"{as_url(path)} cannot be read: {briefly(error)}") from error


def _stamp(info: Mapping[str, Any]) -> ObjectStamp:
    version = next((info[name] for name in _VERSIONS if info.get(name)), "")
    moment = version.timestamp() if isinstance(version, datetime) else version  # listings may have either
    text = f"{moment:.3f}" if isinstance(moment, float) else str(moment)
    digest = hashlib.sha256(text.encode()).digest()
    return ObjectStamp(int(info.get("size") or 0), int.from_bytes(digest[:6], "big"))
