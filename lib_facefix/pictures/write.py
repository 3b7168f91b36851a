"""Writing a fixed picture as the file it came from would have it.

Grey stays grey: of a change its brightness is taken. Sixteen bits stay: the change is added to them. Opacity
stays as it is. Where nothing changed, every sample stays.
"""

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from ..errors import CannotWrite
from ..fsio import Handover, atomic_write, check_place
from ..types import Image
from .avif import packs_deep_avif
from .claims import SIGNED
from .colours import fits
from .decode import to_8_bits, unturn
from .encode import pack
from .formats import Format, format_for, format_named
from .losses import settle_metadata
from .picture import MAX_BYTES, Coding, Metadata, Picture, Samples
from .png import PNG_LEVEL, write_png
from .strips import band_slices
from .tiff import write_tiff

_ANEW = Coding(lossless=False)
Seal = Callable[[str, bytes], bytes]
"""Is given Pillow's name of a format and a file of it, and returns the file with a seal, such as a signature."""


def check_writable(path: Path, picture: Picture | None = None, size: tuple[int, int] | None = None) -> None:
    """Refuse, before any work, an output that cannot hold the result.

    Raises BadSetting if files of this suffix cannot be written at all, CannotWrite if no file can have this name, or if
    `picture` has something that would be lost in it. 16-bit samples may be given up for a kind that is known to have
    8 bits, such as JPEG; opacity is never given up. size: width and height to be written, by default those of
    `picture`.
    """
    kind = format_for(path)
    check_place(path)
    if picture is not None:
        _check_fits(kind, str(path), picture, size or (picture.image.shape[1], picture.image.shape[0]))


def write_picture(
    picture: Picture,
    fixed: Image,
    path: Path,
    *,
    text: Mapping[str, str] | None = None,
    png_level: int = PNG_LEVEL,
    keep_times: bool = False,
    seal: Seal | None = None,
    handover: Handover | None = None,
) -> tuple[str, ...]:
    """Write `fixed` to `path` as `encode` does, in the format of its suffix.

    Returns notes about data that the new file lacks. keep_times: whether the file gets the modification time of the old
    one; an unchanged copy always does. handover: receives the finished file before it takes its place. Raises
    CannotWrite, and BadSetting for an unknown suffix. An existing file at `path` is then unchanged.
    """
    work = _prepare_writer(picture, fixed, format_for(path), str(path), text or {}, png_level)
    work = work.sealed(seal)
    refused: list[str] = []

    def ready(part: Path) -> None:
        if picture.stamp and (keep_times or work.copies):
            refused.extend(keep_time(part, picture.stamp[0]))
        if handover:
            handover.ready(part)

    landed = atomic_write(path, work.write, Handover(ready, handover.owner if handover else ""))
    return (*work.notes, *landed, *refused)


def keep_time(path: Path, time: int) -> list[str]:
    """Set the modification time of a file, in nanoseconds; return a note if its drive refuses, as some do."""
    try:
        os.utime(path, ns=(time, time))
    except OSError as error:
        return [f"Its modification time could not be kept ({error.strerror})."]
    return []


def encode(
    picture: Picture,
    fixed: Image,
    file: BinaryIO,
    *,
    text: Mapping[str, str] | None = None,
    png_level: int = PNG_LEVEL,
    suffix: str = "",
    seal: Seal | None = None,
) -> tuple[str, ...]:
    """Write `fixed` into `file` in the format of `picture`, with its metadata.

    If no pixel changed, the old file is copied byte for byte, and `text` is not added. PNG, TIFF, and JPEG 2000 are
    lossless. WebP and AVIF lose no more than the input did, or use quality 95. HEIC uses quality 75, which is nearly
    lossless. JPEG uses the tables of the input, or quality 95 and 4:4:4. Palettes become RGB. CMYK and Lab become sRGB.

    fixed: (H, W, 3), 8-bit RGB; alpha and 16-bit samples of the picture are scaled to its size. text: PNG text fields,
    which are added or replace old ones; other formats keep only "parameters", as EXIF's UserComment. png_level: PNG
    compression, 0 (fast) to 9 (small). suffix: file suffix of another format, such as ".jpg". seal: is given a changed
    file last, with Pillow's name of its format, and returns the file to be written, for example with a signature.
    Returns notes about data that the new file lacks. Raises CannotWrite if the format cannot hold the image.
    """
    kind = format_for(Path(f"x{suffix}")) if suffix else format_named(picture.format)
    work = _prepare_writer(picture, fixed, kind, f"a {kind.name} file", text or {}, png_level)
    work = work.sealed(seal)
    work.write(file)
    return work.notes


@dataclass(frozen=True, slots=True)
class _Work:
    """How a file will be written."""

    write: Callable[[BinaryIO], None]
    notes: tuple[str, ...] = ()
    copies: bool = False
    kind: str = ""
    """Pillow's name of the format."""

    def sealed(self, seal: Seal | None) -> "_Work":
        """Return the work with a seal put on what is written; a copy of a file keeps the seals that it has."""
        if seal is None or self.copies:
            return self

        def write(file: BinaryIO) -> None:
            content = BytesIO()
            self.write(content)
            file.write(seal(self.kind, content.getvalue()))

        return replace(self, write=write, notes=tuple(note for note in self.notes if note != SIGNED))


