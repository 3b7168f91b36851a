"""YOLO nets of ultralytics' own making: read from .pt and .onnx, against ultralytics' own answers."""

import os
import pickle
import zipfile
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
from ultralytics.nn.tasks import DetectionModel

from lib_facefix.detectors.yolo_onnx import from_onnx
from lib_facefix.detectors.yolo_pt import from_pt
from lib_facefix.errors import BadModel, BadSetting
from lib_facefix.weights import convert
from lib_facefix.weights.ultralytics import is_yolo

FIVE = {"kpt_shape": [5, 3], "nc": 1}
KINDS = {"yolov8n": {}, "yolo11n": {}, "yolov8n-seg": {}, "yolov8n-pose": FIVE, "yolo26n": {}}
PHOTO, PHOTOS = "faceapi_sample5", Path(__file__).parents[2] / "data"
EDGE = 0.05
"""Nets of random weights are as sure of many things, so that the last digit decides which are found."""


def enliven(model):
    """Let the layers of a net of random weights know a picture, so that what it sees differs from place to place."""
    with Pil.open(PHOTOS / f"{PHOTO}.jpg") as picture:
        pixels = np.array(picture.convert("RGB").resize((640, 480))).transpose(2, 0, 1)[None]
    layers = [layer for layer in model.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = 1.0
    model.train()
    with torch.no_grad():
        model(torch.from_numpy(pixels / np.float32(255)))
    for layer in layers:
        layer.momentum = 0.03
    model.eval()
    for name, branch in model.model[-1].named_children():
        for scale in branch if name.endswith("cv3") else ():
            scale[-1].weight.data *= 0.03  # or else all scores are 1.0
            scale[-1].bias.data.zero_()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Nets of random weights that are sure of something: none can be had here that is trained."""
    folder = tmp_path_factory.mktemp("yolo")

    def make(kind):
        path = folder / f"{kind}.pt"
        if not path.exists():
            torch.manual_seed(3)
            net = YOLO(f"{kind}.yaml")
            if KINDS[kind]:
                task = net.task
                net = YOLO(f"{kind}.yaml", task=task)
                net.model = type(net.model)({**net.model.yaml, **KINDS[kind]}, verbose=False)
                net.model.args, net.model.task = dict(net.overrides), task
            enliven(net.model)
            net.save(str(path))
        return path

    return make


@pytest.fixture(scope="module")
def converted(made):
    return lambda kind: (
        made(kind).with_suffix(".onnx") if made(kind).with_suffix(".onnx").exists() else convert(made(kind))
    )


def theirs(path, picture, conf, **more):
    [result] = YOLO(path, task=more.pop("task", None))(
        Pil.fromarray(picture), conf=conf, iou=0.7, max_det=3000, verbose=False, device="cpu", **more
    )
    return result


def a_level(path, picture):
    """A confidence that about thirty finds reach."""
    scores = theirs(path, picture, 0.0001).boxes.conf.sort(descending=True).values
    return float((scores[29] + scores[30]) / 2) if len(scores) > 31 else float(scores[-1]) * 0.99


def agree(ours, result, pixels):
    """Their finds are ours: as sure, and the box within so many pixels; but for those at the very edge of `conf`."""
    boxes, scores = result.boxes.xyxy.cpu().numpy(), result.boxes.conf.cpu().numpy()
    real = (boxes[:, 2:] > boxes[:, :2]).all(1)
    boxes, scores = boxes[real], scores[real]
    assert len(boxes) > 3
    assert abs(len(ours) - len(boxes)) <= EDGE * len(boxes)
    found = np.array([(f.box.left, f.box.top, f.box.right, f.box.bottom) for f in ours])
    away = np.abs(found[None] - boxes[:, None]).max(2)
    same = away.min(1) < pixels
    assert same.mean() >= 1 - EDGE
    sure = np.array([face.score for face in ours])[away.argmin(1)]
    assert np.abs(sure - scores)[same].max() < 0.005


@pytest.mark.parametrize("kind", KINDS)
def test_a_checkpoint_gives_what_ultralytics_finds(made, photo, kind):
    picture, path = photo(PHOTO), made(kind)
    level = a_level(path, picture)
    agree(from_pt(path).detect(picture, level), theirs(path, picture, level), 0.6)


@pytest.mark.parametrize("kind", KINDS)
def test_the_converted_file_gives_what_ultralytics_finds_without_it(converted, photo, kind):
    picture, path = photo(PHOTO), converted(kind)
    task = {"yolov8n-seg": "segment", "yolov8n-pose": "pose"}.get(kind, "detect")
    [result] = [theirs(path, picture, 0.0001, task=task)]
    scores = result.boxes.conf.sort(descending=True).values
    level = float((scores[29] + scores[30]) / 2)
    agree(from_onnx(path).detect(picture, level), theirs(path, picture, level, task=task), 0.6)


def test_outlines_are_the_masks_that_ultralytics_draws(made, photo):
    picture, path = photo(PHOTO), made("yolov8n-seg")
    level = a_level(path, picture)
    result = theirs(path, picture, level, retina_masks=True)
    ours = from_pt(path).detect(picture, level)
    compared = 0
    for box, mask in zip(result.boxes.xyxy.tolist(), result.masks.data.numpy(), strict=True):
        face = max(ours, key=lambda face: -abs(np.subtract((face.box.left, face.box.top), box[:2])).max())
        whole = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
        if face.outline is None or whole[0] != 2:
            continue  # of several parts ours is the largest
        drawn = np.zeros(picture.shape[:2], np.uint8)
        cv2.fillPoly(drawn, [np.round((face.outline - 0.5) * 16).astype(np.int32)], 1, shift=4)
        if mask.sum() > 2000:
            compared += 1
            assert (drawn * mask).sum() / np.maximum(drawn, mask).sum() > 0.8  # at a net's jagged random edges
    assert compared


def test_a_five_point_net_gives_landmarks(made, photo):
    picture, path = photo(PHOTO), made("yolov8n-pose")
    level = a_level(path, picture)
    result = theirs(path, picture, level)
    face = from_pt(path).detect(picture, level)[0]
    best = int(result.boxes.conf.argmax())
    assert np.abs(face.landmarks - result.keypoints.xy[best].numpy()).max() < 1


def test_classes_are_chosen_by_name_and_number(made, photo):
    picture, path = photo(PHOTO), made("yolov8n")
    level = a_level(path, picture)
    kinds = theirs(path, picture, level).boxes.cls.int().tolist()
    chosen = max(set(kinds), key=kinds.count)
    name = YOLO(path).names[chosen]
    assert len(from_pt(path, [name]).detect(picture, level)) >= kinds.count(chosen)
    assert len(from_pt(path, [str(chosen)]).detect(picture, level)) == len(from_pt(path, [name]).detect(picture, level))
    with pytest.raises(BadSetting, match=r"has no class 'unicorn'\. Choose from: 0 \w+"):
        from_pt(path, ["unicorn"])


def test_a_hostile_checkpoint_is_not_run(made, tmp_path):
    marker, hostile = tmp_path / "was here", tmp_path / "face_yolov8n.pt"

    class Attack:
        def __reduce__(self):
            return os.system, (f"touch '{marker}'",)

    with zipfile.ZipFile(made("yolov8n")) as good, zipfile.ZipFile(hostile, "w") as bad:
        for entry in good.infolist():
            content = good.read(entry)
            if entry.filename.endswith("data.pkl"):
                content = pickle.dumps({"model": Attack(), "more": DetectionModel}, protocol=2)
            bad.writestr(entry, content)

    assert is_yolo(hostile)
    for use in (from_pt, convert):
        with pytest.raises(BadModel, match=r"reader refused|could not be exported"):
            use(hostile)
    assert not marker.exists()


def test_a_checkpoint_is_told_from_plain_weights(made, tmp_path):
    torch.save({"params": {"a": torch.zeros(3)}}, tmp_path / "plain.pt")
    assert is_yolo(made("yolov8n"))
    assert not is_yolo(tmp_path / "plain.pt")


def test_no_socket_is_opened(made, converted, photo, sockets_of):
    picture = photo(PHOTO)
    by_torch, by_onnx = from_pt(made("yolov8n")), from_onnx(converted("yolov8n"))
    assert sockets_of(lambda: (by_torch.detect(picture, 0.5), by_onnx.detect(picture, 0.5))) == []
