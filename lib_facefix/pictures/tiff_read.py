"""Reading a TIFF file: which page, in which colours, with what it says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from ..errors import BadPicture, SeveralPages
from .claims import LAYERS as LAYERS_OUT
from .claims import PRINTED, SIGNED, true_xmp, with_iptc, without_thumbnails
from .colours import profile_after, to_rgb
from .decode import Pixels, of_16_bits, orient, to_8_bits
from .exif import ICC, IPTC, LAYERS, PHOTOSHOP, SIGNATURE, XMP, from_tiff
from .picture import ONE_IMAGE, Check, Metadata, Picture, Samples
from .strips import band_slices
from .tiff_blocks import read_samples
from .tiff_header import Directory, Layout, directories, full_pages, layout_of

_WHITE_IS_0, _BLACK_IS_0, _RGB, _PALETTE, _CMYK, _YCBCR, _LAB = 0, 1, 2, 3, 5, 6, 8
_COLOURS = {_WHITE_IS_0: 1, _BLACK_IS_0: 1, _RGB: 3, _PALETTE: 1, _CMYK: 4, _YCBCR: 3, _LAB: 3}
_PILLOWS = {_CMYK: "CMYK", _YCBCR: "YCbCr", _LAB: "LAB"}
_PREMULTIPLIED, _STRAIGHT = 1, 2
_INCH, _CENTIMETRE = 2, 3
_JPEG = 7
_BYTE, _UNDEFINED = 1, 7
PREVIEWS = "Preview or mask pages were left out: they show the old image."


def read_tiff(file: BinaryIO, name: str, check: Check) -> Picture:
    """Return the one page of a TIFF file; `check` is asked before any pixel is unpacked."""
    found = directories(file)
    pages = full_pages(found)
    if len(pages) > 1:
        raise SeveralPages(f"it holds {len(pages)} pages. {ONE_IMAGE}")
    if not pages:
        raise BadPicture("it holds no image in full size. Get the whole file")
    return read_page(pages[0], name, check, _others(pages[0], found))


def read_page(page: Directory, name: str, check: Check, others: Sequence[str] = ()) -> Picture:
    """Return one page of a TIFF file. others: sentences for what the file holds beside it."""
    layout = layout_of(page)
    colours = _COLOURS.get(layout.photometric, 0)
    _refuse_colours(page, layout, colours)
    check(layout.width, layout.height, _bytes_needed(layout))
    orientation = page.number(274, 1) if 1 <= page.number(274, 1) <= 8 else 1
    stored = read_samples(page, layout)
    pixels = _pixels(page, layout, stored, orientation)
    metadata, said = _metadata(page, _PILLOWS.get(layout.photometric, "RGB"))
    return Picture(
        path=Path(name),
        image=pixels.image,
        format="TIFF",
        grey=pixels.grey,
        samples=pixels.samples,
        alpha=pixels.alpha,
        metadata=metadata,
        turn=orientation,
        stream=page.file,
        left_out=(*_left_out(layout, colours), *others, *said),
    )


def _bytes_needed(layout: Layout) -> int:
    """Return what reading the page takes at its peak, measured and rounded up; a block may be larger than it."""
    sample = max(8, layout.bits) // 8 * layout.channels
    block = layout.block[0] * layout.block[1] * (1 if layout.separate else layout.channels) * max(8, layout.bits) // 8
    return layout.width * layout.height * (sample * (2 if layout.bits > 8 else 1) + 4) + 2 * block


def _metadata(page: Directory, mode: str) -> tuple[Metadata, list[str]]:
    """Return what is kept of what the page says, and sentences on the rest."""
    xmp, said = true_xmp(page.raw(XMP))
    said += [sentence for tag, sentence in ((SIGNATURE, SIGNED), (LAYERS, LAYERS_OUT)) if tag in page.entries]
    iptc = page.raw(IPTC) if page.entries.get(IPTC, (0,))[0] in (_BYTE, _UNDEFINED) else b""
    kept = Metadata(
        exif=from_tiff(page.file, page.at),
        icc=profile_after(mode, page.raw(ICC)),
        xmp=xmp,
        dpi=_dpi(page),
        photoshop=with_iptc(without_thumbnails(page.raw(PHOTOSHOP)), iptc),
    )
    return kept, said


def _dpi(page: Directory) -> tuple[float, float] | None:
    each = {_INCH: 1.0, _CENTIMETRE: 2.54}.get(page.number(296, _INCH))
    across, down = (*page.ratios(282)[:1], *page.ratios(283)[:1], 0, 0)[:2]
    return (across * each, down * each) if each and across > 0 and down > 0 else None


def _refuse_colours(page: Directory, layout: Layout, colours: int) -> None:
    """Raise BadPicture for colours that we cannot be sure to read right."""
    kind = layout.photometric
    if not colours:
        raise BadPicture(f"its colours (PhotometricInterpretation {kind}) are not supported. Save it as RGB")
    if layout.channels < colours:
        raise BadPicture("its header has fewer channels than its colours need. Save it again with another program")
    if layout.bits == 32 and colours != 1:
        raise BadPicture("its samples have more than 16 bits. Save it with 8 or 16")
    if (kind == _PALETTE and layout.bits > 8) or (kind in (_YCBCR, _LAB) and layout.bits != 8):
        raise BadPicture(f"its colours have {layout.bits} bits in a way that is not supported. Save it as RGB")
    if kind == _CMYK and (layout.bits < 8 or page.number(332, 1) != 1):
        raise BadPicture("its inks are not plain CMYK. Save it as RGB")
    if kind == _YCBCR and _odd_ycbcr(page):
        raise BadPicture("its colours follow a formula that is not supported. Save it as RGB")
    unexplained = layout.channels - colours - len(layout.extra or ())
    if unexplained > 0 and (layout.extra is not None or unexplained > 1):
        raise BadPicture(f"it has {layout.channels} channels and does not explain them. Save it as RGB or grey")
    if colours == 1 and layout.channels > 2:
        raise BadPicture(f"it has {layout.channels} channels of grey. Save it as RGB, or each channel alone")
    if _alpha(layout, colours)[1] == _PREMULTIPLIED and layout.bits == 16:
        raise BadPicture("its 16-bit colours are multiplied by its alpha. Save it with plain ('straight') alpha")


def _odd_ycbcr(page: Directory) -> bool:
    """Tell whether the page names other weights or ranges than JPEG's."""
    weights, ranges = page.ratios(529), page.ratios(532)
    usual = [0.299, 0.587, 0.114]
    return bool(
        (weights and not np.allclose(weights, usual, atol=0.001))
        or (ranges and not np.allclose(ranges, [0, 255, 128, 255, 128, 255], atol=1))
    )


