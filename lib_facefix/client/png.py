"""Pixels as they are sent: PNG without anything beside them."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import cv2
import numpy as np

from ..types import Image

QUICK = (cv2.IMWRITE_PNG_COMPRESSION, 1)


def encode_png(image: Image) -> bytes:
    """Return a PNG of RGB (H, W, 3), or of grey (H, W)."""
    _, data = cv2.imencode(".png", image[..., ::-1] if image.ndim == 3 else image, QUICK)
    return data.tobytes()


def decode_png(data: bytes) -> Image | None:
    """Return the RGB (H, W, 3) of a PNG; None for what is none."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    return None if image is None else np.ascontiguousarray(image[..., ::-1], np.uint8)


def to_text(data: bytes) -> str:
    """Return bytes in base64."""
    return base64.b64encode(data).decode()


def from_text(text: Any) -> bytes | None:
    """Return the bytes of a base64 text; None for what is none."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError):
        return None
