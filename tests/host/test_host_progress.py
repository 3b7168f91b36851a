"""What a person sees while faces are drawn."""

import base64
import io
import threading
import time

import pictures
from driving import QUICK
from PIL import Image


def watched(host, generate):
    """Return what the page reads about the task while `generate` runs, each answer once."""
    seen, task = [], "task(tests)"
    worker = threading.Thread(target=generate, args=(task,))
    worker.start()
    while worker.is_alive():
        seen.append(
            host.webui.post("/internal/progress", {"id_task": task, "id_live_preview": -1, "live_preview": True})
        )
        time.sleep(0.03)
    worker.join()
    return seen


def test_the_progress_line_names_the_faces_and_the_preview_shows_them(host):
    with host.options(show_progress_every_n_steps=1, show_progress_type="Approx cheap", live_preview_refresh_period=30):
        seen = watched(host, lambda task: host.txt2img(
            {**QUICK, "steps": 40, "denoising_strength": 1.0}, draws=[pictures.sheet(2)], force_task_id=task, steps=1
        ))  # fmt: skip
    lines = [answer["textinfo"] for answer in seen if answer["active"] and answer["textinfo"]]
    assert any("FaceFix: 2 faces in one run, step" in line for line in lines), lines
    assert all(0 <= (answer["progress"] or 0) <= 1 for answer in seen)
    previews = [
        answer["live_preview"] for answer in seen if "FaceFix" in (answer["textinfo"] or "") and answer["live_preview"]
    ]
    assert previews
    shown = Image.open(io.BytesIO(base64.b64decode(previews[-1].split(",", 1)[1])))
    assert shown.width == 2 * shown.height


def test_afterwards_the_progress_line_is_the_picture_s_own_again(host):
    host.txt2img(QUICK, draws=[pictures.sheet(2)])
    assert "FaceFix" not in str(host.state()["at work"])