def _alpha(layout: Layout, colours: int) -> tuple[int | None, int]:
    """Return which channel is opacity, if any, and whether colours are multiplied by it."""
    if layout.extra is None:
        return (colours, _STRAIGHT) if layout.channels == colours + 1 else (None, 0)
    kinds = layout.extra[: layout.channels - colours]
    place = next((at for at, kind in enumerate(kinds) if kind in (_PREMULTIPLIED, _STRAIGHT)), None)
    return (None, 0) if place is None else (colours + place, kinds[place])


def _left_out(layout: Layout, colours: int) -> list[str]:
    """Return sentences for what is not taken from the page."""
    place, _ = _alpha(layout, colours)
    others = layout.channels - colours - (place is not None)
    said = []
    if others:
        what = "1 channel beside its colours was" if others == 1 else f"{others} channels beside its colours were"
        said.append(f"{what} left out (such as infrared).")
    if layout.photometric == _CMYK:
        said.append("Its 16-bit print colours (CMYK) became 8-bit sRGB." if layout.bits == 16 else PRINTED)
    return said


def _others(page: Directory, found: list[Directory]) -> list[str]:
    """Return sentences for what the file holds beside the page."""
    if len(found) > 1 or 330 in page.entries:
        return [PREVIEWS]
    return []


