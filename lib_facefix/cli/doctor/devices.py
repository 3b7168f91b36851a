"""The devices that models can run on, by library: which are offered, and which of them start."""

from collections.abc import Iterator
from typing import Any

from ...inference.providers import DeviceFailed, check_start, find_provider, list_providers
from ...settings.devices import CPU, KINDS, Device
from .problems import Problem

WORKS = "works"
"""State of a device that starts."""


def probe_devices(problems: list[Problem], accelerator: str = "") -> list[dict[str, str]]:
    """Return the devices that ONNX Runtime and PyTorch offer, with library and state; starts each on ONNX Runtime.

    accelerator: PyTorch's. problems: receives devices that are offered, but do not start.
    """
    found = [_try_device(Device(name), problems) for name in _list_offered()]
    if accelerator:
        found.append({"device": accelerator, "by": "PyTorch", "state": WORKS})
    return found


def describe_devices(devices: Any) -> Iterator[str]:
    """Yield a line for each device."""
    for one in devices:
        kind = KINDS.get(one["device"].partition(":")[0])
        yield f"--device {one['device']} ({kind.label if kind else ''}), by {one['by']}: {one['state']}"


def _list_offered() -> Iterator[str]:
    listed = list_providers()
    return (name for name in KINDS if find_provider(Device(name), listed))


def _try_device(device: Device, problems: list[Problem]) -> dict[str, str]:
    state = WORKS
    try:
        if device != CPU:
            check_start(device)
    except DeviceFailed as error:
        state = "does not start"
        todo = f"Install its driver, and {device.kind.package}, or ignore this: --device auto uses another device."
        problems.append(Problem("warning", str(error).partition(" It needs its driver")[0], todo))
    return {"device": str(device), "by": "ONNX Runtime", "state": state}
