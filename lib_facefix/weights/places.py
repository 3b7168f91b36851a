"""Where weights are looked for, and where downloads go. Nothing is created here."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import BadModel
from ..fsio import filled
from .hashing import Hashes
from .packaged import from_data_package
from .published import PUBLISHED, published, record_of
from .record import Published
from .tensorfile import origin

ADETAILERS = "models--Bingsu--adetailer/snapshots"
"""Where Hugging Face's package keeps the models that ADetailer downloads when it is first started."""


def _home(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("HOME") or environ.get("USERPROFILE") or Path("~").expanduser())


def _folder(environ: Mapping[str, str], xdg: str, mac: str, other: str) -> Path:
    """Return one of the user's own folders, as the system names it."""
    if sys.platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or _home(environ) / "AppData" / "Local")
    if Path(environ.get(xdg, "")).is_absolute():  # the rule of XDG: a relative one counts as not given
        return Path(environ[xdg])
    return _home(environ) / (mac if sys.platform == "darwin" else other)


def data_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of the user's own models."""
    return _folder(environ, "XDG_DATA_HOME", "Library/Application Support", ".local/share") / "facefix" / "models"


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of what can be made again: compiled networks, converted files, hashes."""
    if environ.get("FACEFIX_CACHE"):
        return Path(environ["FACEFIX_CACHE"])
    base = _folder(environ, "XDG_CACHE_HOME", "Library/Caches", ".cache") / "facefix"
    return base / "cache" if sys.platform == "win32" else base


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where weights are looked for, in this order: `folders`, then the known sub-folders of `hosts`."""

    own: Path
    """Where downloads go."""
    folders: tuple[Path, ...]
    hosts: tuple[Path, ...] = ()
    """Roots, or models folders, of WebUIs and of ComfyUI."""
    yolo: tuple[Path, ...] = ()
    """Further folders of YOLO models, with all below them."""
    cache: Path = field(default_factory=cache_folder)

    def find(self, name: str) -> Path | None:
        """Return where the file lies by this or another of its names, or what a data package holds of it.

        A safetensors that `convert` made of the file beside it comes first. One that stands alone counts as well.
        """
        return self.lying(name) or from_data_package(name, self.cache)

    def needed(self, name: str, known_as: str, wanted_by: str) -> Path:
        """Return what `find` finds; raises `BadModel`, which says how to get it by its name on offer."""
        if path := self.find(name):
            return path
        raise BadModel(
            f"{wanted_by} needs {name}, which is not here. Get it with `facefix models get {known_as}`, or download it "
            f"from {published(name).urls[0]} into {self.own}."
        )

    def lying(self, name: str) -> Path | None:
        """Return the same, data packages left out: nothing is converted."""
        record = record_of(name)
        for folder in self._places(record):
            for known in record.names if record else (name,):
                if found := self._in(folder, known):
                    return found
        return None

    def seek(self, name: str, below: Sequence[str], wanted_by: str, origin: str) -> Path:
        """Return where a file of which nothing is published here lies; raises `BadModel`, which says where it could.

        below: sub-folders of a host's models folder, such as "insightface/models/buffalo_l"; with a ~, of the home.
        wanted_by, origin: what needs it, and who has it, for the sentence.
        """
        within = [folder for folder in below if not folder.startswith("~")]
        at_home = [expanded(folder) for folder in below if folder not in within]
        for folder in (*self.folders, *self.in_hosts(within), *at_home):
            if filled(folder / name):
                return folder / name
        raise BadModel(
            f"{wanted_by} needs {name} of {origin}, which is not here. It is looked for in {self.own}, and in these "
            f"folders, those without a ~ in a WebUI's models folder: {', '.join(below)}."
        )

    def in_hosts(self, below: Sequence[str]) -> Iterator[Path]:
        """Yield these sub-folders of the hosts' models folders, whether they are there or not."""
        yield from (base / folder for host in self.hosts for base in (host, host / "models") for folder in below)

    def _in(self, folder: Path, name: str) -> Path | None:
        original = folder / name
        converted = original.with_suffix(".safetensors")
        if not filled(original):
            return converted if filled(converted) else None
        if converted != original and filled(converted) and self._is_from(converted, original):
            return converted
        return original

    def _is_from(self, converted: Path, original: Path) -> bool:
        said = origin(converted)
        if said.get("source") != original.name or said.get("bytes") != str(original.stat().st_size):
            return False
        return said.get("sha256") == Hashes(self.cache).of(original)

    def _places(self, record: Published | None) -> Iterator[Path]:
        yield from self.folders
        known = record.folders if record else sorted({name for one in PUBLISHED.values() for name in one.folders})
        for host in self.hosts:
            for base in (host, host / "models"):
                below = _sub_folders(base)
                yield from (path for name in known for path in below.get(name.casefold(), ()))


def _sub_folders(base: Path) -> dict[str, list[Path]]:
    """Return the sub-folders by their names in small letters; of what cannot be read, none."""
    found: dict[str, list[Path]] = {}
    try:
        for path in sorted(base.iterdir()):
            found.setdefault(path.name.casefold(), []).append(path)
    except OSError:
        return {}
    return found


def shelf(
    models: Sequence[Path] = (),
    hosts: Sequence[Path] = (),
    environ: Mapping[str, str] = os.environ,
    yolo: Sequence[Path] = (),
) -> Shelf:
    """Return where to look: folders given, FACEFIX_MODELS, the user's data folder; then hosts given, FACEFIX_WEBUI.

    yolo: further folders of YOLO models; those of FACEFIX_YOLO come after them, then what ADetailer has downloaded.
    The variables hold several paths as PATH does. Downloads go to the first of the user's folders.
    """
    folders = [expanded(one) for one in models] + _listed(environ, "FACEFIX_MODELS") + [data_folder(environ)]
    roots = [expanded(one) for one in hosts] or _listed(environ, "FACEFIX_WEBUI")
    nets = [expanded(one) for one in yolo] + _listed(environ, "FACEFIX_YOLO") + [_hub(environ) / ADETAILERS]
    return Shelf(folders[0], _once(folders), _once(roots), _once(nets), cache_folder(environ))


def expanded(path: str | Path) -> Path:
    """Return the path with the home in place of a ~; as it is where there is no such home."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - Path.expanduser raises for ~name of an unknown user


def _once(paths: Sequence[Path]) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(paths))


def _hub(environ: Mapping[str, str]) -> Path:
    """Return where Hugging Face's package keeps what programs have downloaded with it, by the package's own rules."""
    if named := environ.get("HF_HUB_CACHE") or environ.get("HUGGINGFACE_HUB_CACHE"):
        return expanded(named)
    caches = Path(environ.get("XDG_CACHE_HOME") or _home(environ) / ".cache")
    return expanded(environ.get("HF_HOME") or caches / "huggingface") / "hub"


def _listed(environ: Mapping[str, str], name: str) -> list[Path]:
    return [expanded(one) for one in environ.get(name, "").split(os.pathsep) if one.strip()]
