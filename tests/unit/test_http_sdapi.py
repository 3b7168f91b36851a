import base64
import threading

import cv2
import numpy as np
import pytest
from answering import Reply, answering
from answering_facefix import WebUI as Fake
from answering_facefix import opened
from PIL import Image as Pil
from watched import Watching

from lib_facefix.client import sdapi_diffuser
from lib_facefix.client.sdapi_diffuser import FaceProgress, SdapiDiffuser, make_latent_blocks
from lib_facefix.client.transport import Transport
from lib_facefix.client.webui_api import WebUI
from lib_facefix.errors import BadSetting, CannotReach, Refused, Stopped
from lib_facefix.planning.redraw import Redraw
from lib_facefix.settings.sampling import Sampling

IMG2IMG = "/sdapi/v1/img2img"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(sdapi_diffuser, "POLL_INTERVAL", 0.02)


@pytest.fixture
def fake():
    return Fake()


@pytest.fixture
def server(fake):
    with answering(fake.routes) as answers:
        yield answers


def webui(server):
    return WebUI.connect(Transport.from_url(server.url))


def crop(number=1, prompt="a girl"):
    rng = np.random.default_rng(number)
    image = cv2.GaussianBlur(rng.integers(0, 256, (72, 64, 3), np.uint8), (0, 0), 3)
    mask = np.zeros((72, 64), np.float32)
    mask[20:50, 13:47] = 1.0
    return Redraw(image, mask, prompt, "blurry", 2**32 - 1, 7, number)


def told(server, sampling=None, item=None):
    """Return what img2img is told of a face."""
    SdapiDiffuser(webui(server)).redraw([item or crop()], sampling or Sampling())
    return server.last(IMG2IMG).body


def test_each_face_is_drawn_by_a_run_of_its_own_from_its_own_crop(server):
    items = [crop(1, "a girl"), crop(2, "a man")]
    drawn = SdapiDiffuser(webui(server)).redraw(items, Sampling())
    assert all((patch == 255 - item.image).all() for patch, item in zip(drawn, items, strict=True))
    asked = [one.body for one in server.asked if one.path == IMG2IMG]
    assert [body["prompt"] for body in asked] == ["a girl", "a man"]
    assert all((opened(body["init_images"][0]) == item.image).all() for body, item in zip(asked, items, strict=True))


def test_a_run_is_told_all_that_the_face_is_to_be_drawn_with(server):
    sampling = Sampling(
        denoising_strength=0.3, steps=12, cfg_scale=5.5, sampler="DPM++ 2M", scheduler="Karras", noise_multiplier=0.9
    )
    body = told(server, sampling)
    wanted = {"prompt": "a girl", "negative_prompt": "blurry", "seed": 2**32 - 1, "subseed": 7, "width": 64}
    wanted |= {"height": 72, "denoising_strength": 0.3, "steps": 12, "cfg_scale": 5.5, "sampler_name": "DPM++ 2M"}
    wanted |= {"scheduler": "Karras", "initial_noise_multiplier": 0.9, "inpaint_full_res": False, "mask_blur": 0}
    wanted |= {"alwayson_scripts": {}, "save_images": False, "override_settings": {}, "batch_size": 1}
    assert {name: body[name] for name in wanted} == wanted


def test_what_nobody_chose_is_left_to_the_webui(server):
    body = told(server)
    assert not {"steps", "cfg_scale", "sampler_name", "scheduler", "initial_noise_multiplier"} & set(body)


def test_the_mask_that_is_sent_is_made_of_whole_latent_pixels(server):
    mask = opened(told(server)["mask"])[..., 0]
    assert (mask == make_latent_blocks(crop().mask)).all()
    assert set(np.unique(mask)) == {0, 255}
    shown = np.argwhere(mask)
    assert [*shown.min(0), *shown.max(0)] == [16, 8, 55, 47]


@pytest.mark.parametrize("seed", range(5))
def test_blocks_survive_how_a_webui_makes_its_latent_mask(seed):
    blocks = np.random.default_rng(seed).random((12, 9)) < 0.4
    mask = make_latent_blocks(blocks.repeat(8, 0).repeat(8, 1).astype(np.float32))
    shrunk = np.array(Pil.fromarray(mask).convert("RGB").resize((9, 12)), np.float32)[..., 0] / 255
    assert (np.around(shrunk) == blocks).all()


