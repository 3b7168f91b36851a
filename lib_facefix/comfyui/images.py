"""ComfyUI's images and masks as arrays, and back. A byte that was not changed comes back exactly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..planning.plan import FixResult
    from ..types import Image, Mask

COLOURS = 3


def to_images(batch: torch.Tensor) -> list[Image]:
    """Return RGB (H, W, 3) arrays, uint8, of an IMAGE, (B, H, W, C) with values 0 to 1; alpha is left out."""
    values = batch[..., :COLOURS].detach().cpu().numpy()
    return list(np.rint(np.clip(values, 0, 1) * np.float32(255)).astype(np.uint8))


def to_pixels(batch: torch.Tensor) -> list[NDArray[np.uint8]]:
    """Return arrays (H, W, C), uint8, of an IMAGE as ComfyUI's Save Image makes them: it rounds down."""
    return list(np.clip(255.0 * batch.cpu().numpy(), 0, 255).astype(np.uint8))


def to_tensor(images: Sequence[Any]) -> torch.Tensor:
    """Return arrays (H, W, 3), uint8, as an IMAGE, (B, H, W, 3) with values 0 to 1."""
    return torch.from_numpy(np.stack(images).astype(np.float32) / np.float32(255))


def write_changes(batch: torch.Tensor, before: Sequence[Image], after: Sequence[Image]) -> torch.Tensor:
    """Return the batch with the changed pixels; all others keep their exact values, and alpha is kept.

    before, after: RGB (H, W, 3) arrays, uint8, by image. Images of another size are new throughout, without alpha.
    """
    fixed = to_tensor(after).to(batch)
    if fixed.shape[1:3] != batch.shape[1:3]:
        return fixed
    changed = np.stack([(one != other).any(axis=2) for one, other in zip(before, after, strict=True)])
    colours = torch.where(torch.from_numpy(changed).to(batch.device)[..., None], fixed, batch[..., :COLOURS])
    return torch.cat([colours, batch[..., COLOURS:]], dim=3)


def to_masks(masks: Sequence[Mask]) -> torch.Tensor:
    """Return arrays (H, W), 0 to 1, as a MASK, (B, H, W)."""
    return torch.from_numpy(np.stack(masks).astype(np.float32))


def masks_of(results: Sequence[FixResult]) -> torch.Tensor:
    """Return the masks of all results as a MASK, (B, H, W), in the size of the resulting images."""
    masks = to_masks([result.mask for result in results if result.mask is not None])
    size = results[0].image.shape[:2]
    if masks.shape[1:] == size:
        return masks
    return torch.nn.functional.interpolate(masks[:, None], size=size, mode="bilinear")[:, 0]
