"""The comparison as a picture: how many times faster, seconds against faces, memory against faces."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .rows import FAIL

Row = Mapping[str, Any]
Line = list[tuple[int, float]]

INK, OURS, MISSED, PEER, QUIET = "#222222", "#2a78b5", "#d1495b", "#8a8a8a", "#dddddd"
COLOURS = {"exact": "#2a78b5", "fast": "#e08e2b"}
FROM = 0.8
"""Where the scale of the ratios begins; it is logarithmic."""


def draw(rows: Sequence[Row], path: Path) -> None:
    """Write a PNG with three panels; a panel without measurements says so."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    bars = [row for row in rows if row.get("bar") and row.get("ratio")]
    size = (13, max(7.0, 2 + 0.36 * len(bars)))
    figure, panels = pyplot.subplot_mosaic(
        [["ratios", "seconds"], ["ratios", "memory"]], figsize=size, width_ratios=(5, 4)
    )
    _ratios(panels["ratios"], bars)
    _against_faces(panels["seconds"], _seconds(rows), "CPU seconds, 4096 x 4096 px", PEER)
    _against_faces(panels["memory"], _memory(rows), "Peak memory, GB, 8192 x 8192 px", PEER, limit=3.0)
    figure.tight_layout(w_pad=3, h_pad=3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _ratios(axes: Any, rows: Sequence[Row]) -> None:
    """Draw one bar a row, and a mark where it should reach."""
    for place, row in enumerate(rows):
        ratio, least = float(row["ratio"]), float(str(row["bar"]).split()[-1])
        axes.barh(place, ratio - FROM, left=FROM, height=0.62, color=MISSED if row["verdict"] == FAIL else OURS)
        axes.plot([least] * 2, [place - 0.42, place + 0.42], color=INK, linewidth=2)
        told = f"{ratio:.3g}  (bar {least:g})"
        axes.text(1.06 * max(ratio, least), place, told, va="center", fontsize=9, color=INK)
    axes.set_yticks(range(len(rows)), [_short(str(row["work"])) for row in rows], fontsize=9)
    axes.set_xscale("log")
    axes.set_xlim(FROM, 600)
    ticks = (1, 2, 4, 8, 15, 30, 60, 120)
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.invert_yaxis()
    axes.set_title("Times faster than the peers (CPU time; marks: the bars)", loc="left", fontsize=11)
    _plain(axes, "x")


def _against_faces(axes: Any, lines: Mapping[str, Line], title: str, grey: str, limit: float = 0.0) -> None:
    """Draw lines over the number of faces, each with its name at its end."""
    axes.set_title(title, loc="left", fontsize=11)
    _plain(axes, "y")
    if not lines:
        axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, ha="center", color=grey)
        return
    most = max(faces for line in lines.values() for faces, _ in line)
    for name, line in lines.items():
        colour = next((known for way, known in COLOURS.items() if name.endswith(way)), grey)
        style = "--" if name.startswith("animevideo") else "-"
        axes.plot(*zip(*line, strict=True), style, marker="o", color=colour, linewidth=2)
        axes.annotate(name, line[-1], (7, 0), textcoords="offset points", va="center", fontsize=9, color=colour)
    if limit:
        axes.axhline(limit, color=INK, linewidth=1.5)
        axes.text(most, limit, f"at most {limit:g}", va="bottom", ha="right", fontsize=9, color=INK)
    axes.set_xlim(0, most * 1.45)
    if limit:
        axes.set_ylim(0, max(axes.get_ylim()[1], 1.15 * limit))
    else:  # from seconds to minutes
        axes.set_yscale("log")
        ticks = (1, 3, 10, 30, 100, 300, 1000)
        axes.set_yticks(ticks, [str(tick) for tick in ticks])
        axes.minorticks_off()
        axes.set_ylim(1, None)
    axes.set_xlabel("faces", fontsize=9)
    axes.set_xticks(sorted({faces for line in lines.values() for faces, _ in line}))


def _seconds(rows: Iterable[Row]) -> dict[str, Line]:
    """Return the seconds of the larger photo by who took them."""
    lines: dict[str, Line] = defaultdict(list)
    for row in rows:
        if row.get("group") == "whole" and "faces" in row:
            way = str(row["work"]).split()[-1]
            lines[f"FaceFix {way}"].append((row["faces"], row["ours_cpu_s"]))
            lines["facexlib + GFPGAN"].append((row["faces"], row["peer_cpu_s"]))
    return {name: sorted(set(line)) for name, line in lines.items()}


def _memory(rows: Iterable[Row]) -> dict[str, Line]:
    lines: dict[str, Line] = defaultdict(list)
    for row in rows:
        if row.get("group") == "memory":
            lines[str(row["net"])].append((row["faces"], row["amount"]))
    return {name: sorted(line) for name, line in lines.items()}


def _plain(axes: Any, along: str) -> None:
    """Leave only what carries meaning."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis=along, color=QUIET, linewidth=0.8)
    axes.set_axisbelow(True)


def _short(work: str) -> str:
    return work.replace("whole photo, ", "").replace(", 128 to 512 px", "")
