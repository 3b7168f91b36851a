"""Pictures as they were before FaceFix, kept for a while so that the page can show them beside the result."""

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
from typing import Any

from PIL import Image as Pil

from ...planning.plan import FixResult
from ...types import Image

MAX_PICTURES = 48
"""Pictures that are kept."""
MAX_BYTES = 128 << 20
"""Memory that they may take up: as arrays, which cost nothing to keep; they are packed when somebody asks."""
NOT_KEPT = (
    "The picture before is not kept any more: FaceFix keeps those of the last results, at most {}, "
    "until the WebUI is restarted. Generate it again to compare."
)

RelativeBox = tuple[float, float, float, float]
"""Left, top, right and bottom of a box, as shares of the picture's width and height, 0..1."""


@dataclass(frozen=True, slots=True, eq=False)
class Original:
    """A picture before FaceFix, and where faces were fixed in it."""

    image: Image
    faces: Mapping[int, RelativeBox]
    """By number."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the page shows when it compares two pictures; blank: nothing."""

    before: str = ""
    """URL of the picture before."""
    after: str = ""
    """URL of the picture after; blank: the one at `place` in the gallery."""
    place: int = 0
    faces: Mapping[int, RelativeBox] = field(default_factory=dict)
    note: str = ""
    """A sentence; where there is no picture before, it says why."""

    def to_text(self) -> str:
        """Return it as JSON, which javascript/facefix.js reads."""
        faces = [{"number": number, "box": list(box)} for number, box in self.faces.items()]
        return json.dumps(
            {"before": self.before, "after": self.after, "place": self.place, "faces": faces, "note": self.note}
        )


class OriginalStore:
    """The pictures kept, by the infotext of the result: who does not have that cannot ask for them.

    The oldest go when there are more than `most`, or they take more than `most_bytes`. May be used by several threads.
    """

    def __init__(self, most: int = MAX_PICTURES, most_bytes: int = MAX_BYTES) -> None:
        self.most = most
        self._most_bytes = most_bytes
        self._kept: OrderedDict[bytes, Original] = OrderedDict()
        self._lock = Lock()

    def keep(self, infotext: str, before: Original) -> None:
        """Keep a picture, unless it is too large by itself."""
        if before.image.nbytes > self._most_bytes:
            return
        with self._lock:
            self._kept.pop(_key(infotext), None)
            self._kept[_key(infotext)] = before
            while len(self._kept) > self.most or self._bytes() > self._most_bytes:
                self._kept.popitem(last=False)

    def find(self, infotext: str) -> Original | None:
        """Return what the picture with this infotext was before, None if it is not kept."""
        with self._lock:
            return self._kept.get(_key(infotext))

    def __len__(self) -> int:
        return len(self._kept)

    def _bytes(self) -> int:
        return sum(before.image.nbytes for before in self._kept.values())


class PendingOriginals:
    """Pictures of runs that are not over, by their number in the run: their infotexts are not known yet."""

    def __init__(self, befores: OriginalStore) -> None:
        self._befores = befores
        self._waiting: dict[int, dict[int, tuple[str, Original]]] = {}

    def add(self, p: Any, number: int, entry: str, before: Original) -> None:
        """Let a picture wait. entry: what FaceFix writes into its infotext."""
        if id(p) not in self._waiting:
            self._waiting[id(p)] = {}
            weakref.finalize(p, self._waiting.pop, id(p), None)  # a run that fails is never finished
        self._waiting[id(p)][number] = entry, before

    def finish(self, p: Any, infotexts: Sequence[str]) -> None:
        """Keep what waits of this run. infotexts: of its pictures, by number."""
        for number, (entry, before) in self._waiting.pop(id(p), {}).items():
            if number < len(infotexts) and json.dumps(entry, ensure_ascii=False) in infotexts[number]:
                self._befores.keep(infotexts[number], before)

    def __len__(self) -> int:
        return len(self._waiting)


BEFORES = OriginalStore()
"""Of this WebUI."""
PENDING = PendingOriginals(BEFORES)


def find_fixed_faces(results: Sequence[FixResult]) -> dict[int, RelativeBox]:
    """Return where faces were fixed, by number, over all passes; the first pass to fix a number places it."""
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
    """Return what there is to be seen of the result that is chosen in the gallery.

    generation_info: what the host tells the page of a run, JSON; chosen: place in the gallery, -1 for none.
    """
    told = json.loads(generation_info or "{}")
    infotexts, first = told.get("infotexts", []), told.get("index_of_first_image", 0)
    place = first if chosen < 0 else chosen
    if place < first:
        return Comparison(note="This is the grid of all pictures: choose one of them, then compare.")
    if place >= len(infotexts):
        return Comparison(note="There is no result to compare here.")
    before = befores.find(infotexts[place])
    if before is None:
        return Comparison(note=NOT_KEPT.format(befores.most))
    return Comparison(before=make_data_url(before.image), place=place, faces=before.faces)


def make_data_url(image: Image) -> str:
    """Return a picture, RGB uint8 (H, W, 3), as the URL of a PNG that holds it."""
    file = io.BytesIO()
    Pil.fromarray(image).save(file, "PNG", compress_level=1)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"


def _key(infotext: str) -> bytes:
    return hashlib.sha256(infotext.encode("utf-8", "surrogatepass")).digest()
