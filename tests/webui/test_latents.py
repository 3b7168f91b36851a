"""Latent masks for models whose latents differ: in the size of their pixels, and with an axis for frames."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from lib_facefix.errors import BadCrop

torch = pytest.importorskip("torch", reason="torch is not installed")

MODELS = {
    "SD 1.5": SimpleNamespace(ratio=8, channels=4, frames=False),
    "Flux.2 Klein": SimpleNamespace(ratio=16, channels=128, frames=False),
    "Qwen-Image": SimpleNamespace(ratio=(lambda count: count, 8, 8), channels=16, frames=True),
}
"""What the VAEs of three families of models say of themselves in Forge Neo."""

ENCODED, NOISY, DRAWN = 1.0, 5.0, 7.0
"""Values of the latents of the crops, of those that the sampler passes to the model, and of those that it draws."""


class Predictor:
    """The model's rule for noise: a flow, as that of Klein and Qwen-Image."""

    def noise_scaling(self, sigma, noise, latent, max_denoise):
        assert sigma.ndim == noise.ndim == latent.ndim
        assert not max_denoise
        return latent + sigma * noise


def loaded(name):
    """Make the host's object for a loaded model."""
    model = MODELS[name]
    vae = SimpleNamespace(downscale_ratio=model.ratio, latent_dim=3 if model.frames else 2)
    unet = SimpleNamespace(model=SimpleNamespace(predictor=Predictor()))
    return SimpleNamespace(forge_objects=SimpleNamespace(vae=vae, unet=unet), family=model)


