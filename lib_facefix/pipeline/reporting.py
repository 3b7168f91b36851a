"""Outcomes of faces, and the progress of work, on their way to the front end."""

from dataclasses import dataclass

from ..errors import Stopped
from ..planning.plan import Outcome
from ..protocols import Progress


class NullProgress:
    """A `Progress` that says nothing and never stops."""

    def step(self, done: int, total: int, doing: str) -> None:
        """Say nothing."""

    def should_stop(self) -> bool:
        """Return False."""
        return False


@dataclass(slots=True)
class Report:
    """Outcomes of the faces so far."""

    progress: Progress
    """Receiver of each new outcome."""
    outcomes: dict[tuple[int, int], Outcome]
    """Outcomes by the index of the picture and the number of the face."""
    total: int
    """Number of faces to be done."""
    done: int = 0
    """Number of faces with an outcome."""

    def add(self, picture: int, outcome: Outcome) -> None:
        """Keep the outcome of one more face, and report it."""
        self.outcomes[picture, outcome.job.number] = outcome
        self.done += 1
        self.progress.step(self.done, self.total, f"face {outcome.job.number} {outcome.verdict}")

    def check_stop(self) -> None:
        """Raise `Stopped` if the person wants to stop."""
        if self.progress.should_stop():
            raise Stopped("stopped between two faces")


@dataclass(frozen=True, slots=True)
class SetupProgress:
    """A `Progress` for work before the first face: it passes on the description, with no face done."""

    progress: Progress
    """Receiver of the reports."""
    faces: int
    """Number of faces to be done."""

    def step(self, done: int, total: int, doing: str) -> None:  # noqa: ARG002 parts of another work than faces
        """Report the description of the work."""
        self.progress.step(0, self.faces, doing)

    def should_stop(self) -> bool:
        """Return whether the person wants to stop."""
        return self.progress.should_stop()