def _prepare_writer(
    picture: Picture, fixed: Image, kind: Format, name: str, text: Mapping[str, str], png_level: int
) -> _Work:
    """Return what writes the result. Raises CannotWrite at once for what the kind cannot hold; `name` is for this."""
    if fixed.dtype != np.uint8 or fixed.shape[2:] != (3,):
        raise CannotWrite(f"{name}: the result must be 8-bit RGB, not {fixed.dtype} {fixed.shape}.")
    if fixed.shape != picture.image.shape:
        picture = picture.resize((fixed.shape[1], fixed.shape[0]))
    rows = band_slices(len(fixed), fixed[:1].nbytes)
    same = kind.name == picture.format and all(np.array_equal(picture.image[part], fixed[part]) for part in rows)
    if same and picture.is_as_read:
        return _Work(partial(_copy, picture), copies=True)
    _check_fits(kind, name, picture, (fixed.shape[1], fixed.shape[0]))
    said, notes = picture.metadata, picture.left_out
    if (kind.name, picture.format) != ("PNG", "PNG"):  # which holds all that it held
        said, notes = settle_metadata(picture, kind, text)
    return _Work(partial(_write, picture, fixed, kind, said, text, png_level), notes, kind=kind.name)


def check_size(name: str, picture: Picture, size: tuple[int, int]) -> None:
    """Raise CannotWrite if `picture` enlarged to `size` would take too much memory; `name` is for this."""
    width, height = size
    needed = width * height * (9 + (18 if picture.samples is not None else 0) + (4 if picture.alpha is not None else 0))
    if needed > MAX_BYTES:
        raise CannotWrite(
            f"{name}: {width}x{height} px would need {needed / 2**30:.1f} GiB of memory "
            f"(limit: {MAX_BYTES / 2**30:.0f} GiB). Choose a smaller size."
        )


def _check_fits(kind: Format, name: str, picture: Picture, size: tuple[int, int]) -> None:
    """Raise CannotWrite if a file of this kind cannot hold the picture at `size`."""
    width, height = size
    if max(width, height) > kind.longest:
        raise CannotWrite(
            f"{name}: {kind.name} holds at most {kind.longest} px on a side, not {width}x{height}. Choose .png."
        )
    if size != picture.image.shape[1::-1]:
        check_size(name, picture, size)
    if kind.alpha != "full" and picture.translucent and not (kind.alpha == "binary" and picture.cut_out):
        raise CannotWrite(f"{name}: {kind.name} cannot hold the transparency of {picture.path.name}. Choose .png.")
    if picture.samples is not None and (kind.deep == "lost" or (kind.name == "AVIF" and not packs_deep_avif())):
        raise CannotWrite(f"{name}: {picture.path.name} has 16-bit samples, which would be lost. Choose .png or .tif.")


def _copy(picture: Picture, file: BinaryIO) -> None:
    if picture.stream is not None:
        picture.stream.seek(0)
        shutil.copyfileobj(picture.stream, file, 1 << 20)
    else:
        with picture.path.open("rb") as old:
            shutil.copyfileobj(old, file, 1 << 20)


def _write(
    picture: Picture,
    fixed: Image,
    kind: Format,
    said: Metadata,
    text: Mapping[str, str],
    png_level: int,
    file: BinaryIO,
) -> None:
    plain = picture.samples is None and picture.alpha is None and not picture.grey
    pixels: Samples = fixed if plain else _merge(picture, fixed, kind)
    turn = picture.turn if kind.name == picture.format else 1
    if turn != 1:
        pixels = cast(Samples, np.ascontiguousarray(unturn(cast(Any, pixels), turn)))
    if not fits(said.icc, pixels.shape[2]):
        said = replace(said, icc=b"")
    if kind.name == "PNG":
        write_png(pixels, said, text, file, png_level)
    elif kind.name == "TIFF":
        write_tiff(pixels, said, turn, file)
    else:
        coding = picture.coding
        if kind.name != picture.format:
            chroma = 2 if kind.name == "HEIF" else 0  # phones show HEIC of 4:2:0
            coding = replace(_ANEW, quality=coding.quality, bits=coding.fewer_bits, subsampling=chroma)
        pack(kind.name, pixels, said, coding, file)


def _merge(picture: Picture, fixed: Image, kind: Format) -> Samples:
    """Return the new picture in the samples of the old one: (H, W, 1..4), as a file of this kind holds them."""
    colours: Samples = _to_grey(fixed)[..., None] if picture.grey else fixed
    if picture.samples is not None and kind.deep == "kept":
        colours = _add_change(picture.samples, picture.image, colours)
    if picture.grey and not kind.grey:
        colours = colours[..., [0, 0, 0]]
    if picture.alpha is None or kind.alpha == "none":
        return colours
    opacity = picture.alpha
    if opacity.dtype != colours.dtype:
        opacity = to_8_bits(opacity.astype(np.uint16, copy=False))
    height, width, channels = colours.shape
    both = np.empty((height, width, channels + 1), colours.dtype)
    both[..., :-1], both[..., -1] = colours, opacity
    return both


def _add_change(samples: NDArray[np.uint16], old: Image, new: Samples) -> NDArray[np.uint16]:
    """Return 16-bit samples with what changed between two 8-bit pictures added."""
    deep: NDArray[np.uint16] = samples.copy()
    for rows in band_slices(len(deep), deep[:1].nbytes):
        change = new[rows].astype(np.int32) - old[rows, :, : new.shape[2]]
        deep[rows] = np.clip(deep[rows] + 257 * change, 0, 65535)
    return deep


def _to_grey(image: Image) -> NDArray[np.uint8]:
    """Return (H, W): ITU-R 601, in whole numbers, so that grey comes back as it was."""
    grey = np.empty(image.shape[:2], np.uint8)
    for rows in band_slices(len(image), image[:1].nbytes):
        grey[rows] = (image[rows] @ np.array([19595, 38470, 7471], np.int32) + 0x8000) >> 16
    return grey
