"""Files of several pages: TIFF files, and animations (GIF, WebP, APNG). Read page by page, and written whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from ..errors import BadPicture, CannotWrite
from ..fsio import Handover, atomic_write
from ..types import Image
from .decode import decode
from .formats import Format
from .metadata import metadata_of
from .picture import MAX_BYTES, MAX_PIXELS, Coding, Picture
from .png import chunks_of
from .read import check_dimensions, explain_faults, open_known
from .tiff_header import Directory, directories, full_pages, is_tiff
from .tiff_pages import PageWriter, can_move
from .tiff_read import PREVIEWS, read_page
from .write import encode, keep_time

ANIMATED = ("GIF", "WEBP", "PNG")
"""Kinds of file that hold animations, in Pillow's words."""
_BYTES_A_PIXEL = 12
"""What a frame takes for each of its pixels until the file is written: all of them are packed at once."""

Fixed = tuple[Picture, Image | None]
"""A page as it was read, and its new pixels (H, W, 3); None if the page stays as it is."""


@dataclass(frozen=True, slots=True, eq=False)
class Pages:
    """The pages of an open file."""

    name: str
    file: BinaryIO
    format: str
    """What the file is, in Pillow's words."""
    count: int
    pages: tuple[Directory, ...] = ()
    """Those of a TIFF file."""
    left_out: tuple[str, ...] = ()
    """Sentences for what of the file is not in a new one."""
    stamp: tuple[int, int] | None = None
    """When the file was changed, in nanoseconds, and its size in bytes; None for a stream."""

    def read(self) -> Iterator[Picture]:
        """Yield each page as a picture; one at a time is in memory. Raises BadPicture with the number of the page."""
        source = self._read_tiff() if self.pages else self._read_frames()
        for number in range(1, self.count + 1):
            with explain_faults(self.file, f"{self.name}, page {number},"):
                page = next(source)
            yield replace(page, stamp=None, stream=None)

    def _read_tiff(self) -> Iterator[Picture]:
        check = partial(check_dimensions, MAX_PIXELS)
        return (read_page(page, self.name, check) for page in self.pages)

    def _read_frames(self) -> Iterator[Picture]:
        with open_known(self.file) as opened:
            opened.load()
            whole = b"" if self.format == "PNG" else _whole(self.file)
            chunks = tuple(chunks_of(self.file)) if self.format == "PNG" else ()
            turn, metadata, said = metadata_of(opened, whole, chunks)
            coding = Coding(lossless=self.format != "WEBP" or b"VP8 " not in whole)
            for number in range(self.count):
                opened.seek(number)
                opened.load()
                clear = opened.mode in ("RGBA", "LA", "PA") or "transparency" in opened.info
                frame = opened.convert("RGBA" if clear else "RGB")
                pixels = decode(frame, bytes, {}, turn)
                yield Picture(
                    path=Path(self.name), image=pixels.image, format=self.format, alpha=pixels.alpha,
                    metadata=metadata, turn=turn, coding=coding, left_out=tuple(said),
                )  # fmt: skip

    def check_target(self, kind: Format, name: str) -> None:
        """Raise CannotWrite if files of a kind cannot hold these pages; `name` is that of the new file."""
        fits = kind.name == "TIFF" if self.pages else kind.name in ANIMATED
        if not fits:
            what, instead = ("pages", ".tif") if self.pages else ("frames", ".webp, .png, or .gif")
            raise CannotWrite(f"{name}: {kind.name} cannot hold {self.count} {what}. Choose {instead}.")


@contextmanager
def open_pages(source: Path | BinaryIO, name: str = "the image") -> Iterator[Pages]:
    """Open a file of several pages or frames, which `read_picture` refuses with SeveralPages.

    Raises BadPicture for an animation that would need too much memory, or that has 16 bits a sample.
    """
    if isinstance(source, Path):
        with source.open("rb") as file, open_pages(file, str(source)) as pages:
            state = os.fstat(file.fileno())
            yield replace(pages, stamp=(state.st_mtime_ns, state.st_size))
        return
    with explain_faults(source, name):
        source.seek(0)
        if is_tiff(source.read(4)):
            found = directories(source)
            full = tuple(full_pages(found))
            previews = (PREVIEWS,) if len(full) < len(found) else ()
            pages = Pages(name, source, "TIFF", len(full), full, previews)
        else:
            pages = _open_frames(source, name)
    yield pages


