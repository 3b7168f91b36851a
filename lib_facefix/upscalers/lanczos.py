"""Upscaling with Lanczos interpolation, without a model."""

from typing import cast

from ..imaging.lanczos import lanczos
from ..protocols import Enlarged, Progress
from ..types import Image


class Lanczos:
    """An `Upscaler` that interpolates like Pillow, and averages if it reduces."""

    def enlarge(self, image: Image, size: tuple[int, int], progress: Progress | None = None) -> Enlarged:  # noqa: ARG002 too fast to be stopped
        """Return the image at `size` = (width, height)."""
        from PIL import __version__

        return Enlarged(cast(Image, lanczos(image, size)), f"Pillow {__version__}")
