"""Finding, downloading, verifying and reading weights files without running code from them.

Importing this room reads no file and opens no socket. Modules that need the network or PyTorch are imported on use.
"""

from .checkpoints import read_tensors as read_tensors
from .checksums import sha256_of as sha256_of
from .checksums import verify_file as verify_file
from .convert import convert as convert
from .json_cache import JsonCache as JsonCache
from .model_paths import ASSETS as ASSETS
from .model_paths import ModelPaths as ModelPaths
from .model_paths import asset as asset
from .model_paths import cache_folder as cache_folder
from .model_paths import expand_home as expand_home
from .model_paths import locate_models as locate_models
from .model_paths import split_paths as split_paths
from .onnx_restorer import RestorerLayout as RestorerLayout
from .onnx_restorer import read_restorer as read_restorer
from .onnxfile import OnnxFile as OnnxFile
from .onnxfile import read_onnx as read_onnx
from .packaged import find_installed as find_installed
from .published import PUBLISHED as PUBLISHED
from .published import Published as Published
from .published import find_record as find_record
from .ultralytics import is_yolo as is_yolo
from .ultralytics import load_yolo as load_yolo
