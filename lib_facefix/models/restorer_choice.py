"""The restorer that "auto" stands for: the best one that can run here and whose licence the user has accepted."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from ..errors import BadModel
from ..registry import BUILT_IN, RESTORERS, ModelInfo
from ..weights import ModelPaths, find_record, verify_file
from ..weights.licences import is_accepted
from .variants import is_here, is_usable

ORDER = ("restoreformer++", "gfpgan", "codeformer", "restoreformer", "gfpgan-1.3")
"""Restorers that auto may choose, best first; the built-in one comes after them.

The first three are in the order of their published results on CelebA-Test, mainly of Deg and LMD, the deviations of
identity and landmarks (29.6 and 2.04; 36.1 and 2.44; 37.3 and 2.47), and of FID (41.2; 46.7; 53.2), as listed in the
paper on PMRF (Ohayon et al., 2024). The others are not in that list.
"""

Obstacle = Literal["", "packages", "licence", "file"]


@dataclass(frozen=True, slots=True)
class RestorerChoice:
    """The restorer that auto stands for, and how to get a better one if it is only the built-in one."""

    name: str
    """Name of the restorer, one of the registry's."""
    advice: str = ""
    """Sentence that says how to get a better restorer; blank if the choice is not the built-in one."""
    blocked: str = ""
    """Name of the best restorer whose file is here but which auto may not use; blank if there is none."""
    obstacle: Obstacle = ""
    """Why auto may not use the blocked one: "packages" are missing, its "licence" is not accepted, or its "file" is not
    the published one."""

    @property
    def label(self) -> str:
        """Name of the restorer for people."""
        return RESTORERS.label(self.name)


def list_restricted() -> tuple[str, ...]:
    """Return the restorers whose licence does not allow every use, so that auto uses them only once it is accepted."""
    return tuple(name for name in ORDER if not find_record(RESTORERS[name].weights_name).free)


def choose_restorer(paths: ModelPaths, accepted: Collection[str] = ()) -> RestorerChoice:
    """Return the first restorer of `ORDER` that can run here, or the built-in one. Nothing is imported.

    accepted: names of restorers whose licence counts as accepted, besides those noted in the model folders.
    """
    blocked: tuple[str, Obstacle] = "", ""
    for name in ORDER:
        here = [one for one in RESTORERS[name].variants if is_here(find_record(one.weights_name), paths)]
        if not here:
            continue
        usable = next(filter(is_usable, here), None)
        obstacle = _find_obstacle(usable, paths, name in accepted) if usable else "packages"
        if not obstacle:
            return RestorerChoice(name)
        blocked = blocked if blocked[0] else (name, obstacle)
    return RestorerChoice(BUILT_IN, _advise(*blocked), *blocked)


def _find_obstacle(info: ModelInfo[object], paths: ModelPaths, accepted: bool) -> Obstacle:
    """Return why auto may not use a restorer whose file is here; the file is read last, and only once."""
    record = find_record(info.weights_name)
    if not (accepted or is_accepted(record, paths)):
        return "licence"
    try:
        verify_file(paths.require(info), record, paths.cache)
    except BadModel:
        return "file"
    return ""


def _advise(name: str, obstacle: Obstacle) -> str:
    label = RESTORERS.label(name)
    return {
        "": "only the built-in restorer is installed; `facefix setup` shows better ones",
        "packages": f"{label} lacks the Python packages that it needs; `facefix setup {name}` installs them",
        "licence": f"{label} is here, but you have not accepted its licence; `facefix setup {name}` shows it and asks",
        "file": f"the file of {label} is not the published one; `facefix models verify` says more",
    }[obstacle]
