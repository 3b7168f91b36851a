"""The noun of this room: a picture, and all that is needed to write it back without loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from ..imaging.lanczos import lanczos
from ..types import Image
from .exif import comment_of, set_size, upright
from .gain_map import GainMap
from .xmp_packet import sized_xmp, upright_xmp

Samples = NDArray[np.uint8] | NDArray[np.uint16]
Check = Callable[[int, int, int], None]
"""Raises BadPicture for a width, a height and a number of bytes that are too much."""

MAX_PIXELS = 250_000_000
"""Larger pictures are refused by their header: they would take gigabytes."""

MAX_BYTES = 2 << 30
"""Pictures that need more memory while they are read, enlarged, or written are refused by their header."""

ONE_IMAGE = "`facefix fix` and fix_file() fix all of them. For other uses, save each as a separate file"
"""What to do about a file of several pages or frames, without its end."""

PARAMETERS = "parameters"
"""The WebUI's text field; where there are no text fields it is EXIF's UserComment."""

XMP_FIELD = b"XML:com.adobe.xmp"
"""PNG's text field that holds the XMP."""

_TEXT = (b"tEXt", b"zTXt", b"iTXt")
RAW_XMP_FIELD = b"Raw profile type xmp"
"""The field in which ImageMagick before version 7 writes the XMP of a PNG, in hexadecimal digits."""

Chunk = tuple[bytes, bytes]
"""One chunk of a PNG: its four-letter kind and its content."""


@dataclass(frozen=True, slots=True)
class Attached:
    """Images in a HEIC file that belong to its photo, such as a gain map."""

    source: bytes
    """The file that holds them."""
    lost: tuple[str, ...]
    """Sentences on them, for a result without them."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a file says about its picture. Empty bytes: it says nothing."""

    exif: bytes = b""
    """As a TIFF block, without the thumbnail; it tells of the stored pixels, before they are turned."""
    icc: bytes = b""
    xmp: bytes = b""
    dpi: tuple[float, float] | None = None
    text: Mapping[str, str] = field(default_factory=dict)
    """PNG's text fields, readable; they are also among `chunks`."""
    chunks: tuple[Chunk, ...] = ()
    """PNG's chunks, to be written back as they are."""
    segments: bytes = b""
    """JPEG's marker segments that have no field of their own (comments), to be written back as they are."""
    photoshop: bytes = b""
    """Photoshop's image resources, among them IPTC."""
    nclx: tuple[int, int] | None = None
    """Colour primaries and transfer of AVIF and HEIC, by number."""
    cicp: bytes = b""
    """PNG's chunk of colour tags, where another kind of file had some."""
    gain_map: GainMap | None = None
    """What makes a JPEG an Ultra HDR photo."""
    attached: Attached | None = None
    """What belongs to the photo of a HEIC file, beside its pixels."""
    light: Mapping[str, Any] = field(default_factory=dict)
    """HEIC's numbers on how bright the image is meant to be, by their names in pillow-heif."""

    @property
    def parameters(self) -> str:
        """What a WebUI says it was made from: PNG's text field, elsewhere EXIF's UserComment; blank without one."""
        return self.text.get(PARAMETERS) or comment_of(self.exif)

    def with_xmp(self, xmp: bytes) -> Metadata:
        """Return the same with another XMP packet, also among the chunks of a PNG."""
        if not self.chunks:
            return replace(self, xmp=xmp)
        fields = (XMP_FIELD + b"\0", RAW_XMP_FIELD + b"\0")
        others = [(kind, body) for kind, body in self.chunks if kind not in _TEXT or not body.startswith(fields)]
        return replace(self, xmp=xmp, chunks=(*others, (b"iTXt", XMP_FIELD + b"\0\0\0\0\0" + xmp)))

    def upright(self, turn: int, size: tuple[int, int]) -> Metadata:
        """Return what is true of the picture once its pixels, of orientation `turn`, are stored as they are seen.

        size: width and height of the pixels as they are stored.
        """
        return replace(self, exif=upright(self.exif, turn, size), xmp=upright_xmp(self.xmp))

    def for_size(self, size: tuple[int, int], old: tuple[int, int]) -> Metadata:
        """Return what is true of the same picture at another size than `old`: EXIF and XMP may name it."""
        change = {b"eXIf": partial(set_size, size=size, old=old), b"iTXt": partial(sized_xmp, size=size)}
        chunks = tuple((kind, change[kind](body) if kind in change else body) for kind, body in self.chunks)
        return replace(self, exif=set_size(self.exif, size, old), xmp=sized_xmp(self.xmp, size), chunks=chunks)


