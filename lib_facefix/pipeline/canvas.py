"""One picture while its faces are fixed: where they are cut from, and what they are pasted onto."""

from __future__ import annotations

from ..imaging.align import rescale_matrix
from ..imaging.blend import match_colour, paste
from ..imaging.frames import width_and_height
from ..imaging.resample import warp
from ..types import Crop, Image, Mask, Matrix, Patch, Size


class Canvas:
    """The picture that becomes the result, and the one with the original pixels.

    Both are one, unless the picture has been enlarged. Then faces are cut from the original pixels, and what is laid
    onto the enlarged picture is the change from what it shows there to the fixed crop.
    """

    def __init__(self, image: Image, now: Image, fixed: bool) -> None:
        """image: the original, never changed; now: the same enlarged, to be changed in place, or `image` itself.

        fixed: whether any face will be.
        """
        self._enlarged = now is not image
        self.image = image.copy() if fixed and not self._enlarged else now
        self._source = image if self._enlarged else self.image
        self._original = image

    def cut(self, matrix: Matrix, size: Size) -> Crop:
        """Return a face in its original pixels, with what was fixed earlier; `matrix` maps the original to it."""
        return Crop(warp(self._source, matrix, width_and_height(size)), matrix)

    def paste(self, patch: Patch, mask: Mask, crop: Crop, *, ring: float, seen_again: bool) -> None:
        """Paste a fixed crop: the change to it from what the result shows at this moment where `crop` is from.

        patch: (h, w, 3); mask: how much of it is to show, (h, w), 0..1; ring: width in pixels of the ring around the
        crop's own mask in which the colour is matched, 0 where it is not. seen_again: whether a face that is cut later
        may show it.
        """
        before, matrix = crop.image, crop.matrix
        if self._enlarged:
            (height, width), (height_now, width_now) = self._original.shape[:2], self.image.shape[:2]
            matrix = rescale_matrix(matrix, (width, height), (width_now, height_now))
            before = warp(self.image, matrix, (before.shape[1], before.shape[0]))
        if ring and crop.mask is not None:
            patch = match_colour(patch, before, crop.mask, ring)
        paste(self.image, patch, mask, matrix, base=before)
        if self._enlarged and seen_again:
            if self._source is self._original:
                self._source = self._original.copy()
            paste(self._source, patch, mask, crop.matrix, base=crop.image)
