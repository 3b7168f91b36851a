"""Model files that would read other files, never end, or fill the memory: refused before any engine sees them."""

import cv2
import numpy as np
import pytest
import yolo_made
from PIL import Image
from yolo_made import FLOAT, _message, _node, _tensor, _value

from lib_facefix import FaceFix, inference
from lib_facefix.cli.__main__ import main
from lib_facefix.detectors.yolo_onnx import from_onnx
from lib_facefix.detectors.yolo_outputs import MAX_BOXES, OutputSpec, read_rows
from lib_facefix.errors import BadModel, BadSetting
from lib_facefix.settings.face_settings import MAX_DETECTIONS, FaceSettings
from lib_facefix.types import Box, Face
from lib_facefix.weights import convert, sha256_of
from lib_facefix.weights.onnxfile import check_onnx

ELSEWHERE = _message(
    (1, 5), (2, FLOAT), (8, b"w"), (13, _message((1, b"location"), (2, b"../../../etc/passwd"))), (14, 1)
)
BY_LOCATION_ALONE = _message((1, 5), (2, FLOAT), (8, b"w"), (14, 1))
BODY = _message(_node("Identity", ["a"], "b"))


def model(*graph, more=()):
    parts = [(11, _value("picture", [1, 3, 64, 64])), (12, _value("table", [1, 5, 8]))]
    return _message((1, 8), (8, _message((1, b""), (2, 13))), (7, _message(*graph, *parts)), *more)


def node(*attributes, kind=b"Constant"):
    return 1, _message((2, b"w"), (4, kind), *((5, one) for one in attributes))


DANGEROUS = [
    pytest.param(model((5, ELSEWHERE)), "external data", id="a weight"),
    pytest.param(model((5, BY_LOCATION_ALONE)), "external data", id="by its location alone"),
    pytest.param(model((15, _message((1, ELSEWHERE)))), "external data", id="a sparse weight"),
    pytest.param(model(node(_message((1, b"value"), (5, ELSEWHERE)))), "external data", id="a constant"),
    pytest.param(model(node(_message((1, b"values"), (10, ELSEWHERE)))), "external data", id="one of several"),
    pytest.param(
        model(node(_message((1, b"then_branch"), (6, _message((5, ELSEWHERE)))), kind=b"If")),
        "external data",
        id="in a branch",
    ),
    pytest.param(
        model(more=[(25, _message((1, b"f"), (7, node(_message((1, b"value"), (5, ELSEWHERE)))[1])))]),
        "external data",
        id="in a function",
    ),
    pytest.param(model(node(_message((1, b"body"), (6, BODY)), kind=b"Loop")), "a loop", id="a loop"),
    pytest.param(
        model(node(_message((1, b"g"), (6, _message(node(kind=b"Loop")))), kind=b"If")),
        "a loop",
        id="a loop inside",
    ),
]


@pytest.mark.parametrize(("content", "why"), DANGEROUS)
def test_no_engine_sees_a_dangerous_file(tmp_path, monkeypatch, content, why):
    path = tmp_path / "net.onnx"
    path.write_bytes(content)
    monkeypatch.setattr(cv2.dnn, "readNetFromONNX", lambda *_: pytest.fail("OpenCV was given the file"))
    monkeypatch.setattr(inference, "start_automatic", lambda *_: pytest.fail("ONNX Runtime was given the file"))
    for load in (check_onnx, inference.load, inference.load_as_made, inference.CvNetwork, inference.OrtNetwork):
        with pytest.raises(BadModel, match=f"cannot be used: .*{why}"):
            load(path)


def test_a_usual_file_is_let_through(tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(yolo_made.yolo_onnx((640, 480), [(10, 10, 90, 90)]))
    check_onnx(path)
    path.write_bytes(model((5, _tensor("w", FLOAT, [1], bytes(4)))))
    check_onnx(path)


@pytest.mark.parametrize(
    ("names", "why"),
    [
        pytest.param(
            "{" + ", ".join(f"{n}: 'a'" for n in range(1_000_000)) + "}", "characters of metadata", id="16 MB of names"
        ),
        pytest.param("{" * 200_000, "characters of metadata", id="nested names"),
    ],
)
def test_a_file_that_says_too_much_is_refused(tmp_path, names, why):
    path = tmp_path / "net.onnx"
    path.write_bytes(yolo_made.yolo_onnx((640, 480), [], names=names))
    with pytest.raises(BadModel, match=why):
        from_onnx(path)


def test_a_file_that_wants_huge_pictures_is_refused(tmp_path):
    path = tmp_path / "net.onnx"
    size = (11, _value("picture", [1, 3, 200_000, 200_000]))
    path.write_bytes(_message((1, 8), (7, _message(size, (12, _value("table", [1, 5, 8]))))))
    with pytest.raises(BadModel, match="takes images of 200000 px"):
        from_onnx(path)


def test_the_best_of_too_many_boxes_are_looked_at():
    count = 300_000
    table = np.zeros((1, 5, count), np.float32)
    table[0, 2:4] = 8
    table[0, 4] = np.random.default_rng(1).permutation(count) / count
    rows, _ = read_rows([table], OutputSpec(1))
    assert len(rows.scores) == MAX_BOXES
    assert rows.scores.min() >= 1 - (MAX_BOXES + 1) / count


@pytest.mark.parametrize("most", [1, 3, MAX_DETECTIONS, 10_000])
def test_no_more_faces_are_looked_at_than_the_setting_allows_and_those_are_the_best(monkeypatch, picture, most):
    class Lost:
        def detect(self, image, min_score):
            places = ((n % 700, n % 500, 1 - n / 80_000) for n in range(40_000))
            return tuple(Face(Box(x, y, x + 20, y + 20), score) for x, y, score in places)

    class Blind:
        def locate(self, image, face):
            return face

    monkeypatch.setattr("lib_facefix.facefix.make_detector", lambda *_: Lost())
    monkeypatch.setattr(FaceFix, "_landmarker", Blind())
    given = {} if most == MAX_DETECTIONS else {"max_detections": most}
    faces = FaceFix().detect(picture, FaceSettings(**given))
    assert [(face.box.left, face.box.top, face.score) for face in faces] == [
        (n % 700, n % 500, 1 - n / 80_000) for n in range(most)
    ]


@pytest.mark.parametrize("most", [0, 10_001])
def test_the_number_of_faces_to_look_at_has_limits(most):
    with pytest.raises(BadSetting, match=r"Maximum detections must be between 1 and 10000, not"):
        FaceSettings(max_detections=most)


def test_an_endless_file_is_neither_converted_nor_hashed(tmp_path):
    endless = tmp_path / "net.pth"
    endless.symlink_to("/dev/zero")
    for read in (convert, sha256_of):
        with pytest.raises(BadModel, match="not a regular file"):
            read(endless)


@pytest.mark.parametrize("command", ["fix", "fix --dry-run", "detect", "plan"])
def test_a_bad_detector_is_blamed_once_before_any_picture(tmp_path, capsys, picture, command):
    bad, out = tmp_path / "net.onnx", tmp_path / "out"
    bad.write_bytes(model((5, ELSEWHERE)))
    for name in ("a.png", "b.png"):
        Image.fromarray(picture).save(tmp_path / name)
    assert main([*command.split(), str(tmp_path), "-o", str(out), "--detector", str(bad)]) == 2
    said = capsys.readouterr()
    assert said.err.count("cannot be used") == 1
    assert said.err.startswith("facefix: ")
    assert said.out == ""
    assert not out.exists()
