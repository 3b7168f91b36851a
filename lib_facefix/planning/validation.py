"""Validation of JSON that people may have edited. Errors are `BadPlan`, with the place of the invalid value."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import BadPlan, quote_value
from ..settings.options import is_number

MAX_NUMBER = 1e7
"""Largest accepted position, angle or score; larger ones could overflow."""
MAX_NESTED = 32
"""Deepest nesting of lists and objects in a plan."""


def is_nested_deep(content: Any) -> bool:
    """Return whether lists and objects are nested more deeply than in any plan."""
    level = [content]
    for _ in range(MAX_NESTED):
        lists = (list(one.values()) if isinstance(one, dict) else one for one in level if isinstance(one, dict | list))
        level = [inner for one in lists for inner in one]
    return bool(level)


def is_size(value: Any) -> bool:
    """Return True for [width, height] in whole pixels above 0."""
    if not (isinstance(value, list) and len(value) == 2):
        return False
    return all(type(side) is int and 0 < side <= MAX_NUMBER for side in value)


def require(entry: Any, key: str, where: str) -> Any:
    """Return `entry[key]`; raises `BadPlan` if it is missing. where: name of the object in the message."""
    if not isinstance(entry, Mapping) or key not in entry:
        raise BadPlan(f"{where} lacks {key!r}. Create a plan with `facefix plan`")
    return entry[key]


def number_in(entry: Any, key: str, where: str) -> float:
    """Return the number `entry[key]`; raises `BadPlan` if it is missing or invalid."""
    value = require(entry, key, where)
    if not _is_sane(value):
        raise BadPlan(f"{where}: {key} must be a number up to {MAX_NUMBER:.0f}, not {quote_value(value)}")
    return float(value)


def _is_sane(value: Any) -> bool:
    return is_number(value) and abs(value) <= MAX_NUMBER


def float_array(value: Any, shape: tuple[int, ...], what: str, form: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return nested lists of numbers as an array of this shape; raises `BadPlan` that `what` must be `form`."""
    if not _has_shape(value, shape):
        raise BadPlan(f"{what} must be {form} in pixels up to {MAX_NUMBER:.0f}, not {quote_value(value)}")
    return np.array(value, np.float64)


def _has_shape(value: Any, shape: tuple[int, ...]) -> bool:
    """Return True for nested lists of numbers with the lengths of `shape`."""
    if not shape:
        return _is_sane(value)
    return isinstance(value, list) and len(value) == shape[0] and all(_has_shape(item, shape[1:]) for item in value)
