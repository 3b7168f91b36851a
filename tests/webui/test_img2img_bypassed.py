"""Skipping img2img: what the host finds in its run, where it would otherwise have encoded and sampled."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="torch is not installed")

PHOTO = Image.fromarray(np.random.default_rng(1).integers(0, 256, (40, 72, 3), np.uint8))


@pytest.fixture
def bypassed(on_modules):
    """A run of a host, with its img2img skipped."""
    on_modules.modules.images.flatten = lambda picture, _: picture
    facts = {"batch_size": 1, "iteration": 0, "prompts": ["a face"], "width": 512, "height": 512}
    run = SimpleNamespace(init_images=[PHOTO], init_latent=None, **facts)
    on_modules("images").bypass_img2img(run)
    return run


def test_the_images_come_back_byte_for_byte(bypassed, on_modules):
    bypassed.init()
    [picture] = bypassed.sample()
    assert (on_modules("images").to_image((picture + 1) / 2) == np.asarray(PHOTO)).all()


def test_a_size_that_the_host_has_rounded_is_that_of_the_image_again(bypassed):
    assert (bypassed.width, bypassed.height) == (72, 40)
    bypassed.width, bypassed.height = 64, 64
    bypassed.init()
    assert (bypassed.width, bypassed.height) == (72, 40)


def test_a_host_that_keeps_prompts_by_the_encoded_image_finds_a_tensor(bypassed):
    bypassed.init()
    assert torch.is_tensor(bypassed.init_latent)
    assert bypassed.init_latent.numel() > 0
