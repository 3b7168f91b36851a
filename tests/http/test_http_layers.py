"""Each face at full strength as a layer over the photo, which a client blends by itself."""

import base64
import io
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from sending import sent, where

from lib_facefix.analysis import identity_guard
from lib_facefix.fixers.lite import Lite
from lib_facefix.fixers.restore import Restorer, strength
from lib_facefix.protocols import Blend
from lib_facefix.server.routes import PREFIX


def array(coded):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(coded))).convert("RGBA"), np.float32)


def as_png(photo):
    """Return a JPEG's pixels as a PNG, and as an array."""
    file = io.BytesIO()
    picture = Image.open(io.BytesIO(photo)).convert("RGB")
    picture.save(file, "PNG")
    return file.getvalue(), np.asarray(picture, np.float32)


def share_at(layer, fidelity, visibility):
    return visibility * np.interp(fidelity, *np.transpose(layer["shares"]))


@pytest.mark.parametrize(("fidelity", "visibility"), [(0.6, 1.0), (0.3, 0.7), (0.7, 0.8), (0.9, 1.0)])
def test_the_photo_under_its_layers_is_the_fixed_photo(client, photo, fidelity, visibility):
    photo, before = as_png(photo)
    settings = {"method": "restore", "fidelity": fidelity, "visibility": visibility}
    plan = client.post(f"{PREFIX}/plan", json=sent(photo, settings=settings)).json()
    fixed = array(client.post(f"{PREFIX}/fix", json=sent(photo, plan=plan)).json()["image"])[..., :3]
    layers = client.post(f"{PREFIX}/layers", json=sent(photo, plan=plan)).json()["faces"]
    assert [layer["number"] for layer in layers] == [1, 1]  # the faithful and the vivid result
    shares = [share_at(layer, fidelity, visibility) for layer in layers]
    blended = before.copy()
    for layer, opacity in zip(layers, [shares[0] / (1 - shares[1]), shares[1]], strict=True):
        left, top, right, bottom = layer["box"]
        pixels = array(layer["image"])
        assert pixels.shape == (bottom - top, right - left, 4)
        assert set(np.unique(pixels[..., 3])) <= {0.0, 255.0}
        part = blended[top:bottom, left:right]
        part += opacity * pixels[..., 3:] / 255 * (pixels[..., :3] - part)
    assert np.abs(fixed - before).max() > 2
    assert np.abs(fixed - np.rint(blended)).max() <= 4


def test_a_restorer_with_one_result_has_one_layer_that_fades_as_its_strength(client, photo, monkeypatch):
    monkeypatch.setattr(Lite, "list_blends", Restorer.list_blends)
    monkeypatch.setattr(Lite, "_runner", SimpleNamespace(spec=SimpleNamespace(fused=False)), raising=False)
    plan = client.post(f"{PREFIX}/plan", json=sent(photo, settings={"method": "restore"})).json()
    [layer] = client.post(f"{PREFIX}/layers", json=sent(photo, plan=plan)).json()["faces"]
    for fidelity in (0.0, 0.335, 0.6, 0.9, 1.0):
        assert share_at(layer, fidelity, 1.0) == pytest.approx(strength(fidelity), abs=0.001)


def test_a_net_that_reads_the_fidelity_has_a_layer_for_it_alone(client, photo, monkeypatch):
    monkeypatch.setattr(Lite, "list_blends", lambda self: ())
    plan = client.post(f"{PREFIX}/plan", json=sent(photo, settings={"method": "restore"})).json()
    [layer] = client.post(f"{PREFIX}/layers", json=sent(photo, plan=plan)).json()["faces"]
    assert layer["shares"] is None


def test_a_skipped_face_has_no_layer(client, photo):
    plan = client.post(f"{PREFIX}/plan", json=sent(photo, settings={"method": "leave"})).json()
    assert client.post(f"{PREFIX}/layers", json=sent(photo, plan=plan)).json()["faces"] == []


def test_a_face_that_no_pixel_changes_has_an_empty_layer_with_the_reason(client, photo):
    settings = {"method": "restore", "mask": "box", "mask_x": 1.0, "mask_grow": -0.5}
    plan = client.post(f"{PREFIX}/plan", json=sent(photo, settings=settings)).json()
    for layer in client.post(f"{PREFIX}/layers", json=sent(photo, plan=plan)).json()["faces"]:
        assert (layer["box"], layer["image"]) == ([0, 0, 0, 0], "")
        assert layer["error"] == "the mask of this face is empty"


def test_a_plan_for_another_size_is_refused(client, photo):
    plan = client.post(f"{PREFIX}/plan", json=sent(photo)).json()
    refused = client.post(f"{PREFIX}/layers", json=sent(photo, plan={**plan, "size": [10, 10]}))
    assert where(refused) == {
        "body.plan": "the plan is for an image of 10x10 px, but this one has 256x256 px. Create a new plan"
    }


def test_masks_are_drawn_without_numbers_on_request(client, photo):
    plan = client.post(f"{PREFIX}/plan", json=sent(photo, settings={"method": "restore"})).json()
    drawn = [
        array(client.post(f"{PREFIX}/preview", json=sent(photo, plan=plan, numbers=numbers)).json()["image"])
        for numbers in (True, False)
    ]
    green = [((one[..., 0] == 0) & (one[..., 1] == 230)).sum() for one in drawn]
    assert green[0] > 100
    assert green[1] == 0


@pytest.mark.parametrize("visibility", [1.0, 0.6, 0.25])
def test_a_layer_that_the_identity_guard_weakened_is_drawn_as_strongly_as_the_result(
    client, photo, monkeypatch, visibility
):
    """At a low visibility the face is within its limit, and the guard reduces nothing."""
    monkeypatch.setattr(Lite, "list_blends", lambda self: (Blend(0.0, ((0.0, 1.0), (1.0, 0.0))),))
    monkeypatch.setattr(Lite, "batch_key", lambda self, job: "any")  # so that the guard does not try another fidelity
    photo, before = as_png(photo)
    settings = {"method": "restore", "fidelity": 0.0, "visibility": visibility, "grain": 0.0}
    plan = client.post(f"{PREFIX}/plan", json=sent(photo, settings=settings)).json()
    [layer] = client.post(f"{PREFIX}/layers", json=sent(photo, plan=plan)).json()["faces"]
    half = (layer["identity"]["first"] / 2,)
    tight = identity_guard.Limits(0.0, (0.0,), half, (0.0,), half, (1.0,), (0.0, 1.0))
    monkeypatch.setattr(identity_guard, "read_limits", lambda: {"dlib": tight})
    report = client.post(f"{PREFIX}/fix", json=sent(photo, plan=plan)).json()
    fixed, identity = array(report["image"])[..., :3], report["faces"][0]["identity"]
    [layer] = client.post(f"{PREFIX}/layers", json=sent(photo, plan=plan)).json()["faces"]
    assert layer["identity"]["verdict"] == "backed off"
    assert layer["held"] == layer["identity"]["share"] < 1
    assert (identity["verdict"], identity["share"] < 1) == (
        ("backed off", True) if visibility > layer["held"] + 1 / 16 else ("kept", False)
    )
    left, top, right, bottom = layer["box"]
    pixels, blended = array(layer["image"]), before.copy()
    part = blended[top:bottom, left:right]
    part += min(1, visibility / layer["held"]) * pixels[..., 3:] / 255 * (pixels[..., :3] - part)
    largest = np.abs(fixed - before).max()
    assert largest > 8
    assert np.abs(fixed - np.rint(blended)).max() <= max(4, largest / 12)  # the share is known to 1/16
