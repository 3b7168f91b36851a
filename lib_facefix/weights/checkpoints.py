"""Reading weights from files of any origin. No file can run code: plain pickles are refused.

A .pth is a zip with one pickle of names and shapes and a raw member for each tensor (or PyTorch's older form, before
1.6). Only PyTorch's restricted reader (`weights_only`) reads it, after a check of the zip.
"""

from __future__ import annotations

import contextlib
import pickle
import pickletools
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadModel, MissingPackage
from .tensorfile import read_header

if TYPE_CHECKING:
    import torch

MOST_REPEATED = 4
"""Factor by which tensors that share storage may exceed the size of the file."""
_OLD_FORM = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
"""First bytes of a file written by PyTorch before 1.6: a pickled number."""
MAX_PICKLE_BYTES = 64 << 20
"""Largest accepted pickle inside a zip, in bytes."""
MAX_MEMBERS = 100_000
"""Largest accepted number of members of a zip."""
_WRAPPERS = ("params_ema", "params-ema", "params", "state_dict", "model", "net")
_INERT = ("numpy", "pytorch_lightning", "lightning", "omegaconf", "argparse")
"""Packages whose objects trainers save beside the weights; each object is replaced by an inert stand-in."""
_FOUND = "WeightsUnpickler error:"
"""Prefix of the reason in an error of PyTorch's reader."""
_DAMAGE = (OSError, EOFError, ValueError, LookupError, OverflowError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""Errors that `zipfile` and `pickletools` raise for unreadable files, some of them undocumented."""
_FAILURES = (TypeError, AttributeError, ArithmeticError, AssertionError, ImportError, MemoryError, struct.error)
_REFUSALS = (*_DAMAGE, *_FAILURES, pickle.UnpicklingError)
"""Errors of the restricted reader for damaged or hostile files."""


def find_globals(path: Path) -> Iterator[tuple[str, str]]:
    """Yield module and name of each class or function in the pickle of a PyTorch zip, without importing any.

    Raises `BadModel` as `list_operations` does.
    """
    for operation, argument in list_operations(path):
        if operation == "GLOBAL":
            module, _, name = str(argument).partition(" ")
            yield module, name


def list_operations(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield name and argument of each operation in the pickle of a PyTorch zip, without carrying out any.

    Members must be stored, not deflated, so that no small file can fill the memory. Raises `BadModel` if the file is
    not such a zip.
    """
    try:
        for opcode, argument, _ in pickletools.genops(_read_pickle(path)):
            yield opcode.name, argument
    except _DAMAGE as error:
        raise BadModel(f"{path} is incomplete or damaged: {error}. Copy or download it again.") from error


def _read_pickle(path: Path) -> bytes:
    size = path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > size:
            raise BadModel(f"{path} declares more content than the file can hold, so FaceFix did not open it.")
        if any(member.compress_type != zipfile.ZIP_STORED for member in members):
            raise BadModel(f"{path} is compressed, unlike PyTorch's own files, so FaceFix did not open it.")
        pickles = [member for member in members if member.filename.rpartition("/")[2] == "data.pkl"]
        if len(pickles) != 1 or pickles[0].file_size > MAX_PICKLE_BYTES:
            raise BadModel(f"{path} is a zip, but not a weights file: it has no data.pkl of plausible size.")
        return archive.read(pickles[0])


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Return the tensors of a .safetensors, .pth, .pt or .ckpt by name, on the CPU, as they were stored.

    The usual wrappers (params_ema, params, state_dict) are removed, and values that are not tensors are skipped.
    Tensors of a .pth may be views of the file: do not write to them. Raises `BadModel` for any other file, and
    `MissingPackage` without PyTorch.
    """
    try:
        with path.open("rb") as file:
            start = file.read(len(_OLD_FORM))
    except OSError as error:
        raise BadModel(f"{path} cannot be read: {error.strerror or error}.") from error
    if not start:
        raise BadModel(f"{path} is empty. Copy or download it again.")
    if path.suffix.lower() == ".safetensors" and start[8:9] != b"{":  # no reader may go by the name alone
        raise BadModel(f"{path} is not a safetensors file, despite its name. Copy or download it again.")
    if start[:4] == b"PK\x03\x04":
        return _name_tensors(_load(path, _find_inert(path), mmap=True), path)
    if start == _OLD_FORM:
        return _name_tensors(_load(path, {}, mmap=False), path)
    if start[8:9] == b"{":
        return _load_safetensors(path)
    cause = "It may be damaged. Copy or download it again."
    if start[:1] == b"\x80":
        cause = "It is a plain pickle, which could run any code, so FaceFix did not open it."
    elif start.lstrip()[:1] == b"<":
        cause = "It looks like a web page, so the download failed. Download it again."
    raise BadModel(f"{path} is not a weights file (safetensors or PyTorch). {cause}")


def _find_inert(path: Path) -> dict[str, set[str]]:
    """Return the names from `_INERT` packages in the pickle of a zip, by module; raises `BadModel`."""
    wanted: dict[str, set[str]] = {}
    for module, name in find_globals(path):
        if module.partition(".")[0] in _INERT:
            wanted.setdefault(module, set()).add(name)
    return wanted


class _StandIn:
    """Replaces an object that FaceFix does not need, and ignores all its arguments and state."""

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
            f"{path} contains other objects besides weights ({', '.join(sorted(wanted))}). Reading only the weights "
            f"requires PyTorch 2.5 or newer; this is {torch.__version__}. Convert the file to safetensors elsewhere."
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
            # PyTorch before 2.2 maps a file only by a str; WebUIs replace torch.load, so serialization.load is called
            where = str(path) if mmap else path
            return torch.serialization.load(where, map_location="cpu", weights_only=True, mmap=mmap)
    except _REFUSALS as error:
        raise BadModel(
            f"PyTorch's safe reader refused {path}: it is damaged, or contains more than weights. "
            f"({_explain(error)}) Download it again from a source you trust."
        ) from error


def _explain(error: Exception) -> str:
    """Return the reader's finding, without its advice on how to run the file nevertheless, which comes first."""
    lines = [line.strip() for line in str(error).splitlines()]
    found = next((line.split(_FOUND)[1].split(" was not an allowed")[0] for line in lines if _FOUND in line), "")
    plain = next((line for line in lines if line and "weights_only" not in line), type(error).__name__)
    return (found.strip() or plain)[:200]


def _name_tensors(loaded: Any, path: Path) -> dict[str, torch.Tensor]:
    for _ in range(3):  # some files have a wrapper in a wrapper
        if not isinstance(loaded, Mapping):
            raise BadModel(f"{path} contains a {type(loaded).__name__} instead of named weights. Choose another file.")
        loaded = next((loaded[key] for key in _WRAPPERS if isinstance(loaded.get(key), Mapping)), loaded)
    tensors = {name: value.detach() for name, value in loaded.items() if _is_plain(name, value)}
    if not tensors:
        raise BadModel(f"{path} contains no weights.")
    claimed = 0
    for name, tensor in tensors.items():
        size = tensor.numel() * tensor.element_size()
        claimed += size
        if size > tensor.untyped_storage().nbytes() or claimed > MOST_REPEATED * path.stat().st_size:
            raise BadModel(f"{path} declares more values than it contains, in {name[:80]!r}, so it was not used.")
    return tensors


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
        raise BadModel(f"{path} is damaged or not a safetensors file: {error}. Download it again.") from error
    if not tensors:
        raise BadModel(f"{path} contains no weights.")
    return dict(tensors)
