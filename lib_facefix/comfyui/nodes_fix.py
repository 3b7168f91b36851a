"""Nodes that fix faces: Restore Faces and Detail Faces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from comfy import samplers
from comfy_api.latest import io, ui

from ..errors import MissingDiffuser
from ..settings.face_prompt import GenerationParams
from ..settings.face_settings import FaceSettings
from . import controls, records
from .advice import advise, translate
from .batches import PlannedBatch, check_plans, list_jobs, plan_batch, raise_if_all_failed
from .conditioning import Conditioning, Prompts
from .host import HostProgress, get_engine
from .images import masks_of, to_images, write_changes
from .nodes_faces import PLAN_HELP
from .schema import CATEGORY, FaceNode, Plan, Record, image_input
from .tables import describe_results

if TYPE_CHECKING:
    import torch

    from ..facefix import FaceFix
    from ..types import Image

MAX_FACES_PER_RUN = 64
"""Default number of faces in one sampling run."""
OUTPUTS = (
    io.Image.Output("fixed", display_name="image"),
    io.Mask.Output("changed_mask", display_name="mask", tooltip="Where the faces could change, 0 to 1."),
    io.String.Output("report", display_name="report", tooltip="What happened to each face."),
    Record.Output(
        "record", display_name="record", tooltip="What was done to each image, for Save Marked Image (FaceFix)."
    ),
)
EARLIER = Record.Input(
    "earlier", optional=True, tooltip="The record of an earlier node of FaceFix, to which this one adds its own."
)


class RestoreFaces(FaceNode):
    """Restores faces with a restorer."""

    @classmethod
    def define_schema(cls) -> Any:
        """Return image and plan as inputs."""
        return io.Schema(
            node_id="FaceFixRestoreFaces",
            display_name="Restore Faces (FaceFix)",
            category=CATEGORY,
            description="Restores blurred and damaged faces, and blends them in. A restorer is built in. Pixels "
            "outside the masks do not change.",
            inputs=[image_input(), Plan.Input("plan", optional=True, tooltip=PLAN_HELP), EARLIER],
            outputs=list(OUTPUTS),
        )

    @classmethod
    @advise
    def execute(
        cls, image: torch.Tensor, plan: PlannedBatch | None = None, earlier: records.Record | None = None
    ) -> Any:
        """Return the fixed images, their masks, a report, and the record."""
        engine, images = get_engine(), to_images(image)
        batch = plan or plan_batch(engine, images, FaceSettings())
        if wrong := list_jobs(batch.plans, "re-diffuse"):
            numbers = ", ".join(sorted({str(job.number) for job in wrong}))
            raise MissingDiffuser(
                f"the plan re-diffuses faces ({numbers}). Connect it to Detail Faces, or set Method to restore"
            )
        return run_plans(engine, image, images, batch, earlier=earlier)


class DetailFaces(FaceNode):
    """Re-diffuses faces, all of a batch in one sampling run."""

    @classmethod
    def define_schema(cls) -> Any:
        """Return the model and the parameters of sampling as inputs."""
        return io.Schema(
            node_id="FaceFixDetailFaces",
            display_name="Detail Faces (FaceFix)",
            category=CATEGORY,
            description="Re-diffuses faces with your model: all faces of all images in one sampling run, upright, each "
            "with its own prompt and seed. Pixels outside the masks do not change.",
            inputs=[
                image_input(),
                io.Model.Input("model", tooltip="The model that draws the faces."),
                io.Vae.Input("vae", tooltip="The VAE of the model."),
                io.Int.Input(
                    "seed", default=0, min=0, max=2**64 - 1, control_after_generate=True,
                    tooltip="Seed of face 1 in each image; face 2 uses the next one, and so on.",
                ),
                io.Int.Input("steps", default=20, min=1, max=150, tooltip="Sampling steps."),
                io.Float.Input(
                    "cfg", default=7.0, min=0.0, max=30.0, step=0.1, tooltip="How closely faces follow the prompt."
                ),
                io.Combo.Input("sampler_name", options=samplers.KSampler.SAMPLERS, tooltip="Sampling method."),
                io.Combo.Input("scheduler", options=samplers.KSampler.SCHEDULERS, tooltip="Schedule of the noise."),
                io.String.Input(
                    "prompt", default="", multiline=True,
                    tooltip="What [PROMPT] stands for in face prompts, and the prompt of faces without one if no "
                    "positive conditioning is connected. Needs clip.",
                ),
                io.String.Input(
                    "negative_prompt", default="", multiline=True,
                    tooltip="The same for what faces should not show.",
                ),
                io.Int.Input(
                    "faces_per_run", default=MAX_FACES_PER_RUN, min=1, max=256,
                    tooltip="Most faces in one sampling run. It is halved by itself if the memory is not enough.",
                ),
                io.Conditioning.Input("positive", optional=True, tooltip="Prompt of faces without one of their own."),
                io.Conditioning.Input("negative", optional=True, tooltip="Negative prompt of these faces."),
                io.Clip.Input("clip", optional=True, tooltip="Encodes prompts. Needed for prompts of single faces."),
                Plan.Input("plan", optional=True, tooltip=f"{PLAN_HELP} All faces are then re-diffused."),
                EARLIER,
            ],
            outputs=list(OUTPUTS),
        )  # fmt: skip

    @classmethod
    @advise
    def execute(
        cls,
        image: torch.Tensor,
        model: Any,
        vae: Any,
        seed: int,
        steps: int,
        cfg: float,
        sampler_name: str,
        scheduler: str,
        prompt: str,
        negative_prompt: str,
        faces_per_run: int,
        positive: Conditioning | None = None,
        negative: Conditioning | None = None,
        clip: Any = None,
        plan: PlannedBatch | None = None,
        earlier: records.Record | None = None,
    ) -> Any:
        """Return the fixed images, their masks, a report, and the record."""
        from .diffuser import ComfyDiffuser, Texts, native_side

        engine, images = get_engine(), to_images(image)
        batch = plan or plan_batch(engine, images, FaceSettings(method="re-diffuse"))
        origin = GenerationParams(
            prompt, negative_prompt, seed % (controls.SEED_LIMIT + 1), steps=steps, sampler=sampler_name,
            scheduler=scheduler, cfg_scale=cfg,
        )  # fmt: skip
        encode = None if clip is None else lambda text: encode_text(clip, text)
        texts = Texts(
            Prompts("positive", prompt, positive, encode), Prompts("negative", negative_prompt, negative, encode)
        )
        check_own_prompts(texts, batch)
        progress = HostProgress()
        diffuser = ComfyDiffuser(model, vae, texts, progress)
        sampled = batch.plan_for_sampling(native_side(model), origin)
        for job in list_jobs(sampled.plans, "re-diffuse"):
            diffuser.shares(job)  # a missing CLIP is found before anything is sampled
        drawing = engine.with_diffuser(diffuser, faces_per_run)
        return run_plans(drawing, image, images, sampled, progress, diffuser.runs, earlier)


def check_own_prompts(texts: Any, batch: PlannedBatch) -> None:
    """Raise `BadSetting` if a face prompt repeats the image's prompt, but only its conditioning is known."""
    for prompts, name in ((texts.positive, "prompt"), (texts.negative, "negative_prompt")):
        for changes in ({}, *batch.overrides.values()):
            text, mode = (changes.get(one, getattr(batch.settings, one)) for one in (name, "prompt_mode"))
            prompts.check_own(str(text), str(mode))


