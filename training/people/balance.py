"""Weights by which rare kinds of people are drawn as often as frequent ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

TARGETS: Mapping[str, Mapping[str, float]] = {
    "age": {"child": 0.2, "adult": 0.5, "old": 0.3},
    "tone": {"dark": 1 / 3, "medium": 1 / 3, "light": 1 / 3},
    "sex": {"female": 0.5, "male": 0.5},
    "glasses": {"yes": 0.2, "no": 0.8},
    "beard": {"yes": 0.3, "no": 0.7},
}
"""Share of each kind among the people whose trait is known."""
LEAST, MOST = 0.2, 5.0
"""Limits of a weight, whose mean is 1: nobody is drawn more than 25 times as often as somebody else."""
ROUNDS, BOUNDINGS = 300, 20
"""Turns of all traits, and of scaling to the mean of 1 and clipping after each of them."""


def rake(
    traits: Sequence[Mapping[str, str]],
    targets: Mapping[str, Mapping[str, float]] = TARGETS,
    limits: tuple[float, float] = (LEAST, MOST),
) -> NDArray[np.float64]:
    """Return weights, (N,), with which the shares of each trait come as near to `targets` as the limits allow.

    Iterative proportional fitting (Deming and Stephan, 1940): in turn, the weights are scaled so that one trait has its
    shares. People whose trait is not known ("") keep their weight in that turn. The mean of the weights is 1.

    traits: trait to value, for each person. Raises ValueError if nobody has a value that `targets` asks for.
    """
    weights = np.ones(len(traits))
    masks = {trait: {value: _find(traits, trait, value) for value in shares} for trait, shares in targets.items()}
    for _ in range(ROUNDS):
        for trait, shares in targets.items():
            known = np.logical_or.reduce(list(masks[trait].values()))
            total, whole = weights[known].sum(), sum(shares.values())
            for value, share in shares.items():
                chosen = masks[trait][value]
                weights[chosen] *= share / whole * total / weights[chosen].sum()
        weights = _bound(weights, limits)
    return weights


def _bound(weights: NDArray[np.float64], limits: tuple[float, float]) -> NDArray[np.float64]:
    for _ in range(BOUNDINGS):
        weights = np.clip(weights / weights.mean(), *limits)
    return weights


def _find(traits: Sequence[Mapping[str, str]], trait: str, value: str) -> NDArray[np.bool_]:
    mask = np.array([person[trait] == value for person in traits])
    if not mask.any():
        raise ValueError(f"nobody has {trait} {value!r}")
    return mask


def measure_shares(traits: Sequence[Mapping[str, str]], weights: NDArray[np.float64], trait: str) -> dict[str, float]:
    """Return each value's share of the weights of those people whose trait is known."""
    values = np.array([person[trait] for person in traits])
    known = weights[values != ""].sum()
    return {str(value): float(weights[values == value].sum() / known) for value in np.unique(values) if value}