def test_what_hardly_shows_is_not_drawn_anew():
    mask = np.zeros((16, 16), np.float32)
    mask[3, 3], mask[12, 12] = 1 / 300, 1 / 200
    assert [make_latent_blocks(mask)[at, at] for at in (0, 15)] == [0, 255]


SWITCHED = Sampling(checkpoint="old", vae="fine.vae.pt", clip_skip=2)


def test_another_checkpoint_vae_and_clip_skip_are_asked_for_by_the_webui_s_names(server, fake):
    body = told(server, SWITCHED)
    assert body["override_settings"] == {
        "sd_model_checkpoint": "old.ckpt",
        "sd_vae": "fine.vae.pt",
        "CLIP_stop_at_last_layers": 2,
    }
    assert body["override_settings_restore_afterwards"] is True


def test_what_the_webui_may_never_have_saved_is_saved_first_so_that_it_puts_it_back(server, fake):
    fake.options["sd_vae"] = "old.vae.pt"
    diffuser = SdapiDiffuser(webui(server))
    for _ in range(2):
        diffuser.redraw([crop()], SWITCHED)
    saved = [one.body for one in server.asked if one.method == "POST" and one.path == "/sdapi/v1/options"]
    assert saved == [{"sd_vae": "old.vae.pt", "CLIP_stop_at_last_layers": 1}]


@pytest.mark.parametrize(
    "sampling", [Sampling(sampler="DPM++ 2M Karras"), Sampling(scheduler="karras"), Sampling(scheduler="Karras")]
)
def test_samplers_and_schedules_go_by_all_their_names(server, sampling):
    assert told(server, sampling)["override_settings"] == {}


def test_a_webui_without_schedule_types_is_not_asked_for_them(server):
    server.routes.pop("GET /sdapi/v1/schedulers")
    assert told(server, Sampling(scheduler="Karras"))["scheduler"] == "Karras"


def test_what_is_set_already_is_not_asked_for(server, fake):
    fake.options |= {"CLIP_stop_at_last_layers": 2, "sd_vae": "fine.vae.pt"}
    assert told(server, Sampling(checkpoint="tiny", vae="fine.vae.pt", clip_skip=2))["override_settings"] == {}
    fake.options = {"sd_model_checkpoint": "x"}
    assert told(server, Sampling(clip_skip=1, vae="Automatic"))["override_settings"] == {}
    assert "POST /sdapi/v1/options" not in server.paths()


def test_a_webui_that_matches_colours_itself_does_not_do_so_within_a_face(server, fake):
    fake.options["img2img_color_correction"] = True
    assert told(server)["override_settings"] == {"img2img_color_correction": False}


def test_forge_is_given_the_file_of_a_vae(server, fake):
    fake.options["forge_additional_modules"] = []
    asked = told(server, Sampling(vae="fine.vae.pt"))["override_settings"]
    assert asked == {"forge_additional_modules": ["/v/fine.vae.pt"]}


@pytest.mark.parametrize(
    ("sampling", "why"),
    [
        (Sampling(checkpoint="new"), "has no checkpoint 'new'; available: tiny, old"),
        (Sampling(vae="odd"), r"has no VAE 'odd'; available: fine\.vae\.pt"),
        (Sampling(sampler="Eul"), "has no sampler 'Eul'; available: Euler, "),
        (Sampling(scheduler="Fast"), "has no schedule type 'Fast'; available: Karras"),
    ],
)
def test_what_the_webui_would_pass_over_without_a_word_is_refused(server, sampling, why):
    with pytest.raises(BadSetting, match=why):
        told(server, sampling)
    assert f"POST {IMG2IMG}" not in server.paths()


@pytest.mark.parametrize(
    ("preset", "shapes", "side"),
    [
        pytest.param("xl", [], 1024, id="Forge says so"),
        pytest.param("sd", [], 512, id="Forge says it is an older one"),
        pytest.param("klein", [], 1024, id="Forge Neo says so"),
        pytest.param("all", [768, 768], 512, id="embeddings of SD 1"),
        pytest.param(None, [2048], 1024, id="embeddings of SDXL"),
        pytest.param(None, [768, 2048], None, id="embeddings of both"),
        pytest.param(None, [5], None, id="embeddings of something else"),
        pytest.param(None, [], None, id="nothing tells"),
    ],
)
def test_what_the_model_draws_best_is_read_where_it_is_told(server, fake, preset, shapes, side):
    fake.options["forge_preset"] = preset
    fake.embeddings.update({str(i): {"shape": shape} for i, shape in enumerate(shapes)})
    assert webui(server).find_native_side() == side


