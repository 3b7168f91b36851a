"""Everything the user may choose by name. To add a model: one adapter file, one line here.

The tables are data: listing the names imports no model code.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from .errors import BadSetting, MissingPackage
from .quiet import disable_telemetry


@dataclass(frozen=True, slots=True)
class Entry:
    """One implementation on offer."""

    name: str
    label: str
    """What people see."""
    location: str
    """Where its class is: "module:Class", the module relative to this package."""
    licence: str = ""
    """Of its weights, where it has any."""
    assets: tuple[str, ...] = ()
    """Bundled weights, by file name."""
    weights: str = ""
    """The published file it loads, a key of `weights.PUBLISHED`; its class is given the file's place."""
    package: str | None = None
    """The optional package it stands on."""
    install: str = ""
    """How that is installed, as a sentence, where not by its name alone."""
    file: str = ""
    """The file it loads, where that comes from elsewhere and nothing of it is published here."""
    origin: str = ""
    """Where people get that file."""
    folders: tuple[str, ...] = ()
    """Where that file may lie: below a WebUI's models folder, or with a ~ in the home."""
    classes: bool = False
    """Whether it knows more than one kind of thing, of which the user may choose."""
    only: str = ""
    """What faces it is made for, where not for all: "people"."""

    def needs(self) -> None:
        """Raise `MissingPackage` unless the package it stands on, if any, is installed; nothing is imported."""
        if self.package and not find_spec(self.package):
            raise MissingPackage(self.label, self.package, self.install)

    def load(self) -> Any:
        """Import the class; only now is its package needed."""
        module, attribute = self.location.split(":")
        if self.package:
            disable_telemetry(self.package)
        try:
            return getattr(import_module(module, __package__), attribute)
        except ModuleNotFoundError as error:
            if self.package is None or error.name != self.package:
                raise
            raise MissingPackage(self.name, self.package, self.install) from error


