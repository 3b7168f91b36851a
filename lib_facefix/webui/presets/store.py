"""The file of presets, and the actions on it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from ...errors import BadSetting, CannotWrite
from ...fsio import atomic_write
from .presets import NO_PRESET, Presets, make_preset, read_preset

_ONE_AT_A_TIME = Lock()
UNDO = "To undo, select Import: the old preset is in the box Presets as text."


@dataclass(frozen=True, slots=True)
class StoreResult:
    """The outcome of a click."""

    note: str
    """Message to show."""
    presets: Presets
    """All presets after the click."""
    chosen: str | None = None
    """Name of the preset to select; None: unchanged."""
    text: str | None = None
    """Text for the box Presets as text; None: unchanged."""


class PresetStore:
    """The file of presets, which is read each time, because several tabs and people share it.

    Methods raise `BadSetting` and `CannotWrite`, and then change nothing. An unreadable file is kept under another name
    when something is saved.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Presets:
        """Return all presets; none if there is no file."""
        try:
            return Presets.from_text(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return Presets()
        except OSError as error:
            raise BadSetting(f"{self._path} cannot be read: {error.strerror}") from error
        except (UnicodeDecodeError, BadSetting) as error:
            raise _BrokenFile(f"{self._path} cannot be used: {error}") from error

    def save(self, name: str, passes: str) -> StoreResult:
        """Save the passes in the page's text under a name."""
        name = name.strip()
        kept = make_preset(passes)
        before, now, note = self._change(lambda presets: presets.with_preset(name, kept))
        old = before.only(name).to_text() if before.named.get(name, kept) != kept else None
        return StoreResult(_join_sentences(note, f"Saved as {name!r}.", UNDO if old else ""), now, name, old)

    def delete(self, name: str) -> StoreResult:
        """Delete a preset."""
        before, now, note = self._change(lambda presets: presets.without(name))
        return StoreResult(_join_sentences(note, f"Deleted {name!r}.", UNDO), now, "", before.only(name).to_text())

    def start_with(self, name: str) -> StoreResult:
        """Set the preset that the page starts with; blank: the defaults."""
        _, now, note = self._change(lambda presets: presets.starting_with(name))
        return StoreResult(
            _join_sentences(note, f"From the next start, the WebUI starts with {name or NO_PRESET!r}."), now
        )

    def export(self, name: str) -> StoreResult:
        """Return a preset as text; blank: all presets."""
        presets = self.read()
        return StoreResult("", presets, text=(presets.only(name) if name else presets).to_text())

    def import_text(self, text: str) -> StoreResult:
        """Add presets from a text of `export`; no existing preset is replaced."""
        given = Presets.from_text(text)
        for name, kept in given.named.items():
            try:
                read_preset(kept)
            except BadSetting as error:
                raise BadSetting(f"preset {name!r}, {error}") from error
        _, now, note = self._change(lambda presets: presets.merge(given)[0])
        names = ", ".join(map(repr, now.merge(given)[1]))
        return StoreResult(_join_sentences(note, f"Imported {names}." if names else "The text has no presets."), now)

    def import_file(self, content: bytes | str) -> StoreResult:
        """Add presets from a file of `export`."""
        return self.import_text(content if isinstance(content, str) else content.decode("utf-8-sig", "replace"))

    def _change(self, how: Callable[[Presets], Presets]) -> tuple[Presets, Presets, str]:
        """Write the presets that `how` returns; return the old ones, the new ones, and a note on a broken file."""
        with _ONE_AT_A_TIME:
            broken = ""
            try:
                before = self.read()
            except _BrokenFile as error:
                before, broken = Presets(), str(error)
            now = how(before)
            note = f"{broken}. The old file is kept as {self._put_aside()}." if broken else ""
            atomic_write(self._path, lambda file: file.write(now.to_text().encode("utf-8")))
            return before, now, note

    def _put_aside(self) -> str:
        """Copy the file to a free name in its folder; return the name."""
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
    """The file exists, but is no valid file of presets."""


def _join_sentences(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)
