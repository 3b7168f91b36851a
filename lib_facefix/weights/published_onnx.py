"""Face restorers that are published as ONNX, as data: address, size, SHA-256, and licence.

Public repositories record these sizes and hashes; a comment says where fewer than three agree. Servers of Hugging Face
state the SHA-256 of a file in their answers, and two of the sources quote that.
"""

from .weight_record import Published

_GITHUB = "https://github.com/facefusion/facefusion-assets/releases/download/models-3.0.0/"
_HUB = "https://huggingface.co/facefusion/models-3.0.0/resolve/main/"
_FACES = ("facerestore_models", "facefusion", "GFPGAN", "Codeformer", "RestoreFormer", "GPEN", "onnx", "facefix")


def _onnx(name: str, sha256: str, size: int, licence: str, notice: str, *, free: bool = False) -> Published:
    return Published(name, sha256, size, licence, notice, (_GITHUB + name, _HUB + name), _FACES, free=free)


def _gpen(side: int, sha256: str, size: int) -> Published:
    notice = "GPEN's licence allows non-commercial use only. For commercial use, ask its authors for permission."
    return _onnx(f"gpen_bfr_{side}.onnx", sha256, size, "non-commercial", notice)


ONNX_RESTORERS = (
    _onnx(
        "gfpgan_1.4.onnx",
        "accc4757b26bdb89b32b4d3500d4f79c9dff97c1dd7c7104bf9dcb95e3311385",
        340299087,
        "Apache-2.0, parts non-commercial",
        "GFPGAN is under Apache-2.0; its licence file also carries parts of NVIDIA (StyleGAN2) and of DFDNet that are "
        "for non-commercial use only.",
    ),
    _onnx(
        "codeformer.onnx",
        "21710e7ab61c82683576c428e9c1b6fe1ed419586b7b39e394c3449c294b550f",
        376951650,
        "S-Lab 1.0, non-commercial",
        "CodeFormer is under the S-Lab Licence 1.0: for non-commercial use only. For commercial use, ask its authors "
        "for permission.",
    ),
    Published(
        "restoreformer_plus_plus.onnx",
        # Two sources for the hash, one for the size. facefusion's file of this name has another size, 294264232.
        "f4db5a89902b6a2d452446f5721245a6f7185f699b6aec7b77285adb4d504337",
        294264812,
        "Apache-2.0",
        "RestoreFormer++ is under Apache-2.0: free for every use that keeps its notice.",
        ("https://huggingface.co/countfloyd/deepfake/resolve/main/restoreformer_plus_plus.onnx",),
        _FACES,
    ),
    _gpen(256, "bad8bf0426873828df2dbf4e3b3d9ababba9da7965b8b72426569486f7ae5c25", 75792988),
    _gpen(512, "d5f066b9068a8b74217f9712e28e875a6144629b108a6f7355acbdb3a2832c54", 284340240),
    # Two sources for the hash, one for the size.
    _gpen(1024, "bcd31aa52110a2005efc96abbab4546d57e42482648f08715b552423d96b381b", 285203703),
    # One source, which quotes the server.
    _gpen(2048, "66d12a637118d71b00f5a290b8dac13c81c1c0326a127a1978799c6e17bb8d1f", 285582766),
)
"""Records of the files."""
