"""Which files are meant by the names a person gives."""

import glob
import os
import stat
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from ..errors import BadPicture
from .formats import SUFFIXES, missing_package, unread_kind
from .objects import as_path, as_url, is_remote, list_objects


@dataclass(frozen=True, slots=True)
class Found:
    """A picture file, and where its result belongs below an output folder.

    It holds text, and makes paths when they are asked for: a listing of 100,000 files stays small.
    """

    name: str
    """Path of the file, as the person or the folder gave it."""
    below: str
    """Path of the result below an output folder. Unlike that of any other found, also where upper and lower case are
    the same."""
    skipped: str = ""
    """Why it is not to be read, although it looks like a picture; a sentence without its end."""

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.name)

    @property
    def relative(self) -> Path:
        """Where the result belongs below an output folder."""
        return Path(self.below)


class RealPaths:
    """Finds the paths of many files without links; the folders of files are looked up once."""

    def __init__(self) -> None:
        self._folders: dict[str, str] = {}

    def find(self, path: str | Path) -> str:
        """Return the path without links, as far as they lead anywhere."""
        folder, name = os.path.split(path)
        if name in ("", ".", ".."):
            return os.path.realpath(path)
        if folder not in self._folders:
            self._folders[folder] = os.path.realpath(folder)
        real = os.path.join(self._folders[folder], name)  # noqa: PTH118 - a Path of each file would take memory
        return os.path.realpath(real) if os.path.islink(real) else real  # noqa: PTH114 - as above


def find_pictures(inputs: Sequence[str]) -> list[Found]:
    """Return the files that `inputs` name: files, folders with all below them, and patterns such as *.jpg.

    A file named in full is taken whatever its suffix. Folders and patterns give only files of a known suffix,
    in order of their names; hidden ones are left out, and links to folders are not followed. What looks like a picture
    there and cannot be read as one (HEIC, a pipe, a link to itself) comes with the reason in `skipped`. A file that is
    named twice comes once. A missing file is left for reading to complain of. Raises BadPicture for a folder or pattern
    that gives nothing.
    """
    real, met = RealPaths(), set[str]()
    found = []
    for text in inputs:
        empty = True
        for match in _matches(text):
            empty = False
            file = real.find(match.name)  # Path.resolve raises for a link to itself
            if file not in met:
                met.add(file)
                found.append(match)
        if empty:
            raise BadPicture(_nothing(text))
    return name_apart(found)


def find_root(text: str) -> Path | None:
    """Return the folder that an input names, or down to which a pattern is plain; None for one file or an address."""
    if not text or is_remote(text):
        return None
    path = Path(os.path.expanduser(as_path(text)))  # noqa: PTH111 - as in `_matches`
    if _is_dir(path):
        return path
    return _root(path) if glob.has_magic(str(path)) and not os.path.lexists(path) else None


def name_apart(found: Iterable[Found], suffix: str | None = None) -> list[Found]:
    """Return `found` with names that differ: of two a.jpg the second becomes a-2.jpg.

    suffix: the one that all results will get, such as .png, if any: then a.jpg and a.bmp collide too.
    """
    taken: set[str] = set()
    named = []
    for one in found:
        wanted = str(one.relative.with_suffix(suffix)) if suffix else one.below
        below = next(name for name in _variants(wanted) if _key(name) not in taken)
        taken.add(_key(below))
        named.append(one if below == one.below else replace(one, below=below))
    return named


def _matches(text: str) -> Iterator[Found]:
    if not text:
        return
    if is_remote(text):
        yield from _objects_below(as_path(text))
        return
    text = str(as_path(text))
    path = Path(os.path.expanduser(text))  # noqa: PTH111 - Path.expanduser raises for ~name of an unknown user
    if _is_dir(path):
        yield from _files_below(path)
    elif glob.has_magic(str(path)) and not os.path.lexists(path):
        yield from _files_like(path)
    else:  # reading it will say that it is not there, if so; the others can still be done
        yield Found(str(path), path.name)


def _objects_below(place: Path) -> Iterator[Found]:
    """Yield the pictures in an object store: one object, or all in a folder and below."""
    for path in list_objects(place):
        below = path.name if path == place else str(path.relative_to(place))
        if path == place or (_is_picture(path.name) and not any(part.startswith(".") for part in Path(below).parts)):
            yield Found(str(path), below, _why_unread(path.name) if path != place else "")


