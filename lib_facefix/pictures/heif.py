"""HEIC files, the photos of iPhones and others. The only file that knows pillow-heif.

libheif decodes and encodes; sizes, orientation, and what belongs to the image are read from the file's own list first.
"""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from ..errors import BadPicture, CannotWrite
from .bmff import Container, Item, is_hdr, read_container
from .claims import BEHIND, FURTHER, GAIN_MAP, SIGNED, VIDEO, is_signed, true_xmp
from .decode import Pixels, of_16_bits
from .exif import PREFIX, orientation, with_orientation, without_thumbnail
from .formats import HEIF_NEEDS
from .heif_items import attach_items, attached_items, can_attach, is_opacity
from .picture import Attached, Check, Coding, Metadata, Picture, Samples
from .xmp_packet import upright_xmp

if TYPE_CHECKING:
    from types import ModuleType

QUALITY = 75
"""Of x265: photos of phones come out at 51 to 57 dB of what was packed, and at one to three times their size."""
_PRESET = "veryfast"
"""x265's way to search: as good at this quality as its slower ones, in less than half the time."""
_BYTES_A_PIXEL = {False: 16, True: 30}
"""What reading takes for each pixel at its peak, by whether samples have more than 8 bits; measured and rounded up."""
_SLACK = 1 << 20
"""Pixels by which the tiles of a small image may exceed it."""
_CHROMA = {444: 0, 422: 1, 420: 2}
"""Coding's number of each resolution of colours."""
_LIGHT = (
    "content_light_level",
    "mastering_display_colour_volume",
    "ambient_viewing_environment",
    "nominal_diffuse_white_luminance",
)
_HARMLESS = {b"ftyp", b"free", b"skip", b"uuid", b"styp"}
"""Boxes beside the image that need no word."""
_PICTURES = {b"hvc1", b"av01", b"grid", b"iovl", b"iden", b"jpeg", b"avc1", b"vvc1", b"j2k1", b"unci", b"tmap"}


def _import_library() -> ModuleType:
    """Return pillow-heif. Raises ImportError."""
    import pillow_heif

    library: ModuleType = pillow_heif
    return library


def read_heif(file: BinaryIO, name: str, check: Check) -> Picture:
    """Return the primary image of a HEIC file; `check` is asked before any pixel is decoded.

    Raises BadPicture, and what pillow-heif raises for damaged files.
    """
    try:
        library = _import_library()
    except ImportError as error:
        raise BadPicture(f"it is a HEIC image: {HEIF_NEEDS}") from error
    file.seek(0)
    whole = file.read()
    found = read_container(whole)
    if b"moov" in found.beside:
        raise BadPicture("it is a sequence of images. Save each image as a separate file")
    _check_sizes(found, check)
    opened = library.open_heif(whole, convert_hdr_to_8bit=False, hdr_to_16bit=False)
    image = opened[opened.primary_index]
    exif = bytes(image.info.get("exif") or b"").removeprefix(PREFIX)
    # where EXIF has no place for it, the image is written as it is seen
    turn = found.primary.turn if orientation(with_orientation(exif, 6)) == 6 else 1
    xmp, said = true_xmp(_xmp(image))
    attached = _attached(found, whole)
    if attached:  # the file's list names its gain map, too
        said = [sentence for sentence in said if sentence not in attached.lost]
    pixels = _pixels(image, found)
    return Picture(
        path=Path(name),
        image=pixels.image,
        format="HEIF",
        grey=pixels.grey,
        samples=pixels.samples,
        alpha=pixels.alpha,
        metadata=Metadata(
            exif=without_thumbnail(with_orientation(exif, turn)),
            icc=found.icc,
            xmp=xmp if turn > 1 else upright_xmp(xmp),
            nclx=found.nclx[:2] if found.nclx else None,
            attached=attached,
            light={key: image.info[key] for key in _LIGHT if key in image.info},
        ),
        turn=turn,
        coding=_coding(image, found),
        stream=file,
        left_out=tuple(dict.fromkeys((*said, *_left_out(found, whole)))),
    )


def _check_sizes(found: Container, check: Check) -> None:
    """Raise BadPicture for an image that is too large, also where only the parts that it is made of are."""
    from .hevc import hevc_size

    parts = [*found.coded, *found.attached(b"auxl")]
    width, height = found.primary.size
    if not width or not height:
        raise BadPicture("its header has no size. Copy or download it again")
    check(width, height, width * height * _BYTES_A_PIXEL[found.bits > 8])
    most = 4 * width * height + _SLACK
    for part in parts:
        try:
            coded = hevc_size(part.first(b"hvcC"))
        except (struct.error, IndexError) as error:
            raise BadPicture("the header of its pixels is damaged. Copy or download it again") from error
        if part.size[0] * part.size[1] > most or coded[0] * coded[1] > most:
            raise BadPicture("its parts are much larger than the image, so it is damaged. Copy or download it again")


