"""Effective resolution: by how much a face could be reduced without loss, from the spectrum of its region."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

BLOCK, STEP = 32, 16
"""Side and distance of the blocks whose spectra are compared, in pixels."""
ACTIVE, QUIET = 6, 5
"""One block in so many counts: those with the most detail (eyes, hair), and those with the least (skin)."""
EDGES = (1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 9.0, 10.5, 12.0, 14.0, 16.5)
"""Limits of the bands, in cycles per block; 16 is the finest that pixels can hold."""
SHARP = np.array([7.7, 6.7, 5.9, 5.5, 5.0, 4.7, 4.25, 3.8, 3.3, 2.75, 2.1], np.float32)
"""Amplitude in each band, in octaves: the median of sharp portraits with faces 256 px wide.

Its slope hardly depends on the size of a face, as that of natural images does not. Only the slope is used.
"""
DROP, DROP_ALONG = 0.9, 1.9
"""Octaves below the course of `SHARP` at which detail ends: in all directions together, and in a single one.

Hair and eyes lie in few directions, so a sharp face may lack 1.4 octaves in one of them; motion takes away 2.5.
"""
ABOVE_NOISE = 1.6
"""Power, relative to the noise, from which a band can be told from noise."""
RISE = 0.5
"""Octaves that a face may rise above the course of `SHARP` before that counts as a higher level to fall from."""
COARSE = 4
"""Number of bands in which quiet blocks show shading, so that the noise is taken from the two bands above."""
RESOLVED = 5.0
"""Cycles per block below which the bands are too wide, so that the region is measured again at half its size."""
SMALLEST = 128
"""Shorter side of a region that may be halved, in pixels."""
FAINT = 1.0
"""Power of the coarsest band, in squared grey levels, below which there is no picture."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """How far a region could be reduced without loss; 1 if not at all, infinite if there is no detail."""

    overall: float
    along: float
    """In the direction with the least detail."""
    across: float
    """In the direction with the most detail."""


def measure_resolution(grey: Floats) -> Resolution:
    """Return by how much a region could be reduced without loss.

    grey: (H, W), 0..255, both sides at least `BLOCK`. The blocks with the most detail are compared with the quiet ones,
    so noise, which is everywhere, does not count as detail. The detail ends where the remaining spectrum leaves the
    course of a sharp face.
    """
    scale = 1.0
    while True:
        active, noise = _measure_powers(grey)
        if active.mean(0)[0] < FAINT:
            return Resolution(np.inf, np.inf, np.inf)
        ends = _find_end(active.mean(0), noise.mean(0), DROP)
        if ends > RESOLVED or min(grey.shape) < SMALLEST:
            break
        grey = np.asarray(cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.float32)
        scale *= 2
    sectors = list(zip(active, noise, strict=True))
    slowest = min(_find_end(powers, quiet, DROP_ALONG, generous=True) for powers, quiet in sectors)
    finest = max(_find_end(powers, quiet, DROP) for powers, quiet in sectors)
    nyquist = BLOCK / 2
    return Resolution(*(scale * nyquist / cycles for cycles in (ends, slowest, finest)))


def _make_sectors() -> tuple[Floats, Floats]:
    """Return weights (4, bands, bins) that average a spectrum in four directions, and the bands' mean frequencies."""
    down, right = np.fft.fftfreq(BLOCK, 1 / BLOCK)[:, None], np.fft.rfftfreq(BLOCK, 1 / BLOCK)[None]
    radius, angle = np.hypot(down, right), np.degrees(np.arctan2(down, right)) % 180
    weights, frequencies = [], []
    for towards in (0, 45, 90, 135):
        off = np.abs(angle - towards)
        sector = np.minimum(off, 180 - off) <= 30
        bands = [sector & (radius >= low) & (radius < high) for low, high in pairwise(EDGES)]
        weights.append([(band / band.sum()).ravel() for band in bands])
    for low, high in pairwise(EDGES):
        frequencies.append(radius[(radius >= low) & (radius < high)].mean())
    return np.array(weights, np.float32), np.array(frequencies, np.float32)


SECTORS, FREQUENCIES = _make_sectors()
WINDOW = np.outer(np.hanning(BLOCK + 2)[1:-1], np.hanning(BLOCK + 2)[1:-1]).astype(np.float32)


def _measure_powers(grey: Floats) -> tuple[Floats, Floats]:
    """Return the power of active blocks and of noise, each (4 directions, bands), in squared grey levels."""
    fine = grey - cv2.GaussianBlur(grey, (0, 0), 2.5)
    energy = cv2.boxFilter(fine * fine, -1, (BLOCK, BLOCK), anchor=(0, 0))
    rows = np.arange(0, grey.shape[0] - BLOCK + 1, STEP)
    columns = np.arange(0, grey.shape[1] - BLOCK + 1, STEP)
    order = np.argsort(energy[rows[:, None], columns[None]], axis=None)
    blocks = np.lib.stride_tricks.sliding_window_view(grey, (BLOCK, BLOCK))

    def spectra(chosen: NDArray[np.intp]) -> NDArray[np.float32]:
        part = blocks[rows[chosen // len(columns)], columns[chosen % len(columns)]]
        windowed = (part - part.mean((1, 2), keepdims=True)) * WINDOW
        power = np.abs(np.fft.rfft2(windowed)) ** 2 / (WINDOW**2).sum()
        return np.asarray(power.reshape(len(chosen), -1), np.float32)

    active = spectra(order[-max(4, len(order) // ACTIVE) :]).mean(0)
    quiet = spectra(order[: max(4, len(order) // QUIET)])
    middle = np.partition(quiet, len(quiet) // 2, axis=0)[len(quiet) // 2]
    noise = middle / np.float32(np.log(2))  # the median of the powers of noise is ln 2 of their mean
    return SECTORS @ active, SECTORS @ noise


def _find_end(active: Floats, noise: Floats, drop: float, *, generous: bool = False) -> float:
    """Return the frequency at which detail ends, in cycles per block.

    active, noise: powers in each band. drop: octaves below the course of `SHARP` that end the detail. generous: whether
    detail that noise may hide counts as detail.
    """
    noise = noise.copy()
    noise[:COARSE] = np.minimum(noise[:COARSE], noise[COARSE : COARSE + 2].mean())
    signal = np.maximum(active - noise, 0.02 * active)
    hidden = active <= ABOVE_NOISE * noise
    if generous:
        signal[hidden] = np.maximum(signal, (ABOVE_NOISE - 1) * noise)[hidden]
    level = np.log2(np.maximum(signal, 1e-3)) / 2 - SHARP
    highest = np.minimum(np.maximum.accumulate(level), level[:3].max() + RISE)
    below = level - highest
    if not generous:
        below[hidden] = -np.inf
    [lower] = np.nonzero(below < -drop)
    if not len(lower):
        return BLOCK / 2
    first = int(lower[0])
    if first == 0:
        return float(FREQUENCIES[0])
    before, after = float(below[first - 1]), max(float(below[first]), -drop - 2)
    share = (before + drop) / (before - after)
    return float(FREQUENCIES[first - 1] * (FREQUENCIES[first] / FREQUENCIES[first - 1]) ** share)
