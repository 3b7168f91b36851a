"""Moving points between a picture and an upright crop. All positions are pixels from the top left corner."""

from __future__ import annotations

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
"""Where the five landmarks sit in a 512 px FFHQ crop (facexlib's template, which GFPGAN and CodeFormer expect)."""


def fit_similarity(source: Points, target: Points) -> Matrix:
    """Return the rotation, uniform scale and shift that best carry `source` onto `target`.

    Least squares over all points, so equal input gives equal output (RANSAC would not).

    source, target: (N, 2) pixels, N >= 2; row i of one belongs to row i of the other.
    Raises DegenerateLandmarks if all of `source` is one point, or a coordinate is not finite.
    """
    if not (np.isfinite(source).all() and np.isfinite(target).all()):
        raise DegenerateLandmarks("a landmark is not a number")
    z, w = (points @ np.array((1, 1j)) for points in (source, target))
    z_mean, w_mean = z.mean(), w.mean()
    spread = np.sum(np.abs(z - z_mean) ** 2)
    if spread == 0:
        raise DegenerateLandmarks(f"all {len(source)} landmarks lie at ({z[0].real:g}, {z[0].imag:g})")

    turn = np.sum((z - z_mean).conj() * (w - w_mean)) / spread
    if turn == 0:
        raise DegenerateLandmarks("the landmarks fit no rotation and scale")
    shift = w_mean - turn * z_mean
    return np.array([(turn.real, -turn.imag, shift.real), (turn.imag, turn.real, shift.imag)])


def rotation(degrees: float, scale: float = 1.0) -> Matrix:
    """Return the map that turns clockwise, as the viewer sees it, about the origin and scales."""
    turn = scale * np.exp(1j * np.radians(degrees))
    return np.array([(turn.real, -turn.imag, 0.0), (turn.imag, turn.real, 0.0)])


def translate(matrix: Matrix, by: tuple[float, float]) -> Matrix:
    """Return the map that does `matrix` and then moves by (x, y)."""
    return np.column_stack([matrix[:, :2], matrix[:, 2] + by])


def inverse(matrix: Matrix) -> Matrix:
    """Return the way back; raises DegenerateLandmarks where there is none."""
    linear = matrix[:, :2]
    if not np.isfinite(matrix).all() or np.linalg.det(linear) == 0:
        raise DegenerateLandmarks("the frame of this face has no extent")
    back = np.linalg.inv(linear)
    return np.column_stack([back, -back @ matrix[:, 2]])


def compose(second: Matrix, first: Matrix) -> Matrix:
    """Return the map that does `first`, then `second`."""
    linear = second[:, :2] @ first[:, :2]
    return np.column_stack([linear, second[:, :2] @ first[:, 2] + second[:, 2]])


def for_size(matrix: Matrix, was: tuple[int, int], now: tuple[int, int]) -> Matrix:
    """Return the map that does to a picture of size `now` what `matrix` does to the same picture of size `was`.

    Sizes: (width, height). From corner to corner, so only factors differ.
    """
    if was == now:
        return matrix
    return compose(matrix, np.array([(was[0] / now[0], 0.0, 0.0), (0.0, was[1] / now[1], 0.0)]))


def scale_factor(matrix: Matrix) -> float:
    """Return by how much `matrix` enlarges lengths (the square root of areas)."""
    return float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))


def transform_points(points: Points, matrix: Matrix) -> Points:
    """Apply `matrix` to each of the (N, 2) `points`."""
    moved: Points = points @ matrix[:, :2].T + matrix[:, 2]
    return moved
