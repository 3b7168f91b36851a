"""Writing a fixed picture as the file it came from would have it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..errors import CannotWrite
from ..faces import Image
from .atomic import atomic_write
from .colours import fits
from .exif import with_comment
from .formats import Format, check_writable, format_for
from .merging import is_same, merged
from .packing import pack
from .picture import PARAMETERS, Coding, Metadata, Picture
from .png import write_png
from .tiff import write_tiff


def write_picture(picture: Picture, fixed: Image, path: Path, *, text: Mapping[str, str] | None = None) -> None:
    """Write `fixed` to `path`, with all that `picture` says besides its pixels.

    The suffix of `path` decides the kind of file. If no pixel changed and the kind is the same, the old file is
    copied byte for byte, and `text` is not added. PNG, TIFF and JPEG 2000 lose nothing; WebP and AVIF no more
    than the input did, or quality 95; JPEG is packed with the input's own tables, or quality 95 and 4:4:4.
    Palettes become RGB, CMYK and Lab become sRGB.

    fixed: of the size of `picture.image`. text: PNG's text fields, added to the old ones or in their place; in
    other kinds only "parameters" is kept, as the UserComment of EXIF.
    Raises CannotWrite, and BadSetting for an unknown suffix; then what stood at `path` is unchanged.
    """
    if fixed.shape != picture.image.shape or fixed.dtype != np.uint8:
        raise CannotWrite(f"{path}: the result is {fixed.dtype} {fixed.shape}, the picture {picture.image.shape}.")
    kind = format_for(path)
    if kind.name == picture.format and is_same(picture.image, fixed) and _is_as_read(picture):
        atomic_write(path, partial(_copy, picture.path))
        return
    check_writable(path, picture)
    atomic_write(path, partial(_encode, picture, fixed, kind, dict(text or {})))


def _is_as_read(picture: Picture) -> bool:
    if not picture.stamp or not picture.path.is_file():
        return False
    state = picture.path.stat()
    return (state.st_mtime_ns, state.st_size) == picture.stamp


def _copy(source: Path, file: BinaryIO) -> None:
    with source.open("rb") as old:
        shutil.copyfileobj(old, file, 1 << 20)


def _encode(picture: Picture, fixed: Image, kind: Format, text: Mapping[str, str], file: BinaryIO) -> None:
    pixels = merged(picture, fixed, deep=kind.deep == "kept", alpha=kind.alpha != "none")
    if pixels.shape[2] < 3 and not kind.grey:
        pixels = pixels[..., [0, 0, 0, *range(1, pixels.shape[2])]]
    said = _true_of(picture.metadata, pixels.shape[2])
    if kind.name == "PNG":
        write_png(pixels, said, text, file)
    elif kind.name == "TIFF":
        write_tiff(pixels, _commented(said, text), file)
    else:
        coding = picture.coding if kind.name == picture.format else Coding(lossless=False)
        pack(kind.name, pixels, _commented(said, text), coding, file)


def _true_of(said: Metadata, channels: int) -> Metadata:
    return said if fits(said.icc, channels) else replace(said, icc=b"")


def _commented(said: Metadata, text: Mapping[str, str]) -> Metadata:
    parameters = {**said.text, **text}.get(PARAMETERS)
    return said if parameters is None else replace(said, exif=with_comment(said.exif, parameters))
