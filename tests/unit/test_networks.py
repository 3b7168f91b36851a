import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from lib_facefix import inference, weights
from lib_facefix.errors import BadModel
from lib_facefix.inference import load


@pytest.mark.parametrize("name", ["lite.onnx", "face_landmark.tflite"])
@pytest.mark.parametrize("damage", ["cut off", "garbage", "empty"])
def test_a_damaged_file_is_told_in_a_sentence(tmp_path, name, damage):
    content = {"cut off": weights.asset(name).read_bytes()[:20000], "garbage": b"no model " * 99, "empty": b""}[damage]
    path = tmp_path / name
    path.write_bytes(content)
    reader = r"(OpenCV|ONNX Runtime).* cannot read the model .*"
    with pytest.raises(BadModel, match=rf"({reader}{name}: \S+|{name} is not an ONNX file)"):
        load(path)


def test_a_network_gives_all_its_outputs_and_the_same_twice():
    net = load(weights.asset("face_landmark.tflite"))
    blob = np.random.default_rng(1).random((1, 3, 192, 192), np.float32)
    first, second = net(blob), net(blob)
    assert sorted(output.size for output in first) == [1, 468 * 3]
    assert all((one == other).all() for one, other in zip(first, second, strict=True))
    assert net.engine.startswith("OpenCV ")


def test_a_missing_asset_says_what_to_do():
    with pytest.raises(BadModel, match=r"built-in model gone\.onnx is missing from .*\. Install FaceFix again"):
        weights.asset("gone.onnx")


def test_what_a_library_complains_of_is_told_on_one_line(tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(b"no model " * 99)
    with pytest.raises(BadModel) as told:
        load(path)
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 500


@pytest.mark.parametrize(
    ("told", "has"),
    [
        ("processor\t: 0\nflags\t\t: fpu avx512f avx512_bf16\n", True),
        ("flags\t\t: fpu amx_bf16 amx_tile\n", True),
        ("Features\t: fp asimd i8mm bf16\n", True),
        ("flags\t\t: fpu avx2 avx512f\n", False),
        ("", False),
    ],
)
def test_bfloat16_is_known_by_the_flags_of_the_processor(told, has, monkeypatch):
    monkeypatch.setattr(Path, "read_text", lambda self, **how: told)
    assert inference.has_bf16() is has


def test_where_the_system_does_not_tell_the_engines_are_asked(monkeypatch):
    def refuse(self, **how):
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", refuse)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert not inference.has_bf16()
    core = SimpleNamespace(get_property=lambda *_: ["FP32", "BF16"])
    monkeypatch.setitem(sys.modules, "openvino", SimpleNamespace(Core=lambda: core))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name == "openvino" or None)
    assert inference.has_bf16()
