"""Interfaces between the rooms of the library."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias, runtime_checkable

from .planning.needs import Needs
from .planning.plan import FaceJob, FixPlan, FixResult
from .planning.redraw import Redraw
from .settings.face_prompt import GenerationParams
from .settings.face_settings import FaceSettings
from .settings.sampling import Sampling
from .settings.treatment import Overrides
from .types import Crop, Face, Image, Mask, Matrix, Patch, Size

if TYPE_CHECKING:  # it reads model files, which those who only call an engine do not
    from .weights import ModelPaths, Published

Fetch: TypeAlias = "Callable[[Published, ModelPaths], object]"
"""Function that downloads weights, usually after confirmation; raises a `FaceFixError` if that fails."""


class Detector(Protocol):
    """Finds faces in images."""

    def detect(self, image: Image, min_score: float) -> tuple[Face, ...]:
        """Return the faces with a confidence of at least `min_score`, 0..1, best first. image: RGB (H, W, 3)."""


class Landmarker(Protocol):
    """Locates the landmarks of a detected face."""

    def locate(self, image: Image, face: Face) -> Face:
        """Return the face with landmarks, and a mesh if the model has one; unchanged if it finds none."""


class Guesser(Protocol):
    """Estimates the gender and age of a detected face."""

    def guess(self, image: Image, face: Face) -> Face:
        """Return the face with gender and age."""


class Framing(Protocol):
    """Defines the crop of a face."""

    @property
    def size(self) -> Size:
        """Side, or width and height, of the crop in pixels."""

    def matrix(self, face: Face) -> Matrix:
        """Return the affine map from the image to the crop; raises `DegenerateLandmarks`."""


class Fixed(NamedTuple):
    """The result of a fixer for one crop."""

    patch: Patch | None
    """The fixed crop, or None if there is none."""
    engine: str
    """Backend and precision, for reports; blank if the face stays unchanged."""
    ready: int = 0
    """Number of further crops that are fixed already, because they shared a run: stopping now would waste them."""


class FaceFixer(Protocol):
    """Fixes crops of faces, for example with a restorer or with img2img."""

    def framing(self, job: FaceJob) -> Framing:
        """Return the framing of the job's crop."""

    def batch_key(self, job: FaceJob) -> Hashable:
        """Return a key; jobs with the same key may share a batch."""

    def fix(self, crops: Sequence[Crop], jobs: Sequence[FaceJob]) -> Iterator[Fixed]:
        """Yield the result for each crop, in order and of the same shape.

        Splits the batch to fit into memory. Raises `Stopped` if the user stops the work.
        """


class Blend(NamedTuple):
    """A result at one fidelity, of which those at others are made."""

    fidelity: float
    """Fidelity that gives this result, 0..1."""
    shares: tuple[tuple[float, float], ...]
    """Fidelities in rising order, and this result's share at each; lines between them. The photo has the rest."""


@runtime_checkable
class Blender(Protocol):
    """A fixer whose result at every fidelity is a blend of the photo with a few results, so that others can blend."""

    def list_blends(self) -> tuple[Blend, ...]:
        """Return these results, or none if fidelity does more than blend."""


class Diffuser(Protocol):
    """Re-diffuses crops with Stable Diffusion."""

    @property
    def engine(self) -> str:
        """Name of the backend, for reports."""

    @property
    def native(self) -> int:
        """Side of the model's native size, in pixels."""

    def shares(self, job: FaceJob) -> Hashable:
        """Return a key that jobs of one sampling run share, in addition to size and `Sampling.run_settings`."""

    def redraw(self, items: Sequence[Redraw], sampling: Sampling) -> Sequence[Patch | None]:
        """Re-diffuse crops inside their masks, in one sampling run; None for each that gave no image.

        items: crops of the same shape. Raises `Stopped`, and MemoryError or `BadCrop` if a smaller run may succeed.
        """


class Masker(Protocol):
    """Draws the mask of a fixed crop."""

    def mask(self, crop: Crop, face: Face) -> Mask:
        """Return (h, w), 1 inside and 0 outside; the pipeline grows and softens the edge.

        Values below 0 exclude even the soft edge. Raises a `FaceFixError` if the mask is not possible for this face.
        """


class RememberedFace(Protocol):
    """A face before it was fixed, as its judge remembers it, in memory only."""

    @property
    def limit(self) -> float:
        """Largest distance at which a fixed face still counts as this one."""

    def measure(self, chip: Image) -> float:
        """Return the distance of a fixed face, 0 for the same image. chip: RGB (side, side, 3), uint8."""


