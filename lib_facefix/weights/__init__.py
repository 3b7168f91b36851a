"""Weights: where they lie, getting them, and reading them without running anything.

Importing this room reads no file and opens no socket; what needs the network or PyTorch is imported when it is used.
"""

from .assets import ASSETS, asset
from .checkpoints import read_tensors
from .checksums import sha256_of, verify_file
from .convert import convert
from .model_paths import ModelPaths, cache_folder, data_folder, expand_home, locate_models, split_paths
from .onnxfile import OnnxFile, read_onnx
from .packaged import find_installed, from_data_package
from .published import PUBLISHED, find_record
from .tensorfile import read_origin
from .ultralytics import is_yolo, load_yolo
from .weight_record import Published

__all__ = [
    "ASSETS",
    "PUBLISHED",
    "ModelPaths",
    "OnnxFile",
    "Published",
    "asset",
    "cache_folder",
    "convert",
    "data_folder",
    "expand_home",
    "find_installed",
    "find_record",
    "from_data_package",
    "is_yolo",
    "load_yolo",
    "locate_models",
    "read_onnx",
    "read_origin",
    "read_tensors",
    "sha256_of",
    "split_paths",
    "verify_file",
]
