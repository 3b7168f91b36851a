"""Settings of this machine: how it runs models, and where it finds them. They are not part of a plan."""

from dataclasses import dataclass

from ..errors import BadSetting, suggest
from ..registry import RESTORERS
from .devices import NAMES, parse_device
from .options import check_all, option

ENGINES = ("auto", "torch", "winograd", "onnxruntime", "openvino")
"""Backends for restorers and upscalers. "winograd" is PyTorch with faster convolutions."""
PRECISIONS = ("exact", "fast")
"""Precisions: "exact" deviates from the authors' output by at most 0.002 of its standard deviation."""


def read_restorers(text: str) -> tuple[str, ...]:
    """Return the restorers in "gfpgan, codeformer"; raises `BadSetting` for an unknown one."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if name not in RESTORERS.names():
            known = f"{suggest(name, RESTORERS.names())} Available: {', '.join(RESTORERS.names())}"
            raise BadSetting(f"Accepted licences must be names of restorers, not {name!r}.{known}")
    return names


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """The backend, the model folders, and the size of the model cache."""

    engine: str = option(
        "auto", "Backend", choices=lambda: ENGINES, group="machine",
        help="Library that runs restorers and upscalers. auto: the fastest one installed.",
    )  # fmt: skip
    precision: str = option(
        "exact", "Precision", choices=lambda: PRECISIONS, group="machine",
        help="fast: bfloat16 on processors that support it, for models where it only rounds.",
    )  # fmt: skip
    device: str = option(
        "auto", "Device", choices=lambda: NAMES, reads=parse_device, group="machine",
        help="What models run on. auto: a GPU that PyTorch or ONNX Runtime can use, otherwise the processor. "
        "A number selects one of several, as in cuda:1.",
    )  # fmt: skip
    models: str = option(
        "", "Models folder", group="machine",
        help="Folders to search first; downloads go to the first one. Separate several as in PATH. "
        "Blank: your data folder.",
    )  # fmt: skip
    webui: str = option(
        "", "WebUI folder", group="machine",
        help="WebUI or ComfyUI folders whose models FaceFix may use. Separate several as in PATH.",
    )  # fmt: skip
    yolo: str = option(
        "", "YOLO folders", group="machine",
        help="More folders of YOLO models, including their subfolders. Separate several as in PATH.",
    )  # fmt: skip
    keep: int = option(
        2, "Model cache size", low=1, group="machine",
        help="Number of models kept in memory. The least recently used one is unloaded first.",
    )  # fmt: skip

    accept_licences: str = option(
        "", "Accepted licences", reads=read_restorers, group="machine",
        help="Restorers that auto may use because you accept their licence, such as gfpgan, codeformer. "
        "`facefix setup` remembers it.",
    )  # fmt: skip

    def __post_init__(self) -> None:
        check_all(self)

    @property
    def accepted_restorers(self) -> tuple[str, ...]:
        """Names of the restorers in `accept_licences`."""
        return read_restorers(self.accept_licences)