def _pixels(page: Directory, layout: Layout, stored: NDArray[Any], orientation: int) -> Pixels:
    colours = _COLOURS[layout.photometric]
    place, kind = _alpha(layout, colours)
    if layout.bits == 32:
        if stored.max(initial=0) > 65535:
            raise BadPicture("its samples have more than 16 bits. Save it with 8 or 16")
        stored = stored.astype(np.uint16)
    elif layout.bits < 8 and layout.photometric != _PALETTE:
        stored *= 255 // ((1 << layout.bits) - 1)
    if stored.dtype == np.uint16 and layout.photometric != _CMYK:
        chosen = [*range(colours), *([] if place is None else [place])]
        deep = stored if len(chosen) == stored.shape[2] else np.ascontiguousarray(stored[..., chosen])
        if layout.photometric == _WHITE_IS_0:
            deep[..., 0] = 65535 - deep[..., 0]
        return of_16_bits(deep, orientation)
    alpha: Samples | None = None
    if place is not None:
        alpha = np.ascontiguousarray(orient(stored[..., place], orientation))
    image = np.ascontiguousarray(orient(_to_rgb(page, layout, stored[..., :colours]), orientation))
    if alpha is not None and kind == _PREMULTIPLIED:
        image = _divided(image, alpha)
    return Pixels(image, colours == 1 and layout.photometric != _PALETTE, alpha=alpha)


def _to_rgb(page: Directory, layout: Layout, stored: NDArray[Any]) -> NDArray[np.uint8]:
    """Return (H, W, 3) from the colour channels of the page."""
    kind = layout.photometric
    if kind == _RGB or (kind == _YCBCR and layout.compression == _JPEG):
        return stored
    image = np.empty((*stored.shape[:2], 3), np.uint8)
    palette = _palette(page, layout.bits) if kind == _PALETTE else None
    convert = to_rgb(_PILLOWS.get(kind, "RGB"), page.raw(ICC))
    for rows in band_slices(len(stored), stored[:1].nbytes):
        band = stored[rows]
        if palette is not None:
            image[rows] = palette[band[..., 0]]
        elif kind in _PILLOWS:
            image[rows] = np.asarray(convert(_as_pillow(band, _PILLOWS[kind])))
        else:
            image[rows] = 255 - band if kind == _WHITE_IS_0 else band
    return image


def _as_pillow(band: NDArray[Any], mode: str) -> Pillow.Image:
    if band.dtype == np.uint16:
        band = to_8_bits(band)
    if mode == "LAB":
        band = band ^ np.array([0, 128, 128], np.uint8)  # TIFF's a and b have a sign, Pillow's an offset
    return Pillow.frombytes(mode, (band.shape[1], band.shape[0]), np.ascontiguousarray(band).tobytes())


def _palette(page: Directory, bits: int) -> NDArray[np.uint8]:
    """Return 256 colours; those that the page does not name are black."""
    numbers = np.array(page.numbers(320), np.uint16)
    if len(numbers) != 3 << bits:
        raise BadPicture("its palette does not fit its depth. Save it as RGB")
    if numbers.max(initial=0) > 255:  # some old programs wrote 8 bits
        numbers >>= 8
    palette = np.zeros((256, 3), np.uint8)
    palette[: 1 << bits] = numbers.reshape(3, -1).T
    return palette


def _divided(image: NDArray[np.uint8], alpha: NDArray[Any]) -> NDArray[np.uint8]:
    """Return colours that were multiplied by `alpha` as they were before."""
    for rows in band_slices(len(image), image[:1].nbytes):
        opacity = alpha[rows, :, None].astype(np.uint16)
        plain = image[rows].astype(np.uint32) * 255 // np.maximum(opacity, 1)
        image[rows] = np.where(opacity > 0, np.minimum(plain, 255), image[rows])
    return image
