"""All settings of FaceFix. The UI, API, infotext, command line and XYZ axes are generated from this file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import BadSetting
from ..registry import DETECTORS, LANDMARKERS, UPSCALERS
from .detector_expression import detector_files, parse_detector
from .expression import MAX_LENGTH
from .face_prompt import MAX_NUMBERS_TEXT, read_negative_prompt, read_numbers, read_prompt
from .options import check_all, check_names, option, replace_aliases
from .output_size import read_upscale
from .treatment import MODEL_FILES, Treatment

ANGLES = ("off", "auto", "all")
KEEP_BY = ("size", "confidence", "centre", "left", "right")
GENDERS = ("any", "female", "male")
PERSON_MEANS = ("only", "all but")
SENT_PHOTO = "(sent)"
"""Value of the setting `person` for a reference photo that is not a file."""
ORDERS = ("left to right", "size", "centre", "confidence")
MAX_DETECTIONS = 2000
"""Default limit of detections in an image. A detector that finds more usually does not work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceSettings(Treatment):
    """How FaceFix finds, selects and fixes the faces of an image."""

    detector: str = option(
        "auto", "Detector", choices=DETECTORS.names, found="detectors", reads=parse_detector, paths=detector_files,
        longest=MAX_LENGTH, group="find", finds=True,
        help="Detector name, or a YOLO model file such as face_yolov8n.pt[face]. "
        'Combine several with " + ", " - " or "2 of a, b, c".',
    )  # fmt: skip
    min_score: float = option(
        0.5, "Minimum confidence", low=0.0, high=1.0, step=0.01, group="find", finds=True,
        help="Ignore detections below this confidence.",
    )  # fmt: skip
    angles: str = option(
        "auto", "Rotated faces", choices=lambda: ANGLES, group="find", finds=True,
        help="Also search the image rotated by 90, 180 and 270 degrees. auto: only if no upright face is found.",
    )  # fmt: skip
    landmarker: str = option(
        "facemesh", "Landmark model", choices=LANDMARKERS.names, group="find", finds=True,
        help="Model that locates eyes, nose and mouth to align faces.",
    )  # fmt: skip
    max_detections: int = option(
        MAX_DETECTIONS, "Maximum detections", low=1, high=10_000, group="find", finds=True,
        help="Analyse at most this many faces of an image, the most confident first. All others are ignored.",
    )  # fmt: skip
    min_size: int = option(
        0, "Minimum face size", low=0, unit="px", group="choose",
        help="Skip faces whose longer side is shorter.",
    )  # fmt: skip
    max_size: int = option(
        0, "Maximum face size", low=0, unit="px", group="choose",
        help="Skip faces whose longer side is longer. 0: no limit.",
    )  # fmt: skip
    min_share: float = option(
        0.0, "Minimum face area", low=0.0, high=1.0, step=0.001, unit="of the image", group="choose",
        help="Skip faces that cover a smaller share of the image.",
    )  # fmt: skip
    max_share: float = option(
        1.0, "Maximum face area", low=0.0, high=1.0, step=0.001, unit="of the image", group="choose",
        help="Skip faces that cover a larger share of the image.",
    )  # fmt: skip
    at_most: int = option(
        0, "Maximum number of faces", low=0, group="choose", help="Fix at most this many faces. 0: all."
    )
    keep_by: str = option(
        "size", "Prefer", choices=lambda: KEEP_BY, group="choose",
        help="If there are more faces: fix the largest, most confident, most central, leftmost or rightmost.",
    )  # fmt: skip
    order: str = option(
        "left to right", "Processing order", choices=lambda: ORDERS, group="choose",
        help="Order in which faces are fixed. Their numbers always run from left to right.",
    )  # fmt: skip
    faces: str = option(
        "", "Face numbers", reads=read_numbers, longest=MAX_NUMBERS_TEXT, group="choose",
        help='Fix only these faces, such as "1,3-4". Blank: all.',
    )  # fmt: skip
    person: str = option(
        "", "Reference photo", paths=lambda value: (value,) if value else (), group="choose", finds=True,
        help="Path of a photo whose largest face all faces are compared with. Blank: no comparison.",
    )  # fmt: skip
    person_means: str = option(
        "only", "Reference person", choices=lambda: PERSON_MEANS, group="choose",
        help="only: fix just this person. all but: fix everyone else.",
    )  # fmt: skip
    person_within: float = option(
        0.5, "Person distance", low=0.1, high=1.2, step=0.01, group="choose",
        help="Maximum distance between faces of one person: usually 0.3 to 0.45, and 0.6 or more for strangers.",
    )  # fmt: skip
    gender: str = option(
        "any", "Gender", choices=lambda: GENDERS, group="choose", finds=True,
        help="Gender as predicted by insightface's genderage.onnx, if you have installed it.",
    )  # fmt: skip
    min_age: int = option(
        0, "Minimum age", low=0, high=120, unit="years", group="choose", finds=True,
        help="Skip faces that genderage.onnx estimates to be younger.",
    )  # fmt: skip
    max_age: int = option(
        0, "Maximum age", low=0, high=120, unit="years", group="choose", finds=True,
        help="Skip faces that genderage.onnx estimates to be older. 0: no limit.",
    )  # fmt: skip
    sharp_above: float = option(
        0.65, "Sharpness threshold", low=0.0, high=1.0, step=0.01, group="choose", only="auto",
        help="auto skips a large, clean face if at least this share of its pixels shows detail. 0: damaged ones too.",
    )  # fmt: skip
    large_above: int = option(
        192, "Large face size", low=0, unit="px", group="choose", only="auto",
        help="auto skips a sharp, clean face with at least this size and about as much detail.",
    )  # fmt: skip
    redraw_below: int = option(
        256, "Re-diffuse below", low=0, unit="px", group="choose", only="auto",
        help="auto re-diffuses smaller faces if Stable Diffusion is available, and restores larger ones.",
    )  # fmt: skip
    upscale: str = option(
        "", "Upscale", reads=read_upscale, group="upscale",
        help='Enlarge the image first: by a factor such as "2", or to a size such as "1920x1080". Blank: off.',
    )  # fmt: skip
    upscaler: str = option(
        "lanczos", "Upscaler", choices=UPSCALERS.names, suffixes=MODEL_FILES, group="upscale",
        help="Upscaler for the image around the faces, or the path of a model file.",
    )  # fmt: skip

    def __post_init__(self) -> None:
        replace_aliases(self)
        check_all(self)
        read_prompt(self.prompt)
        read_negative_prompt(self.negative_prompt)
        if self.max_size and self.max_size < self.min_size:
            raise BadSetting(f"Maximum face size ({self.max_size} px) is below Minimum face size ({self.min_size} px)")
        if self.max_age and self.max_age < self.min_age:
            raise BadSetting(f"Maximum age ({self.max_age} years) is below Minimum age ({self.min_age} years)")
        if self.max_share < self.min_share:
            raise BadSetting(f"Maximum face area ({self.max_share}) is below Minimum face area ({self.min_share})")

    @property
    def uses_attributes(self) -> bool:
        """True if faces are selected by gender or age."""
        return self.gender != "any" or self.min_age > 0 or self.max_age > 0

    @property
    def detection_settings(self) -> dict[str, Any]:
        """The settings that affect detection and face attributes; all others only select among the faces found."""
        always = ("detector", "min_score", "angles", "landmarker", "max_detections")
        found = {name: getattr(self, name) for name in always}
        if self.person:
            found["person"] = self.person
        if self.uses_attributes:
            found["guesses"] = True
        return found

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> FaceSettings:
        """Create settings from names and values; raises `BadSetting` for an unknown name or a value out of range."""
        check_names(cls, list(values))
        return cls(**values)
