"""How this machine runs the models: declared once, as the settings are, but no part of a plan."""

from __future__ import annotations

from dataclasses import dataclass

from .options import check_all, option

ENGINES = ("auto", "torch", "winograd", "onnxruntime", "openvino")
"""What runs the restoring nets. "torch": as their authors run them; "winograd": the same, convolved more quickly."""
PRECISIONS = ("exact", "fast")
"""exact: within 0.002 of the standard deviation of the authors' answer; fast: bfloat16 where that only rounds."""
DEVICES = ("auto", "cpu")


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """What runs the models, where they lie, how many stay loaded."""

    engine: str = option(
        "auto", "Engine", choices=lambda: ENGINES, group="machine",
        help="What runs the restoring nets; auto: the fastest that is installed.",
    )  # fmt: skip
    precision: str = option(
        "exact", "Precision", choices=lambda: PRECISIONS, group="machine",
        help="fast: bfloat16 where that only rounds, on processors that have it.",
    )  # fmt: skip
    device: str = option(
        "auto", "Device", choices=lambda: DEVICES, group="machine",
        help="auto: the graphics processor where PyTorch finds one.",
    )  # fmt: skip
    models: str = option(
        "", "Models folder", group="machine",
        help="Where weights are looked for first and downloaded to; several as in PATH; blank: your data folder.",
    )  # fmt: skip
    webui: str = option(
        "", "WebUI folder", group="machine",
        help="A WebUI or ComfyUI whose models are used, too; several as in PATH.",
    )  # fmt: skip
    yolo: str = option(
        "", "YOLO folders", group="machine",
        help="Further folders of YOLO models, used with all that is below them; several as in PATH.",
    )  # fmt: skip
    keep: int = option(
        2, "Nets kept loaded", low=1, group="machine",
        help="The least recently used one makes room.",
    )  # fmt: skip

    def __post_init__(self) -> None:
        check_all(self)
