"""Memory that requests share: each takes room while it arrives and waits, and none may take it from all others."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from time import monotonic

from .errors import FULL, refuse

YOUNG = 5.0
"""Seconds for which an upload is not cut in favour of one that is larger."""
CUT_OFF = "this upload was cut off, because it took much room for a long time; send it again in a few seconds"


class Room:
    """Counts the bytes that all requests hold together, and refuses or cuts off what would be too much.

    When there is no room, an upload that is still arriving and holds more than the new one, or has been arriving for
    long, is cut off for it. So a few slow uploads cannot keep everybody else out.
    """

    def __init__(self, most: int) -> None:
        """most: bytes."""
        self._most, self._held = most, 0
        self._uploads: set[Upload] = set()
        self._lock = Lock()

    def begin(self) -> Upload:
        """Return a new upload, which holds nothing yet."""
        return Upload(self)

    def grow(self, upload: Upload, size: int) -> None:
        """Take room for `size` more bytes of an upload; raises `Refusal` where there is none."""
        with self._lock:
            if upload.cut:
                raise refuse(FULL, CUT_OFF)
            while self._held + size > self._most:
                other = self._choose_to_cut(upload, upload.size + size)
                if other is None:
                    raise refuse(FULL, "too much is waiting here already; send it again in a few seconds")
                other.cut = True
                self._release(other)
            self._uploads.add(upload)
            self._held += size
            upload.size += size

    def end(self, upload: Upload, *, keep: bool) -> int:
        """End an upload; return the bytes that whoever takes over has to free, 0 unless `keep`."""
        with self._lock:
            if upload.cut and keep:
                raise refuse(FULL, CUT_OFF)
            if not keep:
                self._release(upload)
            self._uploads.discard(upload)
            size, upload.size = upload.size, 0
            return size

    def free(self, size: int) -> None:
        """Give back room that was taken over."""
        with self._lock:
            self._held -= size

    def _release(self, upload: Upload) -> None:
        self._held -= upload.size
        upload.size = 0
        self._uploads.discard(upload)

    def _choose_to_cut(self, asking: Upload, size: int) -> Upload | None:
        old = monotonic() - YOUNG
        others = (one for one in self._uploads if one is not asking and (one.size > size or one.began < old))
        return max(others, key=lambda one: one.size, default=None)


@dataclass(slots=True, eq=False)
class Upload:
    """A request that is arriving."""

    room: Room
    size: int = 0
    """Bytes that it holds."""
    cut: bool = False
    """Whether it has lost its room to others."""
    began: float = field(default_factory=monotonic)

    def grow(self, size: int) -> None:
        """Take room for more bytes; raises `Refusal`."""
        self.room.grow(self, size)

    def hand_over(self) -> int:
        """Leave its room to whoever takes the work; return how much it is. Raises `Refusal` if it was cut off."""
        return self.room.end(self, keep=True)

    def free(self) -> None:
        """Give its room back."""
        self.room.end(self, keep=False)
