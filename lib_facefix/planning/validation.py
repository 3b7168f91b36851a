"""Validation of JSON that people may have edited. Errors are `BadPlan`, with the place of the invalid value."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import BadPlan
from ..settings.options import is_number

MAX_NUMBER = 1e7
"""Largest accepted position, angle or score; larger ones could overflow."""


def is_size(value: Any) -> bool:
    """Return True for [width, height] in whole pixels above 0."""
    return isinstance(value, list) and len(value) == 2 and all(type(side) is int and side > 0 for side in value)


def require(entry: Any, key: str, where: str) -> Any:
    """Return `entry[key]`; raises `BadPlan` if it is missing. where: name of the object in the message."""
    if not isinstance(entry, Mapping) or key not in entry:
        raise BadPlan(f"{where} lacks {key!r}. Create a plan with `facefix plan`")
    return entry[key]


def number_in(entry: Any, key: str, where: str) -> float:
    """Return the number `entry[key]`; raises `BadPlan` if it is missing or invalid."""
    value = require(entry, key, where)
    if not _is_sane(value):
        raise BadPlan(f"{where}: {key} must be a number up to {MAX_NUMBER:.0f}, not {value!r}")
    return float(value)


def _is_sane(value: Any) -> bool:
    return is_number(value) and abs(value) <= MAX_NUMBER


def float_array(value: Any, shape: tuple[int, ...], what: str, form: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return nested lists of numbers as an array of this shape; raises `BadPlan` that `what` must be `form`."""
    if not _has_shape(value, shape):
        raise BadPlan(f"{what} must be {form} in pixels up to {MAX_NUMBER:.0f}, not {value!r}")
    return np.array(value, np.float64)


def _has_shape(value: Any, shape: tuple[int, ...]) -> bool:
    """Return True for nested lists of numbers with the lengths of `shape`."""
    if not shape:
        return _is_sane(value)
    return isinstance(value, list) and len(value) == shape[0] and all(_has_shape(item, shape[1:]) for item in value)
