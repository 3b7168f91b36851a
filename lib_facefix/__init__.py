"""FaceFix: finds faces in images, restores them, and blends them back in seamlessly."""

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
]
