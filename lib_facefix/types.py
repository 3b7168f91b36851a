"""Data types of this library, independent of models and WebUIs.

All positions are in pixels from the top left *corner* of the image, x to the right and y down: the centre of the
first pixel is (0.5, 0.5). If an image is enlarged by 2, every position doubles. See docs/coordinates.md.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""RGB image, (H, W, 3), 0..255."""

Patch = NDArray[np.uint8] | NDArray[np.float32]
"""A fixed crop, RGB (h, w, 3), 0..255; floats avoid rounding twice."""

Mask = NDArray[np.float32]
"""Opacity of the new image, (H, W), 0..1."""

Points = NDArray[np.float64]
"""Positions in pixels, (N, 2), with rows (x, y)."""

Matrix = NDArray[np.float64]
"""Affine map, (2, 3): new = matrix @ (x, y, 1)."""

Size = int | tuple[int, int]
"""Size of a crop in pixels: the side of a square, or (width, height)."""


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-aligned rectangle in pixels, without `right` and `bottom` themselves."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Width in pixels."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Height in pixels."""
        return self.bottom - self.top

    @property
    def area(self) -> float:
        """Area in square pixels; 0 if right < left or bottom < top."""
        return max(0.0, self.width) * max(0.0, self.height)

    @property
    def size(self) -> float:
        """The longer side in pixels, which is the size of a face."""
        return max(self.right - self.left, self.bottom - self.top)

    @property
    def centre(self) -> tuple[float, float]:
        """Centre (x, y) in pixels."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    @property
    def corners(self) -> Points:
        """Corners, (4, 2): top left, top right, bottom right, bottom left."""
        across, down = (self.left, self.right), (self.top, self.bottom)
        return np.array([(across[i], down[j]) for i, j in ((0, 0), (1, 0), (1, 1), (0, 1))], np.float64)


@dataclass(frozen=True, slots=True)
class Pose:
    """Head pose in degrees; all angles are 0 for an upright, frontal face."""

    yaw: float
    """Rotation to the viewer's right, in degrees."""
    pitch: float
    """Rotation upwards, in degrees."""
    roll: float
    """Clockwise tilt as seen by the viewer, in degrees."""


@dataclass(frozen=True, slots=True)
class Damage:
    """What is wrong with a face, as measured in its pixels; see `imaging.damage`."""

    detail: float
    """Effective resolution: width in pixels to which the face could be reduced without loss."""
    motion: float = 1.0
    """Blur in one direction, relative to the direction across: 1 if the face is equally sharp in all directions."""
    noise: float = 0.0
    """Standard deviation of pixel noise, in grey levels of 255."""
    grain: float = 0.0
    """Standard deviation of coarser noise, such as film grain, in grey levels of 255."""
    blocks: float = 0.0
    """Height of the steps between JPEG blocks, in grey levels of 255."""
    scratches: float = 0.0
    """Length of the clearest scratch, in widths of the face."""


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """The 468 points of MediaPipe's face mesh, in coordinates of the whole image."""

    points: NDArray[np.float64]
    """Points, (468, 3): x, y and depth z in pixels; z is smaller towards the viewer."""
    score: float
    """Confidence that the mesh fits a face, 0..1."""


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One face as found by a detector and a landmarker, in coordinates of the whole image."""

    box: Box
    score: float
    """Detector confidence, 0..1."""
    landmarks: Points | None = None
    """Landmarks, (5, 2): left eye, right eye, nose, left and right mouth corner, as seen by the viewer."""
    tilt: float = 0.0
    """Clockwise rotation of the head in the image plane, as found by the detector, in degrees."""
    mesh: Mesh | None = None
    """Face mesh; None if its confidence is too low."""
    outline: Points | None = None
    """Polygon from a segmenting detector, (N, 2) with N >= 3; None from all other detectors."""
    distance: float | None = None
    """Distance to the person in the reference photo, from 0 (same image) to 1.4; None if unknown."""
    gender: str = ""
    """Estimated gender, "female" or "male"; blank if unknown."""
    age: int | None = None
    """Estimated age in years; None if unknown."""


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """A face cropped from an image."""

    image: Image
    matrix: Matrix
    """Affine map from the image to the crop."""
    mask: Mask | None = None
    """Mask of the fixed crop, (h, w), 0..1; None before it is computed."""
