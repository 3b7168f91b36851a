"""Nodes that convert faces to and from the types of Impact Pack and of ComfyUI."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from ..settings.face_settings import FaceSettings
from . import controls, exchange
from .advice import advise
from .batches import Detection, PlannedBatch, check_plans, detect_faces, list_jobs, plan_batch
from .host import get_engine
from .images import to_images
from .schema import (
    EXCHANGE_CATEGORY,
    BboxDetector,
    BoundingBoxes,
    FaceNode,
    Faces,
    Plan,
    Segs,
    classes_input,
    image_input,
    read_settings,
    setting_inputs,
)

if TYPE_CHECKING:
    import torch

    from ..facefix import FaceFix
    from ..planning.plan import FaceJob, FixPlan
    from ..types import Image, Mask

CROP_FACTOR = 3.0
"""Default size of a crop region, in sizes of the face's box, as in Impact Pack."""


class ToSegs(FaceNode):
    """Converts planned faces to SEGS."""

    @classmethod
    def define_schema(cls) -> Any:
        """Return image and plan as inputs."""
        return io.Schema(
            node_id="FaceFixToSEGS",
            display_name="Faces to SEGS (FaceFix)",
            category=EXCHANGE_CATEGORY,
            description="Converts the faces of a plan, with their masks, to the SEGS of Impact Pack.",
            inputs=[
                image_input(tooltip="One image."),
                Plan.Input("plan", tooltip="Skipped faces are left out."),
                io.Float.Input(
                    "crop_factor", default=CROP_FACTOR, min=1.0, max=10.0, step=0.1,
                    tooltip="Size of the crop regions, in sizes of the face.",
                ),
            ],
            outputs=[Segs.Output("segs", display_name="SEGS")],
        )  # fmt: skip

    @classmethod
    @advise
    def execute(cls, image: torch.Tensor, plan: PlannedBatch, crop_factor: float) -> Any:
        """Return the faces as SEGS."""
        images = to_images(image)
        exchange.check_single(images)
        check_plans(plan, images)
        return io.NodeOutput(make_segs(get_engine(), images[0], plan.plans[0], crop_factor))


class FromSegs(FaceNode):
    """Converts SEGS to faces."""

    @classmethod
    def define_schema(cls) -> Any:
        """Return image and SEGS as inputs."""
        return io.Schema(
            node_id="FaceFixFromSEGS",
            display_name="SEGS to Faces (FaceFix)",
            category=EXCHANGE_CATEGORY,
            description="Converts the SEGS of a detector of Impact Pack to faces for Plan Faces.",
            inputs=[
                image_input(tooltip="One image, the one of the SEGS."),
                Segs.Input("segs", tooltip="Detected faces."),
            ],
            outputs=[Faces.Output("detected", display_name="faces")],
        )

    @classmethod
    @advise
    def execute(cls, image: torch.Tensor, segs: Any) -> Any:
        """Return the faces, with the landmarks of the built-in model."""
        only = exchange.check_single(to_images(image))
        size = only.shape[1], only.shape[0]
        faces = exchange.add_landmarks(get_engine(), only, exchange.read_segs(segs, size))
        return io.NodeOutput(Detection(size, (faces,)))


class ToBoundingBoxes(FaceNode):
    """Converts faces to bounding boxes."""

    @classmethod
    def define_schema(cls) -> Any:
        """Return faces as input."""
        return io.Schema(
            node_id="FaceFixToBoundingBoxes",
            display_name="Faces to Bounding Boxes (FaceFix)",
            category=EXCHANGE_CATEGORY,
            description="Converts faces to the bounding boxes of ComfyUI: a list for each image.",
            inputs=[Faces.Input("faces", tooltip="The faces of Detect Faces.")],
            outputs=[BoundingBoxes.Output("boxes", display_name="bboxes")],
        )

    @classmethod
    @advise
    def execute(cls, faces: Detection) -> Any:
        """Return the boxes of each image."""
        return io.NodeOutput(exchange.to_bounding_boxes(faces.faces))


