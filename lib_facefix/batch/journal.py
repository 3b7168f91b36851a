"""The journal of a run: which images are done, so that a run that was killed can be continued.

It is a text file in the folder of results that is only appended to. A line is added when a result is finished as a
temporary file, just before that file takes its place, and says what the file in that place will be: size, time, inode,
and digest. So the line becomes true by the very step that replaces the file. A run that is killed before this step
leaves a line that does not fit, and the image is done again; one that is killed after it leaves a line that fits. There
is no moment in between.

Each line begins with its checksum. A line that was cut off, or damaged, is ignored: its image is done again.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import __version__
from ..fsio import sweep_owned
from .journal_book import Book, find_books
from .journal_entries import FOLDER, VERSION, Entries
from .journal_lines import AWAY, BESIDE, IN_PLACE, Entry, Stamp, digest_file
from .shard import WHOLE, Shard


class Journal:
    """The journal of one run in one folder of results, or more. Reads those of all earlier runs, and adds to its own.

    A run that writes among its images may meet others in a folder above or below its own. Their lines count, too, and
    two such runs exclude each other.
    """

    def __init__(
        self,
        folder: Path,
        config: str,
        shard: Shard = WHOLE,
        *,
        again: bool = False,
        more: Sequence[Path] = (),
        among: bool = False,
    ) -> None:
        """Open nothing yet.

        folder: of the results, with all below; more: others. config: digest of settings and models. again: nothing is
        done. among: results are among their images.
        """
        self.folder, self.config, self.shard, self.again = folder, config, shard, again
        self.folders = (folder, *more)
        """All folders that have a journal of this run. None is inside another."""
        self.run = secrets.token_hex(4)
        """Eight hexadecimal digits that begin the names of temporary files of this run."""
        self._among = among
        self._books = [Book(one, shard) for one in self.folders]
        self._others: list[Book] = []
        self._parents: frozenset[str] = frozenset()

    @property
    def damaged(self) -> int:
        """Number of lines that were ignored."""
        return sum(entries.damaged for entries in self._all())

    def look(self, parents: Iterable[str] = ()) -> None:
        """Read what earlier runs did, if there is anything. Writes nothing that was not there.

        parents: folders of the results. Raises `BadSetting` if another run is at work, and `CannotWrite`.
        """
        self._parents = frozenset(map(os.path.realpath, parents))
        for book in self._books:
            book.look()
        self._consult()

    def start(self, about: Mapping[str, Any]) -> bool:
        """Begin this run: make the journal, and write its first line. Return whether `look` has become outdated.

        about: the settings, for people who read the file. Raises `BadSetting` if another run is at work in the folder,
        and `CannotWrite`.
        """
        added = [book.open() for book in self._books]
        added.append(self._consult())
        for book in self._books:
            book.append({"journal": VERSION, "run": self.run, "facefix": __version__, "config": self.config, **about})
        return any(added)

    def join(self, run: str) -> None:
        """Take part in a run that another process has started, to add to its journal. run: its `run`."""
        self.run = run
        for book in self._books:
            book.join()

    def beside(self, name: str) -> Path | None:
        """Return the path of a file that belongs to this run's journal, if the place can hold one."""
        place = self.folder / FOLDER
        return place / f"{name}{self.shard.suffix}" if place.is_dir() else None

    def announce(self, targets: Iterable[Path]) -> None:
        """Do nothing: in a folder, a result and its line appear together."""

    def check_held(self) -> None:
        """Do nothing: the lock of a folder cannot be lost."""

    def sweep(self, folders: Iterable[Path]) -> None:
        """Delete the temporary files that earlier runs, which have all ended, left in these folders."""
        ended = {run for entries in self._all() for run in entries.ended}
        for folder in folders:
            sweep_owned(folder, ended)

    def is_done(self, source: Path, target: Path) -> bool:
        """Return whether the image needs no work: its result is there, and neither image nor settings have changed.

        An image that was fixed in its own place is done whatever the settings are: nothing is restored twice.
        """
        entry = None if self.again else self._find(target)
        if entry is None:
            return False
        if source == target:
            return entry.changed or entry.config == self.config
        now = Stamp.of(source)
        unchanged = now is not None and now[:2] == entry.read and source.name == entry.source
        return unchanged and entry.config == self.config

    def has_written(self, target: Path) -> bool:
        """Return whether a run wrote the file at `target`, and nobody has changed it since.

        An image that was fixed in its own place does not count: the file is the only one of it.
        """
        entry = self._find(target)
        return entry is not None and not entry.in_place

    def was_edited(self, target: Path) -> bool:
        """Return whether there is a file at `target` where a run wrote one, and somebody has changed it since."""
        named = any(entries.names(target) for entries in self._all())
        return named and Stamp.of(target) is not None and self._find(target) is None

    def was_changed(self, target: Path) -> bool:
        """Return whether the file at `target` is a result in which a face was fixed, or an enlarged one."""
        entry = self._find(target)
        return entry is not None and entry.changed

    def expect(self, source: Path, read: tuple[int, int], target: Path, part: Path, *, changed: bool) -> None:
        """Add the line of a result that is about to be renamed from `part` to `target`.

        read: size and time of the image when it was read. changed: whether a face was fixed, or the image enlarged.
        Raises OSError.
        """
        written = Stamp.of(part)
        assert written
        self.add(source, read, target, written, digest_file(part), changed=changed)

    def add(
        self, source: Path, read: tuple[int, int], target: Path, written: Stamp, digest: str, *, changed: bool
    ) -> None:
        """Add the line of a result. Raises OSError. What is in none of the folders gets none: it was named alone."""
        where = IN_PLACE if source == target else BESIDE if source.parent == target.parent else AWAY
        line = {
            "target": "", "source": source.name, "read": read, "written": written, "digest": digest,
            "config": self.config, "changed": changed, "where": where,
        }  # fmt: skip
        self._append(line, target)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the run: another one may start."""
        for book in (*self._books, *self._others):
            book.close()

    def _append(self, line: Mapping[str, Any], target: Path) -> None:
        """Add a line of a result to the journal of its folder."""
        for book in self._books:
            if book.holds(target):
                book.append({**line, "target": book.key(target)})

    def _all(self) -> Sequence[Entries]:
        """Return all that earlier runs have left."""
        return (*self._books, *self._others)

    def _find(self, target: Path) -> Entry | None:
        found = [entry for entries in self._all() if (entry := entries.find(target, self.config))]
        return max(found, key=lambda entry: entry.config == self.config, default=None)

    def _consult(self) -> bool:
        """Read what runs in folders above and below left, and return whether there is more than before."""
        if not self._among:
            return False
        known = {os.fspath(book.root) for book in (*self._books, *self._others)}
        found = [place for book in self._books for place in find_books(book.root, self._parents)]
        fresh = [Book(place) for place in dict.fromkeys(found) if str(place) not in known]
        self._others += fresh  # before they are locked, so that `close` ends that, too
        for book in fresh:
            book.consult()
        return bool(fresh)
