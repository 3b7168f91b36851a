"""Models that stay loaded between pictures, up to a limit."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from threading import RLock
from typing import Any, TypeVar

from .errors import BadModel

Model = TypeVar("Model")


class Loaded:
    """Models by key; beyond `most`, the least recently used one is let go. Any thread may ask; each is made once."""

    def __init__(self, most: int | None = None) -> None:
        """most: None for no limit."""
        self._most = most
        self._models: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = RLock()

    def get(self, key: Hashable, make: Callable[[], Model]) -> Model:
        """Return the model of that key, made now if it is not there; what `make` raises goes through."""
        with self._lock:
            if key not in self._models:
                self._make_room()
                self._models[key] = make()
            self._models.move_to_end(key)
            model: Model = self._models[key]
            return model

    def clear(self) -> None:
        """Let go of all; what is at work keeps what it holds until it is done."""
        with self._lock:
            self._models.clear()

    def _make_room(self) -> None:
        while self._most is not None and len(self._models) >= self._most:
            self._models.popitem(last=False)


def edition(path: Path) -> Hashable:
    """Return a key of the file as it is now: another file at its place has another; raises `BadModel`."""
    try:
        status = path.stat()
    except OSError as error:
        raise BadModel(f"{path} cannot be read: {error.strerror or error}; give the path of a model file") from error
    return path.resolve(), status.st_mtime_ns, status.st_size
