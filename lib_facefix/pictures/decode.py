"""From an opened file to arrays. Pillow holds one copy of the pixels, we make the other, and there is no third."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
_PHOTOMETRIC, _BITS, _EXTRA = 262, 258, 338
_PREMULTIPLIED = (1,)
_GREY_WITH_ALPHA = b"\x04"


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """What was in the file, upright."""

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
        as_stored = [orient(pixels, _BACK.get(orientation, orientation)) for pixels in upright]
    rgb = to_rgb(picture)
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
    bits = getattr(picture, "tag_v2", {}).get(_BITS, ())
    deep = tuple(bits[:1]) == (16,) or header.get(b"IHDR", b"")[8:9] == b"\x10"
    return deep and picture.mode in {"RGB", "RGBA", "RGBX", "RGBa", "LA"}


def _deep(colours: NDArray[np.uint16], header: Header, orientation: int) -> Pixels:
    upright = np.ascontiguousarray(orient(colours, orientation))
    samples = upright[..., : 3 if upright.shape[2] > 2 else 1]
    image = np.empty((*samples.shape[:2], 3), np.uint8)
    for rows in band_slices(len(samples), samples[:1].nbytes):
        image[rows] = to_8_bits(samples[rows])
    alpha: Samples | None = upright[..., -1] if upright.shape[2] in (2, 4) else None
    key = _key(header)
    if key is not None:
        alpha = _key_to_alpha(samples, key)
    return Pixels(image, samples.shape[2] == 1, samples, alpha)


def to_8_bits(samples: NDArray[np.uint16]) -> Image:
    """Return the nearest of 256 steps."""
    return ((samples.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _deep_colours(picture: Pillow.Image, raw: Callable[[], bytes], header: Header) -> NDArray[np.uint16]:
    """Return (H, W, 1..4) as stored."""
    if picture.mode in _DEEP_GREY:
        return _deep_grey(picture)
    if getattr(picture, "tag_v2", {}).get(_EXTRA, ())[:1] == _PREMULTIPLIED:
        raise BadPicture("its 16-bit colours are multiplied by its alpha. Save it with plain ('straight') alpha")
    import cv2  # here, as only 16-bit colours need it: Pillow would cut them to 8

    decoded = cv2.imdecode(np.frombuffer(raw(), np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None or decoded.dtype != np.uint16 or decoded.ndim != 3:
        raise BadPicture("OpenCV cannot read its 16-bit samples. Save it anew, as a plain 16-bit PNG")
    order = [2, 1, 0] if picture.mode == "RGB" else [2, 1, 0, 3]  # OpenCV's BGR
    if header.get(b"IHDR", b"")[9:10] == _GREY_WITH_ALPHA:
        order = [0, 3]  # told as RGBA by Pillow and OpenCV alike
    return np.ascontiguousarray(decoded[..., order[: decoded.shape[2]]])


def _deep_grey(picture: Pillow.Image) -> NDArray[np.uint16]:
    values = np.asarray(picture)
    if values.min() < 0 or values.max() > 65535:
        raise BadPicture("its samples have more than 16 bits. Save it with 8 or 16")
    grey = values.astype(np.uint16)[..., None]
    white_is_0 = getattr(picture, "tag_v2", {}).get(_PHOTOMETRIC) == 0
    return 65535 - grey if white_is_0 else grey


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
