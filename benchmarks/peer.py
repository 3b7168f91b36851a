"""facexlib's own code for pasting faces back, run from its package as published.

Only the one file that pastes is loaded, and it needs nothing but NumPy and OpenCV for that: what it imports for finding
and parsing faces (PyTorch, torchvision, networks) is replaced by stand-ins that do nothing, as long as it is loading.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import MagicMock, patch

import cv2
import numpy as np

from lib_facefix.imaging.align import compose, inverse, translate
from lib_facefix.types import Image, Mask, Matrix

VERSION = "0.3.0"
FILE = "facexlib/utils/face_restoration_helper.py"
NOT_NEEDED = (
    "torch",
    "torchvision",
    "torchvision.transforms",
    "torchvision.transforms.functional",
    "facexlib",
    "facexlib.detection",
    "facexlib.parsing",
    "facexlib.utils",
    "facexlib.utils.misc",
)
"""What the file imports, and pasting with a square mask does not use."""


class Peer:
    """Pastes faces as GFPGAN, CodeFormer's script and AUTOMATIC1111's web UI do."""

    def __init__(self) -> None:
        self._module = _load()

    def paste(self, image: Image, patches: Sequence[Image], matrices: Sequence[Matrix]) -> Image:
        """Return `image` with each square patch pasted under facexlib's own soft mask.

        matrices: from the picture to each patch, in corner coordinates.
        """
        helper = object.__new__(self._module.FaceRestoreHelper)  # its __init__ would download networks
        helper.upscale_factor, helper.use_parse, helper.input_img = 1, False, image
        helper.face_size = patches[0].shape[1], patches[0].shape[0]
        helper.restored_faces = list(patches)
        helper.inverse_affine_matrices = [centred(inverse(matrix)) for matrix in matrices]
        return np.asarray(helper.paste_faces_to_input_image())

    def masks(self, image: Image, patches: Sequence[Image], matrices: Sequence[Matrix]) -> list[Mask]:
        """Return the soft masks, (H, W) each, that `paste` uses: what its last blur gives."""
        made: list[Mask] = []

        def spy(*arguments: Any) -> Mask:
            made.append(np.asarray(cv2.GaussianBlur(*arguments), np.float32))
            return made[-1]

        watched = SimpleNamespace(**{**vars(cv2), "GaussianBlur": spy})
        with patch.object(self._module, "cv2", watched):
            self.paste(image, patches, matrices)
        return made


def centred(matrix: Matrix) -> Matrix:
    """Return a map between pixel corners, as ours are, as one between pixel centres, as OpenCV and facexlib count."""
    to_corner, to_centre = (translate(np.eye(2, 3), (by, by)) for by in (0.5, -0.5))
    return compose(to_centre, compose(matrix, to_corner))


def _load() -> ModuleType:
    spec = spec_from_file_location("facexlib_pasting", _file())
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    with patch.dict(sys.modules, {name: MagicMock() for name in NOT_NEEDED}):
        spec.loader.exec_module(module)
    return module


def _file() -> Path:
    """Return where the peer's file lies; ends the process with what to do where it is missing."""
    command = f"{sys.executable} -m pip install --no-deps facexlib=={VERSION}"
    try:
        found = distribution("facexlib")
    except PackageNotFoundError:
        sys.exit(f"this comparison runs facexlib's own code, which is not installed. Install it with\n  {command}")
    if found.version != VERSION:
        sys.exit(f"this comparison is with facexlib {VERSION}, not {found.version}. Install it with\n  {command}")
    return Path(str(found.locate_file(FILE)))
