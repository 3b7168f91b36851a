"""Writes entries of the infotext into a run of the host, for each image of a batch."""

from collections.abc import Mapping
from typing import Any

from . import infotext


def record_settings(p: Any, entries: Mapping[str, str]) -> None:
    """Write entries that all images of a run share, in place of those of an earlier run."""
    others = {name: value for name, value in p.extra_generation_params.items() if not infotext.is_own(name)}
    # not changed in place: cells of an X/Y/Z plot share it, and extensions call this for copies of `p`
    p.extra_generation_params = {**others, **{name: infotext.quote(text) for name, text in entries.items()}}


def record_entries(p: Any, place: int, entries: Mapping[str, str]) -> None:
    """Write the entries of one image, in place of all those that were known. place: of the image in its batch."""
    known = [name for name in p.extra_generation_params if infotext.is_own(name)]
    for name in dict.fromkeys([*known, *entries]):
        record_entry(p, place, name, infotext.quote(entries[name]) if name in entries else None)


def record_entry(p: Any, place: int, key: str, text: str | None, others: str | None = None) -> None:
    """Write an entry of the infotext of one image of the batch; the host reads lists by the image's place.

    text: None: no entry. others: the entry of the other images, if the key is new.
    """
    known = p.extra_generation_params.get(key, others)
    texts = known if isinstance(known, list) else [known] * p.batch_size
    texts = [*texts, *[known] * (place + 1 - len(texts))]
    texts[place] = text
    p.extra_generation_params[key] = texts
