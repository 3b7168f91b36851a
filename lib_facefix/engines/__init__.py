"""Running restoring nets on PyTorch, ONNX Runtime or OpenVINO, with the backend and precision chosen for each net."""

from .runners import Runner as Runner
from .runners import load_runner as load_runner
from .select import Machine as Machine
from .select import this_machine as this_machine
