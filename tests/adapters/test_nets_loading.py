"""Nets from files: called as their authors call them, to the last bit; anything else refused with a sentence.

The weights are random, by seed, in the true architecture (see nets_made.py). What these tests could not bring along
was done once by hand at full size, one thread, with the largest difference anywhere in the picture:

* RestoreFormer++ and RestoreFormer from a Lightning file, against their authors' own `vqvae_arch.py`: 0.0.
* CodeFormer with 9 layers at w = 0, 0.5 and 1, RestoreFormer, RRDBNet and SRVGG, against spandrel's `.model`: 0.0.

GFPGAN and CodeFormer are in test_nets_cutting.py, where one slow pass serves more than one test.
"""

import sys
from collections import OrderedDict

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("spandrel")
pytest.importorskip("spandrel_extra_arches")

import nets_made  # noqa: E402

from lib_facefix.errors import BadModel, MissingPackage  # noqa: E402
from lib_facefix.nets import load_net  # noqa: E402


@pytest.fixture(autouse=True)
def _quiet():
    with nets_made.quiet():
        yield


@pytest.fixture
def saved(tmp_path):
    """Write weights as published ones are written, and return the path."""

    def save(tensors, name="net.pth", **more):
        torch.save({"params_ema": OrderedDict(tensors), **more}, tmp_path / name)
        return tmp_path / name

    return save


def first(answer):
    return answer[0] if isinstance(answer, tuple) else answer


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        pytest.param(nets_made.restoreformer, ("RestoreFormer", "face", 1, 512), id="RestoreFormer"),
        pytest.param(nets_made.compact, ("Compact", "upscale", 4, 128), id="SRVGG"),
        pytest.param(nets_made.esrgan, ("ESRGAN", "upscale", 4, 128), id="RRDBNet"),
        pytest.param(
            lambda: nets_made.esrgan(in_nc=12, shuffle_factor=2),
            ("ESRGAN", "upscale", 2, 256),
            id="RRDBNet x2",
        ),
    ],
)
def test_a_net_gives_its_authors_picture_to_the_last_bit(saved, make, expected):
    authors = make()
    net = load_net(saved(authors.state_dict()))
    spec = net.spec
    picture = nets_made.faces(1, 128, low=spec.low)
    given = picture.clone()

    assert (spec.architecture, spec.kind, spec.scale, spec.size) == expected
    assert (spec.low, spec.high) == ((-1, 1) if spec.kind == "face" else (0, 1))
    assert torch.equal(net.module(picture), first(authors(picture)))
    assert torch.equal(picture, given), "the input was changed"
    assert not net.module.training
    assert not any(weight.requires_grad for weight in net.module.parameters())
    assert len(net.sha256) == 64


def test_gfpgan_without_noise_in_its_file_gets_the_same_noise_each_time(saved):
    bare = {name: value for name, value in nets_made.gfpgan().state_dict().items() if ".noises." not in name}
    one, two = (load_net(saved(bare)).module.state_dict() for _ in range(2))

    noise = [name for name in one if ".noises." in name]
    assert len(noise) == 15
    assert all(torch.equal(one[name], two[name]) and one[name].std() > 0.7 for name in noise)


def test_restoreformer_plus_is_read_from_a_file_of_the_published_layout(tmp_path):
    authors = nets_made.restoreformer_plus()
    weights = {f"vqvae.{name}": value for name, value in authors.state_dict().items()}
    weights["loss.discriminator.main.0.weight"] = torch.zeros(8, 3, 4, 4)  # it was trained with, and is ignored
    trained = {"epoch": 3, "global_step": np.int64(7), "best": np.float64(0.5), "optimizer_states": []}
    torch.save({"state_dict": weights, **trained}, tmp_path / "RestoreFormer++.ckpt")

    net = load_net(tmp_path / "RestoreFormer++.ckpt")

    assert net.spec.architecture == "RestoreFormer++"
    assert len(weights) == 1 + 441  # as many as the authors' class has
    assert weights["vqvae.decoder.up.4.attn.2.proj_out.weight"].shape == (128, 128, 1, 1)
    heads = {part.head_size for part in net.module.modules() if hasattr(part, "head_size")}
    assert heads == {4}
    picture = nets_made.faces(1, 128)
    assert torch.equal(net.module(picture), authors(picture)[0])


def test_weights_in_half_precision_are_used_in_single(saved):
    net = load_net(saved({name: value.half() for name, value in nets_made.compact().state_dict().items()}))

    assert {weight.dtype for weight in net.module.parameters()} == {torch.float32}


def changed(tensors, **new):
    return {**tensors, **new}


def without(tensors, name):
    return {key: value for key, value in tensors.items() if key != name}


@pytest.mark.parametrize(
    ("tensors", "says"),
    [
        pytest.param(
            lambda: {"a": torch.zeros(2)}, "not a restorer or upscaler that spandrel supports", id="of no net"
        ),
        pytest.param(lambda: nets_made.compact(upscale=3).state_dict(), "enlarges 3 times", id="x3"),
        pytest.param(lambda: nets_made.esrgan(scale=8).state_dict(), "enlarges 8 times", id="x8"),
        pytest.param(lambda: nets_made.compact(num_in_ch=1, num_out_ch=1).state_dict(), "has 1 input", id="grey"),
        pytest.param(
            lambda: without(nets_made.restoreformer().state_dict(), "encoder.conv_out.bias"),
            "do not fit",
            id="a weight is missing",
        ),
        pytest.param(
            lambda: changed(nets_made.restoreformer().state_dict(), **{"quant_conv.bias": torch.zeros(7)}),
            "do not fit",
            id="a weight of another size",
        ),
        pytest.param(
            lambda: changed(nets_made.compact().state_dict(), **{"body.0.bias": torch.full((16,), torch.nan)}),
            "body.0.bias contains infinite or undefined values",
            id="not a number",
        ),
    ],
)
def test_a_file_that_is_no_net_of_ours_is_refused_with_a_sentence(saved, tensors, says):
    with pytest.raises(BadModel, match=says):
        load_net(saved(tensors()))


def test_a_missing_spandrel_is_named(saved, monkeypatch):
    path = saved(nets_made.compact().state_dict())
    monkeypatch.setitem(sys.modules, "spandrel", None)

    with pytest.raises(MissingPackage, match=r"needs the Python package 'spandrel'.*`facefix setup`"):
        load_net(path)


def test_spandrels_own_list_is_left_alone(saved):
    from spandrel import MAIN_REGISTRY

    before = len(MAIN_REGISTRY)
    load_net(saved(nets_made.compact().state_dict()))

    assert len(MAIN_REGISTRY) == before
