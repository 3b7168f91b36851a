"""One measured fact, with the bar it is held to and whether it holds."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]

PASS, FAIL, NOT_HERE = "pass", "FAIL", "not here"


def ratio_row(
    work: str, peer: float | None, own: float | None, least: float | None = None, *, holds: bool = True, **more: Any
) -> Row:
    """Return a comparison of CPU seconds; without a measurement of ours it is `NOT_HERE`, and `note` says why.

    least: the bar, in times the peer's speed. holds: whether what else is asked of it, a deviation say, is so.
    """
    ratio = peer / own if peer and own else None
    row: Row = {
        "work": work,
        "peer_cpu_s": _rounded(peer, 4),
        "ours_cpu_s": _rounded(own, 4),
        "ratio": _rounded(ratio, 2),
        "bar": None if least is None else f">= {least:g}",
        "verdict": _verdict(
            None if least is None or ratio is None else ratio >= least, holds, measured=own is not None
        ),
    }
    return {**row, **more}


def amount_row(
    work: str, amount: float, unit: str, *, most: float | None = None, least: float | None = None, **more: Any
) -> Row:
    """Return one amount that is to be at most, or at least, so much."""
    bar = f"<= {most:g} {unit}" if most is not None else None if least is None else f">= {least:g} {unit}"
    met = amount <= most if most is not None else None if least is None else amount >= least
    return {
        "work": work,
        "amount": round(amount, 3),
        "unit": unit,
        "bar": bar,
        "verdict": _verdict(met, holds=True, measured=True),
        **more,
    }


def _verdict(met: bool | None, holds: bool, *, measured: bool) -> str:
    if not measured:
        return NOT_HERE
    if met is False or not holds:
        return FAIL
    return "" if met is None else PASS


def _rounded(amount: float | None, digits: int) -> float | None:
    return None if amount is None else round(amount, digits)
