"""All models that the user may select by name, as data: listing the names imports no model code.

To add a model, write one adapter file and add one line to a registry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .errors import BadSetting, MissingPackage, suggest
from .optional_imports import disable_telemetry

if TYPE_CHECKING:
    from .analysis.embedding import Embedder
    from .maskers.occluders import Occluder
    from .maskers.parser import FaceParser
    from .protocols import Detector, FaceFixer, Guesser, Landmarker, Masker, Upscaler

Made = TypeVar("Made", covariant=True)


@dataclass(frozen=True, slots=True)
class ModelInfo(Generic[Made]):
    """A selectable model and its requirements."""

    name: str
    """Name by which the model is selected."""
    label: str
    """Name shown to people."""
    target: str
    """Class as "module:Class", with the module relative to this package."""
    licence: str = ""
    """Licence of the weights; empty if there are none."""
    assets: tuple[str, ...] = ()
    """File names of the bundled weights."""
    weights_name: str = ""
    """Published file to load, a key of `weights.PUBLISHED`; the class receives the file's path."""
    package: str | None = None
    """Required optional package."""
    install: str = ""
    """Sentence that says how to install the package, if its name alone does not."""
    external_file: str = ""
    """File to load from another program, which is not published here."""
    origin: str = ""
    """Address where people get the external file."""
    folders: tuple[str, ...] = ()
    """Folders to search for the external file: below a WebUI's models folder, or in the home if they begin with ~."""
    classes: bool = False
    """Whether the model detects several classes, among which the user may choose."""
    only: str = ""
    """Faces that the model is made for, "people", or empty for all."""
    about: str = ""
    """One or two sentences on what the model is good at."""
    enhances: bool = False
    """Whether a restorer sharpens what is in the photo. Others draw faces that they have learnt; see `provenance`."""

    def needs(self) -> None:
        """Raise `MissingPackage` unless the required package, if any, is installed; nothing is imported."""
        if self.package and not find_spec(self.package):
            raise MissingPackage(self.label, self.package, self.install)

    def load(self) -> Callable[..., Made]:
        """Import and return the class; raises `MissingPackage` if its package is not installed."""
        module, attribute = self.target.split(":")
        if self.package:
            disable_telemetry(self.package)
        try:
            loaded: Callable[..., Made] = getattr(import_module(module, __package__), attribute)
        except ModuleNotFoundError as error:
            if self.package is None or error.name != self.package:
                raise
            raise MissingPackage(self.name, self.package, self.install) from error
        return loaded


class Registry(Generic[Made]):
    """The models of one kind, in the order in which they are listed."""

    def __init__(self, kind: str, *infos: ModelInfo[Made], own: str = "") -> None:
        """own: the class for the user's own model files, as a `ModelInfo.target`, if there is one."""
        self.kind = kind
        self._own = own
        self._infos = {info.name: info for info in infos}

    def names(self) -> tuple[str, ...]:
        """Return the names to choose from."""
        return tuple(self._infos)

    def __iter__(self) -> Iterator[ModelInfo[Made]]:
        return iter(self._infos.values())

    def of_file(self, path: str) -> ModelInfo[Made]:
        """Return the info for the user's own model file; raises `BadSetting` if this kind does not accept files."""
        if not self._own:
            raise self._unknown(path)
        return ModelInfo(path, path, self._own, package="torch")

    def label(self, name: str) -> str:
        """Return the label of a model, or the name itself if it is the path of the user's own file."""
        return self._infos[name].label if name in self._infos else name

    def __getitem__(self, name: str) -> ModelInfo[Made]:
        if name not in self._infos:
            raise self._unknown(name)
        return self._infos[name]

    def _unknown(self, name: str) -> BadSetting:
        return BadSetting(
            f"Unknown {self.kind} {name!r}.{suggest(name, self._infos)} Choose from: {', '.join(self._infos)}"
        )


FIRST = "auto"
"""Name that stands for the first available model."""
PEOPLE = "people"
BUILT_IN = "lite"
"""Name of the built-in restorer in settings, plans, and infotexts; people read "built-in"."""
_INSIGHTFACE = "insightface/models", "insightface", "~/.insightface/models"
_PACKS = "buffalo_l", "antelopev2"
"""Model packs of insightface, which hold nearly the same files."""
_SCRFD = ".detectors.scrfd:Scrfd"
_RESTORING, _UPSCALING = ".fixers.restore:Restorer", ".upscalers.net:NetUpscaler"
_PARSING, _OCCLUDING = ".maskers.parser:FaceParser", ".maskers.occluders:XSeg"


