"""How much memory there is, and how much the work on an image takes, so that large images do not use it up."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from ..errors import BadSetting
from ..pictures import read_dimensions
from ..pictures.objects import is_remote, stamp_object
from ..settings.output_size import Upscale

PROCESS_BYTES = 400 << 20
"""What a process takes with the built-in models and small images."""
BYTES_A_PIXEL = 12
"""What an image takes from its opening to its writing, for each pixel of it and of its result: measured were 6 for a
JPEG, and at most 15 for rare kinds of files."""
PIXELS_A_BYTE = 8
"""Pixels for each byte of a file whose size in pixels is not known before it is read: a HEIC file, or an object."""
SHARE = 0.8
"""Part of the free memory that is used."""
_LIMITS = {
    "memory": ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    "": ("memory.max", "memory.current", "inactive_file"),
}
"""By the name of the controller in both versions of control groups: the files of limit and use, and what of the use
are files that the system may forget."""
_CGROUPS = Path("/sys/fs/cgroup")


class Room:
    """Memory that images share while they are worked on. One image is always let in, however large it is."""

    def __init__(self, limit: int = sys.maxsize, cost_of: Callable[[Path], int] = lambda _: 0) -> None:
        """limit: in bytes. cost_of: returns what an image takes; it is asked once for each."""
        self.limit = limit
        self._cost_of = cost_of
        self._known: dict[Path, int] = {}
        self._held: dict[Path, int] = {}

    def admit(self, source: Path) -> bool:
        """Reserve memory for an image; return False, and reserve nothing, if others must end first."""
        if source in self._held:
            return True
        if source not in self._known:
            self._known[source] = self._cost_of(source)
        cost = self._known[source]
        if self._held and sum(self._held.values()) + cost > self.limit:
            return False
        self._held[source] = cost
        return True

    def cost(self, source: Path) -> int:
        """Return what an image that has been asked for takes, in bytes."""
        return self._known.get(source, 0)

    def release(self, source: Path) -> None:
        """Give back the memory of an image."""
        self._held.pop(source, None)
        self._known.pop(source, None)


def count_free_memory() -> int:
    """Return how many bytes programs may take without others being swapped out; 0 if the system does not say.

    A limit of the container counts, too.
    """
    return min(filter(None, [_count_available(), *_count_left()]), default=0)


def _count_left() -> Iterator[int]:
    """Yield what the control groups leave, as those of a container do."""
    try:
        groups = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text("utf-8").splitlines()]
    except OSError:
        return
    for _, controllers, path in groups:
        if names := next((_LIMITS[name] for name in controllers.split(",") if name in _LIMITS), None):
            root = _CGROUPS / "memory" if controllers else _CGROUPS
            for place in {root, root / path[1:], *(root / path[1:]).parents}:  # of a container, the root is its own
                with contextlib.suppress(OSError, ValueError):  # it has none, or "max"
                    limit, used = (int((place / name).read_text("ascii")) for name in names[:2])
                    stat = dict(line.split() for line in (place / "memory.stat").read_text("ascii").splitlines())
                    yield max(1, limit - used + int(stat.get(names[2], 0)))


def estimate_cost(source: Path, upscale: Upscale | None) -> int:
    """Return what the work on an image takes at most, in bytes, by its header.

    upscale: how it is enlarged, if it is.
    """
    size = None if is_remote(source) else read_dimensions(source)
    if size is None:
        return 2 * BYTES_A_PIXEL * PIXELS_A_BYTE * _count_bytes(source)
    width, height = size
    try:
        wide, high = upscale.result_size(width, height) if upscale else (width, height)
    except BadSetting:  # the image will fail
        return 0
    return BYTES_A_PIXEL * (width * height + wide * high)


def _count_bytes(source: Path) -> int:
    try:
        stamp = stamp_object(source) if is_remote(source) else None
        return stamp.size if stamp else source.stat().st_size
    except OSError:  # reading it will tell
        return 0


def _count_available() -> int:
    try:
        if sys.platform == "win32":
            return _ask_windows()
        for line in Path("/proc/meminfo").read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) << 10
    except (OSError, ValueError):
        pass
    try:  # macOS: what is free is not told without a program
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, ValueError, OSError):
        return 0


if sys.platform == "win32":
    import ctypes

    class _MemoryStatus(ctypes.Structure):
        _fields_ = (
            ("length", ctypes.c_uint32),
            ("load", ctypes.c_uint32),
            *((name, ctypes.c_uint64) for name in ("total", "free", "pages", "free_pages", "virtual", "free_virtual")),
            ("extended", ctypes.c_uint64),
        )

    def _ask_windows() -> int:
        status = _MemoryStatus(length=ctypes.sizeof(_MemoryStatus))
        return int(status.free) if ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)) else 0
