"""The seams: what the pipeline asks of the parts it is given."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from .planning.needs import Needs
from .planning.plan import FaceJob, FixPlan, FixResult
from .planning.redraw import Redraw
from .settings.face_prompt import GenerationParams
from .settings.face_settings import FaceSettings
from .settings.sampling import Sampling
from .settings.treatment import Overrides
from .types import Crop, Face, Image, Mask, Matrix, Patch, Size
from .weights import ModelPaths, Published

Fetch = Callable[[Published, ModelPaths], object]
"""Asks the person, and downloads these weights to the shelf; raises a `FaceFixError` where they do not come."""


class Detector(Protocol):
    """Finds faces."""

    def detect(self, image: Image, min_score: float) -> tuple[Face, ...]:
        """Return the faces scoring at least `min_score` (0..1), best first."""
        ...


class Landmarker(Protocol):
    """Looks at one found face more closely."""

    def locate(self, image: Image, face: Face) -> Face:
        """Return the face with mesh and landmarks; unchanged where it cannot make them out."""
        ...


class Guesser(Protocol):
    """Says what a found face looks like."""

    def guess(self, image: Image, face: Face) -> Face:
        """Return the face with gender and age."""
        ...


class Framing(Protocol):
    """Says where in the picture a fixer wants to look."""

    @property
    def size(self) -> Size:
        """Width and height of the crop, pixels."""
        ...

    def matrix(self, face: Face) -> Matrix:
        """Return the map from the picture to the crop; raises `DegenerateLandmarks`."""
        ...


class Fixed(NamedTuple):
    """What a fixer makes of one crop."""

    patch: Patch | None
    """The better crop; None where none came out."""
    engine: str
    """What ran and in which precision, for the report; blank where the face was to stay as it is."""


class FaceFixer(Protocol):
    """Makes better faces. A restoring net is one, img2img another."""

    def framing(self, job: FaceJob) -> Framing:
        """Return how the job's face is to be cut out."""
        ...

    def batch_key(self, job: FaceJob) -> Hashable:
        """Jobs of equal key may share one pass."""
        ...

    def fix(self, crops: Sequence[Crop], jobs: Sequence[FaceJob]) -> Iterator[Fixed]:
        """Yield one picture a crop, in order and of its shape, and what made it.

        Cuts the batch to what memory takes. Where the work is stopped in the middle it raises `Stopped`.
        """
        ...


class Diffuser(Protocol):
    """Redraws crops with Stable Diffusion: a WebUI's sampler, or a fake in tests."""

    @property
    def engine(self) -> str:
        """What runs it, for the report."""
        ...

    @property
    def native(self) -> int:
        """Side in pixels of the squares that the model draws best."""
        ...

    def shares(self, job: FaceJob) -> Hashable:
        """Return what jobs of one run must have in common, beside size and `Sampling.of_a_run`."""
        ...

    def redraw(self, items: Sequence[Redraw], sampling: Sampling) -> Sequence[Patch | None]:
        """Return the crops redrawn inside their masks, in one sampling run; None for each that gave no picture.

        items: all of one shape. Raises MemoryError or `BadCrop` where fewer might go, and `Stopped`.
        """
        ...


class Masker(Protocol):
    """Says which part of a fixed crop may show."""

    def mask(self, crop: Crop, face: Face) -> Mask:
        """Return (h, w), 1 inside and 0 outside; edges are grown and softened by the pipeline.

        Below 0 where not even a soft edge may show. Raises a `FaceFixError` where this face has no such mask.
        """
        ...


class Parts(Protocol):
    """Gives each job the parts its treatment names; asked once for each, before the work begins."""

    def fixer(self, job: FaceJob) -> FaceFixer:
        """Return what does the job; may raise a `FaceFixError`, which fails what is done as one with it."""
        ...

    def masker(self, job: FaceJob) -> Masker:
        """Return what makes the job's mask; may raise a `FaceFixError`, which fails this job alone."""
        ...


class Enlarged(NamedTuple):
    """What an upscaler makes of one picture."""

    image: Image
    engine: str
    """What ran and in which precision, for the report."""


class Upscaler(Protocol):
    """Makes a whole picture larger."""

    def enlarge(self, image: Image, size: tuple[int, int], progress: Progress | None = None) -> Enlarged | None:
        """Return a new picture, exactly `size` = (width, height), corner on corner; None if `progress` said stop.

        image: RGB (H, W, 3), uint8; it is not changed. `progress` is told of tiles.
        """
        ...


class Progress(Protocol):
    """Told how far the work is; may stop it between rounds."""

    def step(self, done: int, total: int, doing: str) -> None:
        """Say that `done` of `total` faces are through, and what is being done, in words."""
        ...

    def should_stop(self) -> bool:
        """Return True to keep what is done and do no more."""
        ...


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """Where an engine does its work, and what it can do."""

    place: str
    """"this machine", or the address of a server."""
    rediffuses: bool
    """True if faces can be re-diffused there."""
    loads_models: bool
    """True if models are loaded by this process, so that the choice of what runs them is made here."""
    note: str = ""
    """A sentence that the person should read before the work begins; blank: there is none."""


class Engine(Protocol):
    """Finds, plans and fixes faces: in this process (`FaceFix`), or through a server."""

    def describe(self) -> EngineInfo:
        """Return where the work is done, and what can be done there."""
        ...

    def prepare(self, needs: Needs, fetch: Fetch | None = None) -> None:
        """Refuse what cannot be done; front ends call this before they write any picture.

        fetch: called for each published model that is missing; then all models are loaded, so that one that cannot be
        used is refused now. Without it nothing is downloaded or loaded: names and paths are checked alone.
        Raises `MissingDiffuser` or another `FaceFixError`.
        """
        ...

    def plan(
        self,
        image: Image,
        settings: FaceSettings | None = None,
        *,
        overrides: Overrides | None = None,
        origin: GenerationParams | None = None,
    ) -> FixPlan:
        """Return what would be done to each face of one picture, and why.

        image: RGB (H, W, 3), uint8. overrides: settings of single faces by number. origin: what the picture was made
        from, so that faces are re-diffused by its own prompt and seed.
        """
        ...

    def replan(
        self,
        plan: FixPlan,
        settings: FaceSettings | None = None,
        *,
        overrides: Overrides | None = None,
        origin: GenerationParams | None = None,
    ) -> FixPlan:
        """Return the plan that `plan` would give for the same picture with other settings, without the picture.

        The faces are those of the plan, with all that it says of them. So no setting may differ from those that they
        were found with among `FaceSettings.finding`: where one does, plan the picture again. A plan does not say what
        its faces were found with; only what is seen to be missing (age and gender, the likeness to a reference photo)
        raises `BadSetting`.
        """
        ...

    def run(
        self, images: Sequence[Image], plans: Sequence[FixPlan], *, progress: Progress | None = None
    ) -> list[FixResult]:
        """Carry out plans, perhaps read from a file and edited, one for each picture."""
        ...
