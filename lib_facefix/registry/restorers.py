"""The restorers, as data. A net that is published both for PyTorch and as ONNX is one restorer with two files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .model_info import ModelInfo, Registry

if TYPE_CHECKING:
    from ..protocols import FaceFixer

PEOPLE = "people"
BUILT_IN = "lite"
"""Name of the built-in restorer in settings, plans, and infotexts; people read "built-in"."""
_RESTORING = ".fixers.restore:Restorer"
_ONNX, _OWN_ONNX = ".fixers.onnx_net:from_published", ".fixers.onnx_net:from_file"


def _onnx(name: str, label: str, weights: str, only: str, about: str) -> ModelInfo[FaceFixer]:
    return ModelInfo(name, label, _ONNX, weights_name=weights, package="onnxruntime", only=only, about=about)


def _restorer(name: str, label: str, weights: str, only: str, about: str, onnx: str = "") -> ModelInfo[FaceFixer]:
    """Return the info for weights that PyTorch runs; onnx: the file of the same net that ONNX Runtime runs alone."""
    other = _onnx(name, label, onnx, only, about) if onnx else None
    return ModelInfo(
        name, label, _RESTORING, weights_name=weights, package="torch", only=only, about=about, alternative=other
    )


RESTORERS: Registry[FaceFixer] = Registry(
    "restorer",
    ModelInfo(
        BUILT_IN, "Built-in", ".fixers.lite:Lite", "AGPL-3.0-or-later", assets=("lite.onnx",),
        about="Fast. Removes blur, noise, and JPEG blocks, and stays close to the photo.", enhances=True,
    ),
    _restorer("gfpgan", "GFPGAN 1.4", "GFPGANv1.4.pth", PEOPLE,
              "Clean, sharp faces. A good first choice for small and blurred photos.", "gfpgan_1.4.onnx"),
    _restorer("gfpgan-1.3", "GFPGAN 1.3", "GFPGANv1.3.pth", PEOPLE,
              "Softer than GFPGAN 1.4, and better with very bad photos. May change the likeness a little."),
    _restorer("codeformer", "CodeFormer", "codeformer-v0.1.0.pth", PEOPLE,
              "Repairs badly damaged faces. The slider trades repair against likeness.", "codeformer.onnx"),
    _restorer("restoreformer", "RestoreFormer", "RestoreFormer.pth", PEOPLE,
              "Keeps the likeness and fine texture of moderately damaged photos."),
    _restorer("restoreformer++", "RestoreFormer++", "RestoreFormer++.ckpt", PEOPLE,
              "Like RestoreFormer, with more detail.", "restoreformer_plus_plus.onnx"),
    _onnx("gpen-256", "GPEN 256", "gpen_bfr_256.onnx", PEOPLE, "Faces of 256 px. The fastest, for small faces."),
    _onnx("gpen-512", "GPEN 512", "gpen_bfr_512.onnx", PEOPLE, "Faces of 512 px, like most restorers."),
    _onnx("gpen-1024", "GPEN 1024", "gpen_bfr_1024.onnx", PEOPLE, "Faces of 1024 px. Large faces keep their detail."),
    _onnx("gpen-2048", "GPEN 2048", "gpen_bfr_2048.onnx", PEOPLE,
              "Faces of 2048 px, for portraits. Slow, and needs several GB of memory."),
    _restorer("x4plus", "Real-ESRGAN x4plus", "RealESRGAN_x4plus.pth", "",
              "Sharpens what is there, without knowing faces. Also for animals."),
    _restorer("animevideo", "Real-ESRGAN anime video v3", "realesr-animevideov3.pth", "",
              "Small and fast. For drawn faces."),
    own=_RESTORING,
    own_onnx=_OWN_ONNX,
)  # fmt: skip
