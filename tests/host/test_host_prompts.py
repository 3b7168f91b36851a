"""Prompts of faces in a running WebUI: added to the picture's own, and with its LoRAs."""

import numpy as np
import pictures
import pytest
from driving import QUICK, difference
from safetensors.numpy import save_file

ONE = pictures.sheet(1)
LAYER = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_out_0"
"""A layer of the tiny checkpoint, as LoRAs name it."""
WIDTH = 32


@pytest.fixture(scope="module", autouse=True)
def loras(webui):
    """Two LoRAs that change what the model draws."""
    folder = webui.folder / "models" / "Lora"
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(1)
    for name in ("ann", "bob"):
        up, down = (rng.normal(0, 1, shape).astype(np.float32) for shape in ((WIDTH, 4), (4, WIDTH)))
        facts = {f"{LAYER}.lora_up.weight": up, f"{LAYER}.lora_down.weight": down, f"{LAYER}.alpha": np.float32([4.0])}
        save_file(facts, folder / f"{name}.safetensors")
    webui.post("/sdapi/v1/refresh-loras")


def prompts(host):
    """Return the prompts of the runs for faces."""
    return [prompt for run in host.runs() for prompt in run["prompts"]]


@pytest.mark.parametrize(
    ("mode", "prompt", "negative"),
    [
        ("append", "a girl, smiling", "blurred, hat"),
        ("prepend", "smiling, a girl", "hat, blurred"),
        ("replace", "smiling", "hat"),
    ],
)
def test_a_face_prompt_is_added_to_the_pictures_own(host, mode, prompt, negative):
    unit = {**QUICK, "prompt": "smiling", "negative_prompt": "hat", "prompt_mode": mode}
    made = host.txt2img(unit, draws=[ONE], prompt="a girl", negative_prompt="blurred")
    [run] = host.runs()
    assert (run["prompts"], run["negative_prompts"]) == ([prompt], [negative])
    recorded = made.faces()[1]
    assert (recorded["prompt"], recorded["negative_prompt"]) == (prompt, negative)


def test_a_face_prompt_keeps_the_pictures_loras_and_its_own_weights(host):
    asked = {"draws": [ONE], "prompt": "a girl <lora:ann:0.9> <lora:bob:0.5>"}
    kept = host.txt2img({**QUICK, "prompt": "smiling <lora:bob:0.2>"}, **asked)
    written = "smiling <lora:bob:0.2> <lora:ann:0.9>"
    assert prompts(host) == [written]
    assert kept.faces()[1]["prompt"] == written

    by_hand = host.txt2img({**QUICK, "prompt": written, "keep_loras": False}, **asked)
    without = host.txt2img({**QUICK, "prompt": "smiling <lora:bob:0.2>", "keep_loras": False}, **asked)
    assert difference(kept.picture, by_hand.picture) == 0
    assert difference(kept.picture, without.picture) > 3, "the LoRA of the picture changes the face"
    assert without.record()["passes"][0]["keep_loras"] is False


def test_a_lora_is_applied_once_where_prompts_are_joined(host):
    asked = {"draws": [ONE], "prompt": "a girl <lora:ann:0.9>"}
    joined = host.txt2img({**QUICK, "prompt": "old <lora:ann:0.3>", "prompt_mode": "append"}, **asked)
    assert prompts(host) == ["a girl, old <lora:ann:0.3>"]
    by_hand = host.txt2img({**QUICK, "prompt": "a girl, old <lora:ann:0.3>"}, **asked)
    assert difference(joined.picture, by_hand.picture) == 0


def test_the_picture_after_it_has_its_own_loras(host):
    asked = {"draws": [ONE], "prompt": "a girl <lora:ann:0.9>"}
    first = host.txt2img({**QUICK, "prompt": "old <lora:bob:1>", "keep_loras": False}, **asked)
    again = host.txt2img({**QUICK, "prompt": "old <lora:bob:1>", "keep_loras": False}, **asked)
    assert difference(first.picture, again.picture) == 0
