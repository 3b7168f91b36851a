"""A short name for all that a result depends on, besides the image: settings, models, and how files are written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..planning.needs import Needs
from ..registry import REGISTRIES, ModelInfo
from ..settings.detector_expression import detector_names, parse_detector
from ..settings.treatment import AUTO_RESTORER
from ..weights import PUBLISHED, asset, expand_home, sha256_of


def hash_models(needs: Needs, auto: str) -> dict[str, str]:
    """Return the SHA-256 of the models that some work may need, by name, and of the reference photo.

    auto: the restorer that "auto" stands for, which counts in place of a hash: it changes when one is installed.
    A bundled or a user's file is read. A published one counts as what it must be, for it is verified when it is loaded.
    Blank for a model of another program, which counts by its name alone. Raises `BadModel`.
    """
    known: dict[str, ModelInfo[Any]] = {info.name: info for registry in REGISTRIES for info in registry}
    detectors = {name for text in needs.detectors for name in detector_names(parse_detector(text))}
    names = {*needs.restorers, *needs.upscalers, *needs.landmarkers, *needs.guard_models, *detectors, "facemesh"}
    names |= {needs.person} - {""}
    hashes = {name: _hash(name, known.get(name)) for name in sorted(names - {AUTO_RESTORER})}
    return hashes | ({AUTO_RESTORER: auto} if AUTO_RESTORER in names else {})


def _hash(name: str, info: ModelInfo[Any] | None) -> str:
    if info is None:
        path = expand_home(name)
        return sha256_of(path) if path.is_file() else ""
    if info.weights_name:
        return PUBLISHED[info.weights_name].sha256
    digest = hashlib.sha256()
    for file in info.assets:
        digest.update(asset(file).read_bytes())
    return digest.hexdigest() if info.assets else ""


def hash_work(work: Mapping[str, Any]) -> str:
    """Return 16 hexadecimal digits that differ if anything in the description of some work does."""
    text = json.dumps(work, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def hash_file(path: Path | None) -> str:
    """Return the SHA-256 of a file, blank without one."""
    return sha256_of(path) if path else ""