@dataclass(frozen=True, slots=True)
class Coding:
    """How a file's pixels were packed, where packing loses something."""

    tables: tuple[tuple[int, ...], ...] = ()
    """JPEG's quantisation tables."""
    subsampling: int = 0
    """JPEG's colour resolution: 0 is 4:4:4, 1 is 4:2:2, 2 is 4:2:0."""
    progressive: bool = False
    lossless: bool = True
    quality: int = 0
    """Quality to write with, 1..100, instead of the file's own packing; 0: as the file was packed."""
    bits: int = 16
    """Bits of a sample, where there are more than 8: HEIC and AVIF have 10 or 12."""
    matrix: int = 6
    """HEIC's formula for brightness and colour, by its number in ITU-T H.273; 6 is that of BT.601."""

    @property
    def fewer_bits(self) -> int:
        """Bits of a sample in a file of a kind that has at most 12; phones show no more than 10."""
        return self.bits if self.bits < 16 else 10


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture as it was read. Its arrays are never changed."""

    path: Path
    """The file that it was read from; of a stream, the name that it was given."""
    image: Image
    """(H, W, 3) RGB, upright: the EXIF orientation, `turn`, is applied."""
    format: str = "PNG"
    """What the file really is, in Pillow's words, whatever its suffix says."""
    grey: bool = False
    """The file holds one channel; the three of `image` are equal."""
    samples: NDArray[np.uint16] | None = None
    """(H, W, 1 or 3): the colours of a 16-bit file, which `image` holds only roughly."""
    alpha: Samples | None = None
    """(H, W): opacity, 8 or 16 bits as in the file."""
    metadata: Metadata = field(default_factory=Metadata)
    turn: int = 1
    """EXIF's orientation of the stored pixels. A file of the same kind is written as it was stored, so that all that
    is told in its coordinates (regions, thumbnails of other programs) stays right."""
    coding: Coding = field(default_factory=Coding)
    stamp: tuple[int, int] | None = None
    """The file's time and size when it was read: is it still the same?"""
    stream: BinaryIO | None = None
    """The stream that it was read from, if it was one."""
    left_out: tuple[str, ...] = ()
    """Sentences for what of the file is not in a new one; a copy of the file still has it."""

    @property
    def is_as_read(self) -> bool:
        """Whether the file, or the stream, that it was read from is still there and holds what it held."""
        if not self.stamp or not self.path.is_file():
            return self.stream is not None
        state = self.path.stat()
        return (state.st_mtime_ns, state.st_size) == self.stamp

    def resize(self, size: tuple[int, int]) -> Picture:
        """Return the picture at `size` = (width, height) by Lanczos' filter, in the depth of the file.

        What it says of its size in pixels says so anew; the rest it says stays. Opacity that was all or nothing stays
        so. It is no longer what the file holds, so it is never written by copying that.
        """
        if size == self.image.shape[1::-1]:
            return self
        return replace(
            self,
            image=cast(Image, lanczos(self.image, size)),
            samples=None if self.samples is None else cast(NDArray[np.uint16], lanczos(self.samples, size)),
            alpha=None if self.alpha is None else _opacity(self.alpha, size),
            metadata=self.metadata.for_size(size[::-1] if self.turn >= 5 else size, self.stored_size),
            stamp=None,
            stream=None,
        )

    @property
    def stored_size(self) -> tuple[int, int]:
        """Width and height in pixels as the file holds them, before they are turned."""
        height, width = self.image.shape[:2]
        return (height, width) if self.turn >= 5 else (width, height)

    @property
    def translucent(self) -> bool:
        """Tell whether anything would be lost without `alpha`."""
        return self.alpha is not None and bool((self.alpha != np.iinfo(self.alpha.dtype).max).any())

    @property
    def cut_out(self) -> bool:
        """Tell whether every pixel is either fully opaque or fully transparent."""
        return self.alpha is None or bool(((self.alpha == 0) | (self.alpha == self.alpha.max())).all())


def _opacity(alpha: Samples, size: tuple[int, int]) -> Samples:
    full = np.iinfo(alpha.dtype).max
    enlarged = lanczos(alpha, size)
    if ((alpha == 0) | (alpha == full)).all():
        return cast(Samples, np.where(enlarged > full // 2, full, 0).astype(alpha.dtype))
    return enlarged
