"""Loaded models by key, each made once, in groups that keep a limited number of them."""

from __future__ import annotations

import math
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from threading import Lock, RLock
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from ..errors import BadModel

Model = TypeVar("Model")


class _Slot:
    """The place of one model, with the lock that is held while the model is made."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.made = False
        self.model: Any = None


class ModelCache:
    """Models by group and key; any thread may ask.

    Each key has a lock of its own: a model that loads slowly delays only the threads that want this very model, and
    they all get the one that is made. Beyond the limit of a group its least recently used model is let go. While
    several models of a group load at once, each makes room for itself alone.
    """

    def __init__(self, limits: Mapping[str, int] | None = None) -> None:
        """limits: how many models each group keeps; a group that is not named keeps all."""
        self._limits = dict(limits or {})
        self._lock = Lock()  # held for the dictionaries alone, never while a model is made
        self.clear()

    def get(self, group: str, key: Hashable, make: Callable[[], Model]) -> Model:
        """Return the model of that key, made now if it is not loaded.

        What `make` raises goes through; the next call tries again. `make` may ask for other models.
        """
        limit = self._limits.get(group, math.inf)
        with self._lock:
            kept = self._kept[group]
            slot = self._slots.get((group, key)) or _Slot()
            self._slots[group, key] = slot  # forgotten once nobody keeps or awaits it
        with slot.lock:
            if not slot.made:
                with self._lock:
                    while kept and len(kept) >= limit:
                        kept.popitem(last=False)
                slot.model, slot.made = make(), True
            with self._lock:
                kept[key] = slot
                kept.move_to_end(key)
                while len(kept) > limit:
                    kept.popitem(last=False)
            model: Model = slot.model
            return model

    def clear(self) -> None:
        """Let go of all models; a thread that uses one, or is loading one, keeps it for itself."""
        with self._lock:
            self._kept: defaultdict[str, OrderedDict[Hashable, _Slot]] = defaultdict(OrderedDict)
            self._slots: WeakValueDictionary[Hashable, _Slot] = WeakValueDictionary()


def file_version(path: Path) -> Hashable:
    """Return a key of the file as it is now, which differs once the file has changed; raises `BadModel`."""
    try:
        status = path.stat()
    except OSError as error:
        raise BadModel(f"{path} cannot be read: {error.strerror or error}; give the path of a model file") from error
    return path.resolve(), status.st_mtime_ns, status.st_size
