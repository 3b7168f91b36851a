"""The settings with which an image was last generated in a tab, for the page to start with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import BadSetting
from .presets import flatten_preset, make_preset
from .store import PresetStore


def last_used_file(data_folder: Path) -> Path:
    """Return the path of the file of last used settings in a host's data folder."""
    return data_folder / "facefix-last-used.json"


@dataclass(frozen=True, slots=True)
class LastUsed:
    """The last used settings of one tab, kept as a preset with the tab's name in a file of its own.

    The tick box is not kept, so that no image is changed before the user asks for it.
    """

    path: Path
    tab: str
    """Name of the tab: txt2img or img2img."""
    is_on: Callable[[], bool]
    """Returns whether they are to be kept and restored at all."""

    def keep(self, values: Sequence[Any]) -> None:
        """Write the values of OFFERED, pass after pass, if they have changed; raises `BadSetting` and `CannotWrite`.

        A file that cannot be read is kept under another name.
        """
        if not self.is_on():
            return
        store = PresetStore(self.path)
        try:
            known = store.read().named.get(self.tab)
        except BadSetting:
            known = None
        if known != make_preset(values):
            store.save(self.tab, values)

    def read(self, passes: int) -> list[Any]:
        """Return the values of OFFERED for so many passes; none if none are to be restored. Raises `BadSetting`."""
        if not self.is_on():
            return []
        kept = PresetStore(self.path).read().named.get(self.tab)
        return [] if kept is None else flatten_preset(kept, passes)
