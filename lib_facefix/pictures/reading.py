"""Reading a picture file, with one clear sentence for every file that is none."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from PIL import Image as Pillow
from PIL.JpegImagePlugin import JpegImageFile

from ..errors import BadPicture
from .decoding import decode
from .jpeg import coding_of
from .metadata import metadata_of
from .opening import open_one, raised_limit
from .picture import Coding, Picture
from .png import chunks_of

_PILLOW_RAISES = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    TypeError,
    KeyError,
    OverflowError,
    AttributeError,
    RuntimeError,
    struct.error,
    zlib.error,
    Pillow.DecompressionBombError,
)
"""What Pillow's readers raise for damaged files: what its own `open` expects, and what damaged files showed."""


def read_picture(path: Path) -> Picture:
    """Return the picture of the file at `path`, judged by its content, not its suffix.

    Raises BadPicture with what is wrong and what to do. Refused rather than flattened: animations and files of
    several pages. Of an MPO (several pictures of a phone or 3D camera) the first is read.
    """
    with _reading(path) as file:
        return _read(path, file)


def picture_size(path: Path) -> tuple[int, int]:
    """Return width and height in pixels as the file's header has them, before any turning; raises BadPicture.

    The pixels are not read, so it costs next to nothing to refuse a picture by it.
    """
    with _reading(path) as file, raised_limit(), open_one(file) as opened:
        width, height = opened.size
    return width, height


@contextmanager
def _reading(path: Path) -> Iterator[BinaryIO]:
    """Open the file; whatever goes wrong with it is said in a sentence."""
    try:
        file = path.open("rb")
    except (OSError, ValueError) as error:
        raise BadPicture(f"{path} {_why_closed(path, error)}.") from error
    with file:
        try:
            yield file
        except BadPicture as error:
            raise BadPicture(f"{path} cannot be used: {error}.") from error
        except _PILLOW_RAISES as error:
            raise BadPicture(f"{path} {_damage(error)} ({error}). Get the file again from where it came.") from error


def _read(path: Path, file: BinaryIO) -> Picture:
    state = os.fstat(file.fileno())
    if not state.st_size:
        raise BadPicture("it is empty. Get the file again from where it came")
    with raised_limit(), open_one(file) as opened:
        opened.load()
        kind = "JPEG" if opened.format == "MPO" else opened.format or ""
        chunks = tuple(chunks_of(file)) if kind == "PNG" else ()
        turn, metadata = metadata_of(opened, file, chunks)
        pixels = decode(opened, lambda: _whole(file), dict(chunks), turn)
        return Picture(
            path=path,
            image=pixels.image,
            format=kind,
            grey=pixels.grey,
            samples=pixels.samples,
            alpha=pixels.alpha,
            metadata=metadata,
            coding=_coding(opened, file),
            stamp=(state.st_mtime_ns, state.st_size),
        )


def _coding(opened: Pillow.Image, file: BinaryIO) -> Coding:
    if isinstance(opened, JpegImageFile):
        return coding_of(opened)
    return Coding(lossless=opened.format != "WEBP" or b"VP8L" in _start(file))


def _start(file: BinaryIO) -> bytes:
    """Return the beginning of a WebP up to its pixels: a profile may come before them."""
    whole = _whole(file)
    at = 12
    while at + 8 <= len(whole) and whole[at : at + 4] not in {b"VP8 ", b"VP8L"}:
        at += 8 + struct.unpack_from("<I", whole, at + 4)[0] + 1 & ~1
    return whole[at : at + 4]


def _whole(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()


def _why_closed(path: Path, error: OSError | ValueError) -> str:
    if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises for names that are too long
        return "is a folder, not a picture. Name a file in it"
    if isinstance(error, FileNotFoundError):
        return "does not exist. Check the name"
    if isinstance(error, PermissionError):
        return "may not be read by you. Change its permissions"
    return f"cannot be opened: {error}. Check the name and the disk"


def _damage(error: Exception) -> str:
    cut = "truncated" in str(error).lower() or isinstance(error, EOFError)
    return "is cut off" if cut else "is damaged"
