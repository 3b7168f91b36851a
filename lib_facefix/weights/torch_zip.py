"""Looking into the zip that PyTorch writes: one pickle of names and shapes, and a raw member for each tensor."""

from __future__ import annotations

import pickletools
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from ..errors import BadModel

MAX_PICKLE_BYTES = 64 << 20
MAX_MEMBERS = 100_000
_DAMAGE = (OSError, EOFError, ValueError, LookupError, OverflowError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""Errors that `zipfile` and `pickletools` raise for unreadable files, some of them undocumented."""


def find_globals(path: Path) -> Iterator[tuple[str, str]]:
    """Yield module and name of each class or function that the pickle asks for; nothing is imported or run.

    Members must be stored, not deflated: then none is larger than the file, and no small file fills the memory.
    Raises `BadModel` if the file is not such a zip.
    """
    try:
        for opcode, argument, _ in pickletools.genops(_read_pickle(path)):
            if opcode.name == "GLOBAL":
                module, _, name = str(argument).partition(" ")
                yield module, name
    except _DAMAGE as error:
        raise BadModel(f"{path} is cut short or damaged: {error}. Get it again.") from error


def _read_pickle(path: Path) -> bytes:
    size = path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > size:
            raise BadModel(f"{path} claims to hold more than it has bytes; it was not opened.")
        if any(member.compress_type != zipfile.ZIP_STORED for member in members):
            raise BadModel(f"{path} is compressed as PyTorch never does; it was not opened.")
        pickles = [member for member in members if member.filename.rpartition("/")[2] == "data.pkl"]
        if len(pickles) != 1 or pickles[0].file_size > MAX_PICKLE_BYTES:
            raise BadModel(f"{path} is a zip, but not one of weights: it has no data.pkl of sensible size.")
        return archive.read(pickles[0])