def _open_frames(file: BinaryIO, name: str) -> Pages:
    with open_known(file) as opened:
        count, (width, height) = getattr(opened, "n_frames", 1), opened.size
        kind = opened.format or ""
        check_dimensions(MAX_PIXELS, width, height, width * height * 24)
    needed = count * width * height * _BYTES_A_PIXEL
    if needed > MAX_BYTES:
        raise BadPicture(
            f"its {count} frames of {width} x {height} pixels need {needed / 2**30:.1f} GiB of memory "
            f"(limit: {MAX_BYTES / 2**30:.0f} GiB). Make it smaller or shorter"
        )
    if kind == "PNG":
        file.seek(24)
        if file.read(1) == b"\x10":
            raise BadPicture("it is an animation of 16 bits a sample. Save it with 8")
    if kind not in ANIMATED:
        raise BadPicture(f"it holds {count} images. Save each image as a separate file")
    return Pages(name, file, kind, count)


def write_pages(pages: Pages, fixed: Iterator[Fixed], kind: Format, file: BinaryIO) -> tuple[bool, list[str]]:
    """Write all pages into a file of a kind that holds them (see `check_target`).

    Pages of a TIFF without new pixels are moved as they are stored. Frames are written in full, so that what each one
    shows, and for how long, stays as it was. If no page has new pixels, and the format is the same, the file is copied.

    fixed: each page in its order, with its new pixels. It is asked for one page at a time.
    Returns whether anything was written anew, and notes on data that the new file lacks. Raises CannotWrite.
    """
    if pages.pages:
        changed, notes = _write_tiff(pages, fixed, file)
    else:
        from .animation import write_animation  # few files need it

        changed, notes = write_animation(pages.file, list(fixed), pages.format, kind, file)
    if changed or kind.name != pages.format:
        return True, list(dict.fromkeys((*pages.left_out, *notes)))
    file.seek(0)
    file.truncate()
    file.write(_whole(pages.file))
    return False, []


def save_pages(
    pages: Pages,
    fixed: Iterator[Fixed],
    kind: Format,
    path: Path,
    *,
    keep_times: bool = False,
    handover: Handover | None = None,
) -> tuple[bool, list[str]]:
    """Write all pages to `path` as `write_pages` does; an existing file is replaced at the end, or not at all.

    keep_times: whether the file gets the modification time of the old one; a copy always does. handover: receives the
    finished file before it takes its place.
    """
    told: list[tuple[bool, list[str]]] = []
    refused: list[str] = []

    def ready(part: Path) -> None:
        if pages.stamp and (keep_times or not told[0][0]):
            refused.extend(keep_time(part, pages.stamp[0]))
        if handover:
            handover.ready(part)

    more = atomic_write(
        path,
        lambda file: told.append(write_pages(pages, fixed, kind, file)),
        Handover(ready, handover.owner if handover else ""),
    )
    [(changed, notes)] = told
    return changed, [*notes, *more, *refused]


def _write_tiff(pages: Pages, fixed: Iterator[Fixed], file: BinaryIO) -> tuple[bool, list[str]]:
    writer, changed = PageWriter(file), False
    notes: list[str] = []
    for page, (picture, pixels) in zip(pages.pages, fixed, strict=True):
        changed |= pixels is not None
        if pixels is None and can_move(page):
            writer.add(page)
            continue
        packed = BytesIO()
        notes += encode(picture, picture.image if pixels is None else pixels, packed, suffix=".tif")
        writer.add(directories(packed)[0], is_new=True)
    return changed, notes


def _whole(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()
