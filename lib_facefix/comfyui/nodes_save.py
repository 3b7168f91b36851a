"""The node that saves images with a mark of what FaceFix did to them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import folder_paths
from comfy.cli_args import args
from comfy_api.latest import io, ui

from .advice import advise
from .images import to_pixels
from .records import check_count, make_mark
from .schema import CATEGORY, FaceNode, Record, image_input

if TYPE_CHECKING:
    import torch

    from . import records

COMPRESSION = 4
"""Level of zlib, as in ComfyUI's Save Image."""


class SaveImage(FaceNode):
    """Saves images as ComfyUI does, with a mark."""

    @classmethod
    def define_schema(cls) -> Any:
        """Return images and record as inputs."""
        return io.Schema(
            node_id="FaceFixSaveImage",
            display_name="Save Marked Image (FaceFix)",
            category=CATEGORY,
            description="Saves images as PNG with the workflow, as Save Image does, and with a mark (XMP, IPTC) of "
            "what FaceFix did to each of them. Images in which nothing changed get no mark.",
            inputs=[
                image_input(tooltip="Images to save, also if other nodes have changed them further."),
                Record.Input("record", tooltip="The record of Restore Faces or Detail Faces."),
                io.String.Input(
                    "filename_prefix", default="FaceFix",
                    tooltip="Start of the file names. Supports folders and the placeholders of Save Image.",
                ),
            ],
            is_output_node=True,
        )  # fmt: skip

    @classmethod
    @advise
    def execute(cls, image: torch.Tensor, record: records.Record, filename_prefix: str) -> Any:
        """Save the images, and show them on the node."""
        check_count(record, len(image))
        height, width = image.shape[1:3]
        texts = {} if args.disable_metadata else list_texts(cls.hidden)
        folder, name, counter, subfolder, _ = folder_paths.get_save_image_path(
            filename_prefix, folder_paths.get_output_directory(), width, height
        )
        saved = []
        pairs = zip(to_pixels(image), record.resized((width, height)).edits, strict=True)
        for place, (pixels, edits) in enumerate(pairs):
            file = f"{name.replace('%batch_num%', str(place))}_{counter + place:05}_.png"
            save_png(Path(folder) / file, pixels, texts, make_mark(edits))
            saved.append(ui.SavedResult(file, subfolder, io.FolderType.output))
        return io.NodeOutput(ui=ui.SavedImages(saved))


def list_texts(hidden: Any) -> dict[str, str]:
    """Return the text fields that ComfyUI's Save Image writes: the prompt and the workflow. hidden: of the node."""
    fields = {"prompt": hidden.prompt} if hidden.prompt is not None else {}
    return {name: json.dumps(value) for name, value in {**fields, **(hidden.extra_pnginfo or {})}.items()}


def save_png(path: Path, pixels: Any, texts: dict[str, str], mark: str) -> None:
    """Save an image.

    pixels: (H, W, 3), or (H, W, 4) with alpha, uint8. texts: text fields by name. mark: an XMP packet, or blank.
    """
    from PIL import Image, PngImagePlugin

    from ..pictures.picture import XMP_FIELD

    info = PngImagePlugin.PngInfo()
    for name, text in texts.items():
        info.add_text(name, text)
    if mark:
        info.add_itxt(XMP_FIELD.decode(), mark)
    Image.fromarray(pixels).save(path, pnginfo=info, compress_level=COMPRESSION)
