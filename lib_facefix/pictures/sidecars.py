"""Files next to an image that belong to it: XMP of photo programs, JSON of photo services."""

from __future__ import annotations

import contextlib
import os
import shutil
from functools import partial
from pathlib import Path
from typing import BinaryIO

from ..errors import CannotWrite
from ..fsio import atomic_write

_BEHIND = (".xmp", ".XMP", ".json", ".supplemental-metadata.json", ".pp3", ".dop")
"""Added to the whole name: photo.jpg.xmp."""
_INSTEAD = (".xmp", ".XMP")
"""In the place of the suffix: photo.xmp."""


def copy_sidecars(source: Path, target: Path) -> list[str]:
    """Copy what belongs to the picture `source` beside its result; return sentences for what could not be.

    Files that are there already stay as they are, and links are not followed.
    """
    pairs = [(source.with_name(source.name + end), target.with_name(target.name + end)) for end in _BEHIND]
    pairs += [(source.with_suffix(end), target.with_suffix(end)) for end in _INSTEAD]
    notes = []
    for old, new in pairs:
        # not Path.is_file and Path.exists, which raise for a name that is too long
        if os.path.isfile(old) and not old.is_symlink() and not os.path.lexists(new):  # noqa: PTH113
            try:
                atomic_write(new, partial(_copy, old))
            except CannotWrite as error:
                notes.append(f"Its sidecar {old.name} was not copied: {error}")
            else:
                with contextlib.suppress(OSError):  # its time is of little use
                    os.utime(new, ns=(old.stat().st_mtime_ns, old.stat().st_mtime_ns))
    return notes


def _copy(old: Path, file: BinaryIO) -> None:
    with old.open("rb") as opened:
        shutil.copyfileobj(opened, file)
