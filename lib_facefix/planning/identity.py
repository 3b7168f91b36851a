"""What the identity guard found out about a fixed face, and what was done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

IdentityVerdict = Literal["kept", "drifted", "backed off", "left", "unmeasured"]


@dataclass(frozen=True, slots=True)
class IdentityCheck:
    """How far a fixed face is from the face before, and what the guard did about it."""

    verdict: IdentityVerdict
    """kept: within the limit. drifted: beyond it, and only reported. backed off: changed less, now within it. left: not
    changed, because no milder change was within it. unmeasured: no figure; see `why`."""
    distance: float | None = None
    """Distance between the face before and after, from 0 (same image) to about 1.4; of a face that was left, the
    distance that the mildest change would have had. None if it is unmeasured."""
    limit: float | None = None
    """Largest allowed distance; None if it is unmeasured."""
    first: float | None = None
    """Distance of the change as the settings ask for it; None if it is unmeasured."""
    how: str = ""
    """How the change was made milder, as a phrase for people; blank if it was not."""
    why: str = ""
    """Why the face is unmeasured, as a phrase for people."""
    share: float = 1.0
    """Part of the fixed crop's change that was added, 0..1; less than 1 only if the guard reduced it."""

    def describe(self) -> str:
        """Return the finding as a phrase for people."""
        if self.distance is None or self.limit is None or self.first is None:
            return f"identity unmeasured: {self.why}"
        if self.verdict == "kept":
            return f"identity kept (distance {self.distance:.2f}, limit {self.limit:.2f})"
        if self.verdict == "drifted":
            return f"identity drifted (distance {self.distance:.2f}, limit {self.limit:.2f})"
        if self.verdict == "backed off":
            return (
                f"backed off to keep the identity: {self.how} "
                f"(distance {self.distance:.2f} instead of {self.first:.2f}, limit {self.limit:.2f})"
            )
        return f"it would look like another person (distance {self.distance:.2f}, limit {self.limit:.2f})"

    def abbreviate(self) -> str:
        """Return the finding in a few words, with the distance and the limit: "identity kept 0.12/0.45"."""
        done = {"backed off": "changed less, identity", "left": "not changed, identity"}
        figures = "" if self.distance is None or self.limit is None else f" {self.distance:.2f}/{self.limit:.2f}"
        return done.get(self.verdict, f"identity {self.verdict}") + figures

    def to_json(self) -> dict[str, Any]:
        """Return the finding as JSON data, with distances rounded to 4 digits."""
        figures = {name: getattr(self, name) for name in ("distance", "limit", "first")}
        rounded = {name: None if value is None else round(value, 4) for name, value in figures.items()}
        return {"verdict": self.verdict, **rounded, "how": self.how, "why": self.why, "share": self.share}

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> IdentityCheck:
        """Read the data of `to_json`; raises KeyError, TypeError, or ValueError for invalid data."""
        verdict = entry["verdict"]
        if verdict not in get_args(IdentityVerdict):
            raise ValueError(verdict)
        distance, limit, first = (
            None if entry[name] is None else float(entry[name]) for name in ("distance", "limit", "first")
        )
        share = float(entry.get("share", 1.0))  # servers of older versions do not send it
        return cls(verdict, distance, limit, first, str(entry["how"]), str(entry["why"]), share)
