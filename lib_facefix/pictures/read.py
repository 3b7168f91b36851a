"""Reading a picture file, with one clear sentence for every file that is none."""

import os
import re
import stat
import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from PIL import Image as Pillow
from PIL.JpegImagePlugin import JpegImageFile

from ..errors import BadPicture, SeveralPages
from .avif import avif_colours, read_deep
from .bmff import is_heif
from .claims import riff_chunks
from .decode import decode, of_16_bits
from .formats import FORMATS
from .heif import read_heif
from .jpeg import coding_of, rare_jpeg
from .metadata import metadata_of
from .picture import MAX_BYTES, MAX_PIXELS, ONE_IMAGE, Coding, Picture
from .png import chunks_of
from .tiff_header import is_tiff
from .tiff_read import read_tiff

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
"""Errors that Pillow's readers raise for damaged files: those its own `open` expects, and those found in tests."""
_BYTES_A_PIXEL = {"WEBP": 18, "AVIF": 16, "JPEG2000": 24, "GIF": 12}
_UNSUPPORTED = re.compile(r"unsupported|not supported|cannot handle|cannot read this", re.IGNORECASE)
_SEARCHED = {"JPEG", "WEBP", "AVIF", "JPEG2000"}
"""Kinds whose bytes are searched for what Pillow does not tell."""
_JPEGS = {"JPEG", "MPO"}
_CUT_OFF = (
    "it is cut off. Copy or download it again, or use the part that is there with --salvage (in the API: "
    '"salvage": true); the rest becomes grey'
)
_KINDS = (*(kind.name for kind in FORMATS if kind.name not in ("TIFF", "HEIF")), "MPO")
_lock = threading.Lock()
_before: list[int | None] = []
"""Pillow's own limit, once for each reader that is at work."""


def read_picture(
    source: Path | BinaryIO, name: str = "the image", max_pixels: int = MAX_PIXELS, *, salvage: bool = False
) -> Picture:
    """Return the image in a file or a stream. The content determines the format, not the suffix.

    Keep a stream open while the picture is used, because an unchanged picture is written by copying its bytes.
    name: name of a stream in errors. max_pixels: larger images are refused by their header.
    salvage: whether to read a truncated JPEG; its missing part is grey.
    Raises BadPicture with the reason and a remedy, and its kind SeveralPages for animations and files of several pages,
    which are never flattened (see `open_pages`). The first image of an MPO (several images of a phone or 3D camera) is
    read.
    """
    if not isinstance(source, Path):
        return _read(source, name, max_pixels, salvage)
    try:
        mode = source.stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # opening a pipe may wait for ever
            raise BadPicture(f"{source} is a pipe or a device, not a file. Save the image as a file first.")
        file = source.open("rb")
    except (OSError, ValueError) as error:
        raise BadPicture(f"{source} {_why_closed(source, error)}.") from error
    with file:
        state = os.fstat(file.fileno())
        picture = _read(file, str(source), max_pixels, salvage)
    return replace(picture, path=source, stamp=(state.st_mtime_ns, state.st_size), stream=None)


def _read(file: BinaryIO, name: str, max_pixels: int, salvage: bool) -> Picture:
    """Read from an open file. Any error is a sentence that begins with `name`."""
    with explain_faults(file, name):
        file.seek(0)
        start, check = file.read(64), partial(check_dimensions, min(max_pixels, MAX_PIXELS))
        if is_tiff(start):
            return read_tiff(file, name, check)
        if is_heif(start):
            return read_heif(file, name, check)
        with _open(file, min(max_pixels, MAX_PIXELS)) as opened:
            try:
                return _picture(opened, file, name)
            except OSError as error:
                if opened.format not in _JPEGS or "truncated" not in str(error):
                    raise
                if not salvage:
                    raise BadPicture(_CUT_OFF) from error
        return _salvage(file, name, max_pixels)


@contextmanager
def explain_faults(file: BinaryIO, name: str) -> Iterator[None]:
    """Make a sentence that begins with `name` of any error in the file, and let Pillow decode all that we do."""
    try:
        with _raised_limit():
            yield
    except BadPicture as error:
        raise type(error)(f"{name} cannot be used: {error}.") from error
    except _PILLOW_RAISES as error:
        raise BadPicture(f"{name} {_fault(error, file)}.") from error


def _salvage(file: BinaryIO, name: str, max_pixels: int) -> Picture:
    """Return what there is of a JPEG that is cut off: with an end put behind it, its decoder fills the rest."""
    with _open(BytesIO(_whole(file) + b"\xff\xd9"), max_pixels) as opened:
        picture = _picture(opened, file, name)
    return replace(picture, left_out=(*picture.left_out, "The file is cut off. Its missing part is grey."))


