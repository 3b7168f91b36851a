"""Nodes that find faces, plan what happens to them, and draw their masks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from comfy_api.latest import io, ui

from . import controls
from .advice import advise
from .batches import PlannedBatch, check_plans, detect_faces, plan_batch, read_overrides
from .host import get_engine, list_files
from .images import to_images, to_masks, to_tensor
from .schema import CATEGORY, FaceNode, Faces, Plan, Settings, classes_input, image_input, read_settings, setting_inputs
from .tables import tabulate_plans

if TYPE_CHECKING:
    import torch

    from .batches import Detection

OVERRIDES_HELP = (
    "Settings of single faces, one in each line: the number of the face, a setting, and its value. Numbers run from "
    'left to right in each image. Example: "2: fidelity=0.9" or "3: method=leave".'
)
PLAN_HELP = "The plan of Plan Faces. Without one, the default settings apply."


class DetectFaces(FaceNode):
    """Finds the faces of all images."""

    @classmethod
    def define_schema(cls) -> Any:
        """Return the settings of detection as inputs."""
        return io.Schema(
            node_id="FaceFixDetectFaces",
            display_name="Detect Faces (FaceFix)",
            category=CATEGORY,
            description="Finds faces. Nothing is downloaded: a detector is built in.",
            inputs=[
                image_input(),
                *setting_inputs(controls.FIND),
                classes_input(),
                io.Boolean.Input(
                    "each_class", display_name="Class by class", default=False,
                    tooltip="Fixes overlapping faces class by class, each in the result of the one before, and numbers "
                    "those of the first class first. Needs two or more classes.",
                ),
                io.Image.Input(
                    "person_image",
                    optional=True,
                    tooltip="Photo of a person, whose largest face all faces are compared with. Choose Faces then "
                    "selects this person, or everyone else.",
                ),
                Settings.Input("settings", optional=True, tooltip="Choose Faces, if gender or age select faces."),
            ],
            outputs=[
                Faces.Output("detected", display_name="faces"),
                io.Mask.Output("face_mask", display_name="mask", tooltip="The faces of each image, with soft edges."),
                io.Image.Output(
                    "preview",
                    display_name="preview",
                    tooltip="The images with box, landmarks, and number of each face.",
                ),
                io.Int.Output("face_count", display_name="count", tooltip="Number of faces in all images."),
            ],
        )  # fmt: skip

    @classmethod
    @advise
    def execute(
        cls,
        image: torch.Tensor,
        classes: str = "",
        each_class: bool = False,
        person_image: torch.Tensor | None = None,
        settings: dict[str, Any] | None = None,
        **values: Any,
    ) -> Any:
        """Return faces, mask, preview and count."""
        from ..visualize import draw_boxes

        engine, images = get_engine(), to_images(image)
        chosen = read_settings(controls.read_classes(values, classes), settings)
        reference = None if person_image is None else to_images(person_image)[0]
        detected = detect_faces(engine, images, chosen, reference, each_class=each_class)
        drawn = [
            draw_boxes(one, list(enumerate(faces, start=1))) for one, faces in zip(images, detected.faces, strict=True)
        ]
        everything = plan_batch(engine, images, replace(chosen, method="restore", **EVERY_FACE), None, detected)
        masks = [engine.mask(one, plan) for one, plan in zip(images, everything.plans, strict=True)]
        return io.NodeOutput(detected, to_masks(masks), to_tensor(drawn), detected.count)


EVERY_FACE: dict[str, Any] = {
    "min_size": 0, "max_size": 0, "min_share": 0.0, "max_share": 1.0, "at_most": 0, "faces": "", "upscale": "",
    "gender": "any", "min_age": 0, "max_age": 0, "person_within": 1.2, "person_means": "only",
}  # fmt: skip
"""Settings that select all faces."""


class PlanFaces(FaceNode):
    """Decides what happens to each face."""

    @classmethod
    def define_schema(cls) -> Any:
        """Return the main settings as inputs."""
        return io.Schema(
            node_id="FaceFixPlan",
            display_name="Plan Faces (FaceFix)",
            category=CATEGORY,
            description="Decides for each face: restore, re-diffuse, or skip. Shows the decisions with their reasons. "
            "Connect the plan to Restore Faces or Detail Faces.",
            inputs=[
                image_input(),
                *setting_inputs(controls.FIX),
                io.String.Input(
                    "overrides", display_name="Single faces", default="", multiline=True, tooltip=OVERRIDES_HELP
                ),
                Faces.Input("faces", optional=True, tooltip=FACES_HELP),
                Settings.Input(
                    "settings", optional=True, tooltip="More settings: Choose Faces, Mask Settings and others."
                ),
            ],
            outputs=[
                Plan.Output("face_plan", display_name="plan"),
                io.String.Output("table", display_name="table", tooltip="The decision and its reason for each face."),
            ],
            is_output_node=True,
        )

    @classmethod
    @advise
    def execute(
        cls,
        image: torch.Tensor,
        overrides: str,
        faces: Detection | None = None,
        settings: dict[str, Any] | None = None,
        **values: Any,
    ) -> Any:
        """Return plan and table, and show the table on the node."""
        from ..settings.face_prompt import GenerationParams

        chosen = read_settings(values, settings)
        single = read_overrides(overrides, list_files())
        batch = plan_batch(get_engine(), to_images(image), chosen, single, faces)
        sampled = batch.plan_for_sampling(0, GenerationParams())
        table = tabulate_plans(batch.plans, sampled.plans)
        return io.NodeOutput(batch, table, ui=ui.PreviewText(table))


FACES_HELP = "The faces of Detect Faces. Without them, faces are found with the default detector."


class FaceMasks(FaceNode):
    """Draws the masks of faces."""

    @classmethod
    def define_schema(cls) -> Any:
        """Return the settings of masks as inputs."""
        return io.Schema(
            node_id="FaceFixFaceMasks",
            display_name="Face Masks (FaceFix)",
            category=CATEGORY,
            description="Draws a mask of faces, of parts of them, or of hair and clothes. Combine masks with + & - in "
            "the mask expression, as in: eyes + lips.",
            inputs=[
                image_input(),
                *setting_inputs(controls.MASK),
                Faces.Input("faces", optional=True, tooltip=FACES_HELP),
                Plan.Input("plan", optional=True, tooltip="Draws only the faces that this plan fixes."),
            ],
            outputs=[io.Mask.Output("face_mask", display_name="mask", tooltip="One mask for each image.")],
        )

    @classmethod
    @advise
    def execute(
        cls,
        image: torch.Tensor,
        faces: Detection | None = None,
        plan: PlannedBatch | None = None,
        **values: Any,
    ) -> Any:
        """Return one mask for each image."""
        from ..models.masks import load_masker
        from ..planning.needs import Needs
        from ..settings.mask_expression import parse_mask

        engine, images = get_engine(), to_images(image)
        chosen = replace(read_settings(values), method="restore")
        batch = plan_batch(engine, images, chosen, None, faces) if plan is None else redraw_masks(plan, values)
        check_plans(batch, images)
        for treatment in Needs.of_plans(batch.plans).treatments:
            load_masker(engine.models, parse_mask(treatment.mask), treatment)
        return io.NodeOutput(to_masks([engine.mask(one, it) for one, it in zip(images, batch.plans, strict=True)]))


def redraw_masks(batch: PlannedBatch, values: dict[str, Any]) -> PlannedBatch:
    """Return the plans with other masks. The faces that are to be fixed stay the same."""
    masks = controls.read_values(values, list_files())
    plans = (
        replace(plan, jobs=tuple(replace(job, treatment=job.treatment.but(masks)) for job in plan.jobs))
        for plan in batch.plans
    )
    return replace(batch, plans=tuple(plans))
