"""Weights read from files of any origin. No file gets to run code: plain pickles are refused.

A .pth is a zip with one pickle of names and shapes and a raw member for each tensor (or PyTorch's older form, before
1.6). It is read by PyTorch's restricted reader (`weights_only`) and by no other, after a look at the zip.
"""

from __future__ import annotations

import contextlib
import pickle
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadModel, MissingPackage
from .tensorfile import read_header
from .torch_zip import find_globals

if TYPE_CHECKING:
    import torch

MOST_REPEATED = 4
"""Factor by which tensors that share storage may exceed the size of the file."""
_OLD_FORM = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
"""First bytes of a file written by PyTorch before 1.6: a pickled number."""
_WRAPPERS = ("params_ema", "params-ema", "params", "state_dict", "model", "net")
_INERT = ("numpy", "pytorch_lightning", "lightning", "omegaconf", "argparse")
"""Packages whose objects trainers save beside the weights; each object is replaced by an inert stand-in."""
_FOUND = "WeightsUnpickler error:"
"""Prefix of the reason in an error of PyTorch's reader."""
_REFUSALS = (
    pickle.UnpicklingError,
    RuntimeError,
    EOFError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    ImportError,
    MemoryError,
    struct.error,
    OSError,
)
"""Errors of the restricted reader for damaged or hostile files."""


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Return the tensors of a .safetensors, .pth, .pt or .ckpt by name, on the CPU, as they were stored.

    The usual wrappers (params_ema, params, state_dict) are taken off; what is no tensor is left out. Tensors of a
    .pth may be views of the file: do not write to them. Raises `BadModel` for whatever is not such a file, and
    `MissingPackage` without PyTorch.
    """
    try:
        with path.open("rb") as file:
            start = file.read(len(_OLD_FORM))
    except OSError as error:
        raise BadModel(f"{path} cannot be read: {error.strerror or error}.") from error
    if not start:
        raise BadModel(f"{path} is empty. Get it again.")
    if path.suffix.lower() == ".safetensors" and start[8:9] != b"{":  # nor is any other reader to guess by the name
        raise BadModel(f"{path} is no safetensors file, whatever its name says. Get it again.")
    if start[:4] == b"PK\x03\x04":
        return _name_tensors(_load(path, _find_inert(path), mmap=True), path)
    if start == _OLD_FORM:
        return _name_tensors(_load(path, {}, mmap=False), path)
    if start[8:9] == b"{":
        return _load_safetensors(path)
    raise BadModel(f"{path} is no weights file: neither safetensors nor what PyTorch writes. {_guess(start)}")


def _guess(start: bytes) -> str:
    if start[:1] == b"\x80":
        return "It is a plain pickle, which could run any code; it was not opened."
    if start.lstrip()[:1] == b"<":
        return "It looks like a web page: the download failed. Get it again."
    return "It is damaged or something else. Get it again."


def _find_inert(path: Path) -> dict[str, set[str]]:
    """Return the names of `_INERT` packages that the pickle of a zip asks for, by module; raises `BadModel`."""
    wanted: dict[str, set[str]] = {}
    for module, name in find_globals(path):
        if module.partition(".")[0] in _INERT:
            wanted.setdefault(module, set()).add(name)
    return wanted


class _StandIn:
    """Takes the place of an object that is of no use here, and forgets all it is told."""

    def __new__(cls, *_: object, **__: object) -> _StandIn:
        return object.__new__(cls)

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __setstate__(self, _: object) -> None:
        pass


@contextlib.contextmanager
def _standing_in(wanted: Mapping[str, set[str]], path: Path) -> Iterator[None]:
    import torch

    if not wanted:
        yield
        return
    if not hasattr(torch.serialization, "safe_globals"):
        raise BadModel(
            f"{path} holds more than weights ({', '.join(sorted(wanted))}); to read the weights alone takes PyTorch "
            f"2.5 or newer, and this is {torch.__version__}. Convert it to safetensors elsewhere."
        )
    stand_ins: list[Any] = [
        type(name, (_StandIn,), {"__module__": module}) for module, names in wanted.items() for name in names
    ]
    with torch.serialization.safe_globals(stand_ins):
        yield


def _load(path: Path, wanted: Mapping[str, set[str]], *, mmap: bool) -> Any:
    try:
        import torch
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingPackage(f"reading {path.name}", "torch") from error
    try:
        with _standing_in(wanted, path):
            # PyTorch before 2.2 maps a file only by a text; and WebUIs put readers of their own in torch.load's place
            where = str(path) if mmap else path
            return torch.serialization.load(where, map_location="cpu", weights_only=True, mmap=mmap)
    except _REFUSALS as error:
        raise BadModel(
            f"{path} was refused by PyTorch's safe reader: it is damaged, or asks for more than weights need. "
            f"({_explain(error)}) Get it again from a place you trust."
        ) from error


def _explain(error: Exception) -> str:
    """Return what the reader found; not how it could be made to run what it has found, which it says first."""
    lines = [line.strip() for line in str(error).splitlines()]
    found = next((line.split(_FOUND)[1].split(" was not an allowed")[0] for line in lines if _FOUND in line), "")
    plain = next((line for line in lines if line and "weights_only" not in line), type(error).__name__)
    return (found.strip() or plain)[:200]


def _name_tensors(loaded: Any, path: Path) -> dict[str, torch.Tensor]:
    import torch

    for _ in range(3):  # a wrapper in a wrapper is seen in the wild
        inner = next((loaded[key] for key in _WRAPPERS if _holds(loaded, key)), None)
        if inner is None:
            break
        loaded = inner
    if not isinstance(loaded, Mapping):
        raise BadModel(f"{path} holds a {type(loaded).__name__} instead of named weights. Choose another file.")
    tensors = {name: value.detach() for name, value in loaded.items() if _is_plain(name, value)}
    if not tensors:
        raise BadModel(f"{path} holds no weights.")
    claimed = 0
    for name, tensor in tensors.items():
        size = tensor.numel() * tensor.element_size()
        claimed += size
        if size > tensor.untyped_storage().nbytes() or claimed > MOST_REPEATED * path.stat().st_size:
            raise BadModel(f"{path} claims more numbers than it holds, at {name[:80]!r}; it was not used.")
    assert all(isinstance(tensor, torch.Tensor) for tensor in tensors.values())
    return tensors


def _holds(loaded: Any, key: str) -> bool:
    return isinstance(loaded, Mapping) and isinstance(loaded.get(key), Mapping)


def _is_plain(name: object, value: object) -> bool:
    import torch

    return (
        isinstance(name, str)
        and isinstance(value, torch.Tensor)
        and value.layout == torch.strided
        and value.device.type == "cpu"
        and not value.is_quantized
    )


def _load_safetensors(path: Path) -> dict[str, torch.Tensor]:
    read_header(path)
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "safetensors"):
            raise
        raise MissingPackage(f"reading {path.name}", error.name) from error
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError, RuntimeError) as error:
        raise BadModel(f"{path} is damaged or no safetensors file: {error}. Get it again.") from error
    if not tensors:
        raise BadModel(f"{path} holds no weights.")
    return dict(tensors)
