"""Identifies what the detection of faces depends on, so that faces found earlier can be used again."""

from collections.abc import Hashable

from ..registry import DETECTORS, EMBEDDINGS, GUARDING, GUESSERS, LANDMARKERS, Registry
from ..settings.detector_expression import detector_names, parse_detector
from ..settings.face_settings import FaceSettings
from ..weights import expand_home
from .lru_cache import file_version
from .store import ModelStore
from .yolo_files import yolo_file


def identify_detection(store: ModelStore, settings: FaceSettings) -> Hashable:
    """Return a key that differs once the same image could have other faces.

    It names the detection settings, and the version of each model file and of the reference photo. It loads no model.
    Raises `BadModel` or `MissingPackage` if a file is missing.
    """
    names = sorted(set(detector_names(parse_detector(settings.detector))))
    needed: list[tuple[Registry[object], str]] = [(LANDMARKERS, "facemesh"), (LANDMARKERS, settings.landmarker)]
    needed += [(DETECTORS, name) for name in names if name in DETECTORS.names()]
    if settings.uses_attributes:
        needed += [(GUESSERS, name) for name in GUESSERS.names()]
    if settings.person:
        needed += [(EMBEDDINGS, GUARDING)]
    files = [file_version(yolo_file(name, store.paths)) for name in names if name not in DETECTORS.names()]
    if settings.person:
        files.append(file_version(expand_home(settings.person)))
    versions = tuple(store.identify(registry, name) for registry, name in needed)
    return tuple(settings.detection_settings.items()), versions, tuple(files)
