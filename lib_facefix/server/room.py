"""Memory that requests share. Each reserves some while it arrives and waits, and none may block all others."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from time import monotonic

from .errors import FULL, refuse

YOUNG = 5.0
"""Seconds for which an upload is not cut off in favour of a larger one."""
CUT_OFF = "this upload was cut off because it used too much memory for too long; retry in a few seconds"


class Room:
    """Counts the bytes of all requests together, and rejects or cuts off uploads beyond the limit.

    If memory runs out, an upload that is still arriving is cut off if it is larger than the new one, or has been
    arriving for long. So a few slow uploads cannot block all other clients.
    """

    def __init__(self, most: int) -> None:
        """most: maximum size of all requests together, in bytes."""
        self._most, self._held = most, 0
        self._uploads: set[Upload] = set()
        self._lock = Lock()

    @property
    def held(self) -> int:
        """Memory that all requests have reserved, in bytes."""
        with self._lock:
            return self._held

    def begin(self) -> Upload:
        """Return a new upload, without reserved memory."""
        return Upload(self)

    def grow(self, upload: Upload, size: int) -> None:
        """Reserve `size` more bytes for an upload. Raises `Refusal` if there is too little memory."""
        with self._lock:
            if upload.cut:
                raise refuse(FULL, CUT_OFF)
            while self._held + size > self._most:
                other = self._choose_to_cut(upload, upload.size + size)
                if other is None:
                    raise refuse(FULL, "too much data is waiting in the queue; retry in a few seconds")
                other.cut = True
                self._release(other)
            self._uploads.add(upload)
            self._held += size
            upload.size += size

    def end(self, upload: Upload, *, keep: bool) -> int:
        """End an upload. Return the number of bytes that the caller must free later; 0 unless `keep`."""
        with self._lock:
            if upload.cut and keep:
                raise refuse(FULL, CUT_OFF)
            if not keep:
                self._release(upload)
            self._uploads.discard(upload)
            size, upload.size = upload.size, 0
            return size

    def free(self, size: int) -> None:
        """Release the memory of an ended upload, in bytes."""
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
    """A request that is arriving, and its reserved memory."""

    room: Room
    size: int = 0
    """Reserved memory, in bytes."""
    cut: bool = False
    """True if its memory was given to another upload."""
    began: float = field(default_factory=monotonic)

    def grow(self, size: int) -> None:
        """Reserve more bytes. Raises `Refusal`."""
        self.room.grow(self, size)

    def hand_over(self) -> int:
        """Pass the reserved memory to the job. Return its size in bytes. Raises `Refusal` if the upload was cut off."""
        return self.room.end(self, keep=True)

    def free(self) -> None:
        """Release the reserved memory."""
        self.room.end(self, keep=False)
