"""The owner of all loaded models: finds, verifies, loads and unloads them."""

import importlib.util
import os
from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import cached_property
from inspect import signature
from pathlib import Path
from typing import TypeVar

from ..errors import BadSetting, MissingPackage
from ..inference.providers import DeviceFailed, explain_missing, find_provider, list_notes
from ..registry import DETECTORS, FIRST, OCCLUDERS, PARSERS, RESTORERS, UPSCALERS, ModelInfo, Registry
from ..settings.devices import CPU, Device, parse_device
from ..settings.mask_expression import MaskTerm
from ..settings.runtime import Runtime
from ..settings.treatment import Treatment
from ..weights import ModelPaths, Published, find_installed, find_record, locate_models, read_restorer, verify_file
from .lru_cache import ModelCache, file_version
from .restorer_choice import RestorerChoice, choose_restorer
from .restorer_files import find_restorer_file
from .variants import choose_variant

Model = TypeVar("Model")

NETS, MASK_NETWORKS, DETECTING, PERSONS, SMALL = "nets", "mask networks", "detectors", "persons", "small"
"""Groups of loaded models, each with its own limit."""
GROUP_OF = {
    RESTORERS.kind: NETS,
    UPSCALERS.kind: NETS,
    PARSERS.kind: MASK_NETWORKS,
    OCCLUDERS.kind: MASK_NETWORKS,
    DETECTORS.kind: DETECTING,
}
"""Group of the models that are loaded from a file, by the kind of their registry; all others are small."""
LIMITS = {MASK_NETWORKS: 2, DETECTING: 8, PERSONS: 64}
"""Number of models of a group that stay loaded: a face parser and an occluder model, enough detectors for a vote.
`Runtime.keep` limits the nets; small models all stay."""


