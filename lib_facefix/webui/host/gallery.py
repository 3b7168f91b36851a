"""The images in a gallery of the host, as an event handler receives them."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from PIL import Image as Pil


def read_gallery(gallery: Any) -> Sequence[Pil.Image | None]:
    """Return the images of a gallery in order; None for one that cannot be shown.

    The host's own reader refuses files outside the folders that its page may show.
    """
    read = import_module("modules.infotext_utils").image_from_url_text
    return [read(entry) for entry in gallery or ()]
