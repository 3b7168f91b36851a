"""Pictures that FaceFix draws of others, such as before/after sheets: written so that they are known again."""

import warnings
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image as Pillow

from ..types import Image
from .exif import PREFIX
from .heif import pack_heif
from .picture import Coding, Metadata

SOFTWARE = "FaceFix drawing"
"""The mark of a drawing: what its file names as its program."""
_SOFTWARE_TAG = 0x0131
_QUALITY = 92
"""Of drawings as JPEG and WebP."""


def save_drawing(image: Image, form: str, file: BinaryIO) -> None:
    """Write an RGB image (H, W, 3), uint8, as a file of Pillow's kind `form`, with the mark if the kind can hold it."""
    exif = Pillow.Exif()
    exif[_SOFTWARE_TAG] = SOFTWARE
    if form == "HEIF":
        pack_heif(image, Metadata(exif=exif.tobytes().removeprefix(PREFIX)), Coding(quality=_QUALITY), file)
        return
    marked: dict[str, dict[str, Any]] = {"GIF": {"comment": SOFTWARE}, "TIFF": {"tiffinfo": {_SOFTWARE_TAG: SOFTWARE}}}
    options = marked.get(form, {} if form in ("BMP", "JPEG2000") else {"exif": exif})
    if form in ("JPEG", "WEBP"):
        options["quality"] = _QUALITY
    Pillow.fromarray(image).save(file, form, **options)


def is_drawing(path: Path) -> bool:
    """Return whether the file has the mark of a drawing. False for a file that cannot be read."""
    try:
        if not path.is_file():
            return False
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a picture that is too large is refused when it is read
            with Pillow.open(path) as picture:
                comment = picture.info.get("comment", b"")
                return SOFTWARE in (picture.getexif().get(_SOFTWARE_TAG), comment, comment.decode("latin_1"))
    except Exception:  # noqa: BLE001 Pillow raises anything for damaged files, which reading will explain
        return False
