"""The class names in model files, which are read without running anything in them."""

import os
import pickle
import zipfile
from collections import OrderedDict

import pytest
from yolo_made import yolo_onnx

from lib_facefix.detectors.yolo_onnx import from_onnx
from lib_facefix.errors import BadModel
from lib_facefix.models.yolo_files import list_classes
from lib_facefix.weights import locate_models
from lib_facefix.weights.class_names import read_class_names

SIZE = (640, 480)


class DetectionModel:
    """As ultralytics pickles one: an object whose attributes are in its state."""

    def __init__(self, names, **state):
        self.__dict__.update(yaml={"nc": len(names), "head": ["names", 1]}, stride=[8, 16], **state)
        self.names = names


def put_pt(path, names, *, protocol=2, **state):
    model = DetectionModel(names, **state)
    whole = {"epoch": -1, "best_fitness": 0.5, "model": model, "ema": None, "train_args": OrderedDict(data="x.yaml")}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("best/data.pkl", pickle.dumps(whole, protocol=protocol))
    return path


FACE_AND_HAND = {0: "face", 1: "hand"}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("{0: 'face', 1: 'hand'}", FACE_AND_HAND),
        ("['face', 'hand']", FACE_AND_HAND),
        ("{7: 'seven'}", {7: "seven"}),
        ("", {}),
        ("__import__('os').system('true')", {}),
        ("{'a': 'b'}", {}),
        ("[" * 3000, {}),
    ],
)
def test_an_onnx_file_tells_them_in_its_metadata(tmp_path, text, names):
    (tmp_path / "a.onnx").write_bytes(yolo_onnx(SIZE, [], names=text))
    assert read_class_names(tmp_path / "a.onnx") == names


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize(
    ("names", "told"),
    [
        pytest.param(FACE_AND_HAND, FACE_AND_HAND, id="by number"),
        pytest.param(["face", "hand"], FACE_AND_HAND, id="in a list"),
        pytest.param({0: "face"}, {0: "face"}, id="one"),
        pytest.param(["face"], {0: "face"}, id="one in a list"),
        pytest.param({number: f"n{number}" for number in range(80)}, {n: f"n{n}" for n in range(80)}, id="eighty"),
        pytest.param({0: "Gesicht \u00e4", 1: "\u9854"}, {0: "Gesicht \u00e4", 1: "\u9854"}, id="any script"),
        pytest.param({0: "names", 1: "names"}, {0: "names", 1: "names"}, id="named like the attribute"),
        pytest.param({}, {}, id="none"),
        pytest.param({0: "face", 1: None}, {}, id="no text"),
        pytest.param({"face": 0}, {}, id="the wrong way round"),
    ],
)
def test_a_checkpoint_tells_them_in_an_attribute(tmp_path, names, told, protocol):
    assert read_class_names(put_pt(tmp_path / "a.pt", names, protocol=protocol)) == told


def test_names_that_stand_elsewhere_first_are_recalled(tmp_path):
    """A pickle writes a text once, and refers to it later."""
    label = "hand"
    path = put_pt(tmp_path / "a.pt", {0: "face", 1: label}, aliases=[label, "names"])
    assert read_class_names(path) == FACE_AND_HAND


class Attack:
    def __init__(self, marker):
        self._marker = marker

    def __reduce__(self):
        return os.system, (f"touch '{self._marker}'",)


def test_nothing_in_a_checkpoint_is_run(tmp_path):
    path = put_pt(tmp_path / "a.pt", FACE_AND_HAND, attack=Attack(tmp_path / "was here"))
    assert read_class_names(path) == FACE_AND_HAND
    assert not (tmp_path / "was here").exists()


@pytest.mark.parametrize("name", ["a.pt", "a.onnx"])
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x02}q\x00.", b"names" * 100])
def test_what_is_no_model_is_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadModel, match=name):
        read_class_names(tmp_path / name)


def test_a_checkpoint_of_tensors_alone_tells_none(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.pt", "w") as archive:
        archive.writestr("net/data.pkl", pickle.dumps({"weight": 1.0}, protocol=2))
    assert read_class_names(tmp_path / "a.pt") == {}


@pytest.fixture
def places(tmp_path, away_from_home):
    return locate_models([tmp_path / "own"], [tmp_path / "webui"], yolo=[tmp_path / "more"])


def test_classes_are_listed_as_a_detector_names_them(places, tmp_path):
    (tmp_path / "more").mkdir()
    made = yolo_onnx(SIZE, [(1, 1, 50, 50)] * 3, names="{0: 'face', 1: 'eye, left', 2: ' hand'}", kinds=[0, 1, 2])
    (tmp_path / "more" / "a.onnx").write_bytes(made)

    assert list_classes("a.onnx", places) == ("face", "1", "2")
    from_onnx(tmp_path / "more" / "a.onnx", list_classes("a.onnx", places))  # which knows all of them


def test_classes_of_a_changed_file_are_read_again(places, tmp_path):
    (tmp_path / "more").mkdir()
    path = put_pt(tmp_path / "more" / "a.pt", ["face"])
    assert list_classes("a.pt", places) == ("face",)
    put_pt(path, ["face", "hand"])
    assert list_classes("a.pt", places) == ("face", "hand")


def test_the_converted_file_tells_them_where_it_is_used(places, tmp_path):
    (tmp_path / "more").mkdir()
    put_pt(tmp_path / "more" / "a.pt", ["face"])
    (tmp_path / "more" / "a.onnx").write_bytes(yolo_onnx(SIZE, [], names="['hand']"))
    assert list_classes("a.pt", places) == ("hand",)


def test_a_missing_file_is_said(places):
    with pytest.raises(BadModel, match=r"gone\.pt is not installed"):
        list_classes("gone.pt", places)
