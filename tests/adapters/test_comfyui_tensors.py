"""Images, conditionings and sampling of ComfyUI's nodes, with PyTorch and a stand-in for ComfyUI."""

import sys
import types
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs PyTorch")

from lib_facefix.comfyui import images  # noqa: E402 below the line that skips
from lib_facefix.comfyui.conditioning import Prompts, describe, merge  # noqa: E402
from lib_facefix.errors import BadCrop, BadSetting  # noqa: E402
from lib_facefix.planning.plan import FixResult  # noqa: E402
from lib_facefix.planning.redraw import Redraw  # noqa: E402
from lib_facefix.settings.sampling import Sampling  # noqa: E402


def test_every_byte_comes_back_exactly():
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, 2)
    batch = images.to_tensor([ramp])
    assert (images.to_images(batch)[0] == ramp).all()
    saved = np.clip(255.0 * batch.numpy(), 0, 255).astype(np.uint8)  # as ComfyUI's SaveImage does
    assert (saved == ramp).all()


def test_unchanged_pixels_keep_their_exact_values_and_alpha_stays():
    batch = torch.rand(2, 4, 4, 4)
    before = images.to_images(batch)
    after = [image.copy() for image in before]
    after[1][2, 3] = (10, 20, 30)
    written = images.write_changes(batch, before, after)
    assert torch.equal(written[0], batch[0])
    assert written[1, 2, 3].tolist() == pytest.approx([10 / 255, 20 / 255, 30 / 255, float(batch[1, 2, 3, 3])])
    written[1, 2, 3] = batch[1, 2, 3]
    assert torch.equal(written, batch)


def test_a_larger_result_replaces_the_image_and_its_mask_grows():
    batch = torch.zeros(1, 4, 4, 3)
    large = np.full((8, 8, 3), 255, np.uint8)
    assert images.write_changes(batch, images.to_images(batch), [large]).shape == (1, 8, 8, 3)
    mask = np.zeros((4, 4), np.float32)
    mask[:2] = 1
    grown = images.masks_of([FixResult(large, (), mask=mask)])
    assert grown.shape == (1, 8, 8)
    assert (grown[0, 0].min(), grown[0, -1].max()) == (1, 0)


def text(tokens, value, **more):
    """A conditioning of a text."""
    return [[torch.full((1, tokens, 4), float(value)), {"pooled_output": torch.full((1, 2), float(value)), **more}]]


def test_prompts_of_all_faces_become_one_conditioning():
    [[tensor, values]] = merge([text(77, 1), text(154, 2), text(77, 3)])
    assert tensor.shape == (3, 154, 4)
    assert tensor[:, 0, 0].tolist() == tensor[:, 153, 0].tolist() == [1, 2, 3]
    assert values["pooled_output"].tolist() == [[1, 1], [2, 2], [3, 3]]


def test_one_conditioning_for_all_faces_is_kept_whatever_it_holds():
    special = [*text(77, 1), *text(77, 2, area=(1, 2, 3, 4))]
    assert merge([special, special]) is special


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        pytest.param(text(77, 1), text(231, 2), True, id="up to three chunks"),
        pytest.param(text(77, 1), text(308, 2), False, id="four chunks"),
        pytest.param(text(256, 1), text(300, 2), False, id="lengths of another text model"),
        pytest.param(text(77, 1, guidance=3.5), text(77, 2, guidance=3.5), True, id="equal values"),
        pytest.param(text(77, 1, guidance=3.5), text(77, 2, guidance=4), False, id="other values"),
        pytest.param(text(77, 1, control=object()), text(77, 2), False, id="a ControlNet"),
        pytest.param([*text(77, 1), *text(77, 2)], text(77, 2), False, id="two conditionings"),
    ],
)
def test_only_conditionings_that_can_be_merged_share_a_run(one, other, together):
    assert (describe(one) == describe(other)) is together


def test_a_connected_conditioning_stands_for_the_own_prompt_and_lends_its_values():
    given = text(77, 1, guidance=3.5, control=object())
    prompts = Prompts("positive", "", given, lambda words: text(77, len(words)))
    assert prompts.read("") is given
    [[tensor, values]] = prompts.read("abc")
    assert float(tensor[0, 0, 0]) == 3
    assert values["guidance"] == 3.5
    assert "control" not in values
    assert prompts.read("abc") is prompts.read("abc")  # encoded once


