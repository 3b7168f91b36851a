"""Reading JSON that people may have edited: each value is what it should be, or `BadPlan` says where it is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import BadPlan, shown
from ..settings.options import is_number

MOST = 1e7
"""A position, angle or score beyond it is no face's; arithmetic on it would overflow."""


MOST_NESTED = 32
"""Lists and objects inside one another, in any JSON that is read."""


def is_nested_deep(content: Any) -> bool:
    """Return whether lists and objects lie deeper inside one another than in any plan."""
    level = [content]
    for _ in range(MOST_NESTED):
        lists = (list(one.values()) if isinstance(one, dict) else one for one in level if isinstance(one, dict | list))
        level = [inner for one in lists for inner in one]
    return bool(level)


def is_size(value: Any) -> bool:
    """Return True for [width, height] in whole pixels."""
    return isinstance(value, list) and len(value) == 2 and all(type(side) is int and 0 < side <= MOST for side in value)


def require(entry: Any, key: str, where: str) -> Any:
    """Return what an object has under a key; where: what it is called in the sentence of `BadPlan`."""
    if not isinstance(entry, Mapping) or key not in entry:
        raise BadPlan(f"{where} lacks {key!r}; a plan is written by `facefix plan`")
    return entry[key]


def number_in(entry: Any, key: str, where: str) -> float:
    """Return the number that an object has under a key."""
    value = require(entry, key, where)
    if not _is_sane(value):
        raise BadPlan(f"{where}: {key} must be a number, not {shown(value)}; at most {MOST:.0f}")
    return float(value)


def _is_sane(value: Any) -> bool:
    return is_number(value) and abs(value) <= MOST


def float_array(value: Any, shape: tuple[int, ...], what: str, form: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return nested lists of numbers as an array of this shape. what, form: what it is called, and is to look like."""
    if not _has_shape(value, shape):
        raise BadPlan(f"{what} must be {form} in pixels, not {shown(value)}; at most {MOST:.0f}")
    return np.array(value, np.float64)


def _has_shape(value: Any, shape: tuple[int, ...]) -> bool:
    """Return True for nested lists of numbers with the lengths of `shape`."""
    if not shape:
        return _is_sane(value)
    return isinstance(value, list) and len(value) == shape[0] and all(_has_shape(item, shape[1:]) for item in value)