class FromBoundingBoxes(FaceNode):
    """Converts bounding boxes to faces."""

    @classmethod
    def define_schema(cls) -> Any:
        """Return images and boxes as inputs."""
        return io.Schema(
            node_id="FaceFixFromBoundingBoxes",
            display_name="Bounding Boxes to Faces (FaceFix)",
            category=EXCHANGE_CATEGORY,
            description="Converts bounding boxes of ComfyUI, around faces, to faces for Plan Faces.",
            inputs=[
                image_input(),
                BoundingBoxes.Input("bboxes", tooltip="One box, a list of boxes, or a list of boxes for each image."),
            ],
            outputs=[Faces.Output("detected", display_name="faces")],
        )

    @classmethod
    @advise
    def execute(cls, image: torch.Tensor, bboxes: Any) -> Any:
        """Return the faces, with the landmarks of the built-in model."""
        engine, images = get_engine(), to_images(image)
        found = exchange.read_bounding_boxes(bboxes, len(images))
        pairs = zip(images, found, strict=True)
        faces = tuple(exchange.add_landmarks(engine, one, boxes) for one, boxes in pairs)
        return io.NodeOutput(Detection((images[0].shape[1], images[0].shape[0]), faces))


class ImpactDetector(FaceNode):
    """Provides FaceFix's detectors to Impact Pack."""

    @classmethod
    def define_schema(cls) -> Any:
        """Return the settings of detection as inputs."""
        return io.Schema(
            node_id="FaceFixImpactDetector",
            display_name="Detector for Impact Pack (FaceFix)",
            category=EXCHANGE_CATEGORY,
            description="A BBOX_DETECTOR for the nodes of Impact Pack, which needs no model file.",
            inputs=[*setting_inputs(controls.FIND), classes_input()],
            outputs=[BboxDetector.Output("bbox_detector", display_name="BBOX_DETECTOR")],
        )

    @classmethod
    @advise
    def execute(cls, classes: str = "", **values: Any) -> Any:
        """Return a detector object."""
        return io.NodeOutput(FaceDetector(get_engine(), read_settings(controls.read_classes(values, classes))))


class FaceDetector:
    """A BBOX_DETECTOR of Impact Pack. The names of its methods and parameters are Impact Pack's."""

    def __init__(self, engine: FaceFix, settings: FaceSettings) -> None:
        self._engine, self._settings = engine, settings

    def setAux(self, _: Any) -> None:  # noqa: N802
        """Ignore the text that other detectors search for."""

    def detect(
        self,
        image: torch.Tensor,
        threshold: float,
        dilation: int,
        crop_factor: float,
        drop_size: int = 1,
        detailer_hook: Any = None,
    ) -> exchange.Segs:
        """Return the faces of an image (1, H, W, 3) as SEGS, with the boxes as masks, grown by `dilation` pixels."""
        only = exchange.check_single(to_images(image))
        settings = replace(self._settings, min_score=threshold, method="restore", mask="box", mask_feather=0.0)
        detected = detect_faces(self._engine, [only], settings)
        large = tuple(exchange.iterate_large(detected.faces[0], drop_size))
        plan = plan_batch(self._engine, [only], settings, None, Detection(detected.size, (large,))).plans[0]
        segs = make_segs(self._engine, only, plan, crop_factor, dilation)
        return segs if detailer_hook is None else detailer_hook.post_detection(segs)

    def detect_combined(self, image: torch.Tensor, threshold: float, dilation: int) -> torch.Tensor:
        """Return one mask of all faces, (1, H, W)."""
        import torch

        (height, width), segs = self.detect(image, threshold, dilation, 1.0)
        mask = torch.zeros(1, height, width)
        for seg in segs:
            left, top, right, bottom = seg.crop_region
            part = mask[0, top:bottom, left:right]
            part.copy_(torch.maximum(part, torch.from_numpy(seg.cropped_mask)))
        return mask


def make_segs(engine: FaceFix, image: Image, plan: FixPlan, crop_factor: float, dilation: int = 0) -> exchange.Segs:
    """Return the faces to fix of a plan as SEGS. dilation: pixels by which the masks grow."""

    def mask_of(job: FaceJob) -> Mask:
        treatment = job.treatment.but({"mask_grow": max(-0.5, min(1.0, dilation / job.face.box.size))})
        grown = replace(job, treatment=treatment) if dilation else job
        return engine.mask(image, replace(plan, jobs=(grown,)))

    return exchange.to_segs(plan.size, list_jobs([plan], "restore", "re-diffuse"), mask_of, crop_factor)
