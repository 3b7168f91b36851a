"""What the lines of the journals in one folder say: which files there are results of which images."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..errors import BadSetting
from .journal_lines import Entry, Stamp, digest_file, list_lines, read_entry
from .shard import WHOLE, Shard

FOLDER = ".facefix"
"""Folder of the journals, inside the folder of results; hidden, so that no listing of images enters it."""
VERSION = 1
"""Version of the lines."""


class Entries:
    """The results that the journals in a folder name, by their path below it."""

    def __init__(self, folder: Path, shard: Shard = WHOLE) -> None:
        """Read nothing yet. shard: of the run that reads, which tells what else is at work."""
        self.folder, self.shard = folder, shard
        self.root = os.path.realpath(folder)
        """Path of the folder without links."""
        self.damaged = 0
        """Lines that were ignored."""
        self.ended: set[str] = set()
        """Names of runs that have ended."""
        self._entries: dict[str, Entry] = {}
        self._earlier: dict[str, list[Entry]] = {}
        self._folders: dict[str, str] = {}

    def read(self, journal: str, lines: Iterable[bytes]) -> int:
        """Take in the lines of a journal, and return how many are sound. journal: name of its file.

        Raises `BadSetting` if a newer FaceFix wrote them.
        """
        sound = 0
        for raw in lines:
            found, whole = list_lines(raw)
            for line in found:
                try:
                    self.take(line, journal)
                    sound += 1
                except BadSetting:
                    raise
                except (KeyError, TypeError, ValueError):  # the line of another program, although its checksum is right
                    whole = False
            self.damaged += not whole
        return sound

    def take(self, line: Mapping[str, Any], journal: str) -> None:
        """Take in a line of an earlier run. journal: name of its file."""
        if "target" in line:
            self.keep(line)
        elif line.get("journal", VERSION) > VERSION:
            raise BadSetting(
                f"a newer FaceFix has written into {self.folder}. Update this one, or choose another folder"
            )
        elif self.shard.holds(journal):
            self.ended.add(str(line.get("run", "")))

    def keep(self, line: Mapping[str, Any]) -> None:
        """Take in the line of a result."""
        key, entry = line["target"], read_entry(line)
        if key in self._entries:  # if its successor was killed before the last step, the file is still this one
            self._earlier.setdefault(key, []).append(self._entries[key])
        self._entries[key] = entry

    def names(self, target: Path) -> bool:
        """Return whether a line names this result, whatever the file there is now."""
        return self.key(target) in self._entries

    def find(self, target: Path, config: str) -> Entry | None:
        """Return the entry that the file at `target` fits, None if there is none; of several one with our settings.

        Size, time and inode together are certain. If one of the others differs, as in a copy of the folder, the content
        decides: another image of the same size may have been in this place before.
        """
        key = self.key(target)
        now = Stamp.of(target) if key in self._entries else None
        if now is None:
            return None
        known = [*self._earlier.get(key, ()), self._entries[key]]
        fitting = [entry for entry in known if entry.written == now]
        near = [entry for entry in known if entry.written.size == now.size]
        if not fitting and near:
            with contextlib.suppress(OSError):
                digest = digest_file(target)
                fitting = [entry for entry in near if entry.digest == digest]
        return max(fitting, key=lambda entry: entry.config == config, default=None)

    def holds(self, target: Path) -> bool:
        """Return whether the file is in the folder or below."""
        key = self.key(target)
        return key != ".." and not key.startswith("../")

    def key(self, target: Path) -> str:
        """Return the path of a result below the folder, the same on every machine. A link that is a file stays one."""
        folder, name = os.path.split(target)
        if folder not in self._folders:
            below = os.path.relpath(os.path.realpath(folder or os.curdir), self.root)
            self._folders[folder] = "" if below == os.curdir else f"{below.replace(os.sep, '/')}/"
        return self._folders[folder] + name
