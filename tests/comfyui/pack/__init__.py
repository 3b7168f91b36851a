"""Nodes of the tests: a tiny Stable Diffusion made in memory, and a record of the sampling runs."""

import json
import os

import comfy.model_base
import comfy.model_patcher
import comfy.samplers
import comfy.sd
import comfy.sd1_clip
import comfy.supported_models
import comfy.supported_models_base
import torch
from aiohttp import web
from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel
from server import PromptServer

WIDTH, CONTEXT = 32, 64
TEXTURE = 0.1
UNET = {
    "image_size": 32, "in_channels": 4, "out_channels": 4, "model_channels": WIDTH, "num_res_blocks": [1, 1],
    "channel_mult": [1, 2], "transformer_depth": [0, 1], "transformer_depth_output": [0, 0, 1, 1],
    "transformer_depth_middle": 1, "context_dim": CONTEXT, "use_spatial_transformer": True, "legacy": False,
    "adm_in_channels": None, "use_linear_in_transformer": False, "dtype": torch.float32,
}  # fmt: skip
TEXT_MODEL = {
    "hidden_size": CONTEXT, "intermediate_size": 2 * CONTEXT, "num_attention_heads": 4, "num_hidden_layers": 2,
    "projection_dim": CONTEXT,
}  # fmt: skip
AUTOENCODER = {
    "embed_dim": 4, "ddconfig": {
        "double_z": True, "z_channels": 4, "resolution": 256, "in_channels": 3, "out_ch": 3, "ch": WIDTH,
        "ch_mult": [1, 1, 1, 1], "num_res_blocks": 1, "attn_resolutions": [], "dropout": 0.0,
    },
}  # fmt: skip
runs = []
"""Batch size, steps and seconds of processor time of each sampling run, in order."""


class TinyUNet(UNetModel):
    """Takes away what is rough in its input, which is mostly noise, and adds a texture that depends on the prompt."""

    def forward(self, x, *args, **kwargs):
        rough = x - torch.nn.functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
        rough = rough / rough.std((1, 2, 3), keepdim=True).clamp(min=1e-3)
        return rough + TEXTURE * super().forward(x, *args, **kwargs)


class Boxes(torch.nn.Module):
    """An autoencoder whose latent pixels are the means of 8x8 boxes, so that an image comes back as a mosaic."""

    def encode(self, pixels):
        means = torch.nn.functional.avg_pool2d(pixels, 8)
        return torch.cat([means, means[:, :1]], 1) / 0.18215

    def decode(self, latent):
        return torch.nn.functional.interpolate(latent[:, :3] * 0.18215, scale_factor=8)


def make_model():
    settings = comfy.supported_models.SD15(UNET)
    settings.unet_config.pop("num_head_channels")
    settings.unet_config["num_heads"] = 2
    model = comfy.model_base.BaseModel(settings, unet_model=TinyUNet)
    randomize(model.diffusion_model)
    return comfy.model_patcher.ModelPatcher(model, torch.device("cpu"), torch.device("cpu"))


def make_clip():
    target = comfy.supported_models_base.ClipTarget(comfy.sd1_clip.SD1Tokenizer, comfy.sd1_clip.SD1ClipModel)
    clip = comfy.sd.CLIP(target, model_options={"clip_l_model_config": TEXT_MODEL, "dtype": torch.float32})
    randomize(clip.cond_stage_model)
    return clip


def make_vae():
    from comfy.ldm.models.autoencoder import AutoencoderKL

    vae = comfy.sd.VAE(sd=AutoencoderKL(**AUTOENCODER).state_dict(), config={"params": AUTOENCODER})
    vae.first_stage_model = Boxes()
    vae.patcher = comfy.model_patcher.ModelPatcher(vae.first_stage_model, torch.device("cpu"), torch.device("cpu"))
    return vae


def randomize(module):
    """Fill all weights from one seed; queries and keys stay small, so that attention stays soft."""
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for name, weights in module.named_parameters():
            if weights.ndim > 1:
                gain = 0.3 if "to_q" in name or "to_k" in name else 1.0
                noise = torch.randn(weights.shape, generator=generator)
                weights.copy_(noise * gain / weights[0].numel() ** 0.5)
            else:
                weights.fill_(1.0 if name.endswith("weight") else 0.0)


class TinyDiffusion:
    """Provides a MODEL, a CLIP and a VAE without a file."""

    RETURN_TYPES = ("MODEL", "CLIP", "VAE")
    FUNCTION = "make"
    CATEGORY = "test"

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {}}

    def make(self):
        with torch.inference_mode(False):
            return make_model(), make_clip(), make_vae()


class Show:
    """Shows any value as text in the history."""

    RETURN_TYPES = ()
    FUNCTION = "show"
    CATEGORY = "test"
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"value": ("*",)}}

    @classmethod
    def VALIDATE_INPUTS(cls, input_types):
        return True

    def show(self, value):
        return {"ui": {"value": [json.loads(json.dumps(value, default=repr))]}}


sample = comfy.samplers.CFGGuider.sample


def recorded(self, noise, latent_image, sampler, sigmas, *args, **kwargs):
    before = os.times()
    made = sample(self, noise, latent_image, sampler, sigmas, *args, **kwargs)
    after = os.times()
    spent = after.user + after.system - before.user - before.system
    runs.append({"batch": noise.shape[0], "steps": len(sigmas) - 1, "seconds": spent})
    return made


comfy.samplers.CFGGuider.sample = recorded


@PromptServer.instance.routes.get("/facefix_test/runs")
async def tell_runs(_):
    return web.json_response(runs)


@PromptServer.instance.routes.get("/facefix_test/seconds")
async def tell_seconds(_):
    spent = os.times()
    return web.json_response(spent.user + spent.system)


NODE_CLASS_MAPPINGS = {"FaceFixTestTinyDiffusion": TinyDiffusion, "FaceFixTestShow": Show}