class Catalog:
    """Entries of one kind, in the order they are offered."""

    def __init__(self, kind: str, *entries: Entry, own: str = "") -> None:
        """own: where the class is that takes model files of the user's own, where there is one."""
        self.kind = kind
        self._own = own
        self._entries = {entry.name: entry for entry in entries}

    def names(self) -> tuple[str, ...]:
        """The names to choose from."""
        return tuple(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def of_file(self, path: str) -> Entry:
        """Return the entry that takes the user's own model file; raises `BadSetting` where none does."""
        if not self._own:
            raise BadSetting(f"unknown {self.kind} {path!r}; on offer: {', '.join(self._entries)}")
        return Entry(path, path, self._own, package="torch")

    def __getitem__(self, name: str) -> Entry:
        if name not in self._entries:
            raise BadSetting(f"unknown {self.kind} {name!r}; on offer: {', '.join(self._entries)}")
        return self._entries[name]


FIRST = "auto"
"""Of several models: the first that is here."""
PEOPLE = "people"
_INSIGHTFACE = "insightface/models", "insightface", "~/.insightface/models"
_PACKS = "buffalo_l", "antelopev2"
"""Of insightface, which hold nearly the same files."""
_SCRFD = ".detectors.scrfd:Scrfd"
_RESTORING, _UPSCALING = ".fixers.restore:Restorer", ".upscalers.net:NetUpscaler"
_PARSING, _OCCLUDING = ".maskers.parser:FaceParser", ".maskers.occluders:XSeg"


def _net(name: str, label: str, weights: str, only: str = "") -> Entry:
    """Return the entry of a published network that restores."""
    return Entry(name, label, _RESTORING, weights=weights, package="torch", only=only)


def _upscaling(name: str, label: str, weights: str) -> Entry:
    """Return the entry of a published network that enlarges whole pictures."""
    return Entry(name, label, _UPSCALING, weights=weights, package="torch")


def _parser(name: str, label: str, weights: str, package: str | None = None) -> Entry:
    """Return the entry of a published network that tells skin from hair."""
    return Entry(name, label, _PARSING, weights=weights, package=package)


def _mediapipe(reach: str, location: str) -> Entry:
    """Return the entry of a detector of the mediapipe package."""
    return Entry(
        f"mediapipe_face_{reach}",
        f"mediapipe, {reach} range",
        f".detectors.mediapipe:{location}",
        licence="Apache-2.0",
        package="mediapipe",
        install="Install it with `pip install 'mediapipe>=0.10.33,<0.10.35'`: later ones contact their maker.",
    )


def _insightface(name: str, label: str, location: str, file: str, *packs: str, **facts: Any) -> Entry:
    """Return the entry of a file in one of insightface's packs, in a WebUI or where its package keeps it."""
    folders = tuple(f"{root}/{one}" for one in packs for root in _INSIGHTFACE)
    origin = f"https://github.com/deepinsight/insightface/releases/download/v0.7/{packs[0]}.zip"
    return Entry(name, label, location, "non-commercial", file=file, origin=origin, folders=folders, **facts)


DETECTORS = Catalog(
    "detector",
    Entry(
        "blazeface",
        "BlazeFace (built in)",
        ".detectors.blazeface:BlazeFace",
        licence="Apache-2.0",
        assets=("face_detection_full_range.tflite",),
    ),
    Entry(
        "centerface",
        "CenterFace (built in)",
        ".detectors.centerface:CenterFace",
        licence="MIT",
        assets=("centerface.onnx",),
    ),
    Entry("yunet", "YuNet", ".detectors.yunet:YuNet", weights="face_detection_yunet_2023mar.onnx"),
    Entry("yolov8n-face", "YOLOv8n face", ".detectors.yolo_onnx:from_onnx", weights="yolov8n-face.onnx", classes=True),
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

LANDMARKERS = Catalog(
    "landmarker",
    Entry(
        "facemesh",
        "FaceMesh (built in)",
        ".landmarks.facemesh:FaceMesh",
        licence="Apache-2.0",
        assets=("face_landmark.tflite",),
    ),
    _insightface("2d106", "106 points (insightface)", ".landmarks.insight106:Insight106", "2d106det.onnx", *_PACKS),
)

GUESSERS = Catalog(
    "age and gender",
    _insightface(
        "genderage", "Gender and age (insightface)", ".landmarks.genderage:GenderAge", "genderage.onnx", *_PACKS
    ),
)

RESTORERS = Catalog(
    "restorer",
    Entry("lite", "lite (built in)", ".fixers.lite:Lite", licence="AGPL-3.0-or-later", assets=("lite.onnx",)),
    _net("gfpgan", "GFPGAN 1.4", "GFPGANv1.4.pth", PEOPLE),
    _net("gfpgan-1.3", "GFPGAN 1.3", "GFPGANv1.3.pth", PEOPLE),
    _net("codeformer", "CodeFormer", "codeformer-v0.1.0.pth", PEOPLE),
    _net("restoreformer", "RestoreFormer", "RestoreFormer.pth", PEOPLE),
    _net("restoreformer++", "RestoreFormer++", "RestoreFormer++.ckpt", PEOPLE),
    _net("x4plus", "Real-ESRGAN x4plus", "RealESRGAN_x4plus.pth"),
    _net("animevideo", "Real-ESRGAN anime video v3", "realesr-animevideov3.pth"),
    own=_RESTORING,
)

MASKERS = Catalog(
    "mask",
    Entry("hull", "Mesh hull", ".maskers.mesh:HullMasker"),
    Entry("ellipse", "Ellipse", ".maskers.shape:EllipseMasker"),
    Entry("box", "Box", ".maskers.shape:BoxMasker"),
    Entry("skin", "Skin: the hull without eyes, brows and lips", ".maskers.parts:SkinMasker"),
    Entry("eyes", "Eyes", ".maskers.parts:EyesMasker"),
    Entry("brows", "Brows", ".maskers.parts:BrowsMasker"),
    Entry("lips", "Lips", ".maskers.parts:LipsMasker"),
    Entry("nose", "Nose", ".maskers.parts:NoseMasker"),
    Entry(
        "person",
        "Person in front of the background",
        ".maskers.person:PersonMasker",
        licence="Apache-2.0",
        assets=("selfie_segmentation.tflite",),
    ),
    Entry("segmentation", "What the detector outlined", ".maskers.segmentation:SegmentationMasker"),
    Entry("parsing", "What a face parser sees", ".maskers.parsing:ParsingMasker"),
    Entry("occluders", "What is in front of the face", ".maskers.occluders:OccludersMasker"),
)

PARSERS = Catalog(
    "face parser",
    _parser("bisenet", "BiSeNet (facexlib)", "parsing_bisenet.pth", "torch"),
    _parser("bisenet-onnx", "BiSeNet (ONNX)", "face_parsing_resnet18.onnx"),
    _parser("parsenet", "ParseNet (facexlib)", "parsing_parsenet.pth", "torch"),  # twenty times as slow
    own=_PARSING,
)

OCCLUDERS = Catalog(
    "occluder model",
    Entry("xseg", "XSeg", _OCCLUDING, weights="xseg_1.onnx"),
    own=_OCCLUDING,
)

UPSCALERS = Catalog(
    "upscaler",
    Entry("lanczos", "Lanczos (no model)", ".upscalers.lanczos:Lanczos"),
    _upscaling("x4plus", "Real-ESRGAN x4plus", "RealESRGAN_x4plus.pth"),
    _upscaling("x4plus-anime", "Real-ESRGAN x4plus anime", "RealESRGAN_x4plus_anime_6B.pth"),
    _upscaling("x2plus", "Real-ESRGAN x2plus", "RealESRGAN_x2plus.pth"),
    _upscaling("general", "Real-ESRGAN general x4 v3", "realesr-general-x4v3.pth"),
    _upscaling("animevideo", "Real-ESRGAN anime video v3", "realesr-animevideov3.pth"),
    own=_UPSCALING,
)

CATALOGS = (DETECTORS, LANDMARKERS, GUESSERS, RESTORERS, MASKERS, PARSERS, OCCLUDERS, UPSCALERS)
