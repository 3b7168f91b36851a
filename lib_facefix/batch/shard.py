"""Dividing the images of a folder among several runs, by their paths alone."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass

from ..errors import BadSetting

SPAN = 1 << 20
"""Number of places into which paths are hashed. Each shard has a range of them."""
MAX_SHARDS = 10_000


@dataclass(frozen=True, slots=True)
class Shard:
    """One of `of` parts of all images, from 1.

    Two shards of any division have no image in common if their ranges of places do not overlap.
    """

    number: int = 1
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Return the shard that a text such as "2/4" names; raises `BadSetting`."""
        found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text.strip())
        number, of = map(int, found.groups()) if found else (0, 0)
        if not 1 <= number <= of <= MAX_SHARDS:
            raise BadSetting(f"--shard must be a part and the number of parts, such as 1/4, not {text!r}")
        return cls(number, of)

    @property
    def span(self) -> tuple[int, int]:
        """First place and number of places of this shard."""
        start = -(-SPAN * (self.number - 1) // self.of)
        return start, -(-SPAN * self.number // self.of) - start

    @property
    def suffix(self) -> str:
        """End of the name of this shard's journal; blank for all images."""
        return f"-{self.number}-of-{self.of}" if self.of > 1 else ""

    def contains(self, below: str) -> bool:
        """Return whether an image belongs to this shard. below: its path below the input folder."""
        return self.of == 1 or place_of(below) * self.of // SPAN == self.number - 1

    def holds(self, journal: str) -> bool:
        """Return whether all images of a journal's shard belong to this one, so that its runs have ended."""
        found = re.fullmatch(r"journal-(\d+)-of-(\d+)", journal)
        other = Shard(*map(int, found.groups())) if found else Shard()
        (start, length), (first, count) = self.span, other.span
        return start <= first and first + count <= start + length


WHOLE = Shard()
"""All images."""


def place_of(below: str) -> int:
    """Return the place of a path, 0 to `SPAN` - 1, the same on every machine."""
    text = unicodedata.normalize("NFC", below.replace("\\", "/"))
    digest = hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "big") % SPAN
