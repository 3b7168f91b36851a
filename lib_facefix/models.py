"""Every model that is in use: found, checked, loaded once, and let go. The one owner of loaded models."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .catalog import FIRST, RESTORERS, UPSCALERS, Catalog, Entry
from .errors import MissingPackage
from .loaded import Loaded, edition
from .runtime import Runtime
from .weights import ModelPaths, Published, checked, installed, locate_models, published


class Models:
    """Loads what is asked for by name or path. Any thread may ask."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._small = Loaded()
        self._nets = Loaded(runtime.keep)
        self._masking = Loaded(2)  # a face parser and an occluder model

    @property
    def precision(self) -> str:
        """In which nets are to run: "exact" or "fast"."""
        return self._runtime.precision

    @property
    def shelf(self) -> ModelPaths:
        """Where weights are looked for."""
        of = self._runtime
        return locate_models(_paths(of.models), _paths(of.webui), yolo=_paths(of.yolo))

    def part(self, catalog: Catalog, name: str) -> object:
        """Return what brings its own weights or needs none."""
        return self._small.get((catalog.kind, name), lambda: catalog[name].load()())

    def chosen(self, catalog: Catalog, name: str) -> object:
        """Return what a name of the catalogue, or the path of a model file, stands for.

        Raises `BadSetting`, `BadModel` or `MissingPackage`.
        """
        if name not in catalog.names() and Path(name).suffix:
            return self._from(catalog, catalog.of_file(name), Path(name))
        entry = catalog[name]
        return self._from(catalog, entry, self._found(entry)) if entry.weights else self.part(catalog, name)

    def masking(self, catalog: Catalog, name: str) -> object:
        """Return a network that masks are made with: by its name, by a path, or "auto", see `settled`.

        Raises `BadSetting`, `BadModel` or `MissingPackage`.
        """
        name = self.settled(catalog, name)
        if name not in catalog.names() and Path(name).suffix:
            return self._masking_net(catalog, catalog.of_file(name), Path(name))
        return self._masking_net(catalog, catalog[name], self._found(catalog[name]))

    def settled(self, catalog: Catalog, name: str) -> str:
        """Return what a name stands for: "auto" for the first that is here, or where none is, the first that could be.

        An entry whose package is not installed is passed over.
        """
        if name != FIRST:
            return name
        usable = [entry for entry in catalog if not entry.package or importlib.util.find_spec(entry.package)]
        here = (entry for entry in usable if self.shelf.find(entry.weights))
        return next(here, next(iter(usable or catalog))).name

    def is_here(self, catalog: Catalog) -> bool:
        """Return whether "auto" stands for something that is here."""
        return self.shelf.find(catalog[self.settled(catalog, FIRST)].weights) is not None

    def check(self, catalog: Catalog, name: str) -> None:
        """Raise `BadModel` or `MissingPackage` if a name of the catalogue cannot be used here; nothing is loaded."""
        entry = catalog[name]
        entry.needs()
        if entry.weights and not (self.shelf.find_local(entry.weights) or installed(published(entry.weights))):
            self._found(entry)
        self.shelf.find_external(entry)

    def missing(
        self, restorers: Iterable[str], upscalers: Iterable[str] = (), masking: Iterable[tuple[Catalog, str]] = ()
    ) -> list[Published]:
        """Return the published weights that these names need and that are not here, each once.

        masking: networks that masks are made with, by catalogue and name.
        Raises `MissingPackage` where they would be of no use.
        """
        pairs = [*((RESTORERS, name) for name in restorers), *((UPSCALERS, name) for name in upscalers)]
        pairs += [(catalog, self.settled(catalog, name)) for catalog, name in masking]
        entries = {catalog[name].weights: catalog[name] for catalog, name in pairs if name in catalog.names()}
        places = self.shelf
        lacking = {weights: entry for weights, entry in entries.items() if weights and not places.find(weights)}
        for entry in lacking.values():
            entry.needs()
        return [published(weights) for weights in lacking]

    def unload(self) -> None:
        """Let go of all; the next call loads what it needs again."""
        self._small.clear()
        self._nets.clear()
        self._masking.clear()

    def _found(self, entry: Entry) -> Path:
        """Return where the published weights lie; raises `BadModel`."""
        return self.shelf.require(entry)

    def _from(self, catalog: Catalog, entry: Entry, path: Path) -> object:
        key = catalog.kind, entry.weights, edition(path)
        return self._nets.get(key, lambda: entry.load()(self._runner(entry, path)))

    def _masking_net(self, catalog: Catalog, entry: Entry, path: Path) -> object:
        key = catalog.kind, entry.weights, edition(path)
        return self._masking.get(key, lambda: entry.load()(*self._masking_facts(entry, path)))

    def _masking_facts(self, entry: Entry, path: Path) -> tuple[Path, str]:
        """Return the checked file, and the device that PyTorch is to use."""
        if entry.weights:
            checked(path, published(entry.weights), self.shelf.cache)
        if path.suffix.lower() == ".onnx":
            return path, "cpu"
        return path, self._machine(entry).accelerator or "cpu"

    def _runner(self, entry: Entry, path: Path) -> Any:
        cache = self.shelf.cache
        if entry.weights:
            checked(path, published(entry.weights), cache)  # once: a changed file has another edition
        here = self._machine(entry)
        from .engines import load_runner

        return load_runner(path, cache, self._runtime.engine, self._runtime.precision, here)

    def _machine(self, entry: Entry) -> Any:
        """Return what this machine can run nets on; raises `MissingPackage` without PyTorch."""
        try:
            from .engines import this_machine
        except ModuleNotFoundError as error:
            if error.name != "torch":
                raise
            raise MissingPackage(entry.label, "torch") from error
        return this_machine(self._runtime.device)


def _paths(listed: str) -> list[Path]:
    """Read several paths, written as in PATH."""
    return [Path(one) for one in listed.split(os.pathsep) if one.strip()]
