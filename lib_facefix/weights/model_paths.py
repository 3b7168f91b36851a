"""Where weights are looked for, and where downloads go. Nothing is created here."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import BadModel
from ..fsio import is_filled
from ..registry import ModelInfo
from .checksums import Hashes
from .packaged import from_data_package
from .published import PUBLISHED, find_record, record_of
from .tensorfile import read_origin
from .weight_record import Published

ADETAILERS = "models--Bingsu--adetailer/snapshots"
"""Folder in which Hugging Face's package keeps the models that ADetailer downloads."""


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
class ModelPaths:
    """The folders in which weights are sought, in this order: `folders`, then the known sub-folders of `hosts`."""

    own: Path
    """Folder for downloads."""
    folders: tuple[Path, ...]
    hosts: tuple[Path, ...] = ()
    """Roots, or models folders, of WebUIs and of ComfyUI."""
    yolo: tuple[Path, ...] = ()
    """Further folders of YOLO models, searched recursively."""
    cache: Path = field(default_factory=cache_folder)

    def find(self, name: str) -> Path | None:
        """Return the path of the file by this or another of its names, or of what a data package holds of it.

        A safetensors that `convert` made of the file beside it comes first. One without its source counts as well.
        """
        return self.find_local(name) or from_data_package(name, self.cache)

    def find_local(self, name: str) -> Path | None:
        """Return the same, data packages left out: nothing is converted."""
        record = record_of(name)
        for folder in self._list_folders(record):
            for known in record.names if record else (name,):
                if found := self._choose_in(folder, known):
                    return found
        return None

    def require(self, info: ModelInfo[object]) -> Path:
        """Return the path of the info's published weights; raises `BadModel`, which says how to get them."""
        if path := self.find(info.weights_name):
            return path
        raise BadModel(
            f"{info.label} needs {info.weights_name}, which is not here. Get it with `facefix models get {info.name}`, "
            f"or download it from {find_record(info.weights_name).urls[0]} into {self.own}."
        )

    def find_external(self, info: ModelInfo[object]) -> Path | None:
        """Return the path of the file that an info takes from another program; None where it takes none.

        Raises `BadModel`, which says where the file is sought.
        """
        if not info.external_file:
            return None
        at_home = [expand_home(folder) for folder in info.folders if folder.startswith("~")]
        within = [folder for folder in info.folders if not folder.startswith("~")]
        for folder in (*self.folders, *self.list_host_folders(within), *at_home):
            if is_filled(folder / info.external_file):
                return folder / info.external_file
        raise BadModel(
            f"{info.label} needs {info.external_file} of {info.origin}, which is not here. It is looked for in "
            f"{self.own}, and in these folders (those without a ~ are in a WebUI's models folder): "
            f"{', '.join(info.folders)}."
        )

    def list_host_folders(self, below: Sequence[str]) -> Iterator[Path]:
        """Yield these sub-folders of the hosts' models folders, whether they exist or not."""
        yield from (base / folder for base in self._host_bases() for folder in below)

    def _host_bases(self) -> Iterator[Path]:
        yield from (base for host in self.hosts for base in (host, host / "models"))

    def _choose_in(self, folder: Path, name: str) -> Path | None:
        original = folder / name
        converted = original.with_suffix(".safetensors")
        if not is_filled(original):
            return converted if is_filled(converted) else None
        if converted != original and is_filled(converted) and self._is_from(converted, original):
            return converted
        return original

    def _is_from(self, converted: Path, original: Path) -> bool:
        said = read_origin(converted)
        if said.get("source") != original.name or said.get("bytes") != str(original.stat().st_size):
            return False
        return said.get("sha256") == Hashes(self.cache).of(original)

    def _list_folders(self, record: Published | None) -> Iterator[Path]:
        yield from self.folders
        known = record.folders if record else sorted({name for one in PUBLISHED.values() for name in one.folders})
        for base in self._host_bases():
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


def locate_models(
    models: Sequence[Path] = (),
    hosts: Sequence[Path] = (),
    environ: Mapping[str, str] = os.environ,
    yolo: Sequence[Path] = (),
) -> ModelPaths:
    """Return where to look: folders given, FACEFIX_MODELS, the user's data folder; then hosts given, FACEFIX_WEBUI.

    yolo: further folders of YOLO models; those of FACEFIX_YOLO come after them, then what ADetailer has downloaded.
    The variables hold several paths as PATH does. Downloads go to the first of the user's folders.
    """
    folders = (
        [expand_home(one) for one in models] + split_paths(environ.get("FACEFIX_MODELS", "")) + [data_folder(environ)]
    )
    roots = [expand_home(one) for one in hosts] or split_paths(environ.get("FACEFIX_WEBUI", ""))
    nets = (
        [expand_home(one) for one in yolo] + split_paths(environ.get("FACEFIX_YOLO", "")) + [_hub(environ) / ADETAILERS]
    )
    folders, roots, nets = (list(dict.fromkeys(paths)) for paths in (folders, roots, nets))
    return ModelPaths(folders[0], tuple(folders), tuple(roots), tuple(nets), cache_folder(environ))


def expand_home(path: str | Path) -> Path:
    """Return the path with the home in place of a ~; as it is where there is no such home."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - Path.expanduser raises for ~name of an unknown user


def _hub(environ: Mapping[str, str]) -> Path:
    """Return where Hugging Face's package keeps what programs have downloaded with it, by the package's own rules."""
    if named := environ.get("HF_HUB_CACHE") or environ.get("HUGGINGFACE_HUB_CACHE"):
        return expand_home(named)
    caches = Path(environ.get("XDG_CACHE_HOME") or _home(environ) / ".cache")
    return expand_home(environ.get("HF_HOME") or caches / "huggingface") / "hub"


def split_paths(text: str) -> list[Path]:
    """Return the paths of a text that holds several, as PATH does, with the home in place of a ~."""
    return [expand_home(one) for one in text.split(os.pathsep) if one.strip()]