def _pixels(image: Any, found: Container) -> Pixels:
    """Return the decoded image as it is seen, in 16 bits if it has more than 8."""
    grid: NDArray[Any] = np.asarray(image)
    stored = found.primary.size[::-1] if found.primary.turn >= 5 else found.primary.size
    if not found.primary.first(b"clap") and grid.shape[1::-1] != stored:
        raise BadPicture("its pixels do not fit its header, so it is damaged. Copy or download it again")
    if image.premultiplied_alpha:
        raise BadPicture("its colours are multiplied by its alpha. Save it as PNG with another program")
    grid = grid[..., None] if grid.ndim == 2 else grid
    if grid.dtype != np.uint8:
        return of_16_bits(to_16_bits(grid, image.info["bit_depth"]), 1)
    colours = np.ascontiguousarray(grid[..., : 3 if grid.shape[2] > 2 else 1])
    rgb = np.repeat(colours, 3, axis=2) if colours.shape[2] == 1 else colours
    alpha = np.ascontiguousarray(grid[..., -1]) if grid.shape[2] in (2, 4) else None
    return Pixels(rgb, grey=colours.shape[2] == 1, alpha=alpha)


def to_16_bits(samples: NDArray[np.uint16], bits: int) -> NDArray[np.uint16]:
    """Return samples of `bits` bits in the range of 16, so that white is white; `from_16_bits` inverts this."""
    return ((samples.astype(np.uint32) * 65535 + ((1 << bits) - 1) // 2) // ((1 << bits) - 1)).astype(np.uint16)


def from_16_bits(samples: NDArray[np.uint16], bits: int) -> NDArray[np.uint16]:
    """Return the nearest samples of `bits` bits."""
    return ((samples.astype(np.uint32) * ((1 << bits) - 1) + 32767) // 65535).astype(np.uint16)


def _xmp(image: Any) -> bytes:
    packet = bytes(image.info.get("xmp") or b"").rstrip(b"\0")
    return packet if b"xmp" in packet[:4096] or b"RDF" in packet[:4096] else b""


def _coding(image: Any, found: Container) -> Coding:
    return Coding(
        subsampling=_CHROMA.get(image.info.get("chroma"), 2),
        lossless=False,
        bits=image.info["bit_depth"],
        matrix=found.nclx[2] if found.nclx else 6,
    )


def _attached(found: Container, whole: bytes) -> Attached | None:
    """Return what the file holds that a new one gets, too."""
    if not can_attach(whole, found):
        return None
    moved = attached_items(found)
    gains = [number for number in moved if _is_gain_map(found.items[number])]
    others = [item for item in found.attached(b"auxl") if item.number in moved and item.number not in gains]
    return Attached(whole, (*([GAIN_MAP] if gains else []), *([FURTHER] if others else [])))


def _is_gain_map(item: Item) -> bool:
    return item.kind == b"tmap" or b"gainmap" in item.first(b"auxC").lower()


def _left_out(found: Container, whole: bytes) -> list[str]:
    """Return sentences for what the file holds beside the image, and a new one does not."""
    known = {item.number for item in (*found.coded, *found.attached(b"thmb"))}
    known |= set(attached_items(found)) if can_attach(whole, found) else set()
    for item in found.attached(b"auxl"):
        if is_opacity(item):
            known |= {item.number, *(part.number for part in found.parts(item))}
    left = [item for item in found.items.values() if item.kind in _PICTURES and item.number not in known]
    said = [GAIN_MAP] if any(map(_is_gain_map, left)) else []
    said += [FURTHER] if any(not _is_gain_map(item) for item in left) else []
    said += [VIDEO] if b"mpvd" in found.beside else []
    said += [SIGNED] if is_signed("HEIF", whole) else []
    return said + ([BEHIND] if found.beside - _HARMLESS - {b"mpvd"} else [])


def pack_heif(pixels: Samples, said: Metadata, coding: Coding, file: BinaryIO) -> None:
    """Write (H, W, 3 or 4) samples of 8 or 16 bits as HEIC, in HEVC by x265.

    16-bit samples get `coding.bits` bits, which phones can read up to 10. Raises CannotWrite.
    """
    library = _import_library()
    channels = "RGBA" if pixels.shape[2] == 4 else "RGB"
    deep = pixels.dtype == np.uint16
    stored = from_16_bits(cast(NDArray[np.uint16], pixels), coding.bits) if deep else pixels
    primaries, transfer = said.nclx or (1, 13)
    options: dict[str, Any] = {
        "quality": coding.quality or QUALITY,
        "chroma": next(chroma for chroma, number in _CHROMA.items() if number == coding.subsampling),
        "enc_params": {"preset": _PRESET},
        "nclx_profile": {
            "color_primaries": primaries,
            "transfer_characteristics": transfer,
            "matrix_coefficients": coding.matrix,
            "full_range_flag": 1,
        },
        **said.light,
    }
    options |= {"bit_depth": coding.bits} if deep else {}
    if said.icc and not (said.nclx and is_hdr(said.nclx)):  # libheif writes one of the two
        options["icc_profile"] = said.icc
    metadata = {"exif": PREFIX + said.exif if said.exif else b"", "xmp": said.xmp}
    options |= {name: body for name, body in metadata.items() if body}
    packed = BytesIO()
    try:
        mode = f"{channels};{coding.bits}" if deep else channels
        library.encode(mode, pixels.shape[1::-1], np.ascontiguousarray(stored).tobytes(), packed, **options)
    except (ValueError, RuntimeError, SyntaxError, EOFError, OSError) as error:
        raise CannotWrite(f"it cannot be packed as HEIC ({error}). Choose .png.") from error
    file.write(attach_items(packed.getvalue(), said.attached.source) if said.attached else packed.getbuffer())
