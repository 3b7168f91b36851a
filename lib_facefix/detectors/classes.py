"""What a general model is to look for: class names or numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..errors import BadSetting


def numbers_of(classes: Sequence[str], names: Mapping[int, str], file: str) -> frozenset[int]:
    """Return the numbers of the classes, given by name or number; none stands for all.

    names: the model's own, by number; empty where it does not tell them. Raises `BadSetting` for an unknown one.
    """
    by_name = {name.casefold(): number for number, name in names.items()}
    found = set()
    for wanted in classes:
        if wanted.casefold() in by_name:
            found.add(by_name[wanted.casefold()])
        elif wanted.isdecimal() and (int(wanted) in names or not names):
            found.add(int(wanted))
        else:
            known = ", ".join(f"{number} {name}" for number, name in names.items())
            on_offer = f"on offer: {known}" if names else "it tells no names, so give a number"
            raise BadSetting(f"{file} knows no class {wanted!r}; {on_offer}")
    return frozenset(found)