class ModelStore:
    """Loads models by name or path, and keeps them. Thread-safe."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._cache = ModelCache({**LIMITS, NETS: runtime.keep})
        self._restorer: RestorerChoice | None = None

    @property
    def runtime(self) -> Runtime:
        """Backend, model folders, and cache size."""
        return self._runtime

    @property
    def loads(self) -> Mapping[str, int]:
        """Number of models that were loaded so far, by group."""
        return dict(self._cache.made)

    @property
    def precision(self) -> str:
        """Precision of the nets: "exact" or "fast"."""
        return self._runtime.precision

    @cached_property
    def device(self) -> Device:
        """Device that models run on, which may be "auto"."""
        return parse_device(self._runtime.device)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about devices that were tried in vain in this process."""
        return list_notes()

    @cached_property
    def paths(self) -> ModelPaths:
        """Folders to search for weights."""
        models, webui, yolo = (
            [Path(one) for one in listed.split(os.pathsep) if one.strip()]
            for listed in (self._runtime.models, self._runtime.webui, self._runtime.yolo)
        )
        return locate_models(models, webui, yolo=yolo)

    def load(self, registry: Registry[Model], name: str, *more: Hashable) -> Model:
        """Return the loaded model of a registered name, of the path of a model file, or of "auto" (see `resolve`).

        more: further arguments of the model's class. Raises `BadSetting`, `BadModel` or `MissingPackage`.
        """
        name = self.resolve(registry, name)
        if _is_path(registry, name):
            return self.load_file(
                registry.of_file(name), self._find_own(registry, name), *more, group=GROUP_OF[registry.kind]
            )
        info = choose_variant(registry[name], self.paths)
        return self.load_file(info, self._find_file(info), *more, group=GROUP_OF.get(registry.kind, SMALL))

    def choose(self, registry: Registry[Model], name: str) -> ModelInfo[Model]:
        """Return a registered model with the file to use, if there are several (see `choose_variant`)."""
        return choose_variant(registry[name], self.paths)

    def load_file(self, info: ModelInfo[Model], path: Path | None, *more: Hashable, group: str) -> Model:
        """Return the loaded model of a file, or a model without a file if `path` is None.

        more: further arguments of the model's class. Raises `BadModel` or `MissingPackage`.
        """
        key = (info.target, info.weights_name, file_version(path) if path else info.name, more)
        return self._cache.get(
            group if path else SMALL,
            key,
            lambda: info.load()(*self._arguments(info, path, group), *more, **self._name_device(info, path, group)),
        )

    def check_device(self) -> None:
        """Raise `BadSetting` if no installed library can use the device that the user has asked for."""
        device, find_spec = self.device, importlib.util.find_spec
        if not device.is_explicit or find_provider(device) or (device.name == "openvino" and find_spec("openvino")):
            return
        if not (device.kind.torch and find_spec("torch")):
            raise DeviceFailed(explain_missing(device))
        from ..engines import this_machine  # imports PyTorch, which alone may be able to use it

        this_machine(str(device))

    def load_person(self, key: Hashable, make: Callable[[], Model]) -> Model:
        """Return the cached data of a reference person, calling `make` if there are none; errors are passed on."""
        return self._cache.get(PERSONS, key, make)

    def resolve(self, registry: Registry[object], name: str) -> str:
        """Return the restorer or mask network that "auto" stands for; any other name is returned unchanged.

        Of mask networks this is the first installed one, else the first that could be installed. Networks whose package
        is missing are skipped.
        """
        if name == FIRST and registry.kind == RESTORERS.kind:
            return self.restorer.name
        if name != FIRST or GROUP_OF.get(registry.kind) != MASK_NETWORKS:
            return name
        usable = [info for info in registry if not info.package or importlib.util.find_spec(info.package)]
        installed = (info for info in usable if self.paths.find(info.weights_name))
        return next(installed, next(iter(usable or registry))).name

    def choose_restorer(self) -> RestorerChoice:
        """Choose the restorer that "auto" stands for from the files, packages, and licences of now."""
        self._restorer = choose_restorer(self.paths, self._runtime.accepted_restorers)
        return self._restorer

    @property
    def restorer(self) -> RestorerChoice:
        """The restorer that "auto" stands for, as last chosen: a new file counts once the engine prepares again."""
        return self._restorer or self.choose_restorer()

    def available(self, registry: Registry[object]) -> bool:
        """Return whether "auto" stands for an installed mask network."""
        return self.paths.find(registry[self.resolve(registry, FIRST)].weights_name) is not None

    def mask_network(self, part: MaskTerm, treatment: Treatment) -> tuple[Registry[object], str] | None:
        """Return registry and name of the network that a mask needs, or None.

        The mask occluders uses a face parser if no occluder model is installed.
        """
        if part.name == "occluders":
            alone = treatment.occluder == FIRST and not self.available(OCCLUDERS) and self.available(PARSERS)
            return (PARSERS, treatment.parser) if alone else (OCCLUDERS, treatment.occluder)
        return (PARSERS, treatment.parser) if part.name == "parsing" else None

    def check(self, registry: Registry[object], name: str, *, may_fetch: bool = False) -> None:
        """Raise an error if a model cannot be used, without loading it.

        This is `BadSetting` for an unknown name or a path without a file, `MissingPackage`, or `BadModel` if the file
        of a registered model is missing. may_fetch: accept missing weights and packages of registered models.
        """
        name = self.resolve(registry, name)
        if _is_path(registry, name):
            info, path = registry.of_file(name), self._find_own(registry, name)
            if not path.is_file():
                raise BadSetting(f"{name} does not exist. Give the path of a model, or a name from `facefix models`.")
            if registry.kind == RESTORERS.kind and path.suffix.lower() == ".onnx":
                info.needs()
                read_restorer(path)
            return
        info = registry[name]
        if may_fetch:
            return
        info = choose_variant(info, self.paths)
        info.needs()
        weights = info.weights_name
        if not weights or not (self.paths.find_local(weights) or find_installed(find_record(weights))):
            self._find_file(info)

    def missing(self, wanted: Iterable[tuple[Registry[object], str]]) -> list[Published]:
        """Return the published weights that these models need and that are not installed, each once.

        wanted: registries and names. Raises `MissingPackage` if the weights could not be used.
        """
        named = [(registry, self.resolve(registry, name)) for registry, name in wanted]
        chosen = [self.choose(registry, name) for registry, name in named if name in registry.names()]
        infos = {info.weights_name: info for info in chosen}
        places = self.paths
        lacking = {name: info for name, info in infos.items() if name and not places.find(name)}
        for info in lacking.values():
            info.needs()
        return [find_record(name) for name in lacking]

    def identify(self, registry: Registry[object], name: str) -> Hashable:
        """Return a key of a registered model that differs once its file has changed; raises `BadModel`."""
        info = self.choose(registry, name)
        path = self._find_file(info)
        return info.target, file_version(path) if path else info.name

    def unload(self) -> None:
        """Drop all models; later calls load them again."""
        self._cache.clear()

    def _find_own(self, registry: Registry[object], name: str) -> Path:
        """Return the path of the user's own model file; a restorer in a model folder may be named without it."""
        return find_restorer_file(name, self.paths) if registry.kind == RESTORERS.kind else Path(name)

    def _find_file(self, info: ModelInfo[object]) -> Path | None:
        """Return the path of the model's file, None if it needs none; raises `BadModel`."""
        return self.paths.require(info) if info.weights_name else self.paths.find_external(info)

    def _name_device(self, info: ModelInfo[object], path: Path | None, group: str) -> dict[str, Device]:
        """Return the keyword with which a model is told its device; none if it is told otherwise, or takes none.

        The built-in models are small, so they leave the processor only on request.
        """
        by_torch = group in (NETS, MASK_NETWORKS) and path is not None and path.suffix.lower() != ".onnx"
        if by_torch or "device" not in signature(info.load()).parameters:
            return {}
        return {"device": self.device if path or self.device.is_explicit else CPU}

    def _arguments(self, info: ModelInfo[object], path: Path | None, group: str) -> tuple[object, ...]:
        """Return the constructor arguments of a model: its verified file, and the device or runner."""
        if path is None:
            return ()
        if info.weights_name:
            verify_file(path, find_record(info.weights_name), self.paths.cache)  # once: a changed file has another key
        if group not in (NETS, MASK_NETWORKS):
            return (path,)
        if info.package == "onnxruntime":
            info.needs()
            return (path,) if info.weights_name else (path, self.paths.cache)
        if group == MASK_NETWORKS and path.suffix.lower() == ".onnx":
            return (path,)
        try:
            from ..engines import this_machine
        except ModuleNotFoundError as error:
            if error.name != "torch":
                raise
            raise MissingPackage(info.label, "torch") from error
        machine = this_machine(self._runtime.device)
        if group == MASK_NETWORKS:
            return path, machine.accelerator or "cpu"
        from ..engines import load_runner

        return (load_runner(path, self.paths.cache, self._runtime.engine, self._runtime.precision, machine),)


def _is_path(registry: Registry[object], name: str) -> bool:
    """Return whether a name is the path of the user's own model file."""
    return name not in registry.names() and bool(Path(name).suffix)
