"""Tables of figures as Markdown: by degradation, and by groups of people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from training.judging.measures import Figures, average

Row = tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """One person under one degradation, restored in one way."""

    person: str
    kind: str
    method: str
    """"input", or the restorer's name and its end."""
    figures: Figures


def average_by_method(results: Iterable[Result]) -> dict[str, Figures]:
    """Return the mean figures of each method, in the order of their first appearance."""
    found: dict[str, list[Figures]] = {}
    for result in results:
        found.setdefault(result.method, []).append(result.figures)
    return {method: average(figures) for method, figures in found.items()}


def format_table(head: Row, rows: Iterable[Row]) -> str:
    """Return a Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def compare_kinds(results: Sequence[Result], reference: str, baseline: str | None = None) -> str:
    """Return a table with a row for each degradation and method.

    Gains are those over the method `reference`, the input. With `baseline`, another column has the perceptual distance
    as a share of that method's.
    """
    head = ("degradation", "method", "PSNR", "gain", "ST-LPIPS", "identity", "closer", "fine", "middle")
    rows = []
    for kind in dict.fromkeys(result.kind for result in results):
        chosen = [result for result in results if result.kind == kind]
        means = average_by_method(chosen)
        for method, mean in means.items():
            closer = share_closer(chosen, method, reference)
            row = [
                kind,
                method,
                f"{mean.psnr:.2f}",
                f"{mean.psnr - means[reference].psnr:+.2f}",
                f"{mean.perceptual:.3f}",
                f"{mean.identity:.3f}",
                "" if method == reference else f"{100 * closer:.0f} %",
                f"{mean.fine:.2f}",
                f"{mean.middle:.2f}",
            ]
            if baseline is not None:
                row.append(f"{mean.perceptual / max(means[baseline].perceptual, 1e-9):.2f}")
            rows.append(tuple(row))
    return format_table(head if baseline is None else (*head, f"ST-LPIPS / {baseline}"), rows)


def share_closer(results: Sequence[Result], method: str, reference: str) -> float:
    """Return the share of people whose identity the method brings nearer to the truth than the reference is."""
    by_person = {(result.person, result.method): result.figures.identity for result in results}
    people = dict.fromkeys(result.person for result in results if result.method == method)
    return float(np.mean([by_person[person, method] < by_person[person, reference] for person in people]))


def compare_groups(
    results: Sequence[Result], groups_of: Callable[[str], Iterable[str]], method: str, reference: str
) -> str:
    """Return a table with a row for each group of people: what the method gains over the reference, in the mean.

    groups_of: from a person's name to the groups, such as "sex: female". `closer` is the share of faces whose identity
    gets nearer to the truth.
    """
    head = ("degradation", "group", "faces", "PSNR gain", "ST-LPIPS gain", "identity change", "closer")
    rows = []
    for kind in dict.fromkeys(result.kind for result in results):
        chosen = [result for result in results if result.kind == kind]
        members = {name: set(groups_of(name)) for name in {result.person for result in chosen}}
        for group in sorted(set().union(*members.values())):
            inside = [result for result in chosen if group in members[result.person]]
            means = average_by_method(inside)
            after, before = means[method], means[reference]
            rows.append(
                (
                    kind,
                    group,
                    str(len({result.person for result in inside})),
                    f"{after.psnr - before.psnr:+.2f}",
                    f"{100 * (1 - after.perceptual / before.perceptual):+.0f} %" if before.perceptual else "",
                    f"{after.identity - before.identity:+.3f}",
                    f"{100 * share_closer(inside, method, reference):.0f} %",
                )
            )
    return format_table(head, rows)


def compare_extremes(
    results: Sequence[Result], groups_of: Callable[[str], Iterable[str]], method: str, reference: str
) -> str:
    """Return a sentence for each degradation: how the perceptual gain of the worst group compares with the best one's.

    Gains are shares of the reference's ST-LPIPS, means of a group. Degradations that change nothing are left out.
    """
    sentences = []
    for kind in dict.fromkeys(result.kind for result in results):
        chosen = [result for result in results if result.kind == kind]
        if not any(result.figures.perceptual for result in chosen if result.method == reference):
            continue
        gains = {}
        for group in {group for result in chosen for group in groups_of(result.person)}:
            means = average_by_method(result for result in chosen if group in groups_of(result.person))
            gains[group] = 1 - means[method].perceptual / means[reference].perceptual
        worst, best = (pick(gains, key=lambda group: (gains[group], group)) for pick in (min, max))
        ratio = f" ({gains[worst] / gains[best]:.2f} of it)" if gains[best] > 0 else ""
        sentences.append(
            f"- {kind}: best {best} {100 * gains[best]:+.1f} %, worst {worst} {100 * gains[worst]:+.1f} %{ratio}"
        )
    return "\n".join(sentences)
