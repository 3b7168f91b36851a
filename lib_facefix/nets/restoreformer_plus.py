"""RestoreFormer++, which spandrel does not support: its RestoreFormer with attention at a second scale.

Wang et al., RestoreFormer++ (TPAMI 2023), as published: 4 heads, and cross attention at 32 x 32 beside 16 x 16
(there `head_size=4, ex_multi_scale_num=1`). Blocks and names of the weights are RestoreFormer's.
"""

import sys
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

MARK = "decoder.up.4.attn.0.norm1.weight"
"""Weight of the decoder's attention at 32 x 32, which RestoreFormer lacks."""
_HEADS = 4
_SIDE = 512
_CODE_SIDE = 16


def build(tensors: Mapping[str, Tensor]) -> nn.Module:
    """Return the net with the widths of these weights, but without them; `forward(picture)` returns (image, None)."""
    from spandrel.architectures.RestoreFormer import RestoreFormer

    levels = 1 + max(int(name.split(".")[2]) for name in tensors if name.startswith("encoder.down."))
    codes, code_width = tensors["quantize.embedding.weight"].shape
    width = tensors["encoder.conv_in.weight"].shape[0]
    shape: dict[str, Any] = {
        "ch": width,
        "out_ch": 3,
        "ch_mult": [tensors[f"encoder.down.{i}.block.0.conv2.weight"].shape[0] // width for i in range(levels)],
        "num_res_blocks": 2,
        "resolution": _SIDE,
        "z_channels": tensors["quant_conv.weight"].shape[1],
        "head_size": _HEADS,
    }
    net: Any = RestoreFormer(n_embed=codes, embed_dim=code_width, attn_resolutions=(_CODE_SIDE,), **shape)
    decoder: type[nn.Module] = _decoder_class(sys.modules[RestoreFormer.__module__])
    net.decoder = decoder(attn_resolutions=(_CODE_SIDE, 2 * _CODE_SIDE), **shape)
    return net  # type: ignore[no-any-return]


def _decoder_class(blocks: Any) -> type[nn.Module]:
    """Return RestoreFormer's decoder whose attention at 32 x 32 also sees the encoder's features."""

    class Decoder(blocks.MultiHeadDecoderTransformer):  # type: ignore[misc]
        def forward(self, codes: Tensor, seen: dict[str, Tensor]) -> Any:
            return super().forward(codes, {f"{name}_atten": feature for name, feature in seen.items()} | seen)

    return Decoder
