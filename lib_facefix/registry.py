"""Everything the user may choose by name. To add a model: one adapter file, one line here.

The tables are data: listing the names imports no model code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .errors import BadSetting, MissingPackage
from .optional_imports import disable_telemetry

if TYPE_CHECKING:
    from .analysis.embedding import Embedder
    from .maskers.occluders import Occluder
    from .maskers.parsed_classes import Parser
    from .protocols import Detector, FaceFixer, Guesser, Landmarker, Masker, Upscaler

Made = TypeVar("Made", covariant=True)


@dataclass(frozen=True, slots=True)
class ModelInfo(Generic[Made]):
    """One implementation on offer, and what it needs."""

    name: str
    """The name to choose it by."""
    label: str
    """The name that people see."""
    target: str
    """Its class as "module:Class", the module relative to this package."""
    licence: str = ""
    """The licence of its weights, where it has any."""
    assets: tuple[str, ...] = ()
    """The file names of its bundled weights."""
    weights_name: str = ""
    """The published file that it loads, a key of `weights.PUBLISHED`; its class is given the file's path."""
    package: str | None = None
    """The optional package that it needs."""
    install: str = ""
    """A sentence that says how to install the package, where its name alone does not."""
    external_file: str = ""
    """The file that it loads, where that comes from another program and is not published here."""
    origin: str = ""
    """The address where people get that file."""
    folders: tuple[str, ...] = ()
    """The folders to look for that file in: below a WebUI's models folder, or with a ~ in the home."""
    classes: bool = False
    """Whether it knows more than one kind of thing, of which the user may choose."""
    only: str = ""
    """The faces it is made for, where it is not for all: "people"."""

    def needs(self) -> None:
        """Raise `MissingPackage` unless the package that it needs, if any, is installed; nothing is imported."""
        if self.package and not find_spec(self.package):
            raise MissingPackage(self.label, self.package, self.install)

    def load(self) -> Callable[..., Made]:
        """Import and return the class; only now is its package needed."""
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
    """What is on offer of one kind, in the order in which it is offered."""

    def __init__(self, kind: str, *infos: ModelInfo[Made], own: str = "") -> None:
        """own: the class that takes model files of the user's own, as a `ModelInfo.target`, where there is one."""
        self.kind = kind
        self._own = own
        self._infos = {info.name: info for info in infos}

    def names(self) -> tuple[str, ...]:
        """Return the names to choose from."""
        return tuple(self._infos)

    def __iter__(self) -> Iterator[ModelInfo[Made]]:
        return iter(self._infos.values())

    def of_file(self, path: str) -> ModelInfo[Made]:
        """Return what takes the user's own model file; raises `BadSetting` where nothing does."""
        if not self._own:
            raise self._unknown(path)
        return ModelInfo(path, path, self._own, package="torch")

    def __getitem__(self, name: str) -> ModelInfo[Made]:
        if name not in self._infos:
            raise self._unknown(name)
        return self._infos[name]

    def _unknown(self, name: str) -> BadSetting:
        return BadSetting(f"unknown {self.kind} {name!r}; on offer: {', '.join(self._infos)}")


FIRST = "auto"
"""Of several models: the first that is here."""
PEOPLE = "people"
_INSIGHTFACE = "insightface/models", "insightface", "~/.insightface/models"
_PACKS = "buffalo_l", "antelopev2"
"""Of insightface, which hold nearly the same files."""
_SCRFD = ".detectors.scrfd:Scrfd"
_RESTORING, _UPSCALING = ".fixers.restore:Restorer", ".upscalers.net:NetUpscaler"
_PARSING, _OCCLUDING = ".maskers.parser:FaceParser", ".maskers.occluders:XSeg"


def _make_bundled(name: str, label: str, target: str, weights: str, licence: str) -> ModelInfo[Any]:
    """Return what is known of a model whose weights come with this package."""
    return ModelInfo(name, label, target, licence, assets=(weights,))


def _net(name: str, label: str, weights: str, only: str = "") -> ModelInfo[FaceFixer]:
    """Return what is known of a published network that restores."""
    return ModelInfo(name, label, _RESTORING, weights_name=weights, package="torch", only=only)


def _upscaling(name: str, label: str, weights: str) -> ModelInfo[Upscaler]:
    """Return what is known of a published network that enlarges whole pictures."""
    return ModelInfo(name, label, _UPSCALING, weights_name=weights, package="torch")


def _parser(name: str, label: str, weights: str, package: str | None = None) -> ModelInfo[Parser]:
    """Return what is known of a published network that tells skin from hair."""
    return ModelInfo(name, label, _PARSING, weights_name=weights, package=package)


def _mediapipe(reach: str, name: str) -> ModelInfo[Detector]:
    """Return what is known of a detector of the mediapipe package."""
    return ModelInfo(
        f"mediapipe_face_{reach}",
        f"mediapipe, {reach} range",
        f".detectors.mediapipe:{name}",
        licence="Apache-2.0",
        package="mediapipe",
        install="Install it with `pip install 'mediapipe>=0.10.33,<0.10.35'`: later ones contact their maker.",
    )


def _insightface(name: str, label: str, target: str, file: str, *packs: str, **facts: Any) -> ModelInfo[Any]:
    """Return what is known of a file in one of insightface's packs, in a WebUI or where its package keeps it."""
    folders = tuple(f"{root}/{one}" for one in packs for root in _INSIGHTFACE)
    origin = f"https://github.com/deepinsight/insightface/releases/download/v0.7/{packs[0]}.zip"
    return ModelInfo(name, label, target, "non-commercial", external_file=file, origin=origin, folders=folders, **facts)


