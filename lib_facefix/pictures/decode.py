"""From an opened file to arrays. Pillow holds one copy of the pixels, we make the other, and there is no third."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from ..errors import BadPicture
from ..types import Image
from .colours import to_rgb
from .picture import Samples
from .strips import band_slices, bands

Header = Mapping[bytes, bytes]
Number = TypeVar("Number", np.uint8, np.uint16)

_GREY = {"1", "L", "LA", "La"}
_DEEP_GREY = {"I", "I;16", "I;16L", "I;16B", "I;16N"}
_TRANSLUCENT = {"LA", "La", "PA", "RGBA", "RGBa"}
_BACK = {6: 8, 8: 6}
_GREY_WITH_ALPHA = b"\x04"


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """Content of the file, rotated upright."""

    image: Image
    grey: bool = False
    samples: NDArray[np.uint16] | None = None
    alpha: Samples | None = None


def orient(pixels: NDArray[Number], orientation: int) -> NDArray[Number]:
    """Return a view of stored `pixels` as EXIF's orientation 1..8 wants them seen."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels[:, ::-1] if orientation in (2, 3, 6, 7) else pixels


def unturn(pixels: NDArray[Number], orientation: int) -> NDArray[Number]:
    """Return a view of upright `pixels` as they are stored where EXIF's orientation is 1..8."""
    return orient(pixels, _BACK.get(orientation, orientation))


def decode(picture: Pillow.Image, raw: Callable[[], bytes], header: Header, orientation: int) -> Pixels:
    """Return the pixels of `picture`, which is loaded.

    raw: the bytes of its file. header: the chunks of a PNG that tell of its pixels, by kind.
    """
    if is_deep(picture, header):
        return _deep(_deep_colours(picture, raw, header), header, orientation)
    if picture.mode == "F":
        raise BadPicture("its samples are floating-point numbers. Save it with 8 or 16 bits")
    see_through = picture.mode in _TRANSLUCENT or (not header and "transparency" in picture.info)
    see_through |= picture.mode == "P" and "transparency" in picture.info
    width, height = picture.size if orientation < 5 else picture.size[::-1]
    upright = [np.empty((height, width, channels), np.uint8) for channels in ((3, 1) if see_through else (3,))]
    as_stored = upright  # the same pixels, seen as the file holds them
    if orientation > 1:
        as_stored = [unturn(pixels, orientation) for pixels in upright]
    rgb = to_rgb(picture.mode, picture.info.get("icc_profile"))
    for rows in band_slices(picture.height, 4 * picture.width):
        strip = picture.crop((0, rows.start, picture.width, rows.stop))
        if see_through:
            strip = strip.convert("RGBA")
            as_stored[1][rows, :, 0] = np.asarray(strip.getchannel("A"))
        as_stored[0][rows] = np.asarray(rgb(strip))
    key = _key(header)
    alpha: Samples | None = upright[1][..., 0] if see_through else None
    return Pixels(upright[0], picture.mode in _GREY, alpha=alpha if key is None else _key_to_alpha(upright[0], key))


def is_deep(picture: Pillow.Image, header: Header) -> bool:
    """Tell whether the samples need 16 bits."""
    if picture.mode in _DEEP_GREY:
        return True
    return header.get(b"IHDR", b"")[8:9] == b"\x10" and picture.mode in {"RGB", "RGBA", "RGBX", "RGBa", "LA"}


def _deep(colours: NDArray[np.uint16], header: Header, orientation: int) -> Pixels:
    pixels = of_16_bits(colours, orientation)
    key = _key(header)
    if key is not None and pixels.samples is not None:
        return replace(pixels, alpha=_key_to_alpha(pixels.samples, key))
    return pixels


def of_16_bits(colours: NDArray[np.uint16], orientation: int) -> Pixels:
    """Return the pixels of (H, W, 1..4) samples as stored: grey or RGB, then opacity if their number is even."""
    upright = np.ascontiguousarray(orient(colours, orientation))
    samples = upright[..., : 3 if upright.shape[2] > 2 else 1]
    image = np.empty((*samples.shape[:2], 3), np.uint8)
    for rows in band_slices(len(samples), samples[:1].nbytes):
        image[rows] = to_8_bits(samples[rows])
    return Pixels(image, samples.shape[2] == 1, samples, upright[..., -1] if upright.shape[2] in (2, 4) else None)


def to_8_bits(samples: NDArray[np.uint16]) -> Image:
    """Return the nearest of 256 steps."""
    return ((samples.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _deep_colours(picture: Pillow.Image, raw: Callable[[], bytes], header: Header) -> NDArray[np.uint16]:
    """Return (H, W, 1..4) as stored."""
    if picture.mode in _DEEP_GREY:
        return _deep_grey(picture)
    import cv2  # here, as only 16-bit colours need it: Pillow would cut them to 8

    decoded = cv2.imdecode(np.frombuffer(raw(), np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None or decoded.dtype != np.uint16 or decoded.ndim != 3:
        raise BadPicture("OpenCV cannot read its 16-bit samples. Save it again as a plain 16-bit PNG")
    order = [2, 1, 0] if picture.mode == "RGB" else [2, 1, 0, 3]  # OpenCV's BGR
    if header.get(b"IHDR", b"")[9:10] == _GREY_WITH_ALPHA:
        order = [0, 3]  # told as RGBA by Pillow and OpenCV alike
    colours: NDArray[np.uint16] = np.ascontiguousarray(decoded[..., order[: decoded.shape[2]]], np.uint16)
    if not _agree(picture, colours):
        raise BadPicture("OpenCV and Pillow read its 16-bit samples differently. Save it again as a plain 16-bit PNG")
    return colours


def _agree(picture: Pillow.Image, colours: NDArray[np.uint16]) -> bool:
    """Tell whether Pillow, which cuts 16 bits to 8, has read the same as OpenCV."""
    if colours.shape[:2] != picture.size[::-1]:
        return False
    for rows in band_slices(len(colours), colours[:1].nbytes):
        cut = np.asarray(picture.crop((0, rows.start, picture.width, rows.stop)))
        if not np.array_equal(
            cut[..., [0, -1]][..., : colours.shape[2]] if colours.shape[2] == 2 else cut, colours[rows] >> 8
        ):
            return False
    return True


def _deep_grey(picture: Pillow.Image) -> NDArray[np.uint16]:
    values = np.asarray(picture)
    if values.min() < 0 or values.max() > 65535:
        raise BadPicture("its samples have more than 16 bits. Save it with 8 or 16")
    return values.astype(np.uint16)[..., None]


def _key(header: Header) -> NDArray[np.uint16] | None:
    """Return the one colour that a PNG without alpha declares transparent, in the scale of its samples."""
    if b"tRNS" not in header or b"IHDR" not in header or header[b"IHDR"][9] not in (0, 2):
        return None
    key = np.frombuffer(header[b"tRNS"], ">u2").astype(np.uint16)
    depth = header[b"IHDR"][8]
    return key if depth == 16 else key * np.uint16(255 // (2**depth - 1))


def _key_to_alpha(colours: Samples, key: NDArray[np.uint16]) -> Samples:
    """Return the opacity: none where the colour is `key`."""
    alpha = np.empty(colours.shape[:2], colours.dtype)
    full = np.iinfo(colours.dtype).max
    starts = zip(bands(colours), bands(alpha, bytes_each=(1 << 22) // colours.shape[2]), strict=True)
    for rows, opaque in starts:
        opaque[:] = np.where((rows == key).all(axis=2), 0, full)
    return alpha
