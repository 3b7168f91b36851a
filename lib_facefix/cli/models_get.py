"""Download weights after showing their licence, check them, and convert them to safetensors."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..errors import BadSetting, CannotFetch, CannotWrite, MissingPackage
from ..registry import REGISTRIES
from ..weights import PUBLISHED, ModelPaths, Published, convert, locate_models, split_paths
from ..weights.download import Progress, download, is_offline, list_sources
from .terminal import tell


def add(actions: Any) -> None:
    """Add the action to the parser of `models`."""
    parser = actions.add_parser("get", help="download weights", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="as `facefix models` lists it, or a file name")
    parser.add_argument("--all-free", action="store_true", help="all whose licence allows every use")
    add_shelf_flags(parser)
    add_fetch_flags(parser)
    parser.set_defaults(run=run)


def add_shelf_flags(parser: argparse.ArgumentParser, default: object = argparse.SUPPRESS) -> None:
    """Give a parser the flags about where weights lie: --models, --webui.

    default: an action of `models` has none, so that it does not undo what was given there.
    """
    several = "several as in PATH, or given often"
    more: dict[str, Any] = {"action": "append", "default": default, "metavar": "DIR"}
    parser.add_argument("--models", help=f"a folder of weights, the first is downloaded to; {several}", **more)
    parser.add_argument("--webui", help=f"a WebUI or ComfyUI whose models are used, too; {several}", **more)


def read_shelf(arguments: argparse.Namespace, yolo: Sequence[str] = ()) -> ModelPaths:
    """Return where the flags say that weights lie; raises `BadSetting`. yolo: folders of YOLO models."""
    return locate_models(_folders(arguments.models), host_folders(arguments.webui), yolo=_folders(yolo))


def host_folders(given: Sequence[str]) -> list[Path]:
    """Return the folders that --webui names; raises `BadSetting` for one that is not there.

    It is misspelt, and what it has would be downloaded.
    """
    for path in (folders := _folders(given)):
        if not path.is_dir():
            raise BadSetting(f"there is no folder {path}; give the folder of a WebUI or ComfyUI to --webui")
    return folders


def _folders(given: Sequence[str]) -> list[Path]:
    return [path for text in given for path in split_paths(text)]


def add_fetch_flags(parser: Any) -> None:
    """Give a parser, or a group of it, the flags about downloads: --yes, --offline, --mirror."""
    parser.add_argument("-y", "--yes", action="store_true", help="agree to licences and downloads without being asked")
    parser.add_argument("--offline", action="store_true", help="never use the network")
    parser.add_argument("--mirror", default="", metavar="URL", help="download from here instead; hashes still decide")


def run(arguments: argparse.Namespace) -> int:
    """Carry the action out; return its exit code."""
    places = read_shelf(arguments)
    wanted = [find_published(name) for name in arguments.names]
    wanted += [one for one in PUBLISHED.values() if arguments.all_free and one.free and one not in wanted]
    if not wanted:
        raise BadSetting("give at least one name of `facefix models`, or --all-free")
    if not arguments.offline:  # asked before anything is downloaded
        lacking = [one for one in wanted if not places.find(one.name)]
        _consent(lacking, places, yes=arguments.yes, mirror=arguments.mirror)
    failed = False
    for one in wanted:
        try:
            if path := places.find(one.name):
                tell([f"{one.name}: here already, {path}"])
            else:
                tell([f"{one.name}: {_get(one, places, offline=arguments.offline, mirror=arguments.mirror)}"])
        except CannotFetch as error:
            tell([f"facefix: {error}"], error=True)
            failed = True
    return 1 if failed else 0


def ask_to_fetch(
    published: Published, places: ModelPaths, *, yes: bool = False, offline: bool = False, mirror: str = ""
) -> Path:
    """Return where the weights lie: found, or, after showing the licence and asking, downloaded and converted.

    yes: do not ask. Raises `Offline` or `CannotFetch`; `BadSetting` where there is no terminal to ask on, or the
    answer was no.
    """
    if path := places.find(published.name):
        return path
    if not (offline or is_offline()):
        _consent([published], places, yes=yes, mirror=mirror)
    return _get(published, places, offline=offline, mirror=mirror)


def find_published(name: str) -> Published:
    """Return the weights of a model on offer, or of that file name; raises `BadSetting`."""
    entries = {info.name: info.weights_name for registry in REGISTRIES for info in registry if info.weights_name}
    for one in PUBLISHED.values():
        if name in one.names or entries.get(name) == one.name:
            return one
    if any(name in registry.names() for registry in REGISTRIES):
        raise BadSetting(f"{name} is built in or needs no weights: there is nothing to do")
    raise BadSetting(f"unknown weights {name!r}; on offer: {', '.join([*entries, *PUBLISHED])}")


def _consent(wanted: Sequence[Published], places: ModelPaths, *, yes: bool, mirror: str) -> None:
    """Show what would be downloaded, and ask; raises `BadSetting` unless the answer is yes."""
    if not wanted:
        return
    for one in wanted:
        source = " or ".join(dict.fromkeys(urlsplit(url).hostname or url for url, _ in list_sources(one, mirror)))
        size = f"{one.bytes / 1e6:.0f} MB" if one.bytes else "size unknown"
        tell(
            [f"{one.name}: {size} from {source}, to {places.own}", f"  licence: {one.licence}. {one.notice}"],
            error=True,
        )
    if yes:
        return
    if not sys.stdin.isatty():
        raise BadSetting(
            "downloading needs your consent: give --yes, or run `facefix models get` on a terminal and answer there"
        )
    print("Download, and keep to the licence? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise BadSetting("nothing was downloaded, as you wish; `facefix models` lists what needs no download")


def _get(one: Published, places: ModelPaths, *, offline: bool, mirror: str) -> Path:
    with _bar(one.name) as progress:
        path = download(one, places, offline=offline, mirror=mirror, progress=progress)
    try:
        return convert(path)
    except MissingPackage:  # it can be converted when PyTorch is there
        return path
    except CannotWrite as error:
        tell([f"facefix: {error}"], error=True)
        return path


@contextmanager
def _bar(name: str) -> Iterator[Progress]:
    from tqdm import tqdm  # here, as it takes a while to import

    with tqdm(desc=name, unit="B", unit_scale=True, disable=None, leave=False) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total or None
            bar.update(done - bar.n)

        yield show
