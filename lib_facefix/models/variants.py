"""Choosing the file of a net that is published more than once, for PyTorch and as ONNX."""

from importlib.util import find_spec
from typing import TypeVar

from ..errors import RESTORER_PACKAGES
from ..registry import ModelInfo
from ..weights import ModelPaths, Published, find_installed, find_record

Model = TypeVar("Model")

COMPANIONS = {"torch": RESTORER_PACKAGES}
"""Packages that models need besides the one they name."""


def choose_variant(info: ModelInfo[Model], paths: ModelPaths) -> ModelInfo[Model]:
    """Return the model with the file to use; most models have one file, and are returned unchanged.

    The first of these that exists: a file that is here and whose packages are installed, a file whose packages are
    installed, a file that is here, and the first file. Nothing is imported.
    """
    if not info.alternative:
        return info
    usable = [one for one in info.variants if is_usable(one)]
    here = [one for one in info.variants if is_here(find_record(one.weights_name), paths)]
    both = [one for one in usable if one in here]
    return next(iter([*both, *usable, *here, info]))


def is_usable(info: ModelInfo[object]) -> bool:
    """Return whether the packages that a model needs are installed."""
    return not info.package or all(find_spec(name) for name in COMPANIONS.get(info.package, (info.package,)))


def is_here(record: Published, paths: ModelPaths) -> bool:
    """Return whether a published file, or a data package with the same weights, is installed."""
    return bool(paths.find_local(record.name) or find_installed(record))
