"""Counts how often each hook of an extension is called, and tells what a run leaves behind in the WebUI.

GET /counter: counts since DELETE /counter. POST /counter/watch/{title}: counts another script's hooks, too.
GET /counter/state: settings, last prompt, what is being done, cached prompts, and what chance holds next.
POST /counter/settings: the values of these settings, also of such as nobody has changed yet.
POST /counter/chance/{seed}: sets the seed of Python's own generator, from which blank seeds are drawn.
"""

import random
from collections import Counter
from pathlib import Path

import gradio as gr
from modules import paths, processing, script_callbacks, scripts, shared

HOOKS = (
    *("setup", "before_process", "process", "before_process_batch", "after_extra_networks_activate", "process_batch"),
    *("process_before_every_sampling", "on_mask_blend", "post_sample", "postprocess_batch", "postprocess_batch_list"),
    *("postprocess_image", "postprocess_maskoverlay", "postprocess_image_after_composite", "postprocess"),
)
CALLBACKS = ("cfg_denoiser", "cfg_denoised", "cfg_after_cfg", "before_image_saved", "image_saved", "image_grid")
SHOWN = ("job", "job_count", "sampling_step", "textinfo", "interrupted", "skipped")

COUNTS = Counter()


class HookCounter(scripts.Script):
    def title(self):
        return "Counter"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        return [gr.Textbox(value="", visible=False)]


def counted(name, call):
    def count(*args, **kwargs):
        COUNTS[name] += 1
        return call(*args, **kwargs)

    return count


for hook in HOOKS:
    setattr(HookCounter, hook, counted(f"Counter.{hook}", lambda *args, **kwargs: None))


def watch(title: str):
    """Count the calls of a script's hooks from now on; returns their names."""
    names = []
    for runner in (scripts.scripts_txt2img, scripts.scripts_img2img):
        for script in runner.alwayson_scripts:
            for hook in HOOKS if script.title() == title else ():
                if getattr(type(script), hook, None) is not getattr(scripts.Script, hook, None):
                    setattr(script, hook, counted(f"{title}.{hook}", getattr(script, hook)))
                    names.append(hook)
    return names


def state():
    last = Path(paths.data_path) / "params.txt"
    cached = processing.StableDiffusionProcessing
    return {
        "settings": {name: repr(value) for name, value in sorted(shared.opts.data.items())},
        "last prompt": last.read_text("utf-8") if last.exists() else None,
        "at work": {name: getattr(shared.state, name, None) for name in SHOWN},
        "cached prompts": [repr(cache[0]) for cache in (cached.cached_c, cached.cached_uc)],
        "chance": hash(random.getstate()),
        "in the VAE's and model's place": [
            type(shared.sd_model).__name__,
            str(getattr(shared.sd_model, "sd_model_hash", "")),
        ],
    }


def forget():
    COUNTS.clear()


def settings(names: list[str]):
    return {name: getattr(shared.opts, name) for name in names}


def settle(seed: int):
    random.seed(seed)


def serve(_, app):
    app.add_api_route("/counter", lambda: dict(COUNTS), methods=["GET"])
    app.add_api_route("/counter", forget, methods=["DELETE"])
    app.add_api_route("/counter/state", state, methods=["GET"])
    app.add_api_route("/counter/settings", settings, methods=["POST"])
    app.add_api_route("/counter/watch/{title}", watch, methods=["POST"])
    app.add_api_route("/counter/chance/{seed}", settle, methods=["POST"])


script_callbacks.on_app_started(serve)
for callback in CALLBACKS:
    getattr(script_callbacks, f"on_{callback}")(counted(f"Counter.{callback}", lambda *_: None))
