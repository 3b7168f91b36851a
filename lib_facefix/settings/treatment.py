"""The settings of one face: how it is fixed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from ..registry import BUILT_IN, EMBEDDINGS, FIRST, GUARDING, OCCLUDERS, PARSERS, PEOPLE, RESTORERS
from .expression import MAX_LENGTH
from .mask_expression import COMMON_MASKS, parse_mask
from .options import check_all, check_names, option, replace_aliases
from .sampling import Sampling

_FOR_PEOPLE = ", ".join(entry.name for entry in RESTORERS if entry.only == PEOPLE)
METHOD_LABELS = {"auto": "Auto", "re-diffuse": "Re-diffuse", "restore": "Restore", "leave": "Skip"}
"""Labels of the methods, by name."""
METHODS = tuple(METHOD_LABELS)
GUARDS = ("off", "report", "back-off", "strict")
"""Ways to guard the identity of a face."""
AUTO_RESTORER = FIRST
"""Value of the setting `restorer` that stands for the best usable one. Finished plans name that one instead."""
MODEL_FILES = (".pth", ".pt", ".ckpt", ".safetensors")
"""Suffixes of the user's own restorer and upscaler files with weights alone."""
RESTORER_FILES = (*MODEL_FILES, ".onnx")
"""Suffixes of the user's own restorer files."""
PARSER_FILES = (".pth", ".safetensors", ".onnx")
"""Suffixes of the user's own face parser files."""
FIDELITY_EXPONENT = 4
"""Exponent of the fidelity slider: a larger one keeps more of the restored face until late."""
AUTO_FEATHER = 0.15
"""Width of the automatic soft edge, in face widths."""

Overrides = Mapping[int, Mapping[str, Any]]
"""Settings of single faces by face number, as in {3: {"fidelity": 0.9}, 2: {"method": "leave"}}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment(Sampling):
    """How one face is fixed. `FaceSettings` is the treatment of all faces; a plan has one for each face."""

    method: str = option(
        "auto", "Method", choices=lambda: METHODS, group="fix",
        help="auto skips sharp, large faces, re-diffuses small ones if Stable Diffusion is available, "
        "and restores the rest.",
    )  # fmt: skip
    restorer: str = option(
        AUTO_RESTORER, "Restorer", choices=lambda: (AUTO_RESTORER, *RESTORERS.names()), suffixes=RESTORER_FILES,
        labels=RESTORERS.label, found="restorers", group="fix", only="restore", aliases={"built-in": BUILT_IN},
        help="Restorer name, the name of a file in a models folder, or the path of a file. auto: the best one "
        f"installed whose licence you accepted. Not for drawn faces: {_FOR_PEOPLE}.",
    )  # fmt: skip
    fidelity: float = option(
        0.6, "Fidelity", low=0.0, high=1.0, step=0.01, group="fix", only="restore",
        help="0: strongest. 1: closest to the original.",
    )  # fmt: skip
    visibility: float = option(
        1.0, "Visibility", low=0.0, high=1.0, step=0.01, group="fix",
        help="Opacity of the fixed face. 0: the face stays unchanged.",
    )  # fmt: skip
    grain: float = option(
        1.0, "Keep grain", low=0.0, high=1.0, step=0.01, group="fix", only="restore",
        help="Share of the photo's grain that restored faces keep. 0: grain is removed.",
    )  # fmt: skip
    guard: str = option(
        "back-off", "Identity guard", choices=lambda: GUARDS, group="fix",
        help="Checks that a fixed face still looks like the same person. back-off: changes it less if not. "
        "strict: also skips faces that cannot be checked.",
    )  # fmt: skip
    guard_model: str = option(
        GUARDING, "Identity model", choices=EMBEDDINGS.names, group="fix", aliases={"built-in": GUARDING},
        help="Model that compares faces for the identity guard. arcface: from insightface, if you have installed it.",
    )  # fmt: skip
    mask: str = option(
        "hull", "Mask", choices=lambda: COMMON_MASKS, reads=parse_mask, longest=MAX_LENGTH, group="mask",
        help="Part of the face that may change. Combine masks with + & -, as in eyes + lips or "
        "hull - parsing:hair,glasses.",
    )  # fmt: skip
    mask_grow: float = option(
        0.0, "Grow mask", low=-0.5, high=1.0, step=0.01, unit="face widths", group="mask",
        help="Moves the edge of the mask outwards. Below 0: inwards.",
    )  # fmt: skip
    mask_feather: float = option(
        -1.0, "Mask blur", low=-1.0, high=1.0, step=0.01, unit="face widths", group="mask",
        help=f"Width of the soft edge outside the mask. -1: automatic ({AUTO_FEATHER}).",
    )  # fmt: skip
    mask_x: float = option(
        0.0, "Mask x offset", low=-1.0, high=1.0, step=0.01, unit="face widths", group="mask",
        help="Moves the mask to the right. Below 0: to the left.",
    )  # fmt: skip
    mask_y: float = option(
        0.0, "Mask y offset", low=-1.0, high=1.0, step=0.01, unit="face widths", group="mask",
        help="Moves the mask down. Below 0: up.",
    )  # fmt: skip
    mask_invert: bool = option(
        False, "Invert mask", group="mask", help="Keep the masked part, and change the rest of the face's box."
    )
    mask_merge: bool = option(
        False, "Merge masks", group="mask", only="re-diffuse",
        help="Re-diffuse all faces with this setting together, with the first one's prompt, seed and sampling.",
    )  # fmt: skip
    parser: str = option(
        FIRST, "Face parser", choices=lambda: (FIRST, *PARSERS.names()), suffixes=PARSER_FILES, group="mask",
        help="Model that separates skin, hair and more for the mask parsing. auto: the first one installed.",
    )  # fmt: skip
    occluder: str = option(
        FIRST, "Occluder model", choices=lambda: (FIRST, *OCCLUDERS.names()), suffixes=(".onnx",), group="mask",
        help="Model that detects hands and hair for the mask occluders. auto: one installed, or the face parser.",
    )  # fmt: skip
    match_colour: bool = option(
        True, "Match colour", group="mask", help="Adapts the fixed face to the colour around the mask."
    )

    def __post_init__(self) -> None:
        replace_aliases(self)
        check_all(self)

    @property
    def feather(self) -> float:
        """Width of the soft edge in face widths, 0..1."""
        return AUTO_FEATHER if self.mask_feather < 0 else self.mask_feather

    def but(self, changes: Mapping[str, Any]) -> Treatment:
        """Return this treatment with some settings changed; raises `BadSetting` for an unknown one."""
        check_names(Treatment, list(changes))
        return replace(self, **changes)

    def face_treatment(self) -> Treatment:
        """Return just the part that may differ from face to face (of a `FaceSettings`, say)."""
        made = object.__new__(Treatment)  # its values have been checked
        for field in fields(Treatment):
            object.__setattr__(made, field.name, getattr(self, field.name))
        return made

    def to_json(self) -> dict[str, Any]:
        """Return every setting by name."""
        return asdict(self)
