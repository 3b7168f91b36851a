"""Loaded models by key, each made once, in groups of limited size."""

import math
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from threading import Lock, RLock
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from ..errors import BadModel

Model = TypeVar("Model")


class _Slot:
    """Holder of one model, with the lock that is held while the model is made."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.made = False
        self.model: Any = None


class ModelCache:
    """Thread-safe cache of models by group and key.

    Each key has its own lock, so a slow load delays only threads that need the same model, and they all receive it. A
    group over its limit drops its least recently used model. While several models of a group load at once, each makes
    room for itself alone.
    """

    def __init__(self, limits: Mapping[str, int] | None = None) -> None:
        """limits: number of models that each group keeps; a group without a limit keeps all."""
        self._limits = dict(limits or {})
        self._lock = Lock()  # held for the dictionaries alone, never while a model is made
        self.made: Counter[str] = Counter()
        """Number of models that were made so far, by group."""
        self.clear()

    def get(self, group: str, key: Hashable, make: Callable[[], Model]) -> Model:
        """Return the model of that key, calling `make` if it is not loaded.

        Errors of `make` are passed on, and the next call tries again. `make` may request other models.
        """
        limit = self._limits.get(group, math.inf)
        with self._lock:
            kept = self._kept[group]
            slot = self._slots.get((group, key)) or _Slot()
            self._slots[group, key] = slot  # a weak reference: dropped once nobody needs it
        with slot.lock:
            if not slot.made:
                with self._lock:
                    while kept and len(kept) >= limit:
                        kept.popitem(last=False)
                slot.model, slot.made = make(), True
                with self._lock:
                    self.made[group] += 1
            with self._lock:
                kept[key] = slot
                kept.move_to_end(key)
                while len(kept) > limit:
                    kept.popitem(last=False)
            model: Model = slot.model
            return model

    def clear(self) -> None:
        """Drop all models; a thread that uses or loads one keeps it."""
        with self._lock:
            self._kept: defaultdict[str, OrderedDict[Hashable, _Slot]] = defaultdict(OrderedDict)
            self._slots: WeakValueDictionary[Hashable, _Slot] = WeakValueDictionary()


def file_version(path: Path) -> Hashable:
    """Return a key that differs once the file has changed; raises `BadModel` if the file cannot be read."""
    try:
        status = path.stat()
    except OSError as error:
        raise BadModel(f"{path} cannot be read: {error.strerror or error}. Give the path of a model file.") from error
    return path.resolve(), status.st_mtime_ns, status.st_size
