"""Encodes pixels for sending: PNG without metadata, and base64."""

import base64
import binascii
from typing import Any

import cv2
import numpy as np

from ..types import Image

PNG_FAST = (cv2.IMWRITE_PNG_COMPRESSION, 1)


def encode_png(image: Image) -> bytes:
    """Return a PNG file of an RGB image (H, W, 3) or a grey one (H, W), both uint8."""
    _, data = cv2.imencode(".png", image[..., ::-1] if image.ndim == 3 else image, PNG_FAST)
    return data.tobytes()


def decode_png(data: bytes) -> Image | None:
    """Return the RGB image (H, W, 3), uint8, of a PNG file, or None if the data is not an image."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    return None if image is None else np.ascontiguousarray(image[..., ::-1], np.uint8)


def encode_base64(data: bytes) -> str:
    """Return the bytes encoded as base64."""
    return base64.b64encode(data).decode()


def decode_base64(text: Any) -> bytes | None:
    """Return the bytes of a base64 text, or None if it is not valid base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError):
        return None
