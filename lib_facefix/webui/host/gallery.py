"""The images in a gallery of the host, as an event handler receives them."""

from collections.abc import Sequence
from typing import Any

from modules.infotext_utils import image_from_url_text
from PIL import Image as Pil


def read_gallery(gallery: Any) -> Sequence[Pil.Image | None]:
    """Return the images of a gallery in order; None for one that cannot be shown.

    The host's own reader refuses files outside the folders that its page may show.
    """
    return [image_from_url_text(entry) for entry in gallery or ()]
