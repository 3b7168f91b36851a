"""The API of FaceFix and that of a WebUI, as far as a client needs them, in front of an engine of the test's."""

import base64
import io
from dataclasses import dataclass, field

import cv2
import numpy as np
from answering import Reply
from PIL import Image as Pil

from lib_facefix import FaceFix, FaceSettings, FixPlan
from lib_facefix.settings.generation_info import read_origin


def opened(text):
    """Return the pixels of a picture in base64."""
    return np.array(Pil.open(io.BytesIO(base64.b64decode(text))).convert("RGB"))


def packed(image):
    file = io.BytesIO()
    Pil.fromarray(image).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


@dataclass
class Service:
    """A `facefix serve` that does everything at once, but says of each job first that it is running."""

    engine: FaceFix = field(default_factory=FaceFix)
    token: str = ""
    jobs: dict = field(default_factory=dict)
    lacking: tuple = ()
    """Restorers that it has not."""
    rediffuses: bool = False

    @property
    def routes(self):
        calls = {"GET models": self.models, "POST plan": self.plan, "POST replan": self.replan}
        calls |= {"POST detect": self.detect, "POST fix": self.fix}
        made = {path.replace(" ", " /facefix/v1/"): self._guarded(call) for path, call in calls.items()}
        for job in range(1, 20):
            made[f"GET /facefix/v1/jobs/{job}"] = self._guarded(self.job)
            made[f"DELETE /facefix/v1/jobs/{job}"] = {"version": 1}
        return made

    def _guarded(self, call):
        def answer(asked):
            if self.token and asked.headers.get("Authorization") != f"Bearer {self.token}":
                return Reply(401, {"detail": "wrong token"})
            return call(asked)

        return answer

    def models(self, asked):
        restorers = [{"name": name, "here": name not in self.lacking} for name in ("lite", "gfpgan")]
        restorers.insert(0, {"name": "auto", "here": True, "restorer": "lite"})
        methods = [{"name": "re-diffuse", "here": self.rediffuses}]
        upscalers = [{"name": "lanczos", "here": True}]
        return {"version": 1, "methods": methods, "restorers": restorers, "upscalers": upscalers}

    def _planned(self, body):
        settings = FaceSettings.from_json(body.get("settings", {}))
        overrides = {int(number): own for number, own in body.get("overrides", {}).items()}
        origin = read_origin(body.get("origin", {}))
        return self.engine.plan(opened(body["image"]), settings, overrides=overrides, origin=origin)

    def plan(self, asked):
        return {"version": 1, **self._planned(asked.body).to_json()}

    def replan(self, asked):
        body = asked.body
        plan, settings = FixPlan.from_json(body["plan"]), FaceSettings.from_json(body.get("settings", {}))
        overrides = {int(number): own for number, own in body.get("overrides", {}).items()}
        return {"version": 1, **self.engine.replan(plan, settings, overrides=overrides).to_json()}

    def detect(self, asked):
        faces = self._planned(asked.body).to_json()["faces"]
        names = ("number", "box", "score", "landmarks", "tilt", "pose", "size")
        return {"version": 1, "faces": [{name: face[name] for name in names} for face in faces]}

    def fix(self, asked):
        body = asked.body
        plan = FixPlan.from_json(body["plan"]) if "plan" in body else self._planned(body)
        [result] = self.engine.run([opened(body["image"])], [plan])
        answer = {"version": 1, "image": packed(result.image), **result.to_json()}
        if body.get("wait", True):
            return answer
        self.jobs[job := str(len(self.jobs) + 1)] = ["running", "done"], answer
        return Reply(202, {"version": 1, "job": job})

    def job(self, asked):
        job = asked.path.rpartition("/")[2]
        states, answer = self.jobs[job]
        state = states.pop(0) if len(states) > 1 else states[0]
        seen = {"version": 1, "job": job, "state": state, "done": 1, "total": 2, "doing": "face 1 fixed", "error": None}
        return {**seen, "result": answer if state == "done" else None}


@dataclass
class WebUI:
    """A WebUI that draws negatives, beyond the mask too, as if it had decoded all of it."""

    options: dict = field(default_factory=lambda: {"sd_model_checkpoint": "tiny.safetensors [1f]"})
    embeddings: dict = field(default_factory=dict)

    @property
    def routes(self):
        return {
            "GET /sdapi/v1/options": lambda asked: self.options,
            "POST /sdapi/v1/options": lambda asked: self.options.update(asked.body),
            "GET /sdapi/v1/embeddings": lambda asked: {"loaded": self.embeddings, "skipped": {}},
            "GET /sdapi/v1/samplers": [[{"name": "Euler"}, {"name": "DPM++ 2M"}]],
            "GET /sdapi/v1/schedulers": [[{"name": "karras", "label": "Karras"}]],
            "GET /sdapi/v1/sd-models": [
                [
                    {"title": "tiny.safetensors [1f]", "model_name": "tiny", "hash": "1f", "filename": "/m/tiny"},
                    {"title": "old.ckpt", "model_name": "old", "hash": None, "filename": "/m/old.ckpt"},
                ]
            ],
            "GET /sdapi/v1/sd-vae": [[{"model_name": "fine.vae.pt", "filename": "/v/fine.vae.pt"}]],
            "GET /sdapi/v1/sd-modules": [[{"model_name": "fine.vae.pt", "filename": "/v/fine.vae.pt"}]],
            "POST /internal/progress": {"active": True, "queued": False, "progress": 0.5},
            "POST /sdapi/v1/interrupt": {},
            "POST /sdapi/v1/img2img": self.img2img,
        }

    def img2img(self, asked):
        image = opened(asked.body["init_images"][0])
        size = asked.body["width"], asked.body["height"]
        return {"images": [packed(255 - cv2.resize(image, size))], "info": "{}"}