@pytest.mark.parametrize("reply", [Reply(404), Reply(500), [], {"loaded": None}, {"loaded": {"a": 5}}])
def test_a_webui_that_lists_no_embeddings_tells_nothing(server, reply):
    server.routes["GET /sdapi/v1/embeddings"] = Reply(content=reply) if isinstance(reply, list) else reply
    assert webui(server).find_native_side() is None


def test_an_answer_that_is_no_webui_s_is_told_in_words(server):
    server.routes["GET /sdapi/v1/options"] = Reply(content=[1])
    with pytest.raises(CannotReach, match="is not a WebUI"):
        webui(server)


@pytest.mark.parametrize(
    "answer", [{"images": []}, {"images": None}, {"images": ["!"]}, {"images": [base64.b64encode(b"x").decode()]}, []]
)
def test_a_run_without_a_picture_gives_none(server, answer):
    server.routes[f"POST {IMG2IMG}"] = Reply(content=answer)
    assert SdapiDiffuser(webui(server)).redraw([crop()], Sampling()) == [None]


def test_what_a_run_fails_with_is_told_in_the_webui_s_words(server):
    server.routes[f"POST {IMG2IMG}"] = Reply(500, {"error": "X", "detail": "", "errors": "A tensor with NaNs"})
    with pytest.raises(Refused, match="A tensor with NaNs"):
        told(server)


@pytest.fixture
def slow(server, fake):
    """Let img2img take until it is interrupted, or until 10 looks were taken."""
    go_on, looks = threading.Event(), []

    def draw(asked):
        assert go_on.wait(20)
        return fake.img2img(asked)

    def look(asked):
        looks.append(asked.body["id_task"])
        if len(looks) == 10:
            go_on.set()
        return {"active": True, "queued": len(looks) < 3, "progress": 0.25}

    server.routes[f"POST {IMG2IMG}"] = draw
    server.routes["POST /internal/progress"] = look
    server.routes["POST /sdapi/v1/interrupt"] = lambda asked: go_on.set()
    yield looks
    go_on.set()


def test_a_person_sees_how_far_a_face_is(server, slow):
    watching = Watching()
    within = FaceProgress(watching, 4)
    within.step(2, 4, "face 1 fixed")
    SdapiDiffuser(webui(server), within=within).redraw([crop(3)], Sampling())
    assert watching.steps[1] == (2, 4, "face 3 waits for the WebUI")
    assert watching.steps[4] == (2, 4, "re-diffusing face 3, 25%")
    assert set(slow) == {server.last(IMG2IMG).body["force_task_id"]}
    assert "POST /sdapi/v1/interrupt" not in server.paths()


def test_a_person_who_stops_interrupts_the_run(server, slow):
    with pytest.raises(Stopped):
        SdapiDiffuser(webui(server), within=FaceProgress(Watching(stop_after=2), 1)).redraw([crop()], Sampling())
    assert server.paths().count("POST /sdapi/v1/interrupt") == 1


def test_ctrl_c_interrupts_the_run(server, slow):
    class Impatient(Watching):
        def should_stop(self):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        SdapiDiffuser(webui(server), within=FaceProgress(Impatient(), 1)).redraw([crop()], Sampling())
    assert server.paths().count("POST /sdapi/v1/interrupt") == 1


def test_the_run_of_somebody_else_is_not_interrupted(server, slow):
    server.routes["POST /internal/progress"] = {"active": False, "queued": True}
    with pytest.raises(Stopped):
        SdapiDiffuser(webui(server), within=FaceProgress(Watching(stop_after=1), 1)).redraw([crop()], Sampling())
    assert "POST /sdapi/v1/interrupt" not in server.paths()


def test_a_webui_that_does_not_say_how_far_it_is_draws_all_the_same(server, fake):
    server.routes["POST /internal/progress"] = Reply(404)
    server.routes[f"POST {IMG2IMG}"] = lambda asked: (threading.Event().wait(0.1), fake.img2img(asked))[1]
    watching = Watching()
    [drawn] = SdapiDiffuser(webui(server), within=FaceProgress(watching, 1)).redraw([crop(2)], Sampling())
    assert (drawn == 255 - crop(2).image).all()
    assert watching.steps[0] == (0, 1, "re-diffusing face 2")