def encode_text(clip: Any, text: str) -> Conditioning:
    """Return the conditioning of a text. clip: a CLIP."""
    encoded: Conditioning = clip.encode_from_tokens_scheduled(clip.tokenize(text))
    return encoded


def run_plans(
    engine: FaceFix,
    image: torch.Tensor,
    images: Sequence[Image],
    batch: PlannedBatch,
    progress: HostProgress | None = None,
    runs: Sequence[int] = (),
    earlier: records.Record | None = None,
) -> Any:
    """Carry out the plans, and return the outputs of a node.

    image: the IMAGE. images: the same as arrays. runs: number of faces in each sampling run, filled during the work.
    earlier: what was done to the images before.
    """
    from ..planning.needs import Needs

    check_plans(batch, images)
    engine.prepare(Needs.of_plans(batch.plans))
    progress = progress or HostProgress()
    progress.expect(len(list_jobs(batch.plans, "restore", "re-diffuse")))
    results = engine.run(images, batch.plans, progress=progress, keep_masks=True)
    progress.should_stop()
    raise_if_all_failed(results)
    report = translate(describe_results(results))
    if runs:
        times = "1 sampling run" if len(runs) == 1 else f"{len(runs)} sampling runs"
        report += f"\n{sum(runs)} crops in {times}"
    fixed = write_changes(image, images, [result.image for result in results])
    record = records.make_record(results, earlier)
    return io.NodeOutput(fixed, masks_of(results), report, record, ui=ui.PreviewText(report))
