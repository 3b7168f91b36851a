"""Every choice the user has. UI, API, infotext, command line and XYZ axes are made from this file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import BadSetting
from ..registry import DETECTORS, LANDMARKERS, UPSCALERS
from .detector_expression import files_in, parse_detector
from .face_prompt import read_negative_prompt, read_prompt
from .number_ranges import read_numbers
from .options import check_names, option
from .output_size import read_upscale
from .treatment import MODEL_FILES, Treatment

ANGLES = ("off", "auto", "all")
KEEP_BY = ("size", "confidence", "centre", "left", "right")
GENDERS = ("any", "female", "male")
PERSON_MEANS = ("only", "all but")
ORDERS = ("left to right", "size", "centre", "confidence")


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceSettings(Treatment):
    """How the faces of a picture are found, chosen and fixed."""

    detector: str = option(
        "auto", "Detector", choices=DETECTORS.names, found="detectors", reads=parse_detector, paths=files_in,
        group="find", finds=True,
        help="What finds faces: a name, or the file of a YOLO model, with the classes wanted in brackets. Several: "
        '"blazeface + centerface" what either finds, "a - b" what a finds and b does not, "2 of a, b, c".',
    )  # fmt: skip
    min_score: float = option(
        0.5, "Minimum confidence", low=0.0, high=1.0, step=0.01, group="find", finds=True,
        help="What the detector is less sure of is no face.",
    )  # fmt: skip
    angles: str = option(
        "auto", "Turned faces", choices=lambda: ANGLES, group="find", finds=True,
        help="Search the picture turned by 90, 180 and 270 degrees too; auto: when nothing is found upright.",
    )  # fmt: skip
    landmarker: str = option(
        "facemesh", "Landmarks", choices=LANDMARKERS.names, group="find", finds=True,
        help="What says where eyes, nose and mouth are, by which faces are aligned.",
    )  # fmt: skip
    min_size: int = option(
        0, "Smallest face", low=0, unit="px", group="choose",
        help="Faces whose longer side is below this are left alone.",
    )  # fmt: skip
    max_size: int = option(
        0, "Largest face", low=0, unit="px", group="choose",
        help="Faces whose longer side is above this are left alone; 0: no limit.",
    )  # fmt: skip
    min_share: float = option(
        0.0, "Smallest share of the picture", low=0.0, high=1.0, step=0.001, group="choose",
        help="Faces whose box covers less of the picture's area are left alone.",
    )  # fmt: skip
    max_share: float = option(
        1.0, "Largest share of the picture", low=0.0, high=1.0, step=0.001, group="choose",
        help="Faces whose box covers more of the picture's area are left alone.",
    )  # fmt: skip
    at_most: int = option(0, "At most this many faces", low=0, group="choose", help="0: all.")
    keep_by: str = option(
        "size", "... chosen by", choices=lambda: KEEP_BY, group="choose",
        help="Which faces are fixed when there are more: the largest, the surest, the most central, those furthest to "
        "the left or right.",
    )  # fmt: skip
    order: str = option(
        "left to right", "Order", choices=lambda: ORDERS, group="choose",
        help="In which order the faces are fixed; their numbers always run from left to right.",
    )  # fmt: skip
    faces: str = option(
        "",
        "Only these numbers",
        reads=read_numbers,
        group="choose",
        help='Face numbers such as "1,3-4"; blank: all.',
    )
    person: str = option(
        "", "Reference photo", paths=lambda value: (value,) if value else (), group="choose", finds=True,
        help="The path of a photo of one person, whose largest face counts; blank: whoever it is.",
    )  # fmt: skip
    person_means: str = option(
        "only", "... means", choices=lambda: PERSON_MEANS, group="choose",
        help="only: this person alone is fixed; all but: everyone else.",
    )  # fmt: skip
    person_within: float = option(
        0.5, "Alike within", low=0.1, high=1.2, step=0.01, group="choose",
        help="How unlike faces may be to count as one person's: 0.3 to 0.45 as a rule; strangers 0.6 and more.",
    )  # fmt: skip
    gender: str = option(
        "any", "Gender", choices=lambda: GENDERS, group="choose", finds=True,
        help="As a model guesses that you have installed: insightface's genderage.onnx.",
    )  # fmt: skip
    min_age: int = option(
        0, "Youngest", low=0, high=120, unit="years", group="choose", finds=True,
        help="Faces that the same model takes for younger are left alone.",
    )  # fmt: skip
    max_age: int = option(
        0, "Oldest", low=0, high=120, unit="years", group="choose", finds=True,
        help="Faces that the same model takes for older are left alone; 0: no limit.",
    )  # fmt: skip
    sharp_above: float = option(
        0.45, "Sharp enough above", low=0.0, high=1.0, step=0.01, group="choose", only="auto",
        help="auto leaves a face alone that is at least this sharp and large.",
    )  # fmt: skip
    large_above: int = option(
        192, "Large enough above", low=0, unit="px", group="choose", only="auto",
        help="auto leaves a face alone that is at least this large and sharp.",
    )  # fmt: skip
    redraw_below: int = option(
        256, "Re-diffuse below", low=0, unit="px", group="choose", only="auto",
        help="auto re-diffuses a face smaller than this where Stable Diffusion is at hand, and restores a larger one.",
    )  # fmt: skip
    upscale: str = option(
        "", "Upscale", reads=read_upscale, group="upscale",
        help='Make the whole picture larger first: a factor such as "2", or pixels such as "1920x1080"; blank: no.',
    )  # fmt: skip
    upscaler: str = option(
        "lanczos", "Upscaler", choices=UPSCALERS.names, suffixes=MODEL_FILES, group="upscale",
        help="What enlarges the picture around the faces, or the path of a model.",
    )  # fmt: skip

    def __post_init__(self) -> None:
        Treatment.__post_init__(self)
        read_prompt(self.prompt)
        read_negative_prompt(self.negative_prompt)
        if self.max_size and self.max_size < self.min_size:
            raise BadSetting(f"Largest face ({self.max_size} px) is below Smallest face ({self.min_size} px)")
        if self.max_age and self.max_age < self.min_age:
            raise BadSetting(f"Oldest ({self.max_age} years) is below Youngest ({self.min_age} years)")
        if self.max_share < self.min_share:
            raise BadSetting(f"Largest share ({self.max_share}) is below Smallest share ({self.min_share})")

    @property
    def guesses(self) -> bool:
        """Whether gender or age count."""
        return self.gender != "any" or self.min_age > 0 or self.max_age > 0

    @property
    def finding(self) -> dict[str, Any]:
        """What decides which faces there are, and what is known of each; other settings only choose among them."""
        found = {name: getattr(self, name) for name in ("detector", "min_score", "angles", "landmarker")}
        if self.person:
            found["person"] = self.person
        if self.guesses:
            found["guesses"] = True
        return found

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> FaceSettings:
        """Make settings from names and values; raises `BadSetting` for what is unknown or out of range."""
        check_names(cls, list(values))
        return cls(**values)