def _picture(opened: Pillow.Image, file: BinaryIO, name: str) -> Picture:
    opened.load()
    kind = "JPEG" if opened.format == "MPO" else opened.format or ""
    chunks = tuple(chunks_of(file)) if kind == "PNG" else ()
    turn, metadata, left_out = metadata_of(opened, _whole(file) if kind in _SEARCHED else b"", chunks)
    deep = read_deep(opened, _whole(file)) if kind == "AVIF" else None
    pixels = decode(opened, lambda: _whole(file), dict(chunks), turn) if deep is None else of_16_bits(deep, turn)
    return Picture(
        path=Path(name),
        image=pixels.image,
        format=kind,
        grey=pixels.grey,
        samples=pixels.samples,
        alpha=pixels.alpha,
        metadata=metadata,
        turn=turn,
        coding=_coding(opened, file),
        stream=file,
        left_out=tuple(left_out),
    )


def _open(file: BinaryIO, max_pixels: int) -> Pillow.Image:
    """Return the one picture in `file`, not yet decoded. Raises BadPicture, and Pillow's errors."""
    picture = open_known(file)
    width, height = picture.size
    check_dimensions(max_pixels, width, height, width * height * _bytes_a_pixel(picture, file))
    count = getattr(picture, "n_frames", 1)
    if picture.format != "MPO" and count > 1:
        raise SeveralPages(f"it is an animation of {count} frames. {ONE_IMAGE}")
    return picture


def check_dimensions(max_pixels: int, width: int, height: int, needed: int) -> None:
    """Raise BadPicture for too many pixels, or for too many bytes needed while reading."""
    size = f"{width} x {height} pixels"
    if width * height > max_pixels:
        raise BadPicture(f"it is too large: {size} (limit: {max_pixels // 10**6} million). Make it smaller")
    if needed > MAX_BYTES:
        raise BadPicture(
            f"it is too large: {size} of this format need {needed / 2**30:.1f} GiB of memory "
            f"(limit: {MAX_BYTES / 2**30:.0f} GiB). Make it smaller"
        )


def _bytes_a_pixel(picture: Pillow.Image, file: BinaryIO) -> int:
    """Return what reading takes for each pixel at its peak, measured and rounded up."""
    needed = _BYTES_A_PIXEL.get(picture.format or "", 8)
    if picture.format == "PNG":
        file.seek(24)
        depth, colours = file.read(2)
        needed = {0: 12, 2: 24}.get(colours, 30) if depth == 16 else needed
    elif picture.info.get("progressive"):
        needed += 6
    return needed + (4 if picture.mode in {"RGBA", "RGBX", "CMYK", "LA", "PA"} and needed < 12 else 0)


@contextmanager
def _raised_limit() -> Iterator[None]:
    """Let Pillow decode all that we do not refuse, without a warning.

    Pillow has one limit for the whole process, so it is raised to ours while any picture is being read here,
    and the last reader puts back what the first one found. Others at work meanwhile see a higher limit, never
    none.
    """
    with _lock:
        _before.append(Pillow.MAX_IMAGE_PIXELS if not _before else _before[0])
        Pillow.MAX_IMAGE_PIXELS = MAX_PIXELS
    try:
        yield
    finally:
        with _lock:
            Pillow.MAX_IMAGE_PIXELS = _before[0]
            _before.pop()
            if _before:
                Pillow.MAX_IMAGE_PIXELS = MAX_PIXELS


def open_known(file: BinaryIO) -> Pillow.Image:
    """Open as Pillow's `open` does, but only our kinds, and without its check of the size, which may warn."""
    file.seek(0)
    start = file.read(16)
    if not start:
        raise BadPicture("it is empty. Copy or download it again")
    for load in (Pillow.preinit, Pillow.init):  # all of Pillow's kinds take a while to load
        load()
        for kind in _KINDS:
            factory, accept = Pillow.OPEN.get(kind, (None, None))
            if factory is not None and accept is not None and accept(start) is True:
                file.seek(0)
                return factory(file, "")
    offer = ", ".join(kind.name for kind in FORMATS)
    raise BadPicture(f"its format is not supported. Supported formats: {offer}")


def _coding(opened: Pillow.Image, file: BinaryIO) -> Coding:
    if isinstance(opened, JpegImageFile):
        return coding_of(opened)
    lossless = opened.format != "WEBP" or any(kind == b"VP8L" for kind, _ in riff_chunks(_whole(file)))
    bits = avif_colours(_whole(file)).bits if opened.format == "AVIF" else 16
    return Coding(lossless=lossless, bits=bits if bits > 8 else 16)


def _whole(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()


def _why_closed(path: Path, error: OSError | ValueError) -> str:
    if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises for names that are too long
        return "is a folder, not an image. Choose a file in it"
    if isinstance(error, FileNotFoundError):
        return "does not exist. Check the name"
    if isinstance(error, PermissionError):
        return "cannot be read: permission denied. Change its permissions"
    return f"cannot be opened: {error}. Check the name and the disk"


def _fault(error: Exception, file: BinaryIO) -> str:
    """Return what is wrong with the file, and what to do. A sound file of a rare kind is not called damaged."""
    file.seek(0)
    rare = rare_jpeg(file.read(1 << 20)) or (str(error) if _UNSUPPORTED.search(str(error)) else "")
    if rare:
        return f"has an unsupported format ({rare}). Save it as PNG with another program"
    cut = "truncated" in str(error).lower() or isinstance(error, EOFError)
    return f"{'is cut off' if cut else 'is damaged'} ({error}). Copy or download it again"
