"""The latents of the host's models: the size of their pixels, their axes, and the masks in their shape.

Models differ: 8 px for Stable Diffusion and most others, 16 px for Flux.2. Models for videos have an axis for frames.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from modules import processing
from numpy.typing import NDArray
from PIL import Image as Pil

from ...errors import BadCrop
from ...planning.redraw import latent_mask

FRAMES_HEIGHT_WIDTH = 3
"""Number of axes of a latent that has frames, without those of the batch and the channels."""
ONE_AT_A_TIME = "the loaded model re-diffuses one face at a time"


def latent_side(model: Any) -> int:
    """Return the side of a latent pixel of the loaded model, in image pixels, as its VAE or else the host says."""
    ratio = getattr(_find_vae(model), "downscale_ratio", None)
    if isinstance(ratio, Sequence):  # of frames, height and width
        ratio = ratio[-1]
    return int(ratio) if isinstance(ratio, int) and ratio > 0 else int(processing.opt_f)


def has_frames(model: Any) -> bool:
    """Return whether a latent of the loaded model has an axis for frames; of a batch such a host takes the first."""
    return getattr(_find_vae(model), "latent_dim", None) == FRAMES_HEIGHT_WIDTH


def _find_vae(model: Any) -> Any:
    return getattr(getattr(model, "forge_objects", None), "vae", None)


def make_latent_masks(masks: NDArray[np.float32], latents: torch.Tensor) -> torch.Tensor:
    """Return masks (N, h, w), 0 to 1, in the shape of the latents: 1 for latent pixels to re-diffuse, 0 for others.

    latents: (N, channels, h / side, w / side), or with an axis for frames before the height. Raises `BadCrop` if they
    are not those of the masks, so that a smaller run may succeed.
    """
    (number, height, width), (rows, columns) = masks.shape, latents.shape[-2:]
    if len(latents) != number:
        raise BadCrop(ONE_AT_A_TIME)
    side = height // rows
    if (rows * side, columns * side) != (height, width):
        raise BadCrop(f"the loaded model encodes a crop of {width}x{height} px as {columns}x{rows} latent pixels")
    drawn = torch.from_numpy(np.stack([latent_mask(mask, side) for mask in masks])).to(latents)
    return drawn.reshape(number, *[1] * (latents.ndim - 3), rows, columns).expand_as(latents)


def pad_crops(
    pictures: Sequence[Pil.Image], masks: NDArray[np.float32], side: int
) -> tuple[list[Pil.Image], NDArray[np.float32]]:
    """Return the crops and their masks (N, h, w), padded at the right and the bottom to multiples of `side` pixels.

    The edge of a crop continues into its padding, which the mask excludes.
    """
    rows, columns = (-length % side for length in masks.shape[1:])
    if not rows and not columns:
        return list(pictures), masks
    padded = [np.pad(np.asarray(picture), ((0, rows), (0, columns), (0, 0)), "edge") for picture in pictures]
    return [Pil.fromarray(picture) for picture in padded], np.pad(masks, ((0, 0), (0, rows), (0, columns)))
