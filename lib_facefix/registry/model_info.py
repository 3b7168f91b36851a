"""What a selectable model is: its name, class, files, licence, and requirements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Generic, TypeVar

from ..errors import BadSetting, MissingPackage, suggest
from ..optional_imports import disable_telemetry

LIBRARY = __name__.rsplit(".", 2)[0]
"""Package to which the modules of targets are relative."""
Made = TypeVar("Made", covariant=True)


@dataclass(frozen=True, slots=True)
class ModelInfo(Generic[Made]):
    """A selectable model and its requirements."""

    name: str
    """Name by which the model is selected."""
    label: str
    """Name shown to people."""
    target: str
    """Class as "module:Class", with the module relative to this package."""
    licence: str = ""
    """Licence of the weights; empty if there are none."""
    assets: tuple[str, ...] = ()
    """File names of the bundled weights."""
    weights_name: str = ""
    """Published file to load, a key of `weights.PUBLISHED`; the class receives the file's path."""
    package: str | None = None
    """Required optional package."""
    install: str = ""
    """Sentence that says how to install the package, if its name alone does not."""
    external_file: str = ""
    """File to load from another program, which is not published here."""
    origin: str = ""
    """Address where people get the external file."""
    folders: tuple[str, ...] = ()
    """Folders to search for the external file: below a WebUI's models folder, or in the home if they begin with ~."""
    classes: bool = False
    """Whether the model detects several classes, among which the user may choose."""
    only: str = ""
    """Faces that the model is made for, "people", or empty for all."""
    about: str = ""
    """One or two sentences on what the model is good at."""
    enhances: bool = False
    """Whether a restorer sharpens what is in the photo. Others draw faces that they have learnt; see `provenance`."""
    alternative: ModelInfo[Made] | None = None
    """The same net as another published file, for which another package suffices; see `models.variants`."""

    @property
    def variants(self) -> tuple[ModelInfo[Made], ...]:
        """This model as each of its files, in the order of preference."""
        return (self, self.alternative) if self.alternative else (self,)

    def needs(self) -> None:
        """Raise `MissingPackage` unless the required package, if any, is installed; nothing is imported."""
        if self.package and not find_spec(self.package):
            raise MissingPackage(self.label, self.package, self.install)

    def load(self) -> Callable[..., Made]:
        """Import and return the class; raises `MissingPackage` if its package is not installed."""
        module, attribute = self.target.split(":")
        if self.package:
            disable_telemetry(self.package)
        try:
            loaded: Callable[..., Made] = getattr(import_module(module, LIBRARY), attribute)
        except ModuleNotFoundError as error:
            if self.package is None or error.name != self.package:
                raise
            raise MissingPackage(self.name, self.package, self.install) from error
        return loaded


class Registry(Generic[Made]):
    """The models of one kind, in the order in which they are listed."""

    def __init__(self, kind: str, *infos: ModelInfo[Made], own: str = "", own_onnx: str = "") -> None:
        """own: the class for the user's own model files, as a `ModelInfo.target`, if there is one.

        own_onnx: the class for those that are an .onnx and need only ONNX Runtime; blank if it is the same class.
        """
        self.kind = kind
        self._own, self._own_onnx = own, own_onnx
        self._infos = {info.name: info for info in infos}

    def names(self) -> tuple[str, ...]:
        """Return the names to choose from."""
        return tuple(self._infos)

    def __iter__(self) -> Iterator[ModelInfo[Made]]:
        return iter(self._infos.values())

    def of_file(self, path: str) -> ModelInfo[Made]:
        """Return the info for the user's own model file; raises `BadSetting` if this kind does not accept files."""
        if not self._own:
            raise self._unknown(path)
        if self._own_onnx and path.lower().endswith(".onnx"):
            return ModelInfo(path, path, self._own_onnx, package="onnxruntime")
        return ModelInfo(path, path, self._own, package="torch")

    def label(self, name: str) -> str:
        """Return the label of a model, or the name itself if it is the path of the user's own file."""
        return self._infos[name].label if name in self._infos else name

    def __getitem__(self, name: str) -> ModelInfo[Made]:
        if name not in self._infos:
            raise self._unknown(name)
        return self._infos[name]

    def _unknown(self, name: str) -> BadSetting:
        return BadSetting(
            f"Unknown {self.kind} {name!r}.{suggest(name, self._infos)} Choose from: {', '.join(self._infos)}"
        )
