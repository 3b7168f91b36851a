"""What gender and age a face looks like to insightface's genderage (in buffalo_l and antelopev2).

It knows two genders, and an age in years that is often out by five or more. That is a way to choose faces in a picture,
and says nothing of who somebody is.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..types import Face, Image
from .insight import InsightNet

SIDE = 96
"""Of the net's square input, pixels."""
GENDERS = ("female", "male")
"""In the order in which the net scores them; its third number is the age in centuries."""


class GenderAge:
    """Guesses gender and age."""

    def __init__(self, weights: Path) -> None:
        self._net = InsightNet(weights, SIDE, len(GENDERS) + 1)

    def guess(self, image: Image, face: Face) -> Face:
        """Return the face with gender and age; raises `BadModel`. image: RGB (H, W, 3)."""
        *scores, age = self._net.answer(image, face).tolist()
        return replace(face, gender=GENDERS[scores.index(max(scores))], age=max(0, round(age * 100)))