def _files_like(pattern: Path) -> Iterator[Found]:
    root = _root(pattern)
    for name in sorted(glob.glob(str(pattern), recursive=True)):  # noqa: PTH207 - Path.glob knows no hidden files
        path = Path(name)
        if _is_dir(path):
            for file in _files_below(path):
                yield replace(file, below=str(file.path.relative_to(root)))
        elif _is_picture(path.name):
            yield Found(str(path), str(path.relative_to(root)), _why_skipped(path))


def _files_below(folder: Path) -> Iterator[Found]:
    """Yield the pictures of a folder in the order of their names; of each folder on the way the names are held."""
    start = os.path.join(folder, "")  # noqa: PTH118 - ends with a separator
    waiting = [_scan(str(folder), _refuse)]
    while waiting:
        entry = next(waiting[-1], None)
        if entry is None:
            waiting.pop()
        elif isinstance(entry, str):
            waiting.append(_scan(entry, _explain))
        else:
            path, why = entry
            yield Found(path, path.removeprefix(start), why)


def _scan(folder: str, explain: Callable[[OSError], str]) -> Iterator[str | tuple[str, str]]:
    """Yield what is in a folder, in the order of the names: paths of folders, and pictures with why they are not read.

    explain: says why the folder cannot be read, which then comes in their place, or raises.
    """
    try:
        with os.scandir(folder) as entries:
            inside = [(entry.name, *_look(entry)) for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        yield folder, explain(error)
        return
    inside.sort()
    for name, is_folder, is_file in inside:
        path = os.path.join(folder, name)  # noqa: PTH118 - a Path of each file would take memory
        if is_folder:
            yield path
        elif is_file is not None and _is_picture(name):
            yield path, _why_unread(path) if is_file else _why_skipped(Path(path))


def _look(entry: os.DirEntry[str]) -> tuple[bool, bool | None]:
    """Return whether an entry is a folder to look into, and whether it is a file; None for a link to a folder."""
    try:
        if entry.is_dir():
            return (False, None) if entry.is_symlink() else (True, None)
        return False, entry.is_file()
    except OSError:  # a link to itself
        return False, False


def _why_unread(name: str) -> str:
    """Return why a file of this name is not to be read, blank if it is."""
    if kind := unread_kind(Path(name)):
        return f"{kind} is not supported. Save it as PNG or JPEG with another program"
    return missing_package(Path(name))


def _why_skipped(file: Path) -> str:
    if why := _why_unread(file.name):
        return why
    try:
        mode = file.stat().st_mode
    except OSError as error:
        return f"it is a link that leads nowhere ({error.strerror})" if file.is_symlink() else ""
    return "" if stat.S_ISREG(mode) else "it is a pipe, a device, or a folder, not a file"


def _root(pattern: Path) -> Path:
    """Return the folder down to which `pattern` is plain."""
    plain = next(count for count, part in enumerate(pattern.parts) if glob.has_magic(part))
    return Path(*pattern.parts[:plain])


def _is_dir(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - Path.is_dir raises for names that are too long


def _is_picture(name: str) -> bool:
    if name.startswith("."):
        return False
    suffix = name[name.rfind(".") :].lower() if "." in name else ""
    return suffix in SUFFIXES or unread_kind(Path(name)) is not None


def _variants(path: str) -> Iterator[str]:
    yield path
    own, number = Path(path), 2
    while True:
        yield str(own.with_name(f"{own.stem}-{number}{own.suffix}"))
        number += 1


def _key(path: str) -> str:
    """Equal for names that some file system takes for the same."""
    return unicodedata.normalize("NFC", path).casefold()


def _nothing(text: str) -> str:
    if is_remote(text):
        return f"{as_url(text)}: no images at this address. Supported files: {', '.join(sorted(SUFFIXES))}."
    if text and _is_dir(Path(text)):
        return f"{text}: no images in this folder. Supported files: {', '.join(sorted(SUFFIXES))}."
    if glob.has_magic(text):
        return f"{text}: no image matches this pattern. Check it."
    return f"{text}: there is no such file or folder. Check the name."


def _refuse(error: OSError) -> NoReturn:
    raise BadPicture(f"{error.filename}: {_explain(error)}.")


def _explain(error: OSError) -> str:
    return f"this folder cannot be read ({error.strerror}). Check its permissions"
