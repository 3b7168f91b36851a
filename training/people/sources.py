"""Pictures in public repositories, named in `sources.tsv` by commit, path and SHA-256; none is committed here."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote
from urllib.request import urlopen

from lib_facefix.fsio import atomic_write

TABLE = Path(__file__).with_name("sources.tsv")
COLUMNS = ("set", "repository", "commit", "path", "sha256", "licence")
ADDRESS = "https://raw.githubusercontent.com/{repository}/{commit}/{path}"
TIMEOUT = 60
"""Seconds without an answer after which a download fails."""


@dataclass(frozen=True)
class PublishedFile:
    """A file of one commit of a public GitHub repository."""

    set: str
    """What the file is for: "portraits" and "sheets" to train on, "held out" to judge."""
    repository: str
    """Owner and name."""
    commit: str
    path: str
    sha256: str
    licence: str

    @property
    def name(self) -> str:
        """The file's name in the cache: unique among all sources, without spaces."""
        return f"{self.repository.rpartition('/')[2]}-{self.path}".replace("/", "-").replace(" ", "_")

    @property
    def address(self) -> str:
        """The address it can be downloaded from."""
        return ADDRESS.format(repository=self.repository, commit=self.commit, path=quote(self.path))


def parse_sources(lines: Iterable[str]) -> tuple[PublishedFile, ...]:
    """Read a table with the columns of `COLUMNS`; raises ValueError if one of its rows is not complete."""
    table = csv.reader(lines, delimiter="\t")
    if tuple(next(table, ())) != COLUMNS:
        raise ValueError(f"the first line must name the columns {', '.join(COLUMNS)}")
    files = []
    for number, row in enumerate(table, 2):
        if len(row) != len(COLUMNS) or not all(row):
            raise ValueError(f"line {number} has not all of the columns {', '.join(COLUMNS)}")
        if len(row[4]) != 64 or set(row[4]) - set("0123456789abcdef"):
            raise ValueError(f"line {number}: {row[4]} is not a SHA-256 in hexadecimal")
        files.append(PublishedFile(*row))
    return tuple(files)


@cache
def read_sources() -> tuple[PublishedFile, ...]:
    """All published files of `sources.tsv`."""
    with TABLE.open(encoding="utf-8") as file:
        return parse_sources(file)


def download(address: str) -> bytes:
    """Return what the server answers; raises OSError if it does not."""
    with urlopen(address, timeout=TIMEOUT) as answer:
        content: bytes = answer.read()
    return content


def fetch_published(file: PublishedFile, folders: Iterable[Path], get: Callable[[str], bytes] = download) -> Path:
    """Return the file from the first folder that has it with the right hash; else download it into the first one.

    A folder may have the file by its `name`, or at its `path`, as a copy of the repository has it.
    Raises ValueError if the downloaded file has another hash.
    """
    places = [folder / name for folder in folders for name in (file.name, file.path)]
    for place in places:
        if place.is_file() and hashlib.sha256(place.read_bytes()).hexdigest() == file.sha256:
            return place
    content = get(file.address)
    found = hashlib.sha256(content).hexdigest()
    if found != file.sha256:
        raise ValueError(f"{file.address} has SHA-256 {found}, not {file.sha256}")
    places[0].parent.mkdir(parents=True, exist_ok=True)
    atomic_write(places[0], lambda out: out.write(content))
    return places[0]
