"""Small networks on each engine that may run them: one ONNX file, made here."""

import sys
import types

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from lib_facefix import inference
from lib_facefix.errors import BadModel
from lib_facefix.inference import CvNetwork, OrtNetwork, load_as_made


@pytest.fixture
def weights(tmp_path):
    """Three convolutions with random weights, for pictures of any size."""
    rng, nodes, held, x, channels = np.random.default_rng(1), [], [], "picture", 3
    for i in range(3):
        filters = rng.normal(0, (2 / (9 * channels)) ** 0.5, (16, channels, 3, 3)).astype(np.float32)
        held.append(numpy_helper.from_array(filters, f"w{i}"))
        nodes.append(helper.make_node("Conv", [x, f"w{i}"], [f"c{i}"], pads=[1] * 4))
        nodes.append(helper.make_node("Relu", [f"c{i}"], [f"r{i}"]))
        x, channels = f"r{i}", 16
    sides = [1, 3, "height", "width"]
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, sides)
    answer = helper.make_tensor_value_info(x, TensorProto.FLOAT, [1, 16, "height", "width"])
    model = helper.make_model(
        helper.make_graph(nodes, "net", [picture], [answer], held), opset_imports=[helper.make_opsetid("", 13)]
    )
    model.ir_version = 8
    onnx.save(model, tmp_path / "net.onnx")
    return tmp_path / "net.onnx"


@pytest.fixture
def bf16():
    if not inference.has_bf16():
        pytest.skip("this processor does not multiply bfloat16")


def test_exact_is_onnx_runtime_where_it_is_installed(weights, monkeypatch):
    assert isinstance(load_as_made(weights), OrtNetwork)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert isinstance(load_as_made(weights, "fast"), CvNetwork)


def test_fast_is_what_it_was_where_the_processor_does_not_multiply_bfloat16(weights, monkeypatch):
    monkeypatch.setattr(inference, "has_bf16", lambda: False)
    assert isinstance(load_as_made(weights, "fast"), OrtNetwork)


@pytest.mark.usefixtures("bf16")
def test_fast_rounds_and_does_no_more(weights):
    exact, fast = load_as_made(weights), load_as_made(weights, "fast")
    assert fast.engine.startswith("OpenVINO ")
    rng = np.random.default_rng(2)
    for sides in ((32, 64), (64, 32), (32, 64)):
        blob = rng.random((1, 3, *sides), np.float32)
        [wanted], [found] = exact(blob), fast(blob)
        assert found.shape == wanted.shape
        assert 0 < np.sqrt(np.mean((found - wanted) ** 2)) < 0.01 * wanted.std()


@pytest.mark.usefixtures("bf16")
def test_what_openvino_gave_stays_what_it_was(weights):
    net = load_as_made(weights, "fast")
    [first] = net(np.ones((1, 3, 32, 32), np.float32))
    kept = first.copy()
    net(np.zeros((1, 3, 32, 32), np.float32))
    assert np.array_equal(first, kept)


@pytest.mark.usefixtures("bf16")
def test_a_damaged_file_and_a_picture_that_does_not_fit_are_told(weights, tmp_path):
    net = load_as_made(weights, "fast")
    with pytest.raises(BadModel, match="A model failed in OpenVINO"):
        net(np.ones((1, 5, 32, 32), np.float32))
    (tmp_path / "broken.onnx").write_bytes(b"nothing")
    with pytest.raises(BadModel, match=r"broken\.onnx is not an ONNX file"):
        load_as_made(tmp_path / "broken.onnx", "fast")


def test_an_openvino_that_cannot_be_started_is_told_and_one_that_is_too_old_is_passed_over(weights, monkeypatch):
    monkeypatch.setattr(inference, "has_bf16", lambda: True)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(BadModel, match="openvino cannot be imported"):
        load_as_made(weights, "fast")
    monkeypatch.setitem(sys.modules, "openvino", types.ModuleType("openvino"))
    assert isinstance(load_as_made(weights, "fast"), OrtNetwork)
