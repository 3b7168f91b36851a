"""Asking a WebUI for pictures with faces, and reading what comes back."""

import base64
import hashlib
import io
import json
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pictures
import server
from infotext_words import record
from PIL import Image

QUICK = {"method": "re-diffuse", "width": 64, "height": 64, "steps": 4, "denoising_strength": 0.5}
"""A pass that takes little time, and changes a face plainly."""
PICTURES = (".png", ".jpg", ".webp")
"""Endings of the files that count as saved pictures."""


@dataclass(frozen=True)
class Made:
    """What a request gave."""

    pictures: list
    """RGB uint8 (H, W, 3)."""
    infotexts: list
    info: dict

    @property
    def picture(self):
        [picture] = self.pictures
        return picture

    def record(self, number=0):
        """Return what FaceFix wrote into the infotext of a picture; None where it wrote nothing."""
        return record(self.infotexts[number])

    def faces(self, number=0, nth_pass=1):
        """Return the faces of a picture by number, as recorded of a pass."""
        return {face["n"]: face for face in self.record(number)["faces"][nth_pass - 1]}


class Host:
    """A WebUI whose model draws the pictures that a test has made."""

    def __init__(self, webui: server.WebUI):
        self.webui = webui
        self._drawings = webui.folder / "drawings"
        self._drawings.mkdir(exist_ok=True)
        self.forget()

    def txt2img(self, *passes, draws=(), scripts=None, **fields):
        """Generate; passes: of FaceFix, which is not enabled without any; draws: PIL pictures that the model draws."""
        return self._ask("txt2img", passes, draws, scripts, fields)

    def img2img(self, photo, *passes, draws=(), scripts=None, mask=None, **fields):
        """Generate from a PIL photo at its own size, perhaps with a mask, PIL."""
        fields = {"width": photo.width, "height": photo.height, "init_images": [packed(photo)], **fields}
        if mask is not None:
            fields["mask"] = packed(mask)
        return self._ask("img2img", passes, draws, scripts, fields)

    def order(self, **orders):
        """Have the saboteur do something to the runs from now on."""
        self.webui.post("/saboteur", orders)

    def runs(self):
        """Return the sampling runs inside others, as the saboteur saw them since the last `forget`."""
        return [run for run in self.all_runs() if run["depth"] > 1]

    def all_runs(self):
        return self.webui.get("/saboteur")

    def comments(self):
        """Return what stood under the last result."""
        return [run for run in self.all_runs() if run["depth"] == 1][-1]["comments"]

    @contextmanager
    def options(self, **values):
        """Change settings of the settings page for a while."""
        before = self.webui.post("/counter/settings", list(values))
        self.webui.post("/sdapi/v1/options", values)
        try:
            yield
        finally:
            self.webui.post("/sdapi/v1/options", before)

    def forget(self):
        """Take back orders; let runs, counts and what was saved start anew."""
        self.webui.delete("/saboteur")
        self.webui.delete("/counter")
        self._earlier = self._outputs()

    def counts(self):
        return self.webui.get("/counter")

    def state(self):
        return self.webui.get("/counter/state")

    def saved(self, ending=".png"):
        """Return the pictures saved since the last `forget` under names of this ending, oldest first."""
        return [opened(path) for path in self.saved_paths(ending)]

    def saved_paths(self, ending=".png"):
        """Return the files saved since the last `forget` under names of this ending, oldest first."""
        new = [path for path in self._outputs() if path not in self._earlier and path.name.endswith(ending)]
        return sorted(new, key=lambda path: path.stat().st_mtime_ns)

    def _outputs(self):
        return {path for path in self.webui.folder.glob("output*/**/*") if path.suffix in PICTURES}

    def _ask(self, kind, passes, draws, scripts, fields):
        scripts = {"Painter": {"args": [[self._drawing(picture) for picture in draws]]}, **(scripts or {})}
        if passes:
            scripts["FaceFix"] = {"args": [True, *passes]}
        body = server.request(alwayson_scripts=scripts, **fields)
        return made(self.webui.post(f"/sdapi/v1/{kind}", body))

    def _drawing(self, picture):
        path = self._drawings / f"{hashlib.sha1(picture.tobytes()).hexdigest()}.png"
        if not path.exists():
            picture.save(path)
        return str(path)


def made(answer):
    """Read the API's answer."""
    info = json.loads(answer["info"])
    found = [pictures.array(Image.open(io.BytesIO(base64.b64decode(image)))) for image in answer["images"]]
    first = info["index_of_first_image"]
    return Made(found[first:], info["infotexts"][first:], info)


def packed(picture):
    """Return a PIL picture as the API takes it."""
    file = io.BytesIO()
    picture.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def opened(path: Path):
    with Image.open(path) as picture:
        return pictures.array(picture)


def difference(one, other):
    """Return by how much two pictures differ at most, 0..255."""
    assert one.shape == other.shape
    return int(np.abs(one.astype(int) - other.astype(int)).max())


def changed(one, other):
    """Return where two pictures differ, (H, W) bool."""
    assert one.shape == other.shape
    return (one != other).any(axis=2)


def inside(box):
    """Return the index of a box (left, top, right, bottom) in a picture."""
    left, top, right, bottom = (max(0, round(place)) for place in box)
    return np.s_[top:bottom, left:right]
