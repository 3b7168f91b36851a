"""Devices that models can run on, declared once for ONNX Runtime, PyTorch, and OpenVINO."""

import re
from dataclasses import dataclass

from ..errors import BadSetting, quote_value, suggest


@dataclass(frozen=True, slots=True)
class DeviceKind:
    """A kind of device, and the libraries that can use it."""

    name: str
    label: str
    """Name for people."""
    providers: tuple[str, ...] = ()
    """ONNX Runtime's execution providers, best first; none if ONNX Runtime cannot use it."""
    torch: str = ""
    """PyTorch's type of device; blank if PyTorch cannot use it."""
    package: str = ""
    """How to get an ONNX Runtime with the provider, as a phrase."""
    build: str = ""
    """The PyTorch that can use it, as a phrase."""
    numbered: bool = False
    """Whether there may be several, so that a number selects one, as in cuda:1."""
    automatic: bool = False
    """Whether "auto" may use it on ONNX Runtime: not if it compiles each model first, which may take minutes."""


KINDS: dict[str, DeviceKind] = {
    kind.name: kind
    for kind in (
        DeviceKind("cpu", "processor", ("CPUExecutionProvider",), "cpu"),
        DeviceKind(
            "cuda", "NVIDIA GPU", ("CUDAExecutionProvider",), "cuda",
            "`pip install 'onnxruntime-gpu[cuda,cudnn]'`", "a PyTorch with CUDA", numbered=True, automatic=True,
        ),
        DeviceKind(
            "tensorrt", "NVIDIA GPU, by TensorRT", ("TensorrtExecutionProvider",), "",
            "`pip install 'onnxruntime-gpu[cuda,cudnn]' tensorrt`", numbered=True,
        ),
        DeviceKind(
            "directml", "any GPU on Windows, by DirectML", ("DmlExecutionProvider",), "",
            "`pip install onnxruntime-directml`", numbered=True, automatic=True,
        ),
        DeviceKind(
            "rocm", "AMD GPU on Linux", ("ROCMExecutionProvider",), "cuda",
            "AMD's own package `onnxruntime-rocm`", "a PyTorch with ROCm", numbered=True, automatic=True,
        ),
        DeviceKind(
            "migraphx", "AMD GPU on Linux, by MIGraphX", ("MIGraphXExecutionProvider",), "",
            "`pip install onnxruntime-migraphx`", numbered=True,
        ),
        DeviceKind(
            "coreml", "Apple GPU and Neural Engine, by Core ML", ("CoreMLExecutionProvider",), "",
            "`pip install onnxruntime` on a Mac",
        ),
        DeviceKind("mps", "Apple GPU, by PyTorch", (), "mps", build="a PyTorch for Apple processors"),
        DeviceKind(
            "openvino", "Intel processor, GPU, or NPU, by OpenVINO", ("OpenVINOExecutionProvider",), "",
            "`pip install onnxruntime-openvino`, or `pip install openvino`",
        ),
        DeviceKind("xpu", "Intel GPU, by PyTorch", (), "xpu", build="a PyTorch for Intel GPUs", numbered=True),
        DeviceKind("qnn", "Qualcomm NPU", ("QNNExecutionProvider",), "", "`pip install onnxruntime-qnn`"),
    )
}  # fmt: skip
"""All kinds of devices by name."""
AUTO = "auto"
NAMES = (AUTO, *KINDS)
"""Values of the setting `device`, without numbers and parts."""
OPENVINO_PARTS = re.compile(r"cpu|npu|gpu(?:\.\d{1,2})?")
"""Parts of OpenVINO that may be selected, as in openvino:gpu."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device as the user selects it: a kind, or "auto", and which one of the kind."""

    name: str = "cpu"
    place: str = ""
    """Number of the device, or part of OpenVINO; blank: the first one."""

    def __str__(self) -> str:
        return f"{self.name}:{self.place}" if self.place else self.name

    @property
    def kind(self) -> DeviceKind:
        """The kind of the device, which must not be "auto"."""
        return KINDS[self.name]

    @property
    def number(self) -> int:
        """Number of the device among those of its kind, from 0."""
        return int(self.place) if self.place.isdigit() else 0

    @property
    def title(self) -> str:
        """The device with its number, as reports name it: "cuda:0"."""
        return f"{self.name}:{self.number}" if self.kind.numbered else str(self)

    @property
    def is_explicit(self) -> bool:
        """Whether the user has asked for this accelerator, so that running elsewhere would be an error."""
        return self.name not in (AUTO, "cpu")


CPU = Device()


def parse_device(text: str) -> Device:
    """Return the device of "cuda", "cuda:1", "openvino:gpu" and the like; raises `BadSetting`."""
    name, colon, place = text.strip().lower().partition(":")
    if name not in NAMES:
        wrong = f"not {quote_value(text)}.{suggest(name, NAMES)}".removesuffix(".")
        raise BadSetting(f"Device must be one of {', '.join(NAMES)}, some with a number as in cuda:1; {wrong}")
    if not colon:
        return Device(name)
    if name == "openvino":
        if OPENVINO_PARTS.fullmatch(place):
            return Device(name, place)
        raise BadSetting(f"after openvino: write cpu, gpu, gpu.1, or npu; not {quote_value(place)}")
    if not (name == AUTO or KINDS[name].numbered):
        raise BadSetting(f"the device {name} has no number; write --device {name}, not {quote_value(text)}")
    if not re.fullmatch(r"\d{1,2}", place):
        raise BadSetting(f"the number of a device must be 0 to 99, as in {name}:1; not {quote_value(place)}")
    return Device(name, str(int(place)))
