"""The curves of `auto_choice` as a small SVG: one panel for each kind of damage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

PANEL, HEIGHT, MARGIN = 190, 110, 34
"""Width of a panel, height of its curve, and space around the curve, in pixels."""
COLUMNS = 4
INK, LINE, QUIET = "#222222", "#2a78b5", "#cccccc"


@dataclass(frozen=True)
class Curve:
    """The share of faces that are fixed, 0..1, at each strength of one kind of damage."""

    title: str
    strengths: Sequence[float]
    shares: Sequence[float]


def draw_curves(curves: Sequence[Curve]) -> str:
    """Return the panels as SVG; strengths are evenly spaced, with their values below."""
    rows = -(-len(curves) // COLUMNS)
    width, height = COLUMNS * PANEL, rows * (HEIGHT + 2 * MARGIN)
    panels = "".join(
        _draw_panel(curve, number % COLUMNS * PANEL, number // COLUMNS * (HEIGHT + 2 * MARGIN))
        for number, curve in enumerate(curves)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="10" fill="{INK}"><rect width="{width}" height="{height}" fill="#ffffff"/>{panels}</svg>\n'
    )


def _draw_panel(curve: Curve, left: float, top: float) -> str:
    step = (PANEL - 2 * MARGIN) / max(1, len(curve.strengths) - 1)
    places = [
        (left + MARGIN + step * number, top + MARGIN + HEIGHT * (1 - share))
        for number, share in enumerate(curve.shares)
    ]
    grid = "".join(
        f'<line x1="{left + MARGIN}" x2="{left + PANEL - MARGIN}" y1="{y:g}" y2="{y:g}" stroke="{QUIET}"/>'
        f'<text x="{left + MARGIN - 5}" y="{y + 3:g}" text-anchor="end">{share:.0%}</text>'
        for share in (0, 0.5, 1)
        for y in (top + MARGIN + HEIGHT * (1 - share),)
    )
    marks = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{LINE}"/>'
        f'<text x="{x:.1f}" y="{top + MARGIN + HEIGHT + 14}" text-anchor="middle">{strength:g}</text>'
        for (x, y), strength in zip(places, curve.strengths, strict=True)
    )
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    title = f'<text x="{left + MARGIN}" y="{top + MARGIN - 12}" font-weight="bold">{escape(curve.title)}</text>'
    return f'{title}{grid}<polyline points="{points}" fill="none" stroke="{LINE}" stroke-width="1.5"/>{marks}'
