"""Download weights after showing their licence, verify them, and convert them to safetensors."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..errors import BadSetting, CannotFetch, CannotWrite, MissingPackage, suggest
from ..models.variants import choose_variant
from ..registry import REGISTRIES
from ..weights import PUBLISHED, ModelPaths, Published, convert
from ..weights.download import Progress, download, is_offline, list_sources
from ..weights.licences import accept_licences
from .model_folders import add_fetch_flags, add_path_flags, read_model_paths
from .terminal import print_lines


def add(actions: Any) -> None:
    """Add the action to the parser of `models`."""
    parser = actions.add_parser("get", help="download weights", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="name from `facefix models`, or a file name")
    parser.add_argument("--all-free", action="store_true", help="download all models whose licence allows any use")
    add_path_flags(parser)
    add_fetch_flags(parser)
    parser.set_defaults(run=run, writes=True)


def run(arguments: argparse.Namespace) -> int:
    """Run the action. Return its exit code."""
    paths = read_model_paths(arguments)
    wanted = [find_published(name, paths) for name in arguments.names]
    wanted += [file for file in PUBLISHED.values() if arguments.all_free and file.free and file not in wanted]
    if not wanted:
        raise BadSetting("give at least one name from `facefix models`, or --all-free")
    if not arguments.offline:  # ask once, before the first download
        missing = [file for file in wanted if not paths.find(file.name)]
        _ask_consent(missing, paths, yes=arguments.yes, mirror=arguments.mirror)
    failed = False
    for file in wanted:
        try:
            if path := paths.find(file.name):
                print_lines([f"{file.name}: already installed, {path}"])
            else:
                print_lines(
                    [f"{file.name}: {_download_file(file, paths, offline=arguments.offline, mirror=arguments.mirror)}"]
                )
        except CannotFetch as error:
            print_lines([f"facefix: {error}"], error=True)
            failed = True
    return 1 if failed else 0


def ask_to_fetch(
    published: Published, paths: ModelPaths, *, yes: bool = False, offline: bool = False, mirror: str = ""
) -> Path:
    """Return the path of the weights. If missing, show the licence, ask, download, and convert them.

    yes: do not ask. Raises `Offline` or `CannotFetch`, and `BadSetting` if there is no terminal to ask on or the user
    declines.
    """
    if path := paths.find(published.name):
        return path
    if not (offline or is_offline()):
        _ask_consent([published], paths, yes=yes, mirror=mirror)
    return _download_file(published, paths, offline=offline, mirror=mirror)


def find_published(name: str, paths: ModelPaths) -> Published:
    """Return the published weights with this model name or file name. Raises `BadSetting`.

    paths: decide which file a model name stands for, if there are several (see `choose_variant`).
    """
    entries = {info.name: info for registry in REGISTRIES for info in registry if info.weights_name}
    for published in PUBLISHED.values():
        if name in published.names:
            return published
    if name in entries:
        return PUBLISHED[choose_variant(entries[name], paths).weights_name]
    if any(name in registry.names() for registry in REGISTRIES):
        raise BadSetting(f"{name} is built in or needs no weights, so there is nothing to download")
    known = [*entries, *PUBLISHED]
    raise BadSetting(f"unknown weights {name!r}.{suggest(name, known)} Available: {', '.join(known)}")


def _ask_consent(wanted: Sequence[Published], paths: ModelPaths, *, yes: bool, mirror: str) -> None:
    """Show the size, source, and licence of each download, ask, and note that the licences are accepted.

    Raises `BadSetting` unless the answer is yes, and `CannotWrite`.
    """
    if not wanted:
        return
    for file in wanted:
        source = " or ".join(dict.fromkeys(urlsplit(url).hostname or url for url, _ in list_sources(file, mirror)))
        size = f"{file.bytes / 1e6:.0f} MB" if file.bytes else "size unknown"
        print_lines([f"{file.name}: {size} from {source}, to {paths.own}"], error=True)
        print_lines([f"  licence: {file.licence}. {file.notice}"], error=True)
    if not yes:
        _ask()
    accept_licences(wanted, paths)


def _ask() -> None:
    """Ask for consent in the terminal. Raises `BadSetting` unless the answer is yes."""
    if not sys.stdin.isatty():
        raise BadSetting("downloads need your consent; use `--yes`, or run `facefix models get` in a terminal")
    print("Download and accept the licence? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise BadSetting("download cancelled; `facefix models` lists the models that need no download")


def _download_file(file: Published, paths: ModelPaths, *, offline: bool, mirror: str) -> Path:
    with _show_progress(file.name) as progress:
        path = download(file, paths, offline=offline, mirror=mirror, progress=progress)
    try:
        return convert(path)
    except MissingPackage:  # conversion needs PyTorch; the file is used unconverted
        return path
    except CannotWrite as error:
        print_lines([f"facefix: {error}"], error=True)
        return path


@contextmanager
def _show_progress(name: str) -> Iterator[Progress]:
    from tqdm import tqdm  # here, as it takes a while to import

    with tqdm(desc=name, unit="B", unit_scale=True, disable=None, leave=False) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total or None
            bar.update(done - bar.n)

        yield show
