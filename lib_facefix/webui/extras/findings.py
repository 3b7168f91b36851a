"""What the identity guard found in the images of the extras tab, so that the table and the thumbnails can show it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...planning.identity import IdentityCheck
    from ...planning.plan import FixPlan, Outcome


MAX_PICTURES = 16
"""Images whose findings are kept. They hold distances, never embeddings."""


class Findings:
    """The latest outcome of each face, by the fingerprint of its image."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, dict[int, Outcome]] = OrderedDict()
        self._lock = Lock()

    def keep(self, picture: str, outcomes: Iterable[Outcome]) -> None:
        """Keep the outcomes of some faces of an image, and forget the images that were fixed longest ago."""
        with self._lock:
            known = self._kept.pop(picture, {})
            self._kept[picture] = {**known, **{outcome.job.number: outcome for outcome in outcomes}}
            while len(self._kept) > MAX_PICTURES:
                self._kept.popitem(last=False)

    def find(self, picture: str, plan: FixPlan) -> dict[int, IdentityCheck]:
        """Return the findings by number of the face, without those made with another decision or other settings."""
        with self._lock:
            known = self._kept.get(picture, {})
        found = {}
        for job in plan.jobs:
            outcome = known.get(job.number)
            if outcome and outcome.identity and job.decision != "leave" and job.treatment == outcome.job.treatment:
                found[job.number] = outcome.identity
        return found


FINDINGS = Findings()