def test_what_cannot_be_encoded_is_explained():
    with pytest.raises(BadSetting, match="the positive prompt 'a man' needs CLIP"):
        Prompts("positive", "", text(77, 1), None).read("a man")
    with pytest.raises(BadSetting, match="Detail Faces needs the negative prompt"):
        Prompts("negative", "", None, None).read("")
    with pytest.raises(BadSetting, match="in a face prompt needs the image's prompt as text"):
        Prompts("positive", " ", text(77, 1), None).check_own("[PROMPT], old", "replace")
    with pytest.raises(BadSetting, match="Prompt mode append needs the image's prompt as text"):
        Prompts("positive", " ", text(77, 1), None).check_own("old", "append")
    Prompts("positive", " ", text(77, 1), None).check_own(" ", "append")  # nothing is added
    Prompts("positive", "a man", text(77, 1), None).check_own("[PROMPT], old", "append")


@pytest.mark.parametrize("tag", ["<lora:ann:0.8>", "<LoRA:ann>", "<lyco:ann:1>"])
def test_a_lora_in_a_prompt_is_refused_as_it_would_do_nothing(tag):
    prompts = Prompts("positive", "a man", None, lambda words: text(77, len(words)))
    with pytest.raises(BadSetting, match=f"does not load {tag} of a prompt.* Load LoRA"):
        prompts.read(f"an old man {tag}")
    assert prompts.read("1 < 2 > (lora:1)")


class Sampled:
    """What the stand-in for ComfyUI was asked for."""

    def __init__(self):
        self.calls, self.fail = [], None

    def sample_custom(self, model, noise, cfg, sampler, sigmas, positive, negative, latents, **more):
        self.calls.append((noise, cfg, sampler, positive, negative, latents, more))
        if self.fail:
            raise self.fail
        return latents + 0.1 * more["noise_mask"]


class OutOfMemory(RuntimeError):
    pass


@pytest.fixture
def comfy(monkeypatch):
    """A stand-in for ComfyUI's modules that the diffuser imports."""
    sampled = Sampled()

    class KSampler:
        SAMPLERS, SCHEDULERS = ("euler", "euler_ancestral"), ("normal",)

        def __init__(self, model, steps, device, sampler, scheduler, denoise):
            self.sigmas = torch.linspace(1, 0, steps + 1) if denoise else torch.FloatTensor([])

    class KSAMPLER:
        def __init__(self, function, extra_options, inpaint_options):
            self.sampler_function, self.extra_options, self.inpaint_options = function, extra_options, inpaint_options

    def sampler_object(name):
        plain, ancestral = (lambda model, x: x), (lambda model, x, noise_sampler=None: x)
        return KSAMPLER(ancestral if "ancestral" in name else plain, {"eta": 1}, {})

    samplers = types.SimpleNamespace(KSampler=KSampler, KSAMPLER=KSAMPLER, sampler_object=sampler_object)
    samplers.ksampler = sampler_object
    modules = {
        "comfy": types.ModuleType("comfy"),
        "comfy.samplers": samplers,
        "comfy.sample": sampled,
        "comfy.latent_formats": types.SimpleNamespace(SD15=dict),
        "comfy.model_management": types.SimpleNamespace(OOM_EXCEPTION=OutOfMemory, soft_empty_cache=lambda: None),
        "comfy.k_diffusion": types.ModuleType("comfy.k_diffusion"),
        "comfy.k_diffusion.sampling": types.SimpleNamespace(),
    }
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
        if "." in name:
            setattr(modules[name.rpartition(".")[0]], name.rpartition(".")[2], module)
    for name in ("diffuser", "samplers"):
        monkeypatch.delitem(sys.modules, f"lib_facefix.comfyui.{name}", raising=False)
    yield sampled
    for name in ("diffuser", "samplers"):
        sys.modules.pop(f"lib_facefix.comfyui.{name}", None)


class BoxVae:
    """Means of 8x8 boxes."""

    def encode(self, pixels):
        return torch.nn.functional.avg_pool2d(pixels.movedim(-1, 1), 8)

    def decode(self, latent):
        return torch.nn.functional.interpolate(latent, scale_factor=8).movedim(1, -1)


class Quiet:
    def should_stop(self):
        return False

    def start_run(self, model, items):
        return None


@pytest.fixture
def diffuser(comfy):
    from lib_facefix.comfyui.diffuser import ComfyDiffuser, Texts

    model = types.SimpleNamespace(model=types.SimpleNamespace(), load_device="cpu", get_model_object=lambda name: {})
    texts = Texts(*(Prompts(kind, "", text(77, 1), lambda words: text(77, 2)) for kind in ("positive", "negative")))
    return ComfyDiffuser(model, BoxVae(), texts, Quiet())


SAMPLING = Sampling(steps=3, sampler="euler", scheduler="normal", cfg_scale=5.0, denoising_strength=0.5)


