"""Animations, written with the times and the number of repetitions of the old file. Each frame is written in full."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo

from ..errors import CannotWrite
from ..types import Image
from .decode import unturn
from .exif import PREFIX
from .formats import Format
from .losses import settle_metadata
from .picture import Metadata, Picture, Samples
from .png import metadata_chunks
from .read import open_known

_QUALITY = 95
_COLOURS = 255
"""Colours of a GIF frame, beside transparency."""
_NEAREST_AT_ONCE = 4096
"""Pixels whose nearest colour is looked for at once."""
STILL = "The still image beside the animation was left out."


def write_animation(
    source: BinaryIO, frames: Sequence[tuple[Picture, Image | None]], old: str, kind: Format, file: BinaryIO
) -> tuple[bool, list[str]]:
    """Write the frames of the animation in `source`, of Pillow's kind `old`, as one of `kind`.

    frames: each frame as it was read, and its new pixels, if any. Returns whether any has some, and notes on what the
    new file lacks. Raises CannotWrite.
    """
    first = frames[0][0]
    changed = any(pixels is not None for _, pixels in frames)
    said, notes = settle_metadata(first, kind, {})
    turn = first.turn if kind.name == old else 1
    images = [_as_pillow(picture, pixels, kind.name, turn) for picture, pixels in frames]
    options = {**_timing(source, kind.name), **_options(kind.name, said, first)}
    if options.pop("still", False):
        if kind.name == "PNG":
            options["default_image"] = True
        else:
            images, notes = images[1:], (*notes, STILL)
    try:
        images[0].save(file, kind.name, save_all=True, append_images=images[1:], **options)
    except (OSError, ValueError, OverflowError, struct.error) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise CannotWrite(f"it cannot be packed as {kind.name} ({error}). Choose .png.") from error
    return changed, list(notes)


def _timing(source: BinaryIO, kind: str) -> dict[str, Any]:
    """Return how long each frame is shown, how often all are, and whether a still image is before them (`still`)."""
    with open_known(source) as opened:
        loop, still = opened.info.get("loop"), bool(getattr(opened, "default_image", False))
        times = []
        for number in range(getattr(opened, "n_frames", 1)):
            opened.seek(number)
            opened.load()
            times.append(opened.info.get("duration") or 0)
    times = times[1:] if still else times
    options = {"duration": times if kind == "PNG" else [round(time) for time in times], "still": still}
    if loop is None and kind == "GIF":  # which is played once where it does not tell
        return options
    return {**options, "loop": 1 if loop is None else loop}


def _options(kind: str, said: Metadata, first: Picture) -> dict[str, Any]:
    """Return how the frames are packed, and what the file says."""
    if kind == "GIF":
        return {"disposal": 2 if first.alpha is not None else 0, "optimize": False}
    known = {"exif": PREFIX + said.exif if said.exif else b"", "icc_profile": said.icc}
    kept = {name: body for name, body in known.items() if body}
    if kind == "PNG":
        info = PngInfo()
        for name, body in metadata_chunks(said, {}):
            if name not in (b"iCCP", b"eXIf"):
                info.add(name, body)
        return {"pnginfo": info, **kept}
    lossless = first.coding.lossless and not first.coding.quality
    packed = {"lossless": True} if lossless else {"quality": first.coding.quality or _QUALITY}
    return {**packed, "exact": True, **kept, **({"xmp": said.xmp} if said.xmp else {})}


def _as_pillow(picture: Picture, pixels: Image | None, kind: str, turn: int) -> Pillow.Image:
    new = picture.image if pixels is None else pixels
    if new.shape != picture.image.shape:
        picture = picture.resize((new.shape[1], new.shape[0]))
    alpha = picture.alpha
    if kind == "GIF":
        return _with_palette(picture.image, new, alpha)
    both: NDArray[np.uint8] = new if alpha is None else np.dstack([new, alpha]).astype(np.uint8, copy=False)
    return Pillow.fromarray(np.ascontiguousarray(unturn(both, turn)))


def _with_palette(old: Image, new: Image, alpha: Samples | None) -> Pillow.Image:
    """Return `new` in at most 255 colours, and transparency as one more. Pixels as in `old` keep their colour."""
    shown = np.ones(old.shape[:2], bool) if alpha is None else alpha > 0
    codes = _codes(old)
    differs = shown & (_codes(new) != codes)
    palette, numbers = np.unique(codes[shown & ~differs], return_inverse=True)
    if len(palette) > _COLOURS:  # frames on top of frames
        return _quantise(new, shown)
    colours = np.stack([palette >> 16, palette >> 8 & 255, palette & 255], axis=1).astype(np.uint8)
    places = np.full(old.shape[:2], _COLOURS, np.uint8)
    places[shown & ~differs] = numbers
    if differs.any():
        colours = _add_colours(colours, new[differs])
        places[differs] = _nearest(new[differs], colours)
    return _paletted(places, colours, transparent=alpha is not None)


def _codes(image: Image) -> NDArray[np.int32]:
    """Return each colour as one number."""
    wide = image.astype(np.int32)
    return wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2]


def _add_colours(colours: Image, pixels: Image) -> Image:
    """Return a palette that is filled up with the main colours of new pixels."""
    room = _COLOURS - len(colours)
    if room < 1:
        return colours
    reduced = Pillow.fromarray(pixels[None]).quantize(room)
    added = np.array(reduced.getpalette(), np.uint8).reshape(-1, 3)[:room]
    return np.concatenate([colours, added])


def _nearest(pixels: Image, colours: Image) -> NDArray[np.uint8]:
    """Return the number of the nearest colour of each pixel."""
    wide = colours.astype(np.float32)
    found = np.empty(len(pixels), np.uint8)
    for start in range(0, len(pixels), _NEAREST_AT_ONCE):
        part = pixels[start : start + _NEAREST_AT_ONCE].astype(np.float32)
        found[start : start + len(part)] = ((wide**2).sum(1) - 2 * part @ wide.T).argmin(1)
    return found


def _quantise(image: Image, shown: NDArray[np.bool_]) -> Pillow.Image:
    reduced = Pillow.fromarray(image).quantize(_COLOURS)
    places = np.where(shown, np.asarray(reduced), _COLOURS).astype(np.uint8)
    colours = np.array(reduced.getpalette(), np.uint8).reshape(-1, 3)[:_COLOURS]
    return _paletted(places, colours, transparent=not bool(shown.all()))


def _paletted(places: NDArray[np.uint8], colours: Image, *, transparent: bool) -> Pillow.Image:
    image = Pillow.fromarray(places)
    full = np.zeros((_COLOURS + 1, 3), np.uint8)
    full[: len(colours)] = colours
    image.putpalette(full.tobytes())
    if transparent:
        image.info["transparency"] = _COLOURS
    return image