def _bundled(name: str, label: str, target: str, weights: str, licence: str) -> ModelInfo[Any]:
    return ModelInfo(name, label, target, licence, assets=(weights,))


def _restorer(name: str, label: str, weights: str, only: str, about: str) -> ModelInfo[FaceFixer]:
    return ModelInfo(name, label, _RESTORING, weights_name=weights, package="torch", only=only, about=about)


def _upscaler(name: str, label: str, weights: str) -> ModelInfo[Upscaler]:
    return ModelInfo(name, label, _UPSCALING, weights_name=weights, package="torch")


def _parser(name: str, label: str, weights: str, package: str | None = None) -> ModelInfo[FaceParser]:
    return ModelInfo(name, label, _PARSING, weights_name=weights, package=package)


def _mediapipe(reach: str, name: str) -> ModelInfo[Detector]:
    return ModelInfo(
        f"mediapipe_face_{reach}",
        f"mediapipe, {reach} range",
        f".detectors.mediapipe:{name}",
        licence="Apache-2.0",
        package="mediapipe",
        install="Install it with `pip install 'mediapipe>=0.10.33,<0.10.35'`. Later versions contact their maker.",
    )


def _insightface(name: str, label: str, target: str, file: str, *packs: str, **facts: Any) -> ModelInfo[Any]:
    """Return the info for a file of insightface's model packs, in a WebUI or in the package's own folder."""
    folders = tuple(f"{root}/{one}" for one in packs for root in _INSIGHTFACE)
    origin = f"https://github.com/deepinsight/insightface/releases/download/v0.7/{packs[0]}.zip"
    return ModelInfo(name, label, target, "non-commercial", external_file=file, origin=origin, folders=folders, **facts)


DETECTORS: Registry[Detector] = Registry(
    "detector",
    _bundled(
        "auto",
        "BlazeFace, with CenterFace for small and grainy faces (built in)",
        ".detectors.adaptive:Adaptive",
        "centerface.onnx",
        "MIT, Apache-2.0",
    ),
    _bundled(
        "blazeface",
        "BlazeFace (built in)",
        ".detectors.blazeface:BlazeFace",
        "face_detection_full_range.tflite",
        "Apache-2.0",
    ),
    _bundled("centerface", "CenterFace (built in)", ".detectors.centerface:CenterFace", "centerface.onnx", "MIT"),
    ModelInfo("aligned", "Aligned face crops, without a search (built in)", ".detectors.aligned:Aligned"),
    ModelInfo("yunet", "YuNet", ".detectors.yunet:YuNet", weights_name="face_detection_yunet_2023mar.onnx"),
    ModelInfo(
        "yolov8n-face", "YOLOv8n face", ".detectors.yolo_onnx:from_onnx", weights_name="yolov8n-face.onnx", classes=True
    ),
    _mediapipe("full", "FullRange"),
    _mediapipe("short", "ShortRange"),
    _insightface("buffalo_l", "SCRFD of buffalo_l", _SCRFD, "det_10g.onnx", "buffalo_l"),
    _insightface("antelopev2", "SCRFD of antelopev2", _SCRFD, "scrfd_10g_bnkps.onnx", "antelopev2"),
    _insightface(
        "insightface",
        "SCRFD of buffalo_l (insightface package)",
        ".detectors.insight:InsightFace",
        "det_10g.onnx",
        "buffalo_l",
        package="insightface",
    ),
)

LANDMARKERS: Registry[Landmarker] = Registry(
    "landmarker",
    _bundled("facemesh", "FaceMesh (built in)", ".landmarks.facemesh:FaceMesh", "face_landmark.tflite", "Apache-2.0"),
    _insightface("2d106", "106 points (insightface)", ".landmarks.insight:Insight106", "2d106det.onnx", *_PACKS),
)

GUESSERS: Registry[Guesser] = Registry(
    "age and gender",
    _insightface(
        "genderage", "Gender and age (insightface)", ".landmarks.insight:GenderAge", "genderage.onnx", *_PACKS
    ),
)