DETECTORS: Registry[Detector] = Registry(
    "detector",
    _make_bundled(
        "auto",
        "BlazeFace, with CenterFace for small and grainy faces (built in)",
        ".detectors.adaptive:Adaptive",
        "centerface.onnx",
        "MIT, Apache-2.0",
    ),
    _make_bundled(
        "blazeface",
        "BlazeFace (built in)",
        ".detectors.blazeface:BlazeFace",
        "face_detection_full_range.tflite",
        "Apache-2.0",
    ),
    _make_bundled("centerface", "CenterFace (built in)", ".detectors.centerface:CenterFace", "centerface.onnx", "MIT"),
    ModelInfo("aligned", "Aligned crops: the face is the picture (built in)", ".detectors.aligned:Aligned"),
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
        "SCRFD of buffalo_l, by insightface's package",
        ".detectors.insight:InsightFace",
        "det_10g.onnx",
        "buffalo_l",
        package="insightface",
    ),
)

LANDMARKERS: Registry[Landmarker] = Registry(
    "landmarker",
    _make_bundled(
        "facemesh", "FaceMesh (built in)", ".landmarks.facemesh:FaceMesh", "face_landmark.tflite", "Apache-2.0"
    ),
    _insightface("2d106", "106 points (insightface)", ".landmarks.insight106:Insight106", "2d106det.onnx", *_PACKS),
)

GUESSERS: Registry[Guesser] = Registry(
    "age and gender",
    _insightface(
        "genderage", "Gender and age (insightface)", ".landmarks.genderage:GenderAge", "genderage.onnx", *_PACKS
    ),
)

RESTORERS: Registry[FaceFixer] = Registry(
    "restorer",
    _make_bundled("lite", "lite (built in)", ".fixers.lite:Lite", "lite.onnx", "AGPL-3.0-or-later"),
    _net("gfpgan", "GFPGAN 1.4", "GFPGANv1.4.pth", PEOPLE),
    _net("gfpgan-1.3", "GFPGAN 1.3", "GFPGANv1.3.pth", PEOPLE),
    _net("codeformer", "CodeFormer", "codeformer-v0.1.0.pth", PEOPLE),
    _net("restoreformer", "RestoreFormer", "RestoreFormer.pth", PEOPLE),
    _net("restoreformer++", "RestoreFormer++", "RestoreFormer++.ckpt", PEOPLE),
    _net("x4plus", "Real-ESRGAN x4plus", "RealESRGAN_x4plus.pth"),
    _net("animevideo", "Real-ESRGAN anime video v3", "realesr-animevideov3.pth"),
    own=_RESTORING,
)

MASKERS: Registry[Masker] = Registry(
    "mask",
    ModelInfo("hull", "Mesh hull", ".maskers.mesh:HullMasker"),
    ModelInfo("ellipse", "Ellipse", ".maskers.shape:EllipseMasker"),
    ModelInfo("box", "Box", ".maskers.shape:BoxMasker"),
    ModelInfo("skin", "Skin: the hull without eyes, brows and lips", ".maskers.parts:SkinMasker"),
    ModelInfo("eyes", "Eyes", ".maskers.parts:EyesMasker"),
    ModelInfo("brows", "Brows", ".maskers.parts:BrowsMasker"),
    ModelInfo("lips", "Lips", ".maskers.parts:LipsMasker"),
    ModelInfo("nose", "Nose", ".maskers.parts:NoseMasker"),
    _make_bundled(
        "person",
        "Person in front of the background",
        ".maskers.person:PersonMasker",
        "selfie_segmentation.tflite",
        "Apache-2.0",
    ),
    ModelInfo("segmentation", "What the detector outlined", ".maskers.segmentation:SegmentationMasker"),
    ModelInfo("parsing", "What a face parser sees", ".maskers.parsed_classes:ParsingMasker"),
    ModelInfo("occluders", "What is in front of the face", ".maskers.occluders:OccludersMasker"),
)

PARSERS: Registry[Parser] = Registry(
    "face parser",
    _parser("bisenet", "BiSeNet (facexlib)", "parsing_bisenet.pth", "torch"),
    _parser("bisenet-onnx", "BiSeNet (ONNX)", "face_parsing_resnet18.onnx"),
    _parser("parsenet", "ParseNet (facexlib)", "parsing_parsenet.pth", "torch"),  # twenty times as slow
    own=_PARSING,
)

OCCLUDERS: Registry[Occluder] = Registry(
    "occluder model",
    ModelInfo("xseg", "XSeg", _OCCLUDING, weights_name="xseg_1.onnx"),
    own=_OCCLUDING,
)

UPSCALERS: Registry[Upscaler] = Registry(
    "upscaler",
    ModelInfo("lanczos", "Lanczos (no model)", ".upscalers.lanczos:Lanczos"),
    _upscaling("x4plus", "Real-ESRGAN x4plus", "RealESRGAN_x4plus.pth"),
    _upscaling("x4plus-anime", "Real-ESRGAN x4plus anime", "RealESRGAN_x4plus_anime_6B.pth"),
    _upscaling("x2plus", "Real-ESRGAN x2plus", "RealESRGAN_x2plus.pth"),
    _upscaling("general", "Real-ESRGAN general x4 v3", "realesr-general-x4v3.pth"),
    _upscaling("animevideo", "Real-ESRGAN anime video v3", "realesr-animevideov3.pth"),
    own=_UPSCALING,
)

EMBEDDINGS: Registry[Embedder] = Registry(
    "embedding",
    _make_bundled("dlib", "Embedding of faces (built in)", ".analysis.embedding:Embedder", "identity.onnx", "CC0-1.0"),
)
"""What tells people apart. Nobody chooses it, so it is not listed among the others."""

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
