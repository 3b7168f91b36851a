"""Better restorers in one step: which there are, what they need, and how they are installed.

Packages come before any weights, so that no download is in vain.
"""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from importlib import invalidate_caches, metadata
from importlib.util import find_spec
from typing import BinaryIO
from urllib.parse import urlsplit

from ..errors import (
    RESTORER_PACKAGES,
    BadSetting,
    CannotFetch,
    CannotWrite,
    MissingPackage,
    Offline,
    Stopped,
    suggest,
)
from ..registry import RESTORERS, ModelInfo
from ..weights import ModelPaths, Published, convert, find_record
from ..weights.download import download, is_offline, list_sources
from ..weights.licences import accept_licences, is_accepted
from .environment import Environment, find_environment
from .variants import choose_variant, is_here

REQUIREMENTS = {
    "torch": "torch>=2.1",
    "spandrel": "spandrel>=0.3.4,<0.5",
    "spandrel_extra_arches": "spandrel_extra_arches>=0.1.1,<0.3",
    "onnxruntime": "onnxruntime>=1.17",
}
"""Requirements by package, as in pyproject.toml."""
SMALL_PACKAGES, LARGE_PACKAGES = 300_000_000, 3_000_000_000
"""Approximate downloads of PyTorch and its companions, in bytes: without, and with CUDA on Linux."""
SHARED = ("numpy", "pillow", "opencv-python-headless", "opencv-python")
"""Packages in use. If an installation changes one of them, FaceFix must be started again."""
POLL = 0.2
"""Seconds between two looks at the running installation."""
NETWORK_USE = {
    "what": "runs pip, pipx, or uv to install Python packages",
    "when": "you confirm `facefix setup NAME`, or the same on the page of `facefix serve`; never with --offline or "
    "FACEFIX_OFFLINE",
    "with": "the package index that is configured for pip or uv (pypi.org), and download.pytorch.org",
    "files": ("models/setup.py", "models/environment.py"),
}
"""What this code uses the network for, for `facefix doctor`."""
_LAST_LINES = 3
"""Lines of pip's output in an error message."""

Tell = Callable[[int, int, str], None]
"""Callback with the bytes done, the bytes in total (0: unknown), and the current step in words."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A restorer that can be installed."""

    info: ModelInfo[object]
    """The restorer with the file that fits this machine; see `choose_variant`."""
    record: Published
    sources: tuple[str, ...]
    """Names of the servers that the weights are downloaded from, in the order in which they are tried."""
    missing_packages: tuple[str, ...]
    weights_here: bool
    accepted: bool
    """Whether the licence allows every use, or the user has accepted it, so that the restorer "auto" may use it."""

    @property
    def packages(self) -> tuple[str, ...]:
        """All packages that the restorer needs."""
        return ("onnxruntime",) if self.info.package == "onnxruntime" else RESTORER_PACKAGES

    @property
    def ready(self) -> bool:
        """Whether nothing is missing."""
        return self.weights_here and not self.missing_packages

    @property
    def done(self) -> bool:
        """Whether there is nothing to install, and nothing to accept."""
        return self.ready and self.accepted


@dataclass(frozen=True, slots=True)
class Done:
    """The outcome of a set-up."""

    packages: tuple[str, ...]
    """Packages that were installed."""
    models: tuple[str, ...]
    """Names of the restorers that are ready now."""
    restart: bool
    """Whether FaceFix must be started again, because a package in use has changed."""


def list_offers(paths: ModelPaths, mirror: str = "") -> tuple[Offer, ...]:
    """Return all restorers that can be installed. Nothing is imported, converted, or downloaded.

    mirror: the only server to download from, if any.
    """
    missing = {name for name in REQUIREMENTS if find_spec(name) is None}
    infos = (choose_variant(info, paths) for info in RESTORERS if info.weights_name)
    return tuple(_make_offer(info, paths, missing, mirror) for info in infos)


def find_offers(names: Iterable[str], offers: Sequence[Offer]) -> tuple[Offer, ...]:
    """Return the offers with these names, each once; raises `BadSetting` for an unknown one."""
    known = {offer.info.name: offer for offer in offers}
    wanted = dict.fromkeys(names)
    for name in wanted:
        if name not in known:
            built_in = " It is built in." if name in RESTORERS.names() else suggest(name, known)
            raise BadSetting(f"no restorer {name!r} can be installed.{built_in} Available: {', '.join(known)}")
    return tuple(known[name] for name in wanted)


def list_missing(offers: Iterable[Offer]) -> tuple[str, ...]:
    """Return the packages that these offers lack, each once."""
    return tuple(dict.fromkeys(name for offer in offers for name in offer.missing_packages))


