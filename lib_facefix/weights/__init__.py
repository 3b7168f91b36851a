"""Weights: where they lie, getting them, and reading them without running anything.

Importing this room reads no file and opens no socket; what needs the network or PyTorch is imported when it is used.
"""

from .assets import ASSETS, asset
from .checkpoints import read_tensors
from .checksums import checked, sha256_of
from .convert import convert
from .model_paths import ModelPaths, cache_folder, data_folder, expand_home, locate_models, split_paths
from .onnxfile import OnnxFile, read_onnx
from .packaged import from_data_package, installed
from .published import PUBLISHED, published
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
    "checked",
    "convert",
    "data_folder",
    "expand_home",
    "from_data_package",
    "installed",
    "is_yolo",
    "load_yolo",
    "locate_models",
    "published",
    "read_onnx",
    "read_origin",
    "read_tensors",
    "sha256_of",
    "split_paths",
]
