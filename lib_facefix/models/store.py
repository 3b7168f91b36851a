"""Every model that is in use: found, checked, loaded once, and let go. The one owner of loaded models."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Hashable, Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from ..errors import BadSetting, MissingPackage
from ..registry import DETECTORS, FIRST, OCCLUDERS, PARSERS, RESTORERS, UPSCALERS, ModelInfo, Registry
from ..settings.runtime import Runtime
from ..weights import ModelPaths, Published, find_installed, find_record, locate_models, verify_file
from .lru_cache import ModelCache, file_version

Model = TypeVar("Model")

NETS, MASK_NETWORKS, DETECTING, PERSONS, SMALL = "nets", "mask networks", "detectors", "persons", "small"
"""The groups of loaded models."""
GROUP_OF = {
    RESTORERS.kind: NETS,
    UPSCALERS.kind: NETS,
    PARSERS.kind: MASK_NETWORKS,
    OCCLUDERS.kind: MASK_NETWORKS,
    DETECTORS.kind: DETECTING,
}
"""The group of models that are loaded from a file, by the kind of their registry; all others are small."""
LIMITS = {MASK_NETWORKS: 2, DETECTING: 8, PERSONS: 64}
"""How many models of a group stay loaded: a face parser and an occluder model, enough detectors for a vote. How many
nets stay is the user's choice (`Runtime.keep`), and small models all stay."""


class ModelStore:
    """Loads what is asked for by name or path, and keeps it. Any thread may ask."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._cache = ModelCache({**LIMITS, NETS: runtime.keep})

    @property
    def precision(self) -> str:
        """In which precision nets are to run: "exact" or "fast"."""
        return self._runtime.precision

    @cached_property
    def paths(self) -> ModelPaths:
        """Where weights are looked for: by the environment as it is when this is first asked for."""
        of = self._runtime
        return locate_models(_paths(of.models), _paths(of.webui), yolo=_paths(of.yolo))

    def load(self, registry: Registry[Model], name: str, *more: Hashable) -> Model:
        """Return the loaded model of a name on offer, of the path of a model file, or of "auto", see `resolve`.

        more: further arguments of its class. Raises `BadSetting`, `BadModel` or `MissingPackage`.
        """
        name = self.resolve(registry, name)
        if _is_path(registry, name):
            return self.load_file(registry.of_file(name), Path(name), *more, group=GROUP_OF[registry.kind])
        info = registry[name]
        return self.load_file(info, self._find_file(info), *more, group=GROUP_OF.get(registry.kind, SMALL))

    def load_file(self, info: ModelInfo[Model], path: Path | None, *more: Hashable, group: str) -> Model:
        """Return the loaded model that a class makes of a file, or of nothing where `path` is None.

        more: further arguments of the class. Raises `BadModel` or `MissingPackage`.
        """
        key = (info.target, info.weights_name, file_version(path) if path else info.name, more)
        return self._cache.get(
            group if path else SMALL, key, lambda: info.load()(*self._arguments(info, path, group), *more)
        )

    def load_person(self, key: Hashable, make: Callable[[], Model]) -> Model:
        """Return what is known of a reference person, made now if it is not known; what `make` raises goes through."""
        return self._cache.get(PERSONS, key, make)

    def resolve(self, registry: Registry[object], name: str) -> str:
        """Return what the name of a mask network stands for; any other name stands for itself.

        "auto" is the first that is here, or where none is, the first that could be. One whose package is not installed
        is passed over.
        """
        if name != FIRST or GROUP_OF.get(registry.kind) != MASK_NETWORKS:
            return name
        usable = [info for info in registry if not info.package or importlib.util.find_spec(info.package)]
        here = (info for info in usable if self.paths.find(info.weights_name))
        return next(here, next(iter(usable or registry))).name

    def available(self, registry: Registry[object]) -> bool:
        """Return whether "auto" stands for a mask network that is here."""
        return self.paths.find(registry[self.resolve(registry, FIRST)].weights_name) is not None

    def check(self, registry: Registry[object], name: str, *, may_fetch: bool = False) -> None:
        """Raise an error where a model cannot be used; nothing is loaded.

        That is `BadSetting` for a name that is not on offer or a path without a file, `MissingPackage`, and `BadModel`
        where a file that a name stands for is missing. may_fetch: whether what a known name needs may be missing.
        """
        name = self.resolve(registry, name)
        if _is_path(registry, name):
            registry.of_file(name)
            if not Path(name).is_file():
                raise BadSetting(f"there is no file {name}; give the path of a model, or a name of `facefix models`")
            return
        info = registry[name]
        if may_fetch:
            return
        info.needs()
        weights = info.weights_name
        if not (
            weights and (self.paths.find_local(weights) or find_installed(find_record(weights)))
        ):  # nothing is converted
            self._find_file(info)

    def missing(self, wanted: Iterable[tuple[Registry[object], str]]) -> list[Published]:
        """Return the published weights that these models need and that are not here, each once.

        wanted: registries and names. Raises `MissingPackage` where the weights would be of no use.
        """
        named = [(registry, self.resolve(registry, name)) for registry, name in wanted]
        infos = {registry[name].weights_name: registry[name] for registry, name in named if name in registry.names()}
        places = self.paths
        lacking = {name: info for name, info in infos.items() if name and not places.find(name)}
        for info in lacking.values():
            info.needs()
        return [find_record(name) for name in lacking]

    def unload(self) -> None:
        """Let go of all models; the next call loads what it needs again."""
        self._cache.clear()

    def _find_file(self, info: ModelInfo[object]) -> Path | None:
        """Return where the file of a model is, None where it needs none; raises `BadModel`."""
        if info.weights_name:
            return self.paths.require(info)
        return self.paths.find_external(info)

    def _arguments(self, info: ModelInfo[object], path: Path | None, group: str) -> tuple[object, ...]:
        """Return what the class of a model is made with: its checked file, and what runs it."""
        if path is None:
            return ()
        if info.weights_name:
            verify_file(path, find_record(info.weights_name), self.paths.cache)  # once: a changed file has another key
        if group == NETS:
            return (self._make_runner(info, path),)
        if group == MASK_NETWORKS:
            on_processor = path.suffix.lower() == ".onnx"
            return path, "cpu" if on_processor else self._machine(info).accelerator or "cpu"
        return (path,)

    def _make_runner(self, info: ModelInfo[object], path: Path) -> Any:
        machine = self._machine(info)
        from ..engines import load_runner

        return load_runner(path, self.paths.cache, self._runtime.engine, self._runtime.precision, machine)

    def _machine(self, info: ModelInfo[object]) -> Any:
        """Return what this machine can run nets on; raises `MissingPackage` without PyTorch."""
        try:
            from ..engines import this_machine
        except ModuleNotFoundError as error:
            if error.name != "torch":
                raise
            raise MissingPackage(info.label, "torch") from error
        return this_machine(self._runtime.device)


def _is_path(registry: Registry[object], name: str) -> bool:
    """Return whether a name stands for a model file of the user's own."""
    return name not in registry.names() and bool(Path(name).suffix)


def _paths(listed: str) -> list[Path]:
    """Read several paths, written as in PATH."""
    return [Path(one) for one in listed.split(os.pathsep) if one.strip()]
