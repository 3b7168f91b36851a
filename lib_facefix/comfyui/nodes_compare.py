"""Nodes that compare images: the identity of faces, and a slider before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comfy_api.latest import io, ui

from ..errors import BadPicture
from ..settings.face_settings import FaceSettings
from .advice import advise
from .host import get_engine
from .images import to_images
from .likeness import compare_batches
from .schema import CATEGORY, FaceNode, Plan, image_input

if TYPE_CHECKING:
    import torch

    from .batches import PlannedBatch

PREFIX = "facefix_compare"
"""Start of the names of the slider's temporary files."""


class CompareFaces(FaceNode):
    """Measures how much faces look like the same people."""

    @classmethod
    def define_schema(cls) -> Any:
        """Return two images as inputs."""
        return io.Schema(
            node_id="FaceFixCompareFaces",
            display_name="Compare Faces (FaceFix)",
            category=CATEGORY,
            description="Measures whether faces still look like the same people: 0 for the same image, below 0.45 "
            "alike, 0.6 and more not alike. Faces at the same place are compared, otherwise the most alike ones.",
            inputs=[
                image_input("first_image", tooltip="Images before, or of a person."),
                image_input("second_image", tooltip="Images after, or of others. As many, or just one."),
                io.Float.Input(
                    "limit", default=0.45, min=0.0, max=1.4, step=0.01, tooltip="Largest distance that counts as alike."
                ),
            ],
            outputs=[
                io.Float.Output(
                    "distance", display_name="distance", tooltip="The largest distance of all faces, 0 to about 1.4."
                ),
                io.Boolean.Output("alike", display_name="alike", tooltip="True if no distance is above the limit."),
                io.String.Output("report", display_name="report", tooltip="The distance of each face."),
            ],
            is_output_node=True,
        )

    @classmethod
    @advise
    def execute(cls, first_image: torch.Tensor, second_image: torch.Tensor, limit: float) -> Any:
        """Return the largest distance, whether it is within the limit, and a report."""
        first, second = to_images(first_image), to_images(second_image)
        compared = compare_batches(get_engine(), first, second, FaceSettings())
        report = compared.describe(many=max(len(first), len(second)) > 1)
        return io.NodeOutput(compared.distance, compared.distance <= limit, report, ui=ui.PreviewText(report))


class BeforeAfter(FaceNode):
    """Shows a slider between two images."""

    @classmethod
    def define_schema(cls) -> Any:
        """Return two images as inputs."""
        return io.Schema(
            node_id="FaceFixBeforeAfter",
            display_name="Before and After (FaceFix)",
            category=CATEGORY,
            description="Compares two images with a slider. With a plan, a button for each face magnifies it.",
            inputs=[
                image_input("before", tooltip="Images for the left side."),
                image_input("after", tooltip="As many images for the right side."),
                Plan.Input("plan", optional=True, tooltip="Adds a button for each face."),
            ],
            is_output_node=True,
        )

    @classmethod
    @advise
    def execute(cls, before: torch.Tensor, after: torch.Tensor, plan: PlannedBatch | None = None) -> Any:
        """Save the images as temporary files, and tell the page where they are."""
        if len(before) != len(after):
            raise BadPicture(f"{len(before)} images before, but {len(after)} after. Connect as many to both inputs")
        shown = {
            f"facefix_{side}": ui.ImageSaveHelper.save_images(batch, f"{PREFIX}_{side}", io.FolderType.temp, None, 1)
            for side, batch in (("before", before), ("after", after))
        }
        return io.NodeOutput(ui={**shown, "facefix_faces": list_places(plan) if plan else []})


def list_places(batch: PlannedBatch) -> list[list[dict[str, Any]]]:
    """Return number and box of the faces of each image; a box is (left, top, right, bottom), 0 to 1 of the image."""
    places = []
    for plan in batch.plans:
        width, height = plan.size
        faces = []
        for job in sorted(plan.jobs, key=lambda one: one.number):
            box = job.face.box
            shares = (box.left / width, box.top / height, box.right / width, box.bottom / height)
            faces.append({"number": job.number, "box": [min(max(share, 0.0), 1.0) for share in shares]})
        places.append(faces)
    return places
