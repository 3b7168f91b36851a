"""The nouns of this library. Plain, frozen, and free of any model or host.

All positions are pixels from the top left *corner* of the picture, x to the right and y down: the centre of the
first pixel is (0.5, 0.5). So a picture made twice as large has every position doubled. See docs/coordinates.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""RGB picture, (H, W, 3), 0..255."""

Patch = NDArray[np.uint8] | NDArray[np.float32]
"""A crop that was worked on, (h, w, 3), 0..255; floats where fractions are known, to be rounded but once."""

Mask = NDArray[np.float32]
"""How much of the new picture shows, (H, W), 0..1."""

Points = NDArray[np.float64]
"""Positions in pixels, (N, 2), each row (x, y)."""

Matrix = NDArray[np.float64]
"""Affine map, (2, 3): new = matrix @ (x, y, 1)."""


Size = int | tuple[int, int]
"""Of a crop in pixels: the side of a square, or width and height."""


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle in pixels; `right` and `bottom` lie just outside it."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Pixels."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Pixels."""
        return self.bottom - self.top

    @property
    def area(self) -> float:
        """Square pixels, 0 for a box turned inside out."""
        return max(0.0, self.width) * max(0.0, self.height)

    @property
    def size(self) -> float:
        """The longer side: what is meant by a face's size in pixels."""
        return max(self.width, self.height)

    @property
    def centre(self) -> tuple[float, float]:
        """As x, y."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    @property
    def corners(self) -> Points:
        """(4, 2): top left, top right, bottom right, bottom left."""
        across, down = (self.left, self.right), (self.top, self.bottom)
        return np.array([(across[i], down[j]) for i, j in ((0, 0), (1, 0), (1, 1), (0, 1))], np.float64)


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a face looks, in degrees; all 0 for a face that looks straight out of an upright picture."""

    yaw: float
    """Above 0: the face looks to the viewer's right."""
    pitch: float
    """Above 0: the face looks up."""
    roll: float
    """Above 0: the head is tilted clockwise as the viewer sees it."""


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """The 468 points of MediaPipe's face mesh, in the coordinates of the whole picture."""

    points: NDArray[np.float64]
    """(468, 3): x, y in pixels, z in the same unit, smaller towards the viewer."""
    score: float
    """How sure the mesh is that it lies on a face, 0..1."""


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One face as a detector (and a landmarker) found it, in the coordinates of the whole picture."""

    box: Box
    score: float
    """Detector confidence, 0..1."""
    landmarks: Points | None = None
    """(5, 2): left eye, right eye, nose, left and right mouth corner, as a viewer sees an upright face."""
    tilt: float = 0.0
    """Degrees that the detector saw the head turned clockwise in the plane of the picture."""
    mesh: Mesh | None = None
    """Only where the mesh is sure of itself."""
    outline: Points | None = None
    """(N, 2), N >= 3: the polygon around what a segmenting detector saw; None from all others."""
    distance: float | None = None
    """How unlike the person of a reference photo, 0 (the same picture) .. 1.4; None: not asked for, or not known."""
    gender: str = ""
    """What a model of the user's guesses, "female" or "male"; blank: not asked for."""
    age: int | None = None
    """What it guesses, years; None: not asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """A face cut out of the picture, with the way there."""

    image: Image
    matrix: Matrix
    """From picture to crop."""
    mask: Mask | None = None
    """(h, w): where the fixed crop will show; None until that is known."""
