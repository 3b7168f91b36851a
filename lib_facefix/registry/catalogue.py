"""All models that the user may select by name, as data: listing the names imports no model code.

To add a model, write one adapter file and add one line to a registry. Restorers are in `restorers.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .model_info import ModelInfo, Registry
from .restorers import RESTORERS

if TYPE_CHECKING:
    from ..analysis.embedding import Embedder
    from ..maskers.occluders import Occluder
    from ..maskers.parser import FaceParser
    from ..protocols import Detector, Guesser, Landmarker, Masker, Upscaler

FIRST = "auto"
"""Name that stands for the first available model."""
GUARDING = "dlib"
"""Name of the built-in model that compares faces; people read "built-in"."""
_INSIGHTFACE = "insightface/models", "insightface", "~/.insightface/models"
_PACKS = "buffalo_l", "antelopev2"
"""Model packs of insightface, which hold nearly the same files."""
_SCRFD = ".detectors.scrfd:Scrfd"
_UPSCALING = ".upscalers.net:NetUpscaler"
_PARSING, _OCCLUDING = ".maskers.parser:FaceParser", ".maskers.occluders:XSeg"


def _bundled(name: str, label: str, target: str, weights: str, licence: str) -> ModelInfo[Any]:
    return ModelInfo(name, label, target, licence, assets=(weights,))


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
    _bundled(GUARDING, "Embedding of faces (built in)", ".analysis.embedding:Embedder", "identity.onnx", "CC0-1.0"),
    _insightface("arcface", "ArcFace of buffalo_l", ".analysis.embedding:ArcFace", "w600k_r50.onnx", "buffalo_l"),
)
"""Models that tell people apart."""

REGISTRIES: tuple[Registry[object], ...] = (
    DETECTORS,
    LANDMARKERS,
    GUESSERS,
    RESTORERS,
    MASKERS,
    PARSERS,
    OCCLUDERS,
    UPSCALERS,
    EMBEDDINGS,
)
