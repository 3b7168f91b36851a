"""Lets the model "draw" prepared pictures: a tiny random one draws no faces.

One argument: paths of pictures, one for each picture of the run and then from the start again. They take the place of
what was sampled, of whatever size, before any hook has seen that. Pixels lie between two bytes, as a real model's do.
"""

import gradio as gr
import numpy as np
import torch
from modules import scripts
from PIL import Image


class Drawn(list):
    already_decoded = True


class Painter(scripts.Script):
    def title(self):
        return "Painter"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        return [gr.Textbox(value="", visible=False)]

    def post_sample(self, p, ps, paths):
        if paths:
            first = p.iteration * p.batch_size
            ps.samples = Drawn(drawn(paths[(first + i) % len(paths)]) for i in range(len(p.prompts)))


def drawn(path):
    """Return the picture as a decoder gives it: (3, H, W), -1..1, a part of a byte above what will be seen."""
    with Image.open(path) as picture:
        seen = np.asarray(picture.convert("RGB"), np.float32)
    above = np.random.default_rng(3).uniform(0.05, 0.95, seen.shape).astype(np.float32)
    return torch.from_numpy(np.moveaxis((seen + above) / 255 * 2 - 1, 2, 0).copy())
