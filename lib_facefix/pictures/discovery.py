"""Which files are meant by the names a person gives."""

import glob
import os
import stat
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from ..errors import BadPicture
from .formats import SUFFIXES, missing_package, unread_kind


@dataclass(frozen=True, slots=True)
class Found:
    """A picture file, and where its result belongs below an output folder."""

    path: Path
    relative: Path
    """Unlike that of any other found, also where upper and lower case are the same."""
    skipped: str = ""
    """Why it is not to be read, although it looks like a picture; a sentence without its end."""


def find_pictures(inputs: Sequence[str]) -> list[Found]:
    """Return the files that `inputs` name: files, folders with all below them, and patterns such as *.jpg.

    A file named in full is taken whatever its suffix. Folders and patterns give only files of a known suffix,
    in order of their names; hidden ones are left out, and links to folders are not followed. What looks like a picture
    there and cannot be read as one (HEIC, a pipe, a link to itself) comes with the reason in `skipped`. A file that is
    named twice comes once. A missing file is left for reading to complain of. Raises BadPicture for a folder or pattern
    that gives nothing.
    """
    met: set[Path] = set()
    found = []
    for text in inputs:
        matches = list(_matches(text))
        if not matches:
            raise BadPicture(_nothing(text))
        for match in matches:
            file = Path(os.path.realpath(match.path))  # Path.resolve raises for a link to itself
            if file not in met:
                met.add(file)
                found.append(match)
    return name_apart(found)


def name_apart(found: Iterable[Found], suffix: str | None = None) -> list[Found]:
    """Return `found` with names that differ: of two a.jpg the second becomes a-2.jpg.

    suffix: the one that all results will get, such as .png, if any: then a.jpg and a.bmp collide too.
    """
    taken: set[str] = set()
    named = []
    for one in found:
        wanted = one.relative.with_suffix(suffix) if suffix else one.relative
        relative = next(name for name in _variants(wanted) if _key(name) not in taken)
        taken.add(_key(relative))
        named.append(replace(one, relative=relative))
    return named


def _matches(text: str) -> Iterator[Found]:
    if not text:
        return
    path = Path(os.path.expanduser(text))  # noqa: PTH111 - Path.expanduser raises for ~name of an unknown user
    if _is_dir(path):
        yield from (_examined(file, path) for file in _files_below(path))
    elif os.path.lexists(path):
        yield Found(path, Path(path.name))
    elif glob.has_magic(str(path)):
        yield from _files_like(path)
    else:  # reading it will say that it is not there; the others can still be done
        yield Found(path, Path(path.name))


def _files_like(pattern: Path) -> Iterator[Found]:
    root = _root(pattern)
    for name in sorted(glob.glob(str(pattern), recursive=True)):  # noqa: PTH207 - Path.glob knows no hidden files
        path = Path(name)
        files = _files_below(path) if _is_dir(path) else [path]
        yield from (_examined(file, root) for file in files if _is_picture(file.name))


def _examined(file: Path, root: Path) -> Found:
    """Return a file that was not named in full, with the reason if it is not to be read."""
    return Found(file, file.relative_to(root), skipped=_why_skipped(file))


def _why_skipped(file: Path) -> str:
    if kind := unread_kind(file):
        return f"{kind} is not supported. Save it as PNG or JPEG with another program"
    if missing := missing_package(file):
        return missing
    try:
        mode = file.stat().st_mode
    except OSError as error:
        return f"it is a link that leads nowhere ({error.strerror})" if file.is_symlink() else ""
    return "" if stat.S_ISREG(mode) else "it is a pipe, a device, or a folder, not a file"


def _root(pattern: Path) -> Path:
    """Return the folder down to which `pattern` is plain."""
    plain = next(count for count, part in enumerate(pattern.parts) if glob.has_magic(part))
    return Path(*pattern.parts[:plain])


def _files_below(folder: Path) -> list[Path]:
    files = []
    for place, folders, names in os.walk(folder, onerror=_refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        files += [Path(place, name) for name in names if _is_picture(name)]
    return sorted(files)


def _is_dir(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - Path.is_dir raises for names that are too long


def _is_picture(name: str) -> bool:
    return not name.startswith(".") and (Path(name).suffix.lower() in SUFFIXES or unread_kind(Path(name)) is not None)


def _variants(path: Path) -> Iterator[Path]:
    yield path
    number = 2
    while True:
        yield path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1


def _key(path: Path) -> str:
    """Equal for names that some file system takes for the same."""
    return unicodedata.normalize("NFC", path.as_posix()).casefold()


def _nothing(text: str) -> str:
    if text and _is_dir(Path(text)):
        return f"{text}: no images in this folder. Supported files: {', '.join(sorted(SUFFIXES))}."
    if glob.has_magic(text):
        return f"{text}: no image matches this pattern. Check it."
    return f"{text}: there is no such file or folder. Check the name."


def _refuse(error: OSError) -> NoReturn:
    raise BadPicture(f"{error.filename}: this folder cannot be read ({error.strerror}). Check its permissions.")
