"""One picture while its faces are fixed: where they are cut from, and what they are pasted onto."""

from __future__ import annotations

from collections.abc import Collection

from .faces import Crop, Image, Mask, Matrix, Patch, Size
from .imaging.align import for_size
from .imaging.blending import paste
from .imaging.framing import cut


class Canvas:
    """The picture that becomes the result, and the one with the original pixels.

    Both are one, unless the picture has been enlarged. Then faces are cut from the original pixels, and what is laid
    onto the enlarged picture is the change from what it shows there to the fixed crop.
    """

    def __init__(self, image: Image, now: Image, fixed: bool, seen_again: Collection[int] = ()) -> None:
        """image: the original, never changed; now: the same enlarged, to be changed in place, or `image` itself.

        fixed: whether any face will be. seen_again: numbers of the faces whose result a later one may see.
        """
        self._enlarged = now is not image
        self._seen_again = seen_again
        self.image = image.copy() if fixed and not self._enlarged else now
        self._source = image if self._enlarged else self.image
        self._original = image

    def cut(self, matrix: Matrix, size: Size) -> Crop:
        """Return a face in its original pixels, with what was fixed earlier; `matrix` maps the original to it."""
        return cut(self._source, matrix, size)

    def shown(self, crop: Crop) -> Crop:
        """Return what the result shows at this moment where `crop` is from; its matrix maps the result to it."""
        if not self._enlarged:
            return crop
        (height, width), (height_now, width_now) = self._original.shape[:2], self.image.shape[:2]
        there = for_size(crop.matrix, (width, height), (width_now, height_now))
        return cut(self.image, there, (crop.image.shape[1], crop.image.shape[0]))

    def lay(self, number: int, patch: Patch, mask: Mask, crop: Crop, shown: Crop) -> None:
        """Paste the fixed face: the change from `shown`, and for later faces that from `crop`."""
        paste(self.image, patch, mask, shown.matrix, base=shown.image)
        if self._enlarged and number in self._seen_again:
            if self._source is self._original:
                self._source = self._original.copy()
            paste(self._source, patch, mask, crop.matrix, base=crop.image)
