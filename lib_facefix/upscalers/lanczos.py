"""Lanczos: no network, no invention."""

from __future__ import annotations

from typing import cast

from ..imaging.lanczos import lanczos
from ..protocols import Enlarged, Progress
from ..types import Image


class Lanczos:
    """An `Upscaler` that interpolates, as Pillow does; where it shrinks, it averages."""

    def enlarge(self, image: Image, size: tuple[int, int], progress: Progress | None = None) -> Enlarged:  # noqa: ARG002 it is done before anybody could stop it
        """Return the picture at `size` = (width, height)."""
        from PIL import __version__

        return Enlarged(cast(Image, lanczos(image, size)), f"Pillow {__version__}")
