"""How one face is fixed: the settings that may differ from face to face, each declared once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from ..registry import FIRST, OCCLUDERS, PARSERS, PEOPLE, RESTORERS
from .mask_expression import READY, parse_mask
from .options import check_all, check_names, option
from .sampling import Sampling

_FOR_PEOPLE = ", ".join(entry.name for entry in RESTORERS if entry.only == PEOPLE)
METHODS = ("auto", "re-diffuse", "restore", "leave")
MODEL_FILES = (".pth", ".pt", ".ckpt", ".safetensors")
"""Files that may hold a network of the user's own."""
PARSER_FILES = (".pth", ".safetensors", ".onnx")
"""Files that may hold a face parser."""
AUTO_FEATHER = 0.15
"""What a feather of -1 means, as a share of the face's width."""

Overrides = Mapping[int, Mapping[str, Any]]
"""Settings of single faces, by number: {3: {"fidelity": 0.9}, 2: {"method": "leave"}}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment(Sampling):
    """What is done to one face. `FaceSettings` holds one for all faces, a plan one for each."""

    method: str = option(
        "auto", "Method", choices=lambda: METHODS, group="fix",
        help="auto: leave what is sharp and large enough; re-diffuse what is small, where Stable Diffusion is at hand; "
        "restore the rest.",
    )  # fmt: skip
    restorer: str = option(
        "lite", "Restorer", choices=RESTORERS.names, suffixes=MODEL_FILES, group="fix",
        only="restore", help="The model that restores, or the path of one. "
        f"Made for people, not for drawn faces: {_FOR_PEOPLE}.",
    )  # fmt: skip
    fidelity: float = option(
        0.6, "Fidelity", low=0.0, high=1.0, step=0.01, group="fix", only="restore",
        help="0: most restoration; 1: closest to the original.",
    )  # fmt: skip
    visibility: float = option(
        1.0, "Visibility", low=0.0, high=1.0, step=0.01, group="fix",
        help="How much of the fixed face shows; 0 keeps the face as it was.",
    )  # fmt: skip
    mask: str = option(
        "hull", "Mask", choices=lambda: READY, reads=parse_mask, group="mask",
        help="Which part of the face may change: one, or several joined by + & -, as in eyes + lips, hull & person, "
        "hull - parsing:hair,glasses. Where the mesh is unsure, hull becomes an ellipse.",
    )  # fmt: skip
    mask_grow: float = option(
        0.0, "Grow", low=-0.5, high=1.0, step=0.01, unit="of the face's width", group="mask",
        help="Moves the edge of the mask outwards (below 0: inwards).",
    )  # fmt: skip
    mask_feather: float = option(
        -1.0, "Feather", low=-1.0, high=1.0, step=0.01, unit="of the face's width", group="mask",
        help=f"Width of the soft edge, outside the mask; -1: automatic ({AUTO_FEATHER}).",
    )  # fmt: skip
    mask_x: float = option(
        0.0, "Offset to the right", low=-1.0, high=1.0, step=0.01, unit="of the face's width", group="mask"
    )
    mask_y: float = option(
        0.0, "Offset downwards", low=-1.0, high=1.0, step=0.01, unit="of the face's width", group="mask"
    )
    mask_invert: bool = option(
        False, "Invert", group="mask",
        help="What the mask shows stays, and the rest of the face's box changes.",
    )  # fmt: skip
    mask_merge: bool = option(
        False, "Merge", group="mask", only="re-diffuse",
        help="The picture's faces that have this on are redrawn as one: in one crop around them, inside all their "
        "masks, by the first one's prompt, seed and sampling. Each is drawn smaller: for faces side by side.",
    )  # fmt: skip
    parser: str = option(
        FIRST, "Face parser", choices=lambda: (FIRST, *PARSERS.names()), suffixes=PARSER_FILES, group="mask",
        help="What tells skin from hair for the mask parsing; auto: the first that is here.",
    )  # fmt: skip
    occluder: str = option(
        FIRST, "Occluder model", choices=lambda: (FIRST, *OCCLUDERS.names()), suffixes=(".onnx",), group="mask",
        help="What sees hands and hair in front of a face for the mask occluders; auto: what is here, or the face "
        "parser.",
    )  # fmt: skip
    match_colour: bool = option(
        True, "Match colour to the surroundings", group="mask",
        help="Shifts the fixed face's colour until the ring around the mask agrees with the picture.",
    )  # fmt: skip

    def __post_init__(self) -> None:
        check_all(self)

    @property
    def feather(self) -> float:
        """Width of the soft edge as a share of the face's width, 0..1."""
        return AUTO_FEATHER if self.mask_feather < 0 else self.mask_feather

    def but(self, changes: Mapping[str, Any]) -> Treatment:
        """Return this treatment with some settings changed; raises `BadSetting` for an unknown one."""
        check_names(Treatment, list(changes))
        return replace(self, **changes)

    def of_one_face(self) -> Treatment:
        """Return just the part that may differ from face to face (of a `FaceSettings`, say)."""
        made = object.__new__(Treatment)  # its values have been checked
        for field in fields(Treatment):
            object.__setattr__(made, field.name, getattr(self, field.name))
        return made

    def to_json(self) -> dict[str, Any]:
        """Every setting by its name."""
        return asdict(self)
