"""Pictures that come and go as bytes: read and written as files are, so that they become what files become."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image as Pillow

from ..errors import BadPicture
from ..faces import Image
from ..pictures import FORMATS, Picture, picture_size, read_picture, write_picture


@dataclass(frozen=True, slots=True)
class Opened:
    """A picture that was sent, in a folder of its own for as long as it is worked on."""

    picture: Picture
    kind: str
    """As in "image/png"."""

    def written(self, image: Image) -> bytes:
        """Return the file of the fixed picture, of the kind that was sent; unchanged, it is what was sent."""
        picture = self.picture.resized((image.shape[1], image.shape[0]))
        suffix = next(kind.suffixes[0] for kind in FORMATS if kind.name == picture.format)
        target = picture.path.with_name(f"fixed{suffix}")
        write_picture(picture, image, target)
        return target.read_bytes()


@contextmanager
def opened(sent: bytes, most_pixels: int) -> Iterator[Opened]:
    """Read a picture that was sent; raises `BadPicture`, for too many pixels by the header alone."""
    with TemporaryDirectory(prefix="facefix-", ignore_cleanup_errors=True) as folder:
        path = Path(folder, "picture")
        path.write_bytes(sent)
        try:
            picture = _read(path, most_pixels)
        except BadPicture as error:
            raise BadPicture(str(error).replace(str(path), "the picture")) from error
        yield Opened(picture, Pillow.MIME.get(picture.format, "application/octet-stream"))


def _read(path: Path, most_pixels: int) -> Picture:
    width, height = picture_size(path)
    if width * height > most_pixels:
        size = f"{width} x {height} pixels, and at most {most_pixels // 10**6} million are taken here"
        raise BadPicture(f"the picture is too large: {size}. Make it smaller")
    return read_picture(path)
