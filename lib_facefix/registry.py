"""All models that users select by name. To add a model, write an adapter file and add one line to this file.

The tables are data: listing names imports no model code.
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
    """One selectable model and its requirements."""

    name: str
    """Name in settings."""
    label: str
    """Name that people see."""
    target: str
    """Class of the adapter as "module:Class", with the module relative to this package."""
    licence: str = ""
    """Licence of the weights; blank if there are none."""
    assets: tuple[str, ...] = ()
    """File names of bundled weights."""
    weights_name: str = ""
    """Key of the published weights in `weights.PUBLISHED`; the adapter receives the path of the file."""
    package: str | None = None
    """Optional Python package that the model requires."""
    install: str = ""
    """Sentence that explains how to install the package, if its name is not enough."""
    external_file: str = ""
    """Name of a weights file that comes from another program and is not in `weights.PUBLISHED`."""
    origin: str = ""
    """URL where people get that file."""
    folders: tuple[str, ...] = ()
    """Folders to search for that file, relative to a WebUI's models folder or starting with ~."""
    classes: bool = False
    """True if the detector has several classes to select from."""
    only: str = ""
    """Kind of faces that the model is trained for: "people", or blank for all."""

    def needs(self) -> None:
        """Raise `MissingPackage` if the required package is not installed. Imports nothing."""
        if self.package and not find_spec(self.package):
            raise MissingPackage(self.label, self.package, self.install)

    def load(self) -> Callable[..., Made]:
        """Import and return the adapter's class; raises `MissingPackage`."""
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
    """All models of one kind, in display order."""

    def __init__(self, kind: str, *infos: ModelInfo[Made], own: str = "") -> None:
        """own: the target (see `ModelInfo.target`) that loads the user's own model files, if there is one."""
        self.kind = kind
        self._own = own
        self._infos = {info.name: info for info in infos}

    def names(self) -> tuple[str, ...]:
        """Return the names of all models."""
        return tuple(self._infos)

    def __iter__(self) -> Iterator[ModelInfo[Made]]:
        return iter(self._infos.values())

    def of_file(self, path: str) -> ModelInfo[Made]:
        """Return the model of the user's own file; raises `BadSetting` if this kind supports no own files."""
        if not self._own:
            raise self._unknown(path)
        return ModelInfo(path, path, self._own, package="torch")

    def __getitem__(self, name: str) -> ModelInfo[Made]:
        if name not in self._infos:
            raise self._unknown(name)
        return self._infos[name]

    def _unknown(self, name: str) -> BadSetting:
        return BadSetting(f"unknown {self.kind} {name!r}. Available: {', '.join(self._infos)}")


FIRST = "auto"
"""Setting that selects the first installed model."""
PEOPLE = "people"
_INSIGHTFACE = "insightface/models", "insightface", "~/.insightface/models"
_PACKS = "buffalo_l", "antelopev2"
"""Model packs of insightface; they contain nearly the same files."""
_SCRFD = ".detectors.scrfd:Scrfd"
_RESTORING, _UPSCALING = ".fixers.restore:Restorer", ".upscalers.net:NetUpscaler"
_PARSING, _OCCLUDING = ".maskers.parser:FaceParser", ".maskers.occluders:XSeg"


def _make_bundled(name: str, label: str, target: str, weights: str, licence: str) -> ModelInfo[Any]:
    """Return a model whose weights are bundled with this package."""
    return ModelInfo(name, label, target, licence, assets=(weights,))


def _published(
    name: str, label: str, target: str, weights: str, only: str = "", package: str | None = "torch"
) -> ModelInfo[Any]:
    """Return a model whose weights are published for download."""
    return ModelInfo(name, label, target, weights_name=weights, package=package, only=only)


def _mediapipe(reach: str, name: str) -> ModelInfo[Detector]:
    """Return a detector of the mediapipe package."""
    return ModelInfo(
        f"mediapipe_face_{reach}",
        f"mediapipe, {reach} range",
        f".detectors.mediapipe:{name}",
        licence="Apache-2.0",
        package="mediapipe",
        install="Install it with `pip install 'mediapipe>=0.10.33,<0.10.35'`: newer versions contact Google.",
    )


def _insightface(name: str, label: str, target: str, file: str, *packs: str, **facts: Any) -> ModelInfo[Any]:
    """Return a model whose weights are in a pack of insightface, in a WebUI's or the package's folder."""
    folders = tuple(f"{root}/{pack}" for pack in packs for root in _INSIGHTFACE)
    origin = f"https://github.com/deepinsight/insightface/releases/download/v0.7/{packs[0]}.zip"
    return ModelInfo(name, label, target, "non-commercial", external_file=file, origin=origin, folders=folders, **facts)


