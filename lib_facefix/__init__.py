"""FaceFix: finds the faces of a picture, restores them, and pastes them back without a seam."""

from __future__ import annotations

from .assembly import FaceFix
from .errors import FaceFixError
from .faces import Box, Crop, Face, Mesh, Pose
from .jobs import FaceJob, FixPlan, FixResult, Outcome
from .runtime import Runtime
from .settings import FaceSettings
from .treatment import Treatment

__version__ = "0.1.0"

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
]
