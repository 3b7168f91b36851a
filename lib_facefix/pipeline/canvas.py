"""The arrays of one picture while its faces are fixed."""

from dataclasses import dataclass

from ..imaging.align import inverse, rescale_matrix, transform_points
from ..imaging.blend import match_colour, paste
from ..imaging.boxes import bounding, clip
from ..imaging.resample import warp
from ..imaging.tone import learn_tone
from ..types import Box, Crop, Image, Mask, Patch


@dataclass(slots=True)
class Canvas:
    """The picture that becomes the result, and the one that faces are cut from.

    Both are one array, unless the picture has been enlarged. Then faces are cut from the pixels of the original, and
    the enlarged picture receives the change from what it shows there to the fixed crop.
    """

    original: Image
    """The picture that the plan is for, (H, W, 3), RGB; it is never changed."""
    image: Image
    """The picture that becomes the result, (H, W, 3), RGB; it is changed in place."""
    source: Image
    """The picture of the original's size that faces are cut from, with what was fixed earlier."""

    def cut_region(self, crop: Crop) -> Image:
        """Return the part of the source that a crop shows, (H, W, 3), in pixels of the source, as a view of it."""
        height, width = self.source.shape[:2]
        whole = Box(0, 0, crop.image.shape[1], crop.image.shape[0])
        shown = clip(bounding(transform_points(whole.corners, inverse(crop.matrix))), width, height)
        return self.source[int(shown.top) : int(shown.bottom), int(shown.left) : int(shown.right)]

    def paste(self, patch: Patch, mask: Mask, crop: Crop, *, ring: float, seen_again: bool) -> None:
        """Paste a fixed crop: the change to it from what the result shows at this moment where `crop` is from.

        patch: (h, w, 3); mask: how much of it shows, (h, w), 0..1; ring: width in pixels of the ring around the crop's
        own mask in which the colour is matched, 0 where it is not; seen_again: whether a face that is cut later may
        show it. In a picture of one tone, only brightness changes.
        """
        before, matrix = crop.image, crop.matrix
        enlarged = self.source is not self.image
        if enlarged:
            (height, width), (height_now, width_now) = self.original.shape[:2], self.image.shape[:2]
            matrix = rescale_matrix(matrix, (width, height), (width_now, height_now))
            before = warp(self.image, matrix, (before.shape[1], before.shape[0]))
        if ring and crop.mask is not None:
            patch = match_colour(patch, before, crop.mask, ring)
        tone = learn_tone(crop.image)
        paste(self.image, patch, mask, matrix, base=before, tone=tone)
        if enlarged and seen_again:
            if self.source is self.original:
                self.source = self.original.copy()
            paste(self.source, patch, mask, crop.matrix, base=crop.image, tone=tone)
