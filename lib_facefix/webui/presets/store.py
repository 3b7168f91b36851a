"""The file with the presets, and what a person does with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from ...errors import BadSetting, CannotWrite
from ...fsio import atomic_write
from .presets import NO_PRESET, Presets, make_preset, read_preset

_ONE_AT_A_TIME = Lock()
UNDO = "What it was stands under Presets as text: Import brings it back."


@dataclass(frozen=True, slots=True)
class StoreResult:
    """What came of a click."""

    note: str
    """A sentence for a person."""
    presets: Presets
    """As they are now."""
    chosen: str | None = None
    """The preset to show as chosen, where that changes."""
    text: str | None = None
    """Presets as text, where there are any to show."""


class PresetStore:
    """The file, read anew each time: several tabs and people share it.

    Every method raises `BadSetting` and `CannotWrite` with a sentence; then nothing is changed. A file that
    holds something else stays as it is until something is saved; then it is kept under another name.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Presets:
        """Return all presets, none if there is no file."""
        try:
            return Presets.from_text(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return Presets()
        except OSError as error:
            raise BadSetting(f"{self._path} cannot be read: {error.strerror}") from error
        except (UnicodeDecodeError, BadSetting) as error:
            raise _BrokenFile(f"{self._path} cannot be used: {error}") from error

    def save(self, name: str, values: Sequence[Any]) -> StoreResult:
        """Keep the values of OFFERED, pass after pass, under a name."""
        name = name.strip()
        kept = make_preset(values)
        before, now, note = self._change(lambda presets: presets.with_preset(name, kept))
        old = before.only(name).to_text() if before.named.get(name, kept) != kept else None
        return StoreResult(_join_sentences(note, f"Saved as {name!r}.", UNDO if old else ""), now, name, old)

    def delete(self, name: str) -> StoreResult:
        """Drop a preset."""
        before, now, note = self._change(lambda presets: presets.without(name))
        return StoreResult(_join_sentences(note, f"Deleted {name!r}.", UNDO), now, "", before.only(name).to_text())

    def start_with(self, name: str) -> StoreResult:
        """Let the WebUI start with a preset; blank: with the defaults."""
        _, now, note = self._change(lambda presets: presets.starting_with(name))
        return StoreResult(
            _join_sentences(note, f"From its next start on the WebUI shows {name or NO_PRESET!r} at first."), now
        )

    def export(self, name: str) -> StoreResult:
        """Show a preset as text; blank: all of them."""
        presets = self.read()
        return StoreResult("", presets, text=(presets.only(name) if name else presets).to_text())

    def import_text(self, text: str) -> StoreResult:
        """Add presets from what `export` showed; nothing is replaced."""
        given = Presets.from_text(text)
        for name, kept in given.named.items():
            try:
                read_preset(kept)
            except BadSetting as error:
                raise BadSetting(f"preset {name!r}, {error}") from error
        _, now, note = self._change(lambda presets: presets.merge(given)[0])
        names = ", ".join(map(repr, now.merge(given)[1]))
        return StoreResult(_join_sentences(note, f"Imported {names}." if names else "There was no preset in it."), now)

    def _change(self, how: Callable[[Presets], Presets]) -> tuple[Presets, Presets, str]:
        """Write what `how` makes of the presets; return those before, those now, and a sentence on a broken file."""
        with _ONE_AT_A_TIME:
            before, broken = self._usable()
            now = how(before)
            note = f"{broken}. It is kept as {self._put_aside()}." if broken else ""
            atomic_write(self._path, lambda file: file.write(now.to_text().encode("utf-8")))
            return before, now, note

    def _usable(self) -> tuple[Presets, str]:
        try:
            return self.read(), ""
        except _BrokenFile as error:
            return Presets(), str(error)

    def _put_aside(self) -> str:
        """Copy the file to a free name beside it."""
        number = 1
        while (aside := self._path.with_suffix(f".broken-{number}.json")).exists():
            number += 1
        try:
            content = self._path.read_bytes()
        except OSError as error:
            raise CannotWrite(f"{self._path} cannot be kept as {aside.name}: {error.strerror}") from error
        atomic_write(aside, lambda file: file.write(content))
        return aside.name


class _BrokenFile(BadSetting):
    """The file is there, but holds something else."""


def _join_sentences(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)
