"""Writing results where the user wants them, so that they are known again."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ..fsio import Handover
from ..pictures import PNG_LEVEL, Picture, ResultLog, copy_sidecars, encode, format_for, write_picture
from ..pictures.formats import Format, format_named
from ..pictures.objects import is_remote, write_object
from ..pictures.write import Seal
from ..planning.plan import FixResult
from ..provenance import Edits, Recorder
from .item import Item
from .journal import Journal
from .journal_lines import Stamp
from .targets import STREAM


@dataclass(slots=True, kw_only=True)
class Output:
    """How the results of a batch are written."""

    png_level: int = PNG_LEVEL
    """Compression level of PNG files, 0..9."""
    keep_times: bool = False
    """True to give results the modification time of their inputs; copies of unchanged files always have it."""
    sink: BinaryIO | None = None
    """Receives the result whose path is `STREAM`."""
    sink_suffix: str = ""
    """Suffix of the kind of file that `sink` receives; blank: the kind of the input."""
    recorder: Recorder = Recorder()  # noqa: RUF009 - it is frozen
    """Writes what was done into each result, and knows results of earlier runs."""
    log: ResultLog | None = None
    """Remembers which files were written, if any."""
    keeps_content: bool = False
    """True to leave each result in its `Item`, for another process to write it."""
    journal: Journal | None = None
    """Notes which images of a folder are done, if any."""

    def choose_kind(self, target: Path, kind: str) -> Format:
        """Return the format of a result. kind: that of the image, in Pillow's words."""
        if target != STREAM:
            return format_for(target)
        return format_for(Path(f"x{self.sink_suffix}")) if self.sink_suffix else format_named(kind)

    def write(
        self, item: Item, done: tuple[Picture, FixResult], edits: Edits, *, known: bool = False, local: bool = True
    ) -> tuple[str, ...]:
        """Write a result, and files beside it; return notes on what it lacks.

        known: FaceFix fixed it before. local: the models ran in this process.
        """
        path, target = item.path, item.target
        (picture, result), seal = done, None
        if self.recorder.signer:
            parent = picture.path.name, picture.format, _content(picture)
            engines = [outcome.engine for outcome in result.outcomes]
            seal = self.recorder.make_seal(edits, parent, engines, local=local)
        if self.sink and target == STREAM:
            packed = io.BytesIO()
            notes = encode(picture, result.image, packed, png_level=self.png_level, suffix=self.sink_suffix, seal=seal)
            self.sink.write(packed.getbuffer())
            self.sink.flush()
            return notes
        if is_remote(target) or self.keeps_content:
            return self._write_object(item, done, seal, changed=bool(edits) or known)
        fixed = known or any(edit.face for edit in edits)
        notes = write_picture(
            picture,
            result.image,
            target,
            png_level=self.png_level,
            keep_times=self.keep_times,
            seal=seal,
            handover=self.hand_over(item.stamp, path, target, fixed=fixed, changed=bool(edits) or known),
        )
        return (*notes, *self.remember(path, target, fixed=fixed))

    def remember(self, path: Path, target: Path, *, fixed: bool) -> list[str]:
        """Note that `target` was written, and copy the files beside `path` to it; return notes on these."""
        if self.log and target != path:
            self.log.add(target, product=target.parent == path.parent, fixed=fixed and not self.keep_times)
        return copy_sidecars(path, target)

    def _write_object(
        self, item: Item, done: tuple[Picture, FixResult], seal: Seal | None, *, changed: bool
    ) -> tuple[str, ...]:
        """Write a result into an object store, or keep it; return notes on what it lacks."""
        picture, result = done
        packed = io.BytesIO()
        kind = item.target.suffix
        notes = encode(picture, result.image, packed, png_level=self.png_level, suffix=kind, seal=seal)
        self.put_object(item, packed.getvalue(), changed=changed)
        return notes

    def put_object(self, item: Item, content: bytes, *, changed: bool) -> None:
        """Put a result into an object store, or keep it in its item. Raises `BadSetting` if another run works there."""
        item.content, item.changed = content, changed
        if not self.keeps_content:
            if self.journal:
                self.journal.check_held()
            written = write_object(item.target, content)
            if self.journal and item.stamp:
                digest = hashlib.blake2b(content, digest_size=16).hexdigest()
                self.journal.add(item.path, item.stamp, item.target, Stamp(*written), digest, changed=changed)

    def hand_over(
        self, stamp: tuple[int, int] | None, path: Path, target: Path, *, fixed: bool, changed: bool
    ) -> Handover:
        """Return what makes a result known before its file takes its place, so that no moment is left to be killed in.

        An image in its own place is noted in the log here, too: if it was killed after the last step, it would else be
        fixed twice. stamp: size and time of the image when it was read.
        """

        def ready(part: Path) -> None:
            if self.log and target == path:  # with the times kept, a backup may have the same time and size
                self.log.add(target, fixed=fixed and not self.keep_times, in_place=True, part=part)
            if self.journal and stamp:
                self.journal.expect(path, stamp, target, part, changed=changed)

        return Handover(ready, self.journal.run if self.journal else "")


def _content(picture: Picture) -> bytes:
    """Return the file, or the stream, that an image was read from."""
    if picture.stream is None:
        return picture.path.read_bytes()
    picture.stream.seek(0)
    return picture.stream.read()
