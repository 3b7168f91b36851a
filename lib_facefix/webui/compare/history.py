"""Keeps the latest originals, so that the page can compare them with the results."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import weakref
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

from PIL import Image as Pil

from ..passes.infotext import find as find_entries

if TYPE_CHECKING:
    from ...planning.plan import FixResult
    from ...types import Image

MAX_PICTURES = 48
"""Largest number of originals that are kept."""
MAX_BYTES = 128 << 20
"""Largest total size of the kept arrays, in bytes. They are encoded only when the page asks for them."""
NOT_KEPT = (
    "The original is no longer kept. FaceFix keeps the latest {} at most, until the WebUI restarts. "
    "To compare, generate the image again."
)

RelativeBox = tuple[float, float, float, float]
"""Left, top, right and bottom of a box, as shares of the image's width and height (0 to 1)."""


@dataclass(frozen=True, slots=True, eq=False)
class Original:
    """An image before FaceFix, and the boxes of its fixed faces."""

    image: Image
    faces: Mapping[int, RelativeBox]
    """Boxes of the fixed faces by number."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two images to compare on the page; blank: none."""

    before: str = ""
    """URL of the original; blank: none."""
    after: str = ""
    """URL of the result; blank: the image at `place` in the gallery."""
    place: int = 0
    faces: Mapping[int, RelativeBox] = field(default_factory=dict)
    note: str = ""
    """Message to show, such as the reason for a missing original."""

    def to_text(self) -> str:
        """Return it as JSON for javascript/facefix.js."""
        faces = [{"number": number, "box": list(box)} for number, box in self.faces.items()]
        facts = {name: getattr(self, name) for name in ("before", "after", "place")}
        return json.dumps({**facts, "faces": faces, "note": self.note})


class OriginalStore:
    """Originals by the infotext of their results: only a client that has the infotext can get them.

    The oldest are dropped if there are more than `most`, or if they need more than `most_bytes`. Thread-safe.
    """

    def __init__(self, most: int = MAX_PICTURES, most_bytes: int = MAX_BYTES) -> None:
        self.most = most
        self._most_bytes = most_bytes
        self._kept: OrderedDict[bytes, Original] = OrderedDict()
        self._lock = Lock()

    def keep(self, infotext: str, before: Original) -> None:
        """Keep an original, unless it alone exceeds the limit in bytes."""
        if before.image.nbytes > self._most_bytes:
            return
        with self._lock:
            self._kept.pop(_key(infotext), None)
            self._kept[_key(infotext)] = before
            size = sum(kept.image.nbytes for kept in self._kept.values())
            while len(self._kept) > self.most or size > self._most_bytes:
                size -= self._kept.popitem(last=False)[1].image.nbytes

    def find(self, infotext: str) -> Original | None:
        """Return the original of the image with this infotext; None if it is not kept."""
        with self._lock:
            return self._kept.get(_key(infotext))

    def __len__(self) -> int:
        return len(self._kept)


class PendingOriginals:
    """Originals of unfinished runs, whose infotexts are not known yet."""

    def __init__(self, befores: OriginalStore) -> None:
        self._befores = befores
        self._waiting: dict[int, dict[int, tuple[Mapping[str, str], Original]]] = {}

    def add(self, p: Any, number: int, entries: Mapping[str, str], before: Original) -> None:
        """Add the original of one image. number: of the image in the run. entries: of FaceFix in its infotext."""
        if id(p) not in self._waiting:
            self._waiting[id(p)] = {}
            weakref.finalize(p, self._waiting.pop, id(p), None)  # a run that fails is never finished
        self._waiting[id(p)][number] = entries, before

    def finish(self, p: Any, infotexts: Sequence[str]) -> None:
        """Keep the originals of a finished run. infotexts: of its images, by number."""
        for number, (entries, before) in self._waiting.pop(id(p), {}).items():
            if number < len(infotexts) and find_entries(infotexts[number]) == entries:
                self._befores.keep(infotexts[number], before)

    def __len__(self) -> int:
        return len(self._waiting)


BEFORES = OriginalStore()
"""Originals of this WebUI."""
PENDING = PendingOriginals(BEFORES)


def find_fixed_faces(results: Sequence[FixResult]) -> dict[int, RelativeBox]:
    """Return the boxes of the faces that any pass fixed, by number; the box is from the first such pass."""
    found: dict[int, RelativeBox] = {}
    for result in results:
        width, height = result.size or result.result_size
        for outcome in result.outcomes:
            if outcome.verdict == "fixed":
                box = outcome.job.face.box
                shares = (box.left / width, box.top / height, box.right / width, box.bottom / height)
                found.setdefault(outcome.job.number, shares)
    return found


def find_comparison(generation_info: str, chosen: int, befores: OriginalStore = BEFORES) -> Comparison:
    """Return the comparison for the result that is chosen in the gallery.

    generation_info: JSON with which the host describes a run. chosen: place in the gallery; -1: none is chosen.
    """
    info = json.loads(generation_info or "{}")
    infotexts, first = info.get("infotexts", []), info.get("index_of_first_image", 0)
    place = first if chosen < 0 else chosen
    if place < first:
        return Comparison(note="This is the grid of all images. Choose one image to compare.")
    if place >= len(infotexts):
        return Comparison(note="There is no result to compare.")
    before = befores.find(infotexts[place])
    if before is None:
        return Comparison(note=NOT_KEPT.format(befores.most))
    return Comparison(before=make_data_url(before.image), place=place, faces=before.faces)


def make_data_url(image: Image) -> str:
    """Return an RGB uint8 image (H, W, 3) as a PNG data URL."""
    file = io.BytesIO()
    Pil.fromarray(image).save(file, "PNG", compress_level=1)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"


def _key(infotext: str) -> bytes:
    return hashlib.sha256(infotext.encode("utf-8", "surrogatepass")).digest()