RESTORERS: Registry[FaceFixer] = Registry(
    "restorer",
    ModelInfo(
        BUILT_IN, "Built-in", ".fixers.lite:Lite", "AGPL-3.0-or-later", assets=("lite.onnx",),
        about="Fast. Removes blur, noise, and JPEG blocks, and stays close to the photo.", enhances=True,
    ),
    _restorer("gfpgan", "GFPGAN 1.4", "GFPGANv1.4.pth", PEOPLE,
              "Clean, sharp faces. A good first choice for small and blurred photos."),
    _restorer("gfpgan-1.3", "GFPGAN 1.3", "GFPGANv1.3.pth", PEOPLE,
              "Softer than GFPGAN 1.4, and better with very bad photos. May change the likeness a little."),
    _restorer("codeformer", "CodeFormer", "codeformer-v0.1.0.pth", PEOPLE,
              "Repairs badly damaged faces. The slider trades repair against likeness."),
    _restorer("restoreformer", "RestoreFormer", "RestoreFormer.pth", PEOPLE,
              "Keeps the likeness and fine texture of moderately damaged photos."),
    _restorer("restoreformer++", "RestoreFormer++", "RestoreFormer++.ckpt", PEOPLE,
              "Like RestoreFormer, with more detail."),
    _restorer("x4plus", "Real-ESRGAN x4plus", "RealESRGAN_x4plus.pth", "",
              "Sharpens what is there, without knowing faces. Also for animals."),
    _restorer("animevideo", "Real-ESRGAN anime video v3", "realesr-animevideov3.pth", "",
              "Small and fast. For drawn faces."),
    own=_RESTORING,
)  # fmt: skip

MASKERS: Registry[Masker] = Registry(
    "mask",
    ModelInfo("hull", "Mesh hull", ".maskers.shape:HullMasker"),
    ModelInfo("ellipse", "Ellipse", ".maskers.shape:EllipseMasker"),
    ModelInfo("box", "Box", ".maskers.shape:BoxMasker"),
    ModelInfo("skin", "Skin (hull without eyes, brows and lips)", ".maskers.parts:SkinMasker"),
    ModelInfo("eyes", "Eyes", ".maskers.parts:EyesMasker"),
    ModelInfo("brows", "Brows", ".maskers.parts:BrowsMasker"),
    ModelInfo("lips", "Lips", ".maskers.parts:LipsMasker"),
    ModelInfo("nose", "Nose", ".maskers.parts:NoseMasker"),
    _bundled(
        "person",
        "Person without background",
        ".maskers.person:PersonMasker",
        "selfie_segmentation.tflite",
        "Apache-2.0",
    ),
    ModelInfo("segmentation", "Outline from the detector", ".maskers.shape:SegmentationMasker"),
    ModelInfo("parsing", "Classes of a face parser", ".maskers.parser:ParsingMasker"),
    ModelInfo("occluders", "Objects covering the face", ".maskers.occluders:OccludersMasker"),
)

PARSERS: Registry[FaceParser] = Registry(
    "face parser",
    _parser("bisenet", "BiSeNet (facexlib)", "parsing_bisenet.pth", "torch"),
    _parser("bisenet-onnx", "BiSeNet (ONNX)", "face_parsing_resnet18.onnx"),
    _parser("parsenet", "ParseNet (facexlib)", "parsing_parsenet.pth", "torch"),  # twenty times slower
    own=_PARSING,
)

OCCLUDERS: Registry[Occluder] = Registry(
    "occluder model", ModelInfo("xseg", "XSeg", _OCCLUDING, weights_name="xseg_1.onnx"), own=_OCCLUDING
)

UPSCALERS: Registry[Upscaler] = Registry(
    "upscaler",
    ModelInfo("lanczos", "Lanczos (no model)", ".upscalers.lanczos:Lanczos"),
    _upscaler("x4plus", "Real-ESRGAN x4plus", "RealESRGAN_x4plus.pth"),
    _upscaler("x4plus-anime", "Real-ESRGAN x4plus anime", "RealESRGAN_x4plus_anime_6B.pth"),
    _upscaler("x2plus", "Real-ESRGAN x2plus", "RealESRGAN_x2plus.pth"),
    _upscaler("general", "Real-ESRGAN general x4 v3", "realesr-general-x4v3.pth"),
    _upscaler("animevideo", "Real-ESRGAN anime video v3", "realesr-animevideov3.pth"),
    own=_UPSCALING,
)

EMBEDDINGS: Registry[Embedder] = Registry(
    "embedding",
    _bundled("dlib", "Embedding of faces (built in)", ".analysis.embedding:Embedder", "identity.onnx", "CC0-1.0"),
)
"""Models that tell people apart. The user cannot choose one, so they are not in `REGISTRIES`."""

REGISTRIES: tuple[Registry[object], ...] = (
    DETECTORS,
    LANDMARKERS,
    GUESSERS,
    RESTORERS,
    MASKERS,
    PARSERS,
    OCCLUDERS,
    UPSCALERS,
)