class Judge(Protocol):
    """Measures how much a fixed face still looks like the face before, on one alignment."""

    @property
    def side(self) -> int:
        """Side of the chips, the aligned faces that the judge sees, in pixels."""

    def matrix(self, face: Face) -> Matrix | None:
        """Return the affine map from the image to the chip of a face, or None without usable landmarks."""

    def remember(self, chip: Image, job: FaceJob) -> RememberedFace | str:
        """Return the face before it is fixed, or why it cannot be measured, as a phrase for people."""


class Parts(Protocol):
    """Provides the fixer, masker and judge of each job, once for each job, before the work starts."""

    def fixer(self, job: FaceJob) -> FaceFixer:
        """Return the fixer of the job; a `FaceFixError` fails the job and all jobs merged with it."""

    def masker(self, job: FaceJob) -> Masker:
        """Return the masker of the job; a `FaceFixError` fails only this job."""

    def judge(self, job: FaceJob) -> Judge | None:
        """Return the judge of the job, None if its guard is off; a `FaceFixError` fails it like one of the fixer."""


class Enlarged(NamedTuple):
    """The result of an upscaler for one image."""

    image: Image
    engine: str
    """Backend and precision, for reports."""


class Upscaler(Protocol):
    """Enlarges whole images."""

    def enlarge(self, image: Image, size: tuple[int, int], progress: Progress | None = None) -> Enlarged | None:
        """Return a new image of exactly `size` = (width, height), or None if `progress` stopped the work.

        image: RGB (H, W, 3), uint8; it is not changed. progress: receives the number of tiles.
        """


class Progress(Protocol):
    """Receives the progress of work, and can stop it between batches."""

    def step(self, done: int, total: int, doing: str) -> None:
        """Report that `done` of `total` faces are finished. doing: the current activity, for people."""

    def should_stop(self) -> bool:
        """Return True to stop and keep the finished results."""


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """The location and the abilities of an engine."""

    place: str
    """Location of the work: "this machine", or the address of a server."""
    rediffuses: bool
    """True if the engine can re-diffuse faces."""
    loads_models: bool
    """True if this process loads the models, so that `Runtime` settings apply."""
    note: str = ""
    """Message to show before the work starts; blank if there is none."""
    restorer: str = ""
    """Label of the restorer that "auto" stands for; blank if it is unknown."""
    notes: tuple[str, ...] = ()
    """Sentences about what did not work as wished so far, such as a GPU that did not start."""
    advice: str = ""
    """How to get a better restorer than the built-in one, as a phrase; blank unless "auto" stands for that one."""


class Engine(Protocol):
    """Finds, plans and fixes faces, in this process (`FaceFix`) or on a server."""

    def describe(self) -> EngineInfo:
        """Return the location and the abilities of the engine."""

    def prepare(self, needs: Needs, fetch: Fetch | None = None) -> None:
        """Raise `MissingDiffuser` or another `FaceFixError` if the requirements cannot be met.

        Front ends call this before they write any file. fetch: called for each missing published model; then all models
        are loaded to find unusable ones. Without it, only names and paths are checked. A detector from a model file is
        always tried on an empty image, because a bad one would fail for every image.
        """

    def plan(
        self,
        image: Image,
        settings: FaceSettings | None = None,
        *,
        overrides: Overrides | None = None,
        origin: GenerationParams | None = None,
    ) -> FixPlan:
        """Return the decision for each face of one image, with its reason.

        image: RGB (H, W, 3), uint8. overrides: settings of single faces by number. origin: the image's generation
        parameters, used to re-diffuse faces with its prompt and seed.
        """

    def replan(
        self,
        plan: FixPlan,
        settings: FaceSettings | None = None,
        *,
        overrides: Overrides | None = None,
        origin: GenerationParams | None = None,
    ) -> FixPlan:
        """Return the plan for the same faces with other settings, without the image.

        If a setting in `FaceSettings.detection_settings` changes, call `plan` instead. The plan does not record these
        settings: only a missing attribute (age and gender, distance to a reference photo) raises `BadSetting`.
        """

    def run(
        self, images: Sequence[Image], plans: Sequence[FixPlan], *, progress: Progress | None = None
    ) -> list[FixResult]:
        """Carry out one plan for each image. Plans may come from edited files."""
