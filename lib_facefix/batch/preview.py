"""Small pictures of an image before and after."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from ..types import Image

SIDE = 168
"""Longer side of a small picture, in pixels."""
QUALITY = 72
"""JPEG quality of small pictures."""


class Preview(NamedTuple):
    """An image before and after, as JPEG files of `SIDE` pixels."""

    before: bytes
    """Blank if it is gone."""
    after: bytes
    """Blank if there is no result."""
    size: tuple[int, int]
    """Width and height of both in pixels."""


def make_preview(before: Image, after: Image | None) -> Preview:
    """Return small pictures of both, RGB (H, W, 3); of a changed image they show the same part: all of it."""
    small = shrink(before)
    height, width = small.shape[:2]
    return Preview(_pack(small), b"" if after is None else _pack(shrink(after, (width, height))), (width, height))


def preview_result(after: Image) -> Preview:
    """Return a small picture of a result, RGB (H, W, 3), whose image before cannot be read any more."""
    made = make_preview(after, None)
    return Preview(b"", made.before, made.size)


def shrink(image: Image, size: tuple[int, int] | None = None) -> Image:
    """Return the image with its longer side at most `SIDE` pixels, or of a given width and height."""
    height, width = image.shape[:2]
    factor = min(1.0, SIDE / max(height, width))
    wanted = size or (max(1, round(width * factor)), max(1, round(height * factor)))
    if wanted == (width, height):
        return image
    return np.asarray(cv2.resize(image, wanted, interpolation=cv2.INTER_AREA), np.uint8)


def _pack(image: Image) -> bytes:
    _, packed = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])  # BGR
    return packed.tobytes()