def list_requirements(packages: Iterable[str]) -> list[str]:
    """Return the requirements of packages, such as "torch>=2.1"."""
    return [REQUIREMENTS[name] for name in packages]


def estimate_packages(packages: Sequence[str], environment: Environment) -> int:
    """Return the approximate size of the download of these packages, in bytes; 0 for none."""
    if "torch" not in packages:
        return 50_000_000 if packages else 0
    return LARGE_PACKAGES if os.name == "posix" and os.uname().sysname == "Linux" and not environment.cpu_only else (
        SMALL_PACKAGES
    )  # fmt: skip


def carry_out(
    offers: Sequence[Offer],
    paths: ModelPaths,
    *,
    tell: Tell,
    should_stop: Callable[[], bool] = lambda: False,
    show_output: bool = False,
    offline: bool = False,
    mirror: str = "",
    environment: Environment | None = None,
) -> Done:
    """Install the missing packages of the offers, then download, verify, and convert their weights.

    Call it after the user has accepted the licences: that is noted first, see `weights.licences`.

    show_output: let pip print to the terminal. offline: never use the network.
    Raises `Offline`, `CannotFetch`, `CannotWrite`, `BadSetting` for an environment that is not ours to change, and
    `Stopped`. What is complete stays installed.
    """
    missing = list_missing(offers)
    fetched = [offer for offer in offers if not offer.weights_here]
    if (missing or fetched) and (offline or is_offline()):
        raise Offline("downloads are turned off; remove --offline and FACEFIX_OFFLINE")
    accept_licences([offer.record for offer in offers], paths)
    before = _shared_versions()
    if missing:
        install_packages(missing, environment or find_environment(), tell, should_stop, show_output=show_output)
    for place, offer in enumerate(fetched, 1):
        counted = f" ({place} of {len(fetched)})" if len(fetched) > 1 else ""
        _fetch(offer.record, paths, counted, tell, should_stop, mirror)
    return Done(missing, tuple(offer.info.name for offer in offers), _shared_versions() != before)


def install_packages(
    packages: Sequence[str],
    environment: Environment,
    tell: Tell,
    should_stop: Callable[[], bool] = lambda: False,
    *,
    show_output: bool = False,
) -> None:
    """Install the packages into this environment; raises `BadSetting`, `CannotFetch`, or `Stopped`."""
    requirements = list_requirements(packages)
    typed = environment.describe(requirements)
    if not environment.can_install:
        raise BadSetting(f"the system manages this Python, so FaceFix installs nothing into it. Run: {typed}")
    tell(0, 0, f"installing {', '.join(packages)}")
    with tempfile.TemporaryFile() as output:
        code = _run(environment.command(requirements), None if show_output else output, should_stop)
        output.seek(0)
        said = output.read().decode("utf-8", "replace")
    invalidate_caches()
    if code or any(find_spec(name) is None for name in packages):
        last = "; ".join([line.strip() for line in said.splitlines() if line.strip()][-_LAST_LINES:])
        raise CannotFetch(
            f"could not install {', '.join(packages)}{f' ({last})' if last else ''}. No model was downloaded. To see "
            f"why, run: {typed}"
        )


def _run(command: Sequence[str], output: BinaryIO | None, should_stop: Callable[[], bool]) -> int:
    """Run a command and return its exit code; raises `CannotFetch` if it cannot start, and `Stopped`."""
    quiet = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=quiet)
    except OSError as error:
        raise CannotFetch(f"could not run {command[0]}: {error.strerror}") from error
    try:
        while process.poll() is None:
            if should_stop():
                raise Stopped("stopped while packages were being installed")
            time.sleep(POLL)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
    return process.returncode


def _make_offer(info: ModelInfo[object], paths: ModelPaths, missing: Collection[str], mirror: str) -> Offer:
    record = find_record(info.weights_name)
    servers = dict.fromkeys(urlsplit(url).hostname or url for url, _ in list_sources(record, mirror))
    offer = Offer(info, record, tuple(servers), (), is_here(record, paths), is_accepted(record, paths))
    return replace(offer, missing_packages=tuple(name for name in offer.packages if name in missing))


def _fetch(
    record: Published, paths: ModelPaths, counted: str, tell: Tell, should_stop: Callable[[], bool], mirror: str
) -> None:
    def show(done: int, total: int) -> None:
        tell(done, total, f"downloading {record.name}{counted}")
        if should_stop():
            raise Stopped("stopped; the partial download is kept")

    show(0, record.bytes)
    path = download(record, paths, mirror=mirror, progress=show)
    tell(record.bytes, record.bytes, f"converting {record.name}{counted}")
    try:
        convert(path)
    except (MissingPackage, CannotWrite):  # the file is used unconverted
        return


def _shared_versions() -> dict[str, str]:
    found = {}
    for name in SHARED:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
