"""Strength of a restoration by the size of the face: few pixels tell a restorer little about a face."""

FADED, FULL = 16.0, 40.0
"""Sizes of a face in pixels of the image up to which it is faded, and from which it is restored in full."""
LEAST = 0.25
"""Strength up to the smaller size."""


def strength_at(size: float) -> float:
    """Return the strength of restoring a face of `size` pixels: 0.25 up to 16 px, 0.44 at 24, 0.81 at 32, 1 from 40.

    Between, it is a smooth step: 0.25 + 0.75 t^2 (3 - 2 t) with t = (size - 16) / 24.
    """
    place = min(1.0, max(0.0, (size - FADED) / (FULL - FADED)))
    return LEAST + (1 - LEAST) * place * place * (3 - 2 * place)
