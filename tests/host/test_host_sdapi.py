"""Faces redrawn through the WebUI's own API, as `facefix --remote` does where the WebUI has no FaceFix."""

from dataclasses import replace

import numpy as np
import pictures
import pytest
from driving import QUICK, changed, difference, inside, opened
from PIL.PngImagePlugin import PngInfo
from watched import Watching

from lib_facefix import FaceFix, FaceSettings
from lib_facefix.cli.__main__ import main
from lib_facefix.client.remote import ThroughWebUI
from lib_facefix.client.sdapi_diffuser import FaceProgress, SdapiDiffuser, make_latent_blocks
from lib_facefix.client.transport import Transport
from lib_facefix.client.webui_api import WebUI
from lib_facefix.errors import BadSetting, Stopped
from lib_facefix.planning.redraw import Redraw
from lib_facefix.settings.face_prompt import GenerationParams
from lib_facefix.settings.sampling import Sampling

PHOTO = pictures.array(pictures.sheet(2))
SAMPLING = Sampling(steps=4, sampler="Euler", denoising_strength=0.5, cfg_scale=7.0)
ORIGIN = GenerationParams("a face", "", 1, 0, steps=4, sampler="Euler", cfg_scale=7.0)
ROUND = np.hypot(*np.ogrid[-31.5:32, -31.5:32]).astype(np.float32) < 20


@pytest.fixture
def wire(webui):
    return Transport.from_url(f"http://127.0.0.1:{webui.port}")


def crop(number=0, seed=1):
    image = pictures.array(pictures.portrait(number, 64))
    return Redraw(image, ROUND.astype(np.float32), "a face", "", seed, 0, number + 1)


def redrawn(wire, *items, sampling=SAMPLING, within=None):
    return SdapiDiffuser(WebUI.connect(wire), within=within).redraw(items, sampling)


def test_only_what_the_mask_shows_is_redrawn_and_the_same_each_time(wire):
    items = crop(0), crop(1)
    first, again = redrawn(wire, *items), redrawn(wire, *items)
    for item, one, other in zip(items, first, again, strict=True):
        shown = make_latent_blocks(item.mask) > 0
        assert difference(one, other) == 0
        assert (one[~shown] == item.image[~shown]).all()
        assert changed(one, item.image)[shown].mean() > 0.5
    [other_seed] = redrawn(wire, crop(0, seed=2))
    assert difference(first[0], other_seed) > 5


def fixed(wire, settings, progress=None):
    """Return what became of the photo, and where it may have changed."""
    engine = ThroughWebUI(FaceFix(), WebUI.connect(wire), native=64)
    plan = engine.plan(PHOTO, settings, origin=ORIGIN)
    [result] = engine.run([PHOTO], [plan], progress=progress)
    return result, engine.here.with_diffuser(SdapiDiffuser(engine.webui, 64)).mask(PHOTO, plan)


UNGUARDED = {**{name: value for name, value in QUICK.items() if name != "steps"}, "guard": "report"}
"""What a pass in the WebUI does: the tiny model draws strangers."""
SETTINGS = FaceSettings(**UNGUARDED)


def test_a_picture_keeps_its_bytes_but_for_the_faces(wire):
    watching = Watching()
    result, mask = fixed(wire, SETTINGS, watching)
    assert [outcome.verdict for outcome in result.outcomes] == ["fixed", "fixed"]
    assert all("tiny" in outcome.engine for outcome in result.outcomes)
    assert (result.image[mask == 0] == PHOTO[mask == 0]).all()
    for outcome in result.outcomes:
        box = outcome.job.face.box
        assert changed(result.image, PHOTO)[inside((box.left, box.top, box.right, box.bottom))].mean() > 0.5
    assert watching.steps[-1][:2] == (2, 2)
    assert difference(fixed(wire, SETTINGS)[0].image, result.image) == 0


def test_it_draws_what_the_extension_in_the_webui_draws(host, wire):
    plain = {**QUICK, "match_colour": False}  # what it is matched to, around the mask, the API gives back undrawn
    asked = {"prompt": "a face", "seed": 1, "steps": 4, "cfg_scale": 7.0, "sampler_name": "Euler"}
    made = host.img2img(pictures.sheet(2), {**plain, "skip_img2img": True}, **asked)
    result, _ = fixed(wire, replace(SETTINGS, match_colour=False))
    assert difference(result.image, PHOTO) > 20
    away = np.abs(result.image.astype(int) - made.picture)
    assert np.mean(away > 4) < 0.01  # the API cuts fractions off, and enlarging the crop adds to it
    assert away.max() < 20  # another OpenCV draws the edge of a mask up to a quarter of a pixel away


def test_another_clip_skip_is_put_back(host, wire):
    before = WebUI.connect(wire).options.get("CLIP_stop_at_last_layers", 1)
    [drawn] = redrawn(wire, crop(), sampling=Sampling(steps=2, sampler="Euler", clip_skip=2))
    assert drawn.shape == (64, 64, 3)
    assert WebUI.connect(wire).options["CLIP_stop_at_last_layers"] == before


def test_what_it_does_not_have_is_told_in_words(wire):
    with pytest.raises(BadSetting, match="has no checkpoint 'none of it'; available: tiny"):
        redrawn(wire, crop(), sampling=Sampling(checkpoint="none of it"))
    with pytest.raises(BadSetting, match="has no sampler 'none of it'; available: DPM"):
        redrawn(wire, crop(), sampling=Sampling(sampler="none of it"))


class StopsAtFaceOne(Watching):
    """Says stop once it is told that the WebUI draws face 1."""

    def should_stop(self):
        return any("re-diffusing face 1" in doing for _, _, doing in self.steps)


def test_a_person_who_stops_ends_the_run_there(wire):
    watching = FaceProgress(StopsAtFaceOne(), 1)
    with pytest.raises(Stopped):
        redrawn(wire, crop(), sampling=Sampling(steps=150, denoising_strength=1.0), within=watching)
    [drawn] = redrawn(wire, crop())  # it is free again
    assert drawn is not None


def test_the_command_line_redraws_the_faces_of_a_file(webui, tmp_path, capsys):
    said = PngInfo()
    said.add_text("parameters", "a face\nSteps: 4, Sampler: Euler, CFG scale: 7, Seed: 1, Size: 384x192")
    pictures.sheet(2).save(tmp_path / "old.png", pnginfo=said)
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in UNGUARDED.items()]
    for new in (
        "first.png",
        "one.png",
        "other.png",
    ):  # of a changed checkpoint or clip skip A1111's first run is 1/255 off
        remote = f"--remote=http://127.0.0.1:{webui.port}"
        assert main(["fix", str(tmp_path / "old.png"), "-o", str(tmp_path / new), remote, *flags]) == 0
    assert capsys.readouterr().out.count("2 faces: 2 fixed") == 3
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "other.png").read_bytes()
    assert difference(opened(tmp_path / "first.png"), opened(tmp_path / "one.png")) <= 1
    where = changed(opened(tmp_path / "one.png"), PHOTO)
    assert 0.05 < where.mean() < 0.5
    assert not where[:, [0, 190, 194, 383]].any()
