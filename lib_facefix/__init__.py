"""FaceFix: finds faces in images, restores them, and blends them back in seamlessly."""

from importlib import import_module

TYPE_CHECKING = False  # the constant of the module typing, which takes longer to import than `facefix --version`
if TYPE_CHECKING:
    from .batch.one_file import fix_file
    from .errors import FaceFixError
    from .facefix import FaceFix
    from .planning.plan import FaceJob, FixPlan, FixResult, Outcome
    from .settings.face_settings import FaceSettings
    from .settings.runtime import Runtime
    from .settings.treatment import Treatment
    from .types import Box, Crop, Face, Mesh, Pose

__version__ = "0.2.0"

__all__ = [
    "Box",
    "Crop",
    "Face",
    "FaceFix",
    "FaceFixError",
    "FaceJob",
    "FaceSettings",
    "FixPlan",
    "FixResult",
    "Mesh",
    "Outcome",
    "Pose",
    "Runtime",
    "Treatment",
    "__version__",
    "fix_file",
]

_MODULES = {
    **dict.fromkeys(("Box", "Crop", "Face", "Mesh", "Pose"), ".types"),
    **dict.fromkeys(("FaceJob", "FixPlan", "FixResult", "Outcome"), ".planning.plan"),
    "FaceFix": ".facefix",
    "fix_file": ".batch.one_file",
    "FaceFixError": ".errors",
    "FaceSettings": ".settings.face_settings",
    "Runtime": ".settings.runtime",
    "Treatment": ".settings.treatment",
}
"""Module of each public name, which is imported when the name is first used."""


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value = getattr(import_module(_MODULES[name], __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
