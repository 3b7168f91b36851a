"""Everything the user may choose by name. To add a model: one adapter file, one line here.

The tables are data: listing the names imports no model code.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from .errors import BadSetting, MissingPackage


@dataclass(frozen=True, slots=True)
class Entry:
    """One implementation on offer."""

    name: str
    label: str
    """What people see."""
    location: str
    """Where its class is: "module:Class", the module relative to this package."""
    licence: str = ""
    """Of its weights, where it has any."""
    assets: tuple[str, ...] = ()
    """Bundled weights, by file name."""
    package: str | None = None
    """The optional package it stands on."""

    def load(self) -> Any:
        """Import the class; only now is its package needed."""
        module, attribute = self.location.split(":")
        try:
            return getattr(import_module(module, __package__), attribute)
        except ModuleNotFoundError as error:
            if self.package is None or error.name != self.package:
                raise
            raise MissingPackage(self.name, self.package) from error


class Catalog:
    """Entries of one kind, in the order they are offered."""

    def __init__(self, kind: str, *entries: Entry) -> None:
        self.kind = kind
        self._entries = {entry.name: entry for entry in entries}

    def names(self) -> tuple[str, ...]:
        """The names to choose from."""
        return tuple(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def __getitem__(self, name: str) -> Entry:
        if name not in self._entries:
            raise BadSetting(f"unknown {self.kind} {name!r}; on offer: {', '.join(self._entries)}")
        return self._entries[name]


DETECTORS = Catalog(
    "detector",
    Entry(
        "blazeface",
        "BlazeFace (built in)",
        ".detectors.blazeface:BlazeFace",
        licence="Apache-2.0",
        assets=("face_detection_full_range.tflite",),
    ),
)

LANDMARKERS = Catalog(
    "landmarker",
    Entry(
        "facemesh",
        "FaceMesh (built in)",
        ".landmarks.facemesh:FaceMesh",
        licence="Apache-2.0",
        assets=("face_landmark.tflite",),
    ),
)

RESTORERS = Catalog(
    "restorer",
    Entry(
        "lite",
        "lite (built in)",
        ".fixers.lite:Lite",
        licence="AGPL-3.0-or-later",
        assets=("lite.onnx",),
    ),
)

MASKERS = Catalog(
    "mask",
    Entry("hull", "Mesh hull", ".maskers.mesh:HullMasker"),
    Entry("ellipse", "Ellipse", ".maskers.shape:EllipseMasker"),
    Entry("box", "Box", ".maskers.shape:BoxMasker"),
)

CATALOGS = (DETECTORS, LANDMARKERS, RESTORERS, MASKERS)
