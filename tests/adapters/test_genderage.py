"""Gender and age by an ONNX file of insightface's layout: what it says is made of the colours of the face."""

import importlib.util
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image as Pil

from lib_facefix import FaceFix, FaceSettings, Runtime
from lib_facefix.errors import BadModel
from lib_facefix.landmarks.insight import GenderAge
from lib_facefix.types import Box, Face

PHOTO = Path(__file__).parents[1] / "data" / "faceapi_sample5.jpg"
RED, BLUE = (200, 40, 90), (40, 30, 200)


@pytest.fixture(params=["normed inside", "normed outside"])
def weights(request, tmp_path):
    """genderage.onnx: red is how female, blue how male, and green a third of the age."""
    nodes, tensors, x = [], {"by": np.eye(3, dtype=np.float32)[[0, 2, 1]].T, "shape": np.array([1, 3])}, "data"
    if request.param == "normed inside":
        tensors |= {"mean": np.float32(127.5), "scale": np.float32(1 / 128)}
        nodes = [
            helper.make_node("Sub", ["data", "mean"], ["off"], name="_minusscalar0"),
            helper.make_node("Mul", ["off", "scale"], ["normed"], name="_mulscalar0"),
        ]
        x = "normed"
    nodes += [
        helper.make_node("GlobalAveragePool", [x], ["pooled"]),
        helper.make_node("Reshape", ["pooled", "shape"], ["flat"]),
        helper.make_node("MatMul", ["flat", "by"], ["swapped"]),
        helper.make_node("Add", ["swapped", "more"], ["fc1"]),
    ]
    tensors["more"] = np.array([[0, 0, 1]], np.float32)
    picture = helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 3, 96, 96])
    answer = helper.make_tensor_value_info("fc1", TensorProto.FLOAT, [1, 3])
    held = [numpy_helper.from_array(np.asarray(value), name) for name, value in tensors.items()]
    model = helper.make_model(
        helper.make_graph(nodes, "genderage", [picture], [answer], held), opset_imports=[helper.make_opsetid("", 11)]
    )
    model.ir_version = 6
    path = tmp_path / "genderage.onnx"
    onnx.save(model, path)
    return path


@pytest.fixture
def picture():
    """Two faces, left and right, in their colours."""
    image = np.full((200, 400, 3), 255, np.uint8)
    image[:, :200], image[:, 200:] = RED, BLUE
    return image, [Face(Box(left, 70.0, left + 60, 130.0), 0.9) for left in (70.0, 270.0)]


@pytest.mark.parametrize("package", ["onnxruntime", None], ids=["ONNX Runtime", "OpenCV alone"])
def test_gender_and_age_are_read_as_insightface_reads_them(weights, picture, monkeypatch, package):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: package and find(name))
    image, faces = picture
    guesses = [GenderAge(weights).guess(image, face) for face in faces]
    ages = [round(100 * (colour[1] - 127.5) / 128 + 100) for colour in (RED, BLUE)]
    assert [(face.gender, face.age) for face in guesses] == [("female", ages[0]), ("male", ages[1])]
    assert ages == [32, 24]
    assert all(guess.box == face.box for guess, face in zip(guesses, faces, strict=True))


def test_another_models_file_is_told(weights, picture):
    image, [face, _] = picture
    model = onnx.load(weights)
    del model.graph.node[-3:]
    model.graph.node[-1].output[0] = "fc1"
    model.graph.node.append(helper.make_node("Concat", ["fc1", "fc1"], ["more than that"], axis=1))
    model.graph.output[0].name = "more than that"
    model.graph.output[0].type.tensor_type.shape.ClearField("dim")
    onnx.save(model, weights)
    with pytest.raises(BadModel, match=r"genderage\.onnx is another model: it returns 6 numbers instead of 3"):
        GenderAge(weights).guess(image, face)


def test_faces_of_a_photo_are_chosen_by_age(weights):
    engine = FaceFix(Runtime(models=str(weights.parent)))
    with Pil.open(PHOTO) as file:
        image = np.array(file.convert("RGB"))
    ages = {job.number: job.face.age for job in engine.plan(image, FaceSettings(min_age=1)).jobs}
    middle = sorted(ages.values())[len(ages) // 2]

    jobs = engine.plan(image, FaceSettings(method="restore", min_age=middle)).jobs

    assert [job.number for job in jobs if job.decision == "restore"] == [n for n, age in ages.items() if age >= middle]
    assert 0 < sum(job.decision == "leave" for job in jobs) < len(jobs)
    assert all(job.reason.startswith(f"looks younger than {middle}") for job in jobs if job.decision == "leave")
