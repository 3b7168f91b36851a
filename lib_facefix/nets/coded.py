"""The restorers that choose codes, split after the choice.

A rounding error before the choice may select another code, and so another mouth; after it, the error stays small.
So the first part needs full precision, and only the second may run in bfloat16.
"""

from typing import Any

import torch
from torch import Tensor, nn


class CodeformerCodes(nn.Module):
    """First part of CodeFormer: faces (N, 3, 512, 512) to codes (N, 256, 16, 16) and the encoder's features."""

    def __init__(self, net: Any, *, fused: bool) -> None:
        super().__init__()
        self.encoder = net.encoder.blocks
        self.to_tokens = net.feat_emb
        self.layers = net.ft_layers
        self.to_scores = net.idx_pred_layer
        self.codebook = net.quantize.embedding
        self.position: Tensor
        self.register_buffer("position", net.position_emb.detach()[:, None])
        self.kept = tuple(net.fuse_encoder_block[side] for side in net.connect_list) if fused else ()

    def forward(self, picture: Tensor) -> tuple[Tensor, ...]:
        """Return the codes, in the colours of the input, then the features in the order of `connect_list`."""
        seen: dict[int, Tensor] = {}
        feature = picture
        for number, block in enumerate(self.encoder):
            feature = block(feature)
            if number in self.kept:
                seen[number] = feature
        tokens = self.to_tokens(feature.flatten(2).permute(2, 0, 1))
        for layer in self.layers:
            tokens = layer(tokens, query_pos=self.position)
        choice = self.to_scores(tokens).argmax(2)  # (256, N)
        chosen = self.codebook(choice).permute(1, 2, 0)
        codes = _match_statistics(chosen, feature.flatten(2)).reshape(feature.shape)
        return (codes, *(seen[at] for at in self.kept))


class CodeformerPicture(nn.Module):
    """Second part of CodeFormer: codes (N, 256, 16, 16) to faces (N, 3, 512, 512)."""

    def __init__(self, net: Any, *, fused: bool) -> None:
        super().__init__()
        self.generator = net.generator.blocks
        sides = net.connect_list if fused else ()
        self.after = {net.fuse_generator_block[side]: place for place, side in enumerate(sides)}
        self.fusions = nn.ModuleList(net.fuse_convs_dict[side] for side in sides)

    def forward(self, codes: Tensor, *rest: Tensor) -> Tensor:
        """Return the faces; rest: if fused, the encoder's features, then w of shape (1,)."""
        feature = codes
        for number, block in enumerate(self.generator):
            feature = block(feature)
            if number in self.after:
                place = self.after[number]
                feature = self.fusions[place](rest[place], feature, rest[-1])
        return feature


class RestoreformerCodes(nn.Module):
    """First part of RestoreFormer: faces (N, 3, 512, 512) to codes (N, 256, 16, 16) and the encoder's features."""

    def __init__(self, net: Any, names: tuple[str, ...]) -> None:
        """names: the features that the decoder uses, by the encoder's names."""
        super().__init__()
        self.encoder = net.encoder
        self.to_code = net.quant_conv
        self.codebook = net.quantize.embedding
        self.names = names

    def forward(self, picture: Tensor) -> tuple[Tensor, ...]:
        """Return the nearest codes, then the features named."""
        seen = self.encoder(picture)
        wanted = self.to_code(seen["out"])
        book = self.codebook.weight
        distance = book.square().sum(1) - 2 * wanted.permute(0, 2, 3, 1) @ book.t()  # less |wanted|^2, alike for all
        chosen = self.codebook(distance.argmin(3)).permute(0, 3, 1, 2)
        return (chosen, *(seen[name] for name in self.names))


class RestoreformerPicture(nn.Module):
    """Second part of RestoreFormer: codes (N, 256, 16, 16) to faces (N, 3, 512, 512)."""

    def __init__(self, net: Any, names: tuple[str, ...]) -> None:
        super().__init__()
        self.from_code = net.post_quant_conv
        self.decoder = net.decoder
        self.names = names

    def forward(self, codes: Tensor, *seen: Tensor) -> Tensor:
        """Return the faces; seen: the encoder's features, in the order of the names."""
        picture: Tensor = self.decoder(self.from_code(codes), dict(zip(self.names, seen, strict=True)))
        return picture


def _match_statistics(chosen: Tensor, feature: Tensor) -> Tensor:
    """Return `chosen` with the mean and deviation of `feature` in each channel; both (N, C, M).

    Adaptive instance normalisation (Huang and Belongie, ICCV 2017) as in CodeFormer: sample variance + 1e-5.
    """
    deviation = torch.sqrt(feature.var(2, keepdim=True) + 1e-5) / torch.sqrt(chosen.var(2, keepdim=True) + 1e-5)
    return (chosen - chosen.mean(2, keepdim=True)) * deviation + feature.mean(2, keepdim=True)
