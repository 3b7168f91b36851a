"""Running restoring nets: on PyTorch, ONNX Runtime or OpenVINO, in full precision or bfloat16, chosen per net."""

from .machine import Machine, this_machine
from .runners import Runner, load_runner

__all__ = ["Machine", "Runner", "load_runner", "this_machine"]
