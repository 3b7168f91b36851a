"""The seams: what the pipeline asks of the parts it is given."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple, Protocol

from .faces import Crop, Face, Image, Mask, Matrix, Patch, Size
from .jobs import FaceJob
from .redraw import Redraw
from .sampling import Sampling


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

    def stopped(self) -> bool:
        """Return True to keep what is done and do no more."""
        ...
