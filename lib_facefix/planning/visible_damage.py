"""What `auto` sees in a face: from measurements to the words of a reason. No pixels are needed."""

from __future__ import annotations

from ..types import Damage

FULL_WIDTH = 360
"""Width of a face in pixels above which more detail is not needed: restorers draw faces about 270 px wide."""
NOISY, GRAINY = 5.0, 6.0
"""Standard deviations from which noise of single pixels, and coarser grain, is damage, in grey levels of 255."""
BLOCKY = 1.5
"""Height of the steps between JPEG blocks from which they are damage, in grey levels."""
SCRATCHED = 0.55
"""Length of a scratch from which it is damage, in widths of the face."""
MOVED = 1.5
"""Ratio of the blur along and across from which it is motion blur."""
ENLARGED = 1.75
"""Reduction without loss from which a face is called enlarged."""
LARGE_ENOUGH = 0.9
"""Accuracy of the effective resolution: so many of the pixels that a large face needs."""


def rate_sharpness(damage: Damage, width: float) -> float:
    """Return the sharpness of a face `width` pixels wide: 1 if all its pixels show detail, 0 if none does.

    Large faces need only `FULL_WIDTH` pixels of detail.
    """
    needed = min(width, FULL_WIDTH)
    return min(1.0, damage.detail / needed) if needed > 0 else 0.0


def is_large_in_effect(damage: Damage, least: float) -> bool:
    """Return whether the detail of a face is that of a face `least` pixels wide."""
    return damage.detail >= LARGE_ENOUGH * least


def describe_blur(damage: Damage, width: float) -> str:
    """Return why a face is not sharp: "enlarged about 8 times: 48 px of detail"."""
    if damage.detail < 1:
        return "no detail"
    times, detail = width / damage.detail, f"{damage.detail:.0f} px of detail"
    if damage.motion >= MOVED and max(damage.noise, damage.grain) < NOISY:  # noise hides detail in weak directions
        return f"motion blur: {detail}"
    if times >= ENLARGED:
        return f"enlarged about {times:.0f} times: {detail}"
    return f"slightly blurred: {detail}" if times > 1.1 else f"only {detail}"


def list_flaws(damage: Damage) -> list[str]:
    """Return the names of all flaws that a face shows besides blur."""
    seen = {
        "noise": damage.noise >= NOISY,
        "grain": damage.grain >= GRAINY and damage.noise < NOISY,
        "JPEG blocks": damage.blocks >= BLOCKY,
        "scratches": damage.scratches >= SCRATCHED,
    }
    return [name for name, shown in seen.items() if shown]
