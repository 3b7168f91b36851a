"""Lists all methods and models, and whether each can be used, as GET models returns them."""

from pathlib import Path
from typing import Any

from .. import __version__, registry
from ..errors import BadModel, MissingPackage
from ..facefix import NO_DIFFUSER, FaceFix
from ..models.restorer_files import list_restorer_files
from ..models.yolo_files import list_classes, yolo_files
from ..planning.plan import VERSION
from ..registry import ModelInfo, Registry
from ..settings.detector_expression import quote_name
from ..settings.treatment import AUTO_RESTORER, METHOD_LABELS
from ..weights import PUBLISHED

LISTED: dict[str, Registry[object]] = {
    "detectors": registry.DETECTORS,
    "landmarkers": registry.LANDMARKERS,
    "guessers": registry.GUESSERS,
    "maskers": registry.MASKERS,
    "parsers": registry.PARSERS,
    "occluders": registry.OCCLUDERS,
    "restorers": registry.RESTORERS,
    "upscalers": registry.UPSCALERS,
}
"""Registries that GET models lists, besides the methods."""


def list_models(engine: FaceFix) -> dict[str, Any]:
    """Return all methods and models of an engine."""
    lists = {kind: [_describe_model(models, info, engine) for info in models] for kind, models in LISTED.items()}
    lists["restorers"].insert(0, _describe_auto(engine))
    lists["detectors"] += [_describe_file(path, engine) for path in yolo_files(engine.models.paths)]
    lists["restorers"] += [_make_entry(path.name, path.stem) for path in list_restorer_files(engine.models.paths)]
    lacking = {} if engine.describe().rediffuses else {"re-diffuse": NO_DIFFUSER}
    methods = [_make_entry(name, label, note=lacking.get(name, "")) for name, label in METHOD_LABELS.items()]
    return {"version": VERSION, "facefix": __version__, "methods": methods, **lists}


def _describe_auto(engine: FaceFix) -> dict[str, Any]:
    """Return the entry of the restorer "auto", with the one that it stands for and how to get a better one."""
    chosen = engine.models.choose_restorer()
    entry = _describe_model(registry.RESTORERS, registry.RESTORERS[chosen.name], engine)
    return {**entry, "name": AUTO_RESTORER, "label": "Auto", "restorer": chosen.name, "advice": chosen.advice}


def _describe_file(path: Path, engine: FaceFix) -> dict[str, Any]:
    """Return the entry of a model file for detection, with the classes that it names; nothing in it is run."""
    try:
        classes = list_classes(path.name, engine.models.paths)
    except BadModel:
        classes = ()
    return {**_make_entry(quote_name(path.name), path.name), "classes": list(classes)}


def _describe_model(models: Registry[object], info: ModelInfo[object], engine: FaceFix) -> dict[str, Any]:
    """Return the entry of one model, with the reason if it cannot be used."""
    note = ""
    try:
        engine.models.check(models, info.name)
    except (BadModel, MissingPackage) as error:
        note = str(error)
    info = engine.models.choose(models, info.name)
    licence = PUBLISHED[info.weights_name].licence if info.weights_name else info.licence
    return _make_entry(info.name, info.label, licence, note)


def _make_entry(name: str, label: str, licence: str = "", note: str = "") -> dict[str, Any]:
    return {"name": name, "label": label, "licence": licence, "here": not note, "note": note}
