"""Checks the files of all models against their published hashes."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...errors import FaceFixError
from ...weights import ASSETS, PUBLISHED, ModelPaths, Published, sha256_of, verify_file
from ...weights.checksums import Hashes
from ..models import list_models
from .problems import Problem

QUICK_BYTES = 64_000_000
"""Largest file, in bytes, that is read to be hashed unless everything is checked."""
LISTED_HASH = re.compile(r"^\| `([\w.-]+)` \|.*\| `([0-9a-f]{64})` \|$", re.MULTILINE)
"""File and SHA-256 in a row of the table in assets/LICENSES.md."""
REINSTALL = "Install FaceFix again."


def check_models(paths: ModelPaths, problems: list[Problem], *, full: bool = False) -> list[dict[str, Any]]:
    """Return all models with their state, licence, SHA-256, and whether the file is as published.

    full: hash large files, too; otherwise only if their hash is cached. problems: receives missing or changed files.
    The member `check` is "as published", "changed", "not published", "not checked", or "" for a model without a file.
    """
    listed = _read_listed_hashes(problems)
    _check_assets(listed, problems)
    by_place = {str(path): (record, path) for record, path in _find_published(paths)}
    rows = []
    for row in list_models(paths):
        if row["state"] == "built in":
            names = [Path(place).name for place in row["where"].split(", ")]
            sha256 = ", ".join(listed.get(name, "") for name in names)
            check = "changed" if any(_is_changed(name, listed) for name in names) else "as published"
        elif row["state"] == "found":
            sha256, check = _check_found(row, by_place.get(row["where"]), paths, problems, full=full)
        else:
            sha256, check = "", ""
        rows.append({**row, "sha256": sha256, "check": check})
    return rows


def _read_listed_hashes(problems: list[Problem]) -> dict[str, str]:
    """Return the SHA-256 of the bundled files by name, from the table that lists their licences."""
    try:
        return dict(LISTED_HASH.findall((ASSETS / "LICENSES.md").read_text("utf-8")))
    except OSError as error:
        what = f"The list of the built-in models cannot be read ({error.strerror}), so they were not checked."
        problems.append(Problem("error", what, REINSTALL))
        return {}


def _check_assets(listed: dict[str, str], problems: list[Problem]) -> None:
    for name in listed:
        if not (ASSETS / name).is_file():
            problems.append(Problem("error", f"The built-in model {name} is missing from {ASSETS}.", REINSTALL))
        elif _is_changed(name, listed):
            what = f"The built-in model {name} in {ASSETS} is damaged or was changed."
            problems.append(Problem("error", what, REINSTALL))


def _is_changed(name: str, listed: dict[str, str]) -> bool:
    """Return whether a bundled file differs from its listed hash, or cannot be read."""
    try:
        return sha256_of(ASSETS / name) != listed.get(name)
    except FaceFixError:
        return True


def _find_published(paths: ModelPaths) -> Iterator[tuple[Published, Path]]:
    for name, record in PUBLISHED.items():
        if path := paths.find_local(name):
            yield record, path


def _list_packaged_hashes() -> set[str]:
    """Return the SHA-256 of all networks in the data packages that FaceFix knows."""
    return {record.packaged.bin_sha256 for record in PUBLISHED.values() if record.packaged}


def _check_found(
    row: dict[str, Any],
    published: tuple[Published, Path] | None,
    paths: ModelPaths,
    problems: list[Problem],
    *,
    full: bool,
) -> tuple[str, str]:
    """Return SHA-256 and verdict of an installed file, each blank if there is no file."""
    path = Path(row["where"])
    if not path.is_file():  # a model inside a Python package
        return "", ""
    hashes = Hashes(paths.cache)
    if not (full or row["bytes"] <= QUICK_BYTES or hashes.knows(path)):
        return "", "not checked"
    try:
        sha256 = hashes.of(path)
        if published is None:
            return sha256, "as published" if sha256 in _list_packaged_hashes() else "not published"
        verify_file(path, published[0], paths.cache)
    except FaceFixError as error:
        problems.append(Problem("error", str(error), f"Delete the file, then run: facefix models get {row['name']}"))
        return "", "changed"
    return sha256, "as published"