class Img2Img:
    """The host's img2img, as far as it encodes: of a batch, models with frames take the first image."""

    def __init__(self, sd_model, init_images):
        self.sd_model, self.init_images = sd_model, init_images

    def init(self, *_):
        family, images = self.sd_model.family, self.init_images
        side = latent_side_of(family)
        assert {image.size for image in images} == {(self.width, self.height)}
        assert (self.width % side, self.height % side) == (0, 0)
        size = (family.channels, *([1] if family.frames else []), self.height // side, self.width // side)
        self.init_latent = torch.full((1 if family.frames else len(images), *size), ENCODED)

    def sample(self, seeds, call):
        """Denoise in one step, as hosts do that leave the kept part to `cfg_denoiser` and `cfg_after_cfg`."""
        assert self.mask is self.nmask is None
        inner = SimpleNamespace(inner_model=self.sd_model)
        params = SimpleNamespace(x=torch.full_like(self.init_latent, NOISY), sigma=torch.full((len(seeds),), 2.0))
        params.denoiser = SimpleNamespace(inner_model=inner)
        call("cfg_denoiser", params)
        self.given = params.x
        params = SimpleNamespace(x=torch.full_like(self.init_latent, DRAWN))
        call("cfg_after_cfg", params)
        return params.x


def latent_side_of(family):
    return family.ratio if isinstance(family.ratio, int) else family.ratio[-1]


@pytest.fixture
def rooms(on_modules):
    """Import our rooms on this img2img."""
    on_modules.modules.processing.StableDiffusionProcessingImg2Img = Img2Img
    return SimpleNamespace(latents=on_modules("latents"), img2img=on_modules("img2img"), modules=on_modules.modules)


def a_run(rooms, name, count=2, size=(64, 64), where=np.s_[20:30, 40:41]):
    """Return the sampling run of some crops whose masks show one area, once it has encoded them."""
    width, height = size
    mask = np.zeros((height, width), np.float32)
    mask[where] = 0.5
    images = [Image.new("RGB", size, (90, 80, number)) for number in range(count)]
    run = rooms.img2img.FaceImg2Img([mask] * count, sd_model=loaded(name), init_images=images)
    run.init([], [], [])
    return run


@pytest.mark.parametrize(("name", "side"), [("SD 1.5", 8), ("Flux.2 Klein", 16), ("Qwen-Image", 8)])
def test_the_side_of_a_latent_pixel_is_asked_of_the_vae(rooms, name, side):
    assert rooms.latents.latent_side(loaded(name)) == side


@pytest.mark.parametrize("model", [SimpleNamespace(), SimpleNamespace(forge_objects=None)])
def test_where_the_model_has_no_such_vae_the_host_is_asked(rooms, model):
    rooms.modules.processing.opt_f = 4
    assert rooms.latents.latent_side(model) == 4
    assert not rooms.latents.has_frames(model)


def test_only_latents_with_frames_are_drawn_alone(rooms):
    assert [rooms.latents.has_frames(loaded(name)) for name in MODELS] == [False, False, True]


def test_each_latent_pixel_that_shows_anything_is_drawn_in_latents_of_8_px(rooms):
    run = a_run(rooms, "SD 1.5")
    assert run.nmask.shape == run.init_latent.shape == (2, 4, 8, 8)
    assert run.nmask[1, 3].nonzero().tolist() == [[2, 5], [3, 5]]
    assert (run.mask == 1 - run.nmask).all()


def test_each_latent_pixel_that_shows_anything_is_drawn_in_latents_of_16_px(rooms):
    run = a_run(rooms, "Flux.2 Klein")
    assert run.nmask.shape == run.init_latent.shape == (2, 128, 4, 4)
    assert run.nmask[1, 127].nonzero().tolist() == [[1, 2]]


def test_a_latent_with_frames_gets_a_mask_of_its_shape(rooms):
    run = a_run(rooms, "Qwen-Image", count=1)
    assert run.nmask.shape == run.init_latent.shape == (1, 16, 1, 8, 8)
    assert run.nmask[0, 15, 0].nonzero().tolist() == [[2, 5], [3, 5]]


def test_a_batch_that_the_host_takes_for_frames_is_an_error_that_a_smaller_run_avoids(rooms):
    with pytest.raises(BadCrop, match="one face at a time"):
        a_run(rooms, "Qwen-Image", count=2)


def test_a_crop_that_is_no_whole_number_of_latent_pixels_is_padded_and_comes_back_in_its_size(rooms):
    run = a_run(rooms, "Flux.2 Klein", size=(72, 88), where=np.s_[:, 71:])
    assert (run.width, run.height) == (80, 96)
    assert [image.getpixel((79, 95)) for image in run.init_images] == [(90, 80, 0), (90, 80, 1)]
    assert run.nmask[0, 0].nonzero().tolist() == [[row, 4] for row in range(6)]
    run.catching.pictures, run.finite = [torch.rand(3, 96, 80), torch.full((3, 96, 80), float("nan"))], [True, True]
    first, second = run.collect_patches()
    assert first.shape == (88, 72, 3)
    assert second is None


def test_a_crop_that_the_model_spoilt_is_none_even_where_the_host_replaces_nan(rooms, monkeypatch):
    run = a_run(rooms, "SD 1.5", count=3)
    drawn = torch.zeros_like(run.init_latent)
    drawn[1, 3, 7, 7] = float("nan")
    monkeypatch.setattr(run, "_sample", lambda: drawn)
    assert run.sample() is drawn
    run.catching.pictures = [torch.rand(3, 64, 64), torch.rand(3, 64, 64), torch.zeros(3, 64, 64)]
    assert [patch is not None for patch in run.collect_patches()] == [True, False, False]
    run.catching.pictures = []  # after an interruption
    assert run.collect_patches() == []


def test_latents_of_another_shape_than_their_crops_are_an_error_with_both_sizes(rooms):
    with pytest.raises(BadCrop, match="a crop of 64x64 px as 7x8 latent pixels"):
        rooms.latents.make_latent_masks(np.ones((1, 64, 64), np.float32), torch.zeros(1, 4, 8, 7))


@pytest.mark.parametrize(("name", "count"), [("SD 1.5", 2), ("Flux.2 Klein", 2), ("Qwen-Image", 1)])
def test_the_kept_part_is_that_of_the_crop_and_gets_the_noise_of_its_seed(rooms, name, count):
    run = a_run(rooms, name, count)
    drawn, lists = run.nmask.bool(), {f"callbacks_{step}": [] for step in ("cfg_denoiser", "cfg_after_cfg")}
    callbacks = rooms.modules.script_callbacks
    callbacks.callback_map, callbacks.ordered_callbacks_map = lists, {}
    callbacks.ScriptCallback = lambda _, callback: callback
    rooms.modules.shared.device = "cpu"

    def call(step, params):
        for callback in lists[f"callbacks_{step}"]:
            callback(params)

    samples = run.sample(seeds=[3, 4][:count], call=call)
    assert (samples[drawn] == DRAWN).all()
    assert (samples[~drawn] == ENCODED).all()
    assert (run.given[drawn] == NOISY).all()
    noise = [
        torch.randn(run.given.shape[1:], generator=torch.Generator().manual_seed(34_467 + n)) for n in range(count)
    ]
    assert torch.equal(run.given[~drawn], (ENCODED + 2.0 * torch.stack(noise))[~drawn])
    assert lists == {"callbacks_cfg_denoiser": [], "callbacks_cfg_after_cfg": []}