DETECTORS: Registry[Detector] = Registry(
    "detector",
    _make_bundled(
        "blazeface",
        "BlazeFace (built in)",
        ".detectors.blazeface:BlazeFace",
        "face_detection_full_range.tflite",
        "Apache-2.0",
    ),
    _make_bundled("centerface", "CenterFace (built in)", ".detectors.centerface:CenterFace", "centerface.onnx", "MIT"),
    ModelInfo("yunet", "YuNet", ".detectors.yunet:YuNet", weights_name="face_detection_yunet_2023mar.onnx"),
    ModelInfo(
        "yolov8n-face", "YOLOv8n face", ".detectors.yolo_onnx:from_onnx", weights_name="yolov8n-face.onnx", classes=True
    ),
    _mediapipe("full", "FullRange"),
    _mediapipe("short", "ShortRange"),
    _insightface("buffalo_l", "SCRFD (buffalo_l)", _SCRFD, "det_10g.onnx", "buffalo_l"),
    _insightface("antelopev2", "SCRFD (antelopev2)", _SCRFD, "scrfd_10g_bnkps.onnx", "antelopev2"),
    _insightface(
        "insightface",
        "SCRFD (buffalo_l, insightface package)",
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
    _published("gfpgan", "GFPGAN 1.4", _RESTORING, "GFPGANv1.4.pth", PEOPLE),
    _published("gfpgan-1.3", "GFPGAN 1.3", _RESTORING, "GFPGANv1.3.pth", PEOPLE),
    _published("codeformer", "CodeFormer", _RESTORING, "codeformer-v0.1.0.pth", PEOPLE),
    _published("restoreformer", "RestoreFormer", _RESTORING, "RestoreFormer.pth", PEOPLE),
    _published("restoreformer++", "RestoreFormer++", _RESTORING, "RestoreFormer++.ckpt", PEOPLE),
    _published("x4plus", "Real-ESRGAN x4plus", _RESTORING, "RealESRGAN_x4plus.pth"),
    _published("animevideo", "Real-ESRGAN anime video v3", _RESTORING, "realesr-animevideov3.pth"),
    own=_RESTORING,
)

MASKERS: Registry[Masker] = Registry(
    "mask",
    ModelInfo("hull", "Mesh hull", ".maskers.mesh:HullMasker"),
    ModelInfo("ellipse", "Ellipse", ".maskers.shape:EllipseMasker"),
    ModelInfo("box", "Box", ".maskers.shape:BoxMasker"),
    ModelInfo("skin", "Skin without eyes, brows, lips", ".maskers.parts:SkinMasker"),
    ModelInfo("eyes", "Eyes", ".maskers.parts:EyesMasker"),
    ModelInfo("brows", "Brows", ".maskers.parts:BrowsMasker"),
    ModelInfo("lips", "Lips", ".maskers.parts:LipsMasker"),
    ModelInfo("nose", "Nose", ".maskers.parts:NoseMasker"),
    _make_bundled(
        "person",
        "Person without background",
        ".maskers.person:PersonMasker",
        "selfie_segmentation.tflite",
        "Apache-2.0",
    ),
    ModelInfo("segmentation", "Outline from the detector", ".maskers.segmentation:SegmentationMasker"),
    ModelInfo("parsing", "Classes of a face parser", ".maskers.parsed_classes:ParsingMasker"),
    ModelInfo("occluders", "Objects in front of the face", ".maskers.occluders:OccludersMasker"),
)

PARSERS: Registry[Parser] = Registry(
    "face parser",
    _published("bisenet", "BiSeNet (facexlib)", _PARSING, "parsing_bisenet.pth"),
    _published("bisenet-onnx", "BiSeNet (ONNX)", _PARSING, "face_parsing_resnet18.onnx", package=None),
    _published("parsenet", "ParseNet (facexlib)", _PARSING, "parsing_parsenet.pth"),  # 20 times slower
    own=_PARSING,
)

OCCLUDERS: Registry[Occluder] = Registry(
    "occluder model", ModelInfo("xseg", "XSeg", _OCCLUDING, weights_name="xseg_1.onnx"), own=_OCCLUDING
)

UPSCALERS: Registry[Upscaler] = Registry(
    "upscaler",
    ModelInfo("lanczos", "Lanczos (no model)", ".upscalers.lanczos:Lanczos"),
    _published("x4plus", "Real-ESRGAN x4plus", _UPSCALING, "RealESRGAN_x4plus.pth"),
    _published("x4plus-anime", "Real-ESRGAN x4plus anime", _UPSCALING, "RealESRGAN_x4plus_anime_6B.pth"),
    _published("x2plus", "Real-ESRGAN x2plus", _UPSCALING, "RealESRGAN_x2plus.pth"),
    _published("general", "Real-ESRGAN general x4 v3", _UPSCALING, "realesr-general-x4v3.pth"),
    _published("animevideo", "Real-ESRGAN anime video v3", _UPSCALING, "realesr-animevideov3.pth"),
    own=_UPSCALING,
)

EMBEDDINGS: Registry[Embedder] = Registry(
    "embedding",
    _make_bundled("dlib", "Face embedding (built in)", ".analysis.embedding:Embedder", "identity.onnx", "CC0-1.0"),
)
"""Networks that compare persons. Users do not select them, so they are not in `REGISTRIES`."""

REGISTRIES: tuple[Registry[object], ...]
REGISTRIES = (DETECTORS, LANDMARKERS, GUESSERS, RESTORERS, MASKERS, PARSERS, OCCLUDERS, UPSCALERS)
