"""Faces found in images that clients sent, kept in memory for a while so that they are not searched for again."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from time import monotonic

from ..planning.plan import FixPlan
from ..settings.face_prompt import GenerationParams

MAX_IMAGES = 32
"""Largest number of images whose faces are kept."""
MAX_FACES = 4000
"""Largest number of faces kept, of all images together; with its mesh, one takes about 15 KiB."""
SECONDS = 600.0
"""Seconds after which faces are forgotten, counted from the detection."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The faces of one image, and the generation parameters that were stored in it. It holds no pixels."""

    plan: FixPlan
    origin: GenerationParams | None
    fixed_before: str = ""
    """What FaceFix did to the image before, in words; blank if it has no mark."""
    until: float = field(default_factory=lambda: monotonic() + SECONDS)
    """Time of `monotonic()` at which it is forgotten."""


class FoundFaces:
    """A bounded, thread-safe store of found faces. The oldest are forgotten first, and all of them after a while."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, Found] = OrderedDict()
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._closed = False

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable) -> Found | None:
        """Return the faces found under this key, or None if there are none, or no longer."""
        with self._lock:
            self._forget()
            return self._kept.get(key)

    def add(self, key: Hashable, found: Found) -> None:
        """Keep the faces of one image, unless they alone exceed the limit, or the store is closed."""
        with self._lock:
            if self._closed or len(found.plan.jobs) > MAX_FACES:
                return
            self._kept.pop(key, None)
            self._kept[key] = found
            self._forget()

    def close(self) -> None:
        """Forget everything, and keep nothing more."""
        with self._lock:
            self._closed = True
            self._kept.clear()
            self._forget()

    def _expire(self) -> None:
        with self._lock:
            self._timer = None
            self._forget()

    def _forget(self) -> None:
        """Forget what is too old or too much, and have the rest forgotten in time even if no request comes."""
        now, faces = monotonic(), sum(len(found.plan.jobs) for found in self._kept.values())
        while self._kept:
            oldest = next(iter(self._kept.values()))
            if oldest.until > now and len(self._kept) <= MAX_IMAGES and faces <= MAX_FACES:
                break
            faces -= len(self._kept.popitem(last=False)[1].plan.jobs)
        if self._timer and not self._kept:
            self._timer.cancel()
            self._timer = None
        elif self._kept and not self._timer:
            wait = next(iter(self._kept.values())).until - now
            self._timer = threading.Timer(wait, self._expire)
            self._timer.daemon = True
            self._timer.start()
