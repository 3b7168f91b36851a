"""Folders to search for weights, and the folder for downloads. This module creates no folder."""

import contextlib
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
from .published import PUBLISHED, Published, find_record, record_of
from .tensorfile import read_origin

ASSETS = Path(__file__).resolve().parent.parent / "assets"
"""Folder of the bundled weights."""
ADETAILERS = "models--Bingsu--adetailer/snapshots"
"""Folder in which Hugging Face's package keeps the models that ADetailer downloads."""


def asset(name: str) -> Path:
    """Return the path of a bundled weights file; raises `BadModel` if the installation lacks it."""
    path = ASSETS / name
    if not path.is_file():
        raise BadModel(f"The built-in model {name} is missing from {ASSETS}. Install FaceFix again.")
    return path


def _home(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("HOME") or environ.get("USERPROFILE") or Path("~").expanduser())


def _folder(environ: Mapping[str, str], xdg: str, mac: str, other: str) -> Path:
    """Return one of the user's folders by the rules of the operating system."""
    if sys.platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or _home(environ) / "AppData" / "Local")
    if Path(environ.get(xdg, "")).is_absolute():  # XDG ignores relative paths
        return Path(environ[xdg])
    return _home(environ) / (mac if sys.platform == "darwin" else other)


def data_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of the user's own models."""
    return _folder(environ, "XDG_DATA_HOME", "Library/Application Support", ".local/share") / "facefix" / "models"


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder for files that can be created again: exported networks, converted files, hashes, trials.

    Also the list of results that FaceFix may replace.
    """
    if environ.get("FACEFIX_CACHE"):
        return Path(environ["FACEFIX_CACHE"])
    base = _folder(environ, "XDG_CACHE_HOME", "Library/Caches", ".cache") / "facefix"
    return base / "cache" if sys.platform == "win32" else base


@dataclass(frozen=True, slots=True)
class ModelPaths:
    """Folders to search for weights, in this order: `folders`, then the known sub-folders of `hosts`."""

    own: Path
    """Folder for downloads."""
    folders: tuple[Path, ...]
    hosts: tuple[Path, ...] = ()
    """Roots, or models folders, of WebUIs and of ComfyUI."""
    yolo: tuple[Path, ...] = ()
    """Further folders of YOLO models, searched recursively."""
    cache: Path = field(default_factory=cache_folder)

    def find(self, name: str) -> Path | None:
        """Return the path of a weights file by any of its names, or of its copy from a data package.

        A safetensors file that `convert` made comes before the original beside it, and is also used without it.
        """
        return self.find_local(name) or from_data_package(name, self.cache)

    def find_local(self, name: str) -> Path | None:
        """Return the same as `find`, but without data packages, so that nothing is converted."""
        record = record_of(name)
        for folder in self.list_folders(record):
            for known in record.names if record else (name,):
                if found := self._choose_in(folder, known):
                    return found
        return None

    def require(self, info: ModelInfo[object]) -> Path:
        """Return the path of the model's published weights; raises `BadModel` with instructions to get them."""
        if path := self.find(info.weights_name):
            return path
        raise BadModel(
            f"{info.label} needs {info.weights_name}, which is not installed. Get it with `facefix models get "
            f"{info.name}`, or download it from {find_record(info.weights_name).urls[0]} to {self.own}."
        )

    def find_external(self, info: ModelInfo[object]) -> Path | None:
        """Return the path of the file that the model takes from another program; None if it takes none.

        Raises `BadModel` with the searched folders.
        """
        if not info.external_file:
            return None
        at_home = [expand_home(folder) for folder in info.folders if folder.startswith("~")]
        within = [folder for folder in info.folders if not folder.startswith("~")]
        for folder in (*self.folders, *self.list_host_folders(within), *at_home):
            if is_filled(folder / info.external_file):
                return folder / info.external_file
        raise BadModel(
            f"{info.label} needs {info.external_file} from {info.origin}, which is not installed. Copy it to "
            f"{self.own}, or to one of these folders (below a WebUI's models folder unless they begin with ~): "
            f"{', '.join(info.folders)}."
        )

    def list_host_folders(self, below: Sequence[str]) -> Iterator[Path]:
        """Yield these sub-folders of the hosts' models folders, whether they exist or not."""
        yield from (base / folder for host in self.hosts for base in (host, host / "models") for folder in below)

    def _choose_in(self, folder: Path, name: str) -> Path | None:
        original = folder / name
        converted = original.with_suffix(".safetensors")
        if not is_filled(original):
            return converted if is_filled(converted) else None
        if converted != original and is_filled(converted) and self._is_from(converted, original):
            return converted
        return original

    def _is_from(self, converted: Path, original: Path) -> bool:
        origin = read_origin(converted)
        if origin.get("source") != original.name or origin.get("bytes") != str(original.stat().st_size):
            return False
        return origin.get("sha256") == Hashes(self.cache).of(original)

    def list_folders(self, record: Published | None = None) -> Iterator[Path]:
        """Yield the folders to search for a published file, in order; None: for any file."""
        yield from self.folders
        known = record.folders if record else sorted({name for one in PUBLISHED.values() for name in one.folders})
        for base in self.list_host_folders(("",)):
            below = _sub_folders(base)
            yield from (path for name in known for path in below.get(name.casefold(), ()))


def _sub_folders(base: Path) -> dict[str, list[Path]]:
    """Return the sub-folders by their names in lower case; none if the folder cannot be read."""
    found: dict[str, list[Path]] = {}
    with contextlib.suppress(OSError):
        for path in sorted(base.iterdir()):
            found.setdefault(path.name.casefold(), []).append(path)
    return found


def locate_models(
    models: Sequence[Path] = (),
    hosts: Sequence[Path] = (),
    environ: Mapping[str, str] = os.environ,
    yolo: Sequence[Path] = (),
) -> ModelPaths:
    """Return the folders to search: `models`, FACEFIX_MODELS, the data folder; then `hosts` or FACEFIX_WEBUI.

    yolo: further folders of YOLO models; FACEFIX_YOLO and ADetailer's downloads come after them. The variables
    contain several paths like PATH. Downloads go to the first folder.
    """
    folders = [*map(expand_home, models), *split_paths(environ.get("FACEFIX_MODELS", "")), data_folder(environ)]
    roots = [expand_home(one) for one in hosts] or split_paths(environ.get("FACEFIX_WEBUI", ""))
    hub = _hub(environ) / ADETAILERS
    nets = [*map(expand_home, yolo), *split_paths(environ.get("FACEFIX_YOLO", "")), hub]
    folders, roots, nets = (list(dict.fromkeys(paths)) for paths in (folders, roots, nets))
    return ModelPaths(folders[0], tuple(folders), tuple(roots), tuple(nets), cache_folder(environ))


def expand_home(path: str | Path) -> Path:
    """Return the path with ~ replaced by the home; unchanged if there is no such home."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - Path.expanduser raises for ~name of an unknown user


def _hub(environ: Mapping[str, str]) -> Path:
    """Return the download folder of Hugging Face's package, by the package's own rules."""
    if named := environ.get("HF_HUB_CACHE") or environ.get("HUGGINGFACE_HUB_CACHE"):
        return expand_home(named)
    caches = Path(environ.get("XDG_CACHE_HOME") or _home(environ) / ".cache")
    return expand_home(environ.get("HF_HOME") or caches / "huggingface") / "hub"


def split_paths(text: str) -> list[Path]:
    """Return the paths in a text that is written like PATH, with ~ replaced by the home."""
    return [expand_home(one) for one in text.split(os.pathsep) if one.strip()]
