"""Face numbers as people write them; a picture's faces are numbered from 1, from left to right."""

from __future__ import annotations

import re

from ..errors import BadSetting, shown

MAX_TEXT = 2000
"""Characters of a list of face numbers."""


def read_numbers(text: str) -> frozenset[int]:
    """Read face numbers such as "1,3-4" -> {1, 3, 4}; "" -> none. Raises `BadSetting`."""
    if len(text) > MAX_TEXT:
        raise BadSetting(f"face numbers have at most {MAX_TEXT} characters, not {len(text)}")
    numbers: set[int] = set()
    for part in filter(None, (part.strip() for part in text.split(","))):
        found = re.fullmatch(r"(\d{1,4})(?:\s*-\s*(\d{1,4}))?", part)
        if not found:
            raise BadSetting(f'face numbers are written like "1,3-4", not {shown(text)}')
        first, last = int(found[1]), int(found[2] or found[1])
        if not 1 <= first <= last:
            raise BadSetting(f'face numbers count from 1 and run upwards, as in "1,3-4"; not {shown(part)}')
        numbers.update(range(first, last + 1))
    return frozenset(numbers)
