"""Other detectors than the default in a running WebUI: built in, several at once, model files where ADetailer keeps its
own, packages that the WebUI has; and those that cannot be used."""

import os
import pickle
import subprocess
import zipfile

import numpy as np
import pictures
import pytest
import server
from driving import QUICK, changed, difference, packed
from server import Refused
from yolo_made import yolo_onnx

SIDE = 192
TWO = pictures.sheet(2, side=SIDE)
HALF = SIDE / pictures.ROOM / 2
"""Of a face, pixels."""
LEFT, RIGHT = (96, 96), (288, 96)
"""Where the faces are."""
FILE = "right - face.onnx"
"""A net that finds the right one, by a name that an expression has in quotes."""
PICKLE = "face_yolov8n.pt"


@pytest.fixture(scope="module")
def models(webui, tmp_path_factory):
    """Model files in the folder of the WebUI that is ADetailer's; the pickle would leave a file behind if it were read.

    Gives the place of that file.
    """
    folder, marker = webui.folder / "models" / "adetailer", tmp_path_factory.mktemp("pickle") / "was here"
    folder.mkdir(parents=True, exist_ok=True)
    (x, y), made = RIGHT, [folder / FILE, folder / PICKLE]
    made[0].write_bytes(yolo_onnx(TWO.size, [(x - HALF, y - HALF, x + HALF, y + HALF)]))
    with zipfile.ZipFile(made[1], "w") as archive:
        archive.writestr("net/data.pkl", pickle.dumps(Attack(marker), protocol=2))
        archive.writestr("net/version", "3\n")
    yield marker
    for path in made:
        path.unlink()


class Attack:
    def __init__(self, marker):
        self._marker = marker

    def __reduce__(self):
        return os.system, (f"touch '{self._marker}'",)


def has(package):
    """Tell whether the WebUI has a Python package."""
    code = f"import importlib.util, sys; sys.exit(not importlib.util.find_spec({package!r}))"
    return not subprocess.run([server.python(), "-c", code], check=False).returncode


def found(made):
    """Return the centres of the faces that were found, from left to right."""
    boxes = [face["box"] for face in made.faces().values()]
    return [((left + right) / 2, (top + bottom) / 2) for left, top, right, bottom in boxes]


@pytest.mark.parametrize(
    ("detector", "centres"),
    [
        pytest.param("centerface", [LEFT, RIGHT], id="built in"),
        pytest.param("blazeface + centerface", [LEFT, RIGHT], id="either"),
        pytest.param(f'"{FILE}"', [RIGHT], id="a YOLO file by name"),
        pytest.param(f'blazeface - "{FILE}"', [LEFT], id="one without the other"),
        pytest.param(f'2 of blazeface, centerface, "{FILE}"', [LEFT, RIGHT], id="a vote"),
        pytest.param("mediapipe_face_full", [LEFT, RIGHT], id="mediapipe"),
    ],
)
def test_what_a_detector_finds_is_fixed_and_all_else_keeps_its_bytes(host, models, detector, centres):
    if detector.startswith("mediapipe") and not has("mediapipe"):
        pytest.skip("this WebUI has no mediapipe")
    asked = {"draws": [TWO], "save_images": True}
    plain = host.txt2img(**asked)
    with host.options(facefix_save_masks=True):
        fixed = host.txt2img({**QUICK, "detector": detector}, **asked)
    [mask] = host.saved("-facefix-mask.png")

    assert fixed.record()["passes"][0]["detector"] == detector
    assert np.ravel(found(fixed)) == pytest.approx(np.ravel(centres), abs=HALF / 2)
    where = changed(plain.picture, fixed.picture)
    assert not where[mask[..., 0] == 0].any()
    assert where[mask[..., 0] == 255].mean() > 0.9
    assert (where[:, :SIDE].any(), where[:, SIDE:].any()) == (LEFT in centres, RIGHT in centres)


@pytest.mark.parametrize(
    ("detector", "said"),
    [
        pytest.param(PICKLE, PICKLE, id="a pickle"),
        pytest.param(f"blazeface + {PICKLE}", PICKLE, id="a pickle among others"),
        pytest.param("gone.onnx", "gone.onnx is not installed", id="a missing file"),
        pytest.param("blazeface + gone.onnx", "gone.onnx is not installed", id="a missing file among others"),
        pytest.param("buffalo_l", "needs det_10g.onnx from https", id="another program's file"),
    ],
)
def test_a_detector_that_cannot_be_used_is_refused_in_words_before_anything_is_drawn(host, models, detector, said):
    good = host.txt2img(QUICK, draws=[TWO]).picture
    host.forget()
    with pytest.raises(Refused) as refused:
        host.txt2img(QUICK, {**QUICK, "detector": detector}, draws=[TWO])

    assert refused.value.status in (422, 500)
    assert "pass 2: " in str(refused.value.answer)
    assert said in str(refused.value.answer)
    assert sum(len(run["items"]) for run in host.all_runs()) == 0
    assert not models.exists()
    assert difference(host.txt2img(QUICK, draws=[TWO]).picture, good) == 0


def test_a_pickle_that_could_not_be_read_safely_is_told_with_the_way_out(host, models):
    with pytest.raises(Refused) as refused:
        host.txt2img({**QUICK, "detector": PICKLE}, draws=[TWO])
    told = str(refused.value.answer)
    assert ("is a pickle, and " if has("ultralytics") else "needs the Python package 'ultralytics'") in told
    assert "facefix models convert" in told
    assert not models.exists()


def test_the_api_lists_the_files_and_finds_by_them(host, models):
    listed = {one["name"]: one for one in host.webui.get("/facefix/v1/models")["detectors"]}
    assert listed[f'"{FILE}"']["here"]
    assert listed[PICKLE]["label"] == PICKLE
    asked = {"image": packed(TWO), "settings": {"detector": f'"{FILE}"'}}
    [face] = host.webui.post("/facefix/v1/detect", asked)["faces"]
    assert face["box"] == pytest.approx([RIGHT[0] - HALF, RIGHT[1] - HALF, RIGHT[0] + HALF, RIGHT[1] + HALF], abs=1)


@pytest.mark.parametrize("detector", [PICKLE, "gone.onnx"])
def test_the_api_refuses_what_cannot_be_used_in_the_same_words(host, models, detector):
    with pytest.raises(Refused, match=detector) as refused:
        host.webui.post("/facefix/v1/detect", {"image": packed(TWO), "settings": {"detector": detector}})
    assert 400 <= refused.value.status < 500
    assert not models.exists()
