"""Lanczos: no network, no invention."""

from __future__ import annotations

from typing import cast

from ..faces import Image
from ..imaging.lanczos import lanczos
from ..protocols import Progress


class Lanczos:
    """An `Upscaler` that interpolates, as Pillow does; where it shrinks, it averages."""

    @property
    def engine(self) -> str:
        """What runs it."""
        from PIL import __version__

        return f"Pillow {__version__}"

    def enlarge(self, image: Image, size: tuple[int, int], progress: Progress | None = None) -> Image | None:  # noqa: ARG002 it is done before anybody could stop it
        """Return the picture at `size` = (width, height)."""
        return cast(Image, lanczos(image, size))
