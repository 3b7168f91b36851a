"""The weights on offer that make masks: face parsers, and what sees hands and hair in front of a face."""

from __future__ import annotations

from .weight_record import Published

_FACEXLIB = "https://github.com/xinntao/facexlib/releases/download/"
_FOLDERS = ("GFPGAN", "Codeformer", "facexlib", "facedetection", "face_parsing", "facefix")
_CELEBA = "It was trained on CelebAMask-HQ, whose pictures are for non-commercial research."

MASKING = (
    Published(
        "parsing_parsenet.pth",
        "3d558d8d0e42c20224f13cf5a29c79eba2d59913419f945545d8cf7b72920de2",
        85331193,
        "MIT",
        f"facexlib, which publishes ParseNet, is under the MIT licence. {_CELEBA}",
        (_FACEXLIB + "v0.2.2/parsing_parsenet.pth",),
        _FOLDERS,
        free=False,
    ),
    Published(
        "parsing_bisenet.pth",
        "468e13ca13a9b43cc0881a9f99083a430e9c0a38abd935431d1c28ee94b26567",
        53289463,
        "MIT",
        f"facexlib, which publishes BiSeNet, is under the MIT licence. {_CELEBA}",
        (_FACEXLIB + "v0.2.0/parsing_bisenet.pth",),
        _FOLDERS,
        free=False,
        also=("79999_iter.pth",),
    ),
    Published(
        "face_parsing_resnet18.onnx",
        "0d9bd318e46987c3bdbfacae9e2c0f461cae1c6ac6ea6d43bbe541a91727e33f",
        53205364,
        "MIT",
        f"yakhyo/face-parsing is under the MIT licence. {_CELEBA}",
        ("https://github.com/yakhyo/face-parsing/releases/download/weights/resnet18.onnx",),
        _FOLDERS,
        free=False,
        also=("face-parsing-resnet18.onnx",),
    ),
    Published(
        "xseg_1.onnx",
        "c4d1498b8a03b5fe2a3a5d2ef2a0402ab03bd51edaf5b2d8d5fb764702a97dd3",
        70324286,
        "GPL-3.0",
        "XSeg is DeepFaceLab's, under GPL-3.0; facefusion publishes it as ONNX.",
        ("https://github.com/facefusion/facefusion-assets/releases/download/models-3.1.0/xseg_1.onnx",),
        (*_FOLDERS, "facefusion"),
    ),
)
