"""The new picture in the samples of the old one.

Grey stays grey: of a change its brightness is taken. Sixteen bits stay: the change is added to them. Opacity
stays as it is. Where nothing changed, every sample stays.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..faces import Image
from .bands import band_slices
from .decoding import to_8_bits
from .picture import Picture, Samples


def is_same(one: Image, other: Image) -> bool:
    """Tell whether no pixel differs."""
    return all(np.array_equal(one[rows], other[rows]) for rows in _rows(one))


def merged(picture: Picture, fixed: Image, *, deep: bool, alpha: bool) -> Samples:
    """Return (H, W, 1..4) samples to be written.

    deep: keep 16 bits, if there are so many. alpha: put opacity behind the colours, if there is any.
    """
    colours = _deep(picture, fixed) if deep and picture.samples is not None else _shallow(picture, fixed)
    if picture.alpha is None or not alpha:
        return colours
    opacity = picture.alpha
    if opacity.dtype != colours.dtype:
        opacity = to_8_bits(opacity.astype(np.uint16, copy=False))
    height, width, channels = colours.shape
    both = np.empty((height, width, channels + 1), colours.dtype)
    both[..., :-1], both[..., -1] = colours, opacity
    return both


def _shallow(picture: Picture, fixed: Image) -> Image:
    return _brightness(fixed)[..., None] if picture.grey else fixed


def _deep(picture: Picture, fixed: Image) -> NDArray[np.uint16]:
    assert picture.samples is not None
    deep: NDArray[np.uint16] = picture.samples.copy()
    for rows in _rows(fixed):
        change = _change(picture.image[rows], fixed[rows], grey=picture.grey)
        deep[rows] = np.clip(deep[rows] + 257 * change, 0, 65535)
    return deep


def _change(old: Image, new: Image, *, grey: bool) -> NDArray[np.int32]:
    if grey:
        return _brightness(new)[..., None].astype(np.int32) - old[..., :1].astype(np.int32)
    return new.astype(np.int32) - old.astype(np.int32)


def _brightness(image: Image) -> NDArray[np.uint8]:
    """Return (H, W): ITU-R 601, in whole numbers, so that grey comes back as it was."""
    grey = np.empty(image.shape[:2], np.uint8)
    for rows in _rows(image):
        grey[rows] = (image[rows] @ np.array([19595, 38470, 7471], np.int32) + 0x8000) >> 16
    return grey


def _rows(image: Image) -> list[slice]:
    return list(band_slices(len(image), image[:1].nbytes))
