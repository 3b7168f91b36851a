"""Affine maps between an image and an upright crop. Positions are in pixels from the top left corner."""

import numpy as np

from ..errors import DegenerateLandmarks
from ..types import Matrix, Points

FFHQ_512: Points = np.array(
    [
        (192.98138, 239.94708),
        (318.90277, 240.19360),
        (256.63416, 314.01935),
        (201.26117, 371.41043),
        (313.08905, 371.15118),
    ]
)
"""Five landmarks of a 512 px FFHQ crop, in pixels: facexlib's template, which GFPGAN and CodeFormer expect."""


def fit_similarity(source: Points, target: Points) -> Matrix:
    """Return the rotation, uniform scale and shift that best map `source` onto `target`.

    source, target: (N, 2) corresponding points in pixels, N >= 2. Uses least squares over all points, so the result is
    deterministic (unlike RANSAC). Raises `DegenerateLandmarks` if all source points are equal or one is not finite.
    """
    if not (np.isfinite(source).all() and np.isfinite(target).all()):
        raise DegenerateLandmarks("a landmark is not a number")
    z, w = (points @ np.array((1, 1j)) for points in (source, target))
    z_mean, w_mean = z.mean(), w.mean()
    spread = np.sum(np.abs(z - z_mean) ** 2)
    if spread == 0:
        raise DegenerateLandmarks(f"all {len(source)} landmarks are at ({z[0].real:g}, {z[0].imag:g})")

    turn = np.sum((z - z_mean).conj() * (w - w_mean)) / spread
    if turn == 0:
        raise DegenerateLandmarks("the landmarks fit no rotation and scale")
    shift = w_mean - turn * z_mean
    return np.array([(turn.real, -turn.imag, shift.real), (turn.imag, turn.real, shift.imag)])


def rotation(degrees: float, scale: float = 1.0) -> Matrix:
    """Return the map that rotates clockwise, as seen by the viewer, about the origin, and scales."""
    turn = scale * np.exp(1j * np.radians(degrees))
    return np.array([(turn.real, -turn.imag, 0.0), (turn.imag, turn.real, 0.0)])


def translate(matrix: Matrix, by: tuple[float, float]) -> Matrix:
    """Return the map that applies `matrix` and then moves by (x, y) pixels."""
    return np.column_stack([matrix[:, :2], matrix[:, 2] + by])


def inverse(matrix: Matrix) -> Matrix:
    """Return the inverse map; raises `DegenerateLandmarks` if there is none."""
    linear = matrix[:, :2]
    if not np.isfinite(matrix).all() or np.linalg.det(linear) == 0:
        raise DegenerateLandmarks("the crop of this face has no area")
    back = np.linalg.inv(linear)
    return np.column_stack([back, -back @ matrix[:, 2]])


def compose(second: Matrix, first: Matrix) -> Matrix:
    """Return the map that applies `first`, then `second`."""
    linear = second[:, :2] @ first[:, :2]
    return np.column_stack([linear, second[:, :2] @ first[:, 2] + second[:, 2]])


def rescale_matrix(matrix: Matrix, was: tuple[int, int], now: tuple[int, int]) -> Matrix:
    """Return the map for the image at size `now` that equals `matrix` for the same image at size `was`.

    was, now: (width, height) in pixels.
    """
    if was == now:
        return matrix
    return compose(matrix, np.array([(was[0] / now[0], 0.0, 0.0), (0.0, was[1] / now[1], 0.0)]))


def scale_factor(matrix: Matrix) -> float:
    """Return the factor by which `matrix` enlarges lengths (the square root of the factor for areas)."""
    return float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))


def transform_points(points: Points, matrix: Matrix) -> Points:
    """Return the (N, 2) points mapped by `matrix`."""
    moved: Points = points @ matrix[:, :2].T + matrix[:, 2]
    return moved
