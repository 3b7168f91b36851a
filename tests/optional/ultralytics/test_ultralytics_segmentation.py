"""A segmenting net trained here, on two photos that it learns by heart: its outlines, the masks made of them, the seam.

None can be had that is trained on faces. What it is taught are the hulls of the built-in mesh; it takes a minute.
"""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pil

from lib_facefix.optional_imports import disable_telemetry

disable_telemetry("ultralytics")
pytest.importorskip("ultralytics")
pytest.importorskip("onnx")

import torch
from ultralytics import YOLO

from lib_facefix import FaceFix, FaceSettings
from lib_facefix.cli import __main__ as command
from lib_facefix.imaging.masks import fill_outline, polygon

PHOTOS = {"astronaut": 1, "faceapi_sample6": 4}
SIDE, EPOCHS = 416, 80
UNCHANGED = dict.fromkeys(
    ("mosaic", "scale", "translate", "fliplr", "hsv_h", "hsv_s", "hsv_v", "erasing", "close_mosaic"), 0
)
"""The photos as they are, each time."""
ALIKE, BETTER = 0.8, 0.05
"""IoU of an outline and the hull that was taught; a box around the hull has 0.76 to 0.83."""
SEEN = 1.01
"""A step at the edge of what was changed is seen where it is larger by this than it was before."""

pytestmark = pytest.mark.filterwarnings("default")  # training warns of its own schedule


def hulls(image):
    return [cv2.convexHull(face.mesh.points[:, :2].astype(np.float32))[:, 0] for face in FaceFix().detect(image)]


def teach(folder, name, image):
    """Write a photo and the outlines of its faces as ultralytics takes them: in shares of width and height."""
    height, width = image.shape[:2]
    Pil.fromarray(image).save(folder / "images" / f"{name}.png")
    lines = [" ".join(map(str, (0, *(hull / (width, height)).clip(0, 1).ravel()))) for hull in hulls(image)]
    (folder / "labels" / f"{name}.txt").write_text("\n".join(lines))


def learn_statistics_fast(trainer):
    """At their own pace they would need some hundred steps."""
    for module in trainer.model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 0.1


@pytest.fixture(scope="module")
def photos():
    def look(name):
        with Pil.open(Path(__file__).parents[2] / "data" / f"{name}.jpg") as file:
            return np.array(file.convert("RGB"))

    return {name: look(name) for name in PHOTOS}


@pytest.fixture(scope="module")
def trained(photos, tmp_path_factory):
    """The checkpoint of a YOLOv8n-seg that started from random weights."""
    folder = tmp_path_factory.mktemp("seg")
    for part in ("images", "labels"):
        (folder / part).mkdir()
    for name, image in photos.items():
        teach(folder, name, image)
    (folder / "data.yaml").write_text(f"path: {folder}\ntrain: images\nval: images\nnames: [face]\n")
    net = YOLO("yolov8n-seg.yaml", task="segment")
    net.add_callback("on_train_start", learn_statistics_fast)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("ultralytics.data.utils.check_font", lambda name: None)  # it would be downloaded
        net.train(
            data=str(folder / "data.yaml"), project=str(folder), name="run", epochs=EPOCHS, imgsz=SIDE, device="cpu",
            batch=len(photos), nbs=len(photos), workers=0, cache=True, amp=False, plots=False, val=False, verbose=False,
            pretrained=False, seed=1, optimizer="AdamW", lr0=0.003, lrf=0.1, **UNCHANGED,
        )  # fmt: skip
    return folder / "run" / "weights" / "last.pt"


@pytest.fixture(scope="module", params=["as it is", "converted"])
def detector(request, trained):
    """The checkpoint, or the .onnx that `facefix models convert` makes of it, as the setting `detector` takes it."""
    if request.param == "as it is":
        return str(trained)
    made = trained.with_suffix(".onnx")
    assert made.exists() or command.main(["models", "convert", str(trained)]) == 0
    return str(made)


def iou(one, other):
    return (one * other).sum() / np.maximum(one, other).sum()


@pytest.mark.parametrize("name", PHOTOS)
def test_every_face_is_found_once_and_its_outline_lies_on_it_closer_than_its_box(detector, name, photos):
    image = photos[name]
    faces = FaceFix().detect(image, FaceSettings(detector=detector, angles="off"))
    assert len(faces) == PHOTOS[name]
    for hull in hulls(image):
        taught = polygon(hull, image.shape[:2])
        alike, face = max(
            ((iou(taught, fill_outline(face.outline, image.shape[:2])), face) for face in faces),
            key=lambda pair: pair[0],
        )
        assert alike > ALIKE
        assert alike > iou(taught, polygon(face.box.corners, image.shape[:2])) + BETTER


@pytest.mark.parametrize("name", PHOTOS)
def test_the_mask_made_of_it_shows_no_seam_and_no_byte_changes_outside_it(detector, name, photos, step_at_edge):
    image, fix = photos[name], FaceFix()
    settings = FaceSettings(detector=detector, angles="off", method="restore", mask="segmentation", fidelity=0.0)
    plan = fix.plan(image, settings)
    shown = fix.mask(image, plan)
    [result] = fix.run([image], [plan])

    assert [(outcome.verdict, outcome.note) for outcome in result.outcomes] == [("fixed", "")] * PHOTOS[name]
    changed = (result.image != image).any(2)
    assert changed.sum() > 100
    assert not changed[shown == 0].any()
    assert step_at_edge(result.image, shown) <= SEEN * step_at_edge(image, shown)


@pytest.mark.parametrize("name", PHOTOS)
def test_without_a_soft_edge_the_mask_is_what_was_outlined(detector, name, photos):
    image, fix = photos[name], FaceFix()
    settings = FaceSettings(detector=detector, angles="off", method="restore", mask="segmentation", mask_feather=0.0)
    plan = fix.plan(image, settings)
    drawn = np.max([fill_outline(job.face.outline, image.shape[:2]) for job in plan.jobs], 0)
    assert iou(fix.mask(image, plan), drawn) > 0.95
