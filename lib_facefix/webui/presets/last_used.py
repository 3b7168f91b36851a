"""The settings with which an image was last generated in a tab, for the page to start with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ...errors import BadSetting
from .presets import make_preset, show_preset
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

    def keep(self, passes: str) -> None:
        """Write the passes in the page's text, if they have changed; raises `BadSetting` and `CannotWrite`.

        A file that cannot be read is kept under another name.
        """
        if not self.is_on():
            return
        store = PresetStore(self.path)
        try:
            known = store.read().named.get(self.tab)
        except BadSetting:
            known = None
        if known != make_preset(passes):
            store.save(self.tab, passes)

    def read(self) -> str:
        """Return the page's text for the last used passes; blank if none are to be restored. Raises `BadSetting`."""
        kept = PresetStore(self.path).read().named.get(self.tab) if self.is_on() else None
        return "" if kept is None else show_preset(kept)