def crop(seed, prompt=""):
    mask = np.zeros((64, 64), np.float32)
    mask[20:28, 20:28] = 0.5
    mask[24, 24] = 1
    return Redraw(np.full((64, 64, 3), 100, np.uint8), mask, prompt, "", seed, 0, 1)


def test_crops_are_sampled_together_with_soft_masks_and_noise_of_their_own(comfy, diffuser):
    together = diffuser.redraw([crop(1), crop(2, "a man")], SAMPLING)
    [(noise, cfg, _, positive, negative, latents, more)] = comfy.calls
    assert (noise.shape, latents.shape, cfg) == ((2, 3, 8, 8), (2, 3, 8, 8), 5.0)
    mask = more["noise_mask"]
    assert mask.shape == (2, 1, 8, 8)
    assert mask[0, 0, 3, 3] == 1
    assert mask[0, 0, 2, 2] == 0.5
    assert (mask[0, 0] > 0).sum() == 4
    assert positive[0][0][:, 0, 0].tolist() == [1, 2]
    assert negative[0][0].shape[0] == 1
    alone = diffuser.redraw([crop(2, "a man")], SAMPLING)
    assert torch.equal(comfy.calls[1][0][0], noise[1])
    assert np.abs(alone[0] - together[1]).max() == 0
    assert together[0][24, 24] == pytest.approx(np.full(3, 100 + 25.5), abs=1e-3)
    assert together[0][0, 0] == pytest.approx(np.full(3, 100), abs=1e-3)
    assert diffuser.runs == [2, 1]
    assert diffuser.native == 512


def test_samplers_that_draw_noise_get_a_generator_for_each_face(comfy, diffuser):
    diffuser.redraw([crop(1), crop(2)], replace(SAMPLING, sampler="euler_ancestral"))
    diffuser.redraw([crop(2)], replace(SAMPLING, sampler="euler_ancestral"))
    both, one = (call[2].extra_options["noise_sampler"] for call in comfy.calls)
    assert comfy.calls[0][2].extra_options["eta"] == 1
    for _ in range(3):
        assert torch.equal(both(1, 0)[1], one(1, 0)[0])


def test_a_strength_of_0_samples_nothing(comfy, diffuser):
    [patch] = diffuser.redraw([crop(1)], replace(SAMPLING, denoising_strength=0.0))
    assert comfy.calls == []
    assert np.abs(patch - 100).max() < 1e-3


def test_a_lack_of_memory_lets_the_caller_try_fewer_faces(comfy, diffuser):
    comfy.fail = OutOfMemory("CUDA out of memory")
    with pytest.raises(MemoryError):
        diffuser.redraw([crop(1)], SAMPLING)
    comfy.fail = RuntimeError("shapes do not match")
    with pytest.raises(BadCrop, match="could not re-diffuse this face: RuntimeError: shapes do not match"):
        diffuser.redraw([crop(1)], SAMPLING)


def test_nan_is_no_image(comfy, diffuser, monkeypatch):
    monkeypatch.setattr(BoxVae, "decode", lambda self, latent: torch.full((1, 64, 64, 3), torch.nan))
    assert diffuser.redraw([crop(1)], SAMPLING) == [None]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sampler": "eulr"}, "Sampling method must be one of euler"),
        ({"scheduler": "karas"}, "Schedule type must be one of normal"),
        ({"checkpoint": "other"}, "Detail Faces uses the MODEL that is connected"),
        ({"vae": "other"}, "Detail Faces uses the VAE that is connected"),
        ({"clip_skip": 2}, "Detail Faces uses the CLIP that is connected"),
    ],
)
def test_settings_that_the_workflow_decides_are_refused(diffuser, changes, said):
    with pytest.raises(BadSetting, match=said):
        diffuser.redraw([crop(1)], replace(SAMPLING, **changes))


def test_a_vae_that_cannot_encode_the_size_is_refused(diffuser, monkeypatch):
    monkeypatch.setattr(BoxVae, "encode", lambda self, pixels: torch.zeros(1, 4, 5, 5))
    with pytest.raises(BadCrop, match="multiple of 64 in Sampling Settings"):
        diffuser.redraw([crop(1)], SAMPLING)


def test_a_latent_with_frames_gets_a_mask_with_frames(comfy, diffuser, monkeypatch):
    monkeypatch.setattr(BoxVae, "encode", lambda self, pixels: torch.zeros(1, 16, 1, 8, 8))
    monkeypatch.setattr(BoxVae, "decode", lambda self, latent: torch.zeros(1, 1, 64, 64, 3))
    patches = diffuser.redraw([crop(1), crop(2)], SAMPLING)
    assert comfy.calls[0][-1]["noise_mask"].shape == (2, 1, 1, 8, 8)
    assert patches[0].shape == (64, 64, 3)
