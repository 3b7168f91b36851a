"""insightface's package and our own adapter on one file: an ONNX graph of SCRFD's published layout, random weights."""

import subprocess
import sys
import zlib

import numpy as np
import pytest

from lib_facefix.optional_imports import disable_telemetry

disable_telemetry("insightface")
pytest.importorskip("insightface")
onnx = pytest.importorskip("onnx")

from insightface.model_zoo import get_model
from insightface.model_zoo.attribute import Attribute
from insightface.model_zoo.landmark import Landmark
from onnx import TensorProto, helper, numpy_helper

from lib_facefix import FaceFix, FaceSettings, Runtime
from lib_facefix.detectors.insight import InsightFace
from lib_facefix.detectors.scrfd import Scrfd
from lib_facefix.errors import BadModel
from lib_facefix.landmarks.insight import FIVE, GenderAge, Insight106
from lib_facefix.types import Box, Face

STRIDES, ANCHORS = (8, 16, 32), 2


def conv(nodes, weights, x, name, shape, stride, scale=1.0, bias=0.0):
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    filters = (rng.normal(0, scale / np.sqrt(np.prod(shape[1:])), shape)).astype(np.float32)
    weights += [
        numpy_helper.from_array(filters, f"{name}.w"),
        numpy_helper.from_array(np.full(shape[0], bias, np.float32), f"{name}.b"),
    ]
    pad = shape[2] // 2
    facts = {"strides": [stride] * 2, "pads": [pad] * 4}
    nodes.append(helper.make_node("Conv", [x, f"{name}.w", f"{name}.b"], [name], **facts))
    return name


@pytest.fixture(scope="module")
def scrfd(tmp_path_factory):
    """det_10g.onnx: nine outputs; for each of three strides scores, distances, points, each as (cells x 2, ...)."""
    nodes, weights, outputs = [], [], []
    x = conv(nodes, weights, "input.1", "stem", (8, 3, 5, 5), 8, 6.0)
    for stride in STRIDES:
        if stride > 8:
            x = conv(nodes, weights, x, f"down{stride}", (8, 8, 3, 3), 2, 3.0)
        nodes.append(helper.make_node("Tanh", [x], [f"t{stride}"]))
        for kind, width, bias in (("score", 1, -1.0), ("bbox", 4, 2.0), ("kps", 10, 0.0)):
            raw = conv(nodes, weights, f"t{stride}", f"{kind}_raw_{stride}", (ANCHORS * width, 8, 1, 1), 1, 2.0, bias)
            nodes.append(helper.make_node("Transpose", [raw], [f"{raw}.t"], perm=[2, 3, 0, 1]))
            shape = numpy_helper.from_array(np.array([-1, width], np.int64), f"{raw}.s")
            weights.append(shape)
            nodes.append(helper.make_node("Reshape", [f"{raw}.t", f"{raw}.s"], [f"{raw}.r"]))
            last = {"score": "Sigmoid", "bbox": "Relu", "kps": "Identity"}[kind]
            nodes.append(helper.make_node(last, [f"{raw}.r"], [f"{kind}_{stride}"]))
    for kind, width in (("score", 1), ("bbox", 4), ("kps", 10)):
        outputs += [helper.make_tensor_value_info(f"{kind}_{s}", TensorProto.FLOAT, [None, width]) for s in STRIDES]
    size = [1, 3, None, None]
    picture = helper.make_tensor_value_info("input.1", TensorProto.FLOAT, size)
    model = helper.make_model(
        helper.make_graph(nodes, "scrfd", [picture], outputs, weights), opset_imports=[helper.make_opsetid("", 11)]
    )
    model.ir_version = 6
    path = tmp_path_factory.mktemp("models") / "det_10g.onnx"
    onnx.save(model, path)
    return path


def looking_closely(folder, name, side, numbers, begins):
    """A net of insightface's that looks at one face; the published ones take the mean off by themselves."""
    nodes, weights, x = [], [], "data"
    if begins:
        weights += [
            numpy_helper.from_array(np.float32(127.5), "mean"),
            numpy_helper.from_array(np.float32(1 / 128), "by"),
        ]
        nodes += [
            helper.make_node("Sub", ["data", "mean"], ["off"], name=begins[0]),
            helper.make_node("Mul", ["off", "by"], ["x"], name=begins[1]),
        ]
        x = "x"
    x = conv(nodes, weights, x, "stem", (8, 3, 9, 9), 16, 0.3)
    nodes.append(helper.make_node("Tanh", [x], ["act"]))
    x = conv(nodes, weights, "act", "head", (numbers, 8, 13, 13), 13, 6.0)
    weights.append(numpy_helper.from_array(np.array([1, numbers], np.int64), "shape"))
    nodes.append(helper.make_node("GlobalAveragePool", [x], ["pooled"]))
    nodes.append(helper.make_node("Reshape", ["pooled", "shape"], ["fc1"]))
    picture = helper.make_tensor_value_info("data", TensorProto.FLOAT, [None, 3, side, side])
    answer = helper.make_tensor_value_info("fc1", TensorProto.FLOAT, [1, numbers])
    model = helper.make_model(
        helper.make_graph(nodes, "closely", [picture], [answer], weights), opset_imports=[helper.make_opsetid("", 11)]
    )
    model.ir_version = 6
    path = folder / name
    onnx.save(model, path)
    return path


@pytest.fixture(scope="module", params=[("Sub_1", "Mul_1"), ("_minusscalar0", "_mulscalar0"), None], ids=str)
def begins(request):
    """How the nodes are called that take the mean off, where the net has any."""
    return request.param


@pytest.fixture(scope="module")
def points106(begins, tmp_path_factory):
    return looking_closely(tmp_path_factory.mktemp("models"), "2d106det.onnx", 192, 212, begins)


@pytest.fixture(scope="module")
def genderage(begins, tmp_path_factory):
    return looking_closely(tmp_path_factory.mktemp("models"), "genderage.onnx", 96, 3, begins)


def as_known(face):
    """A face in the form that insightface wants."""
    box = np.array([face.box.left, face.box.top, face.box.right, face.box.bottom])
    return type("Known", (dict,), {"bbox": box})()


@pytest.mark.parametrize("name", ["faceapi_sample5", "faceapi_sample2", "astronaut"])
@pytest.mark.parametrize("side", [640, 1001])
def test_our_boxes_are_insightfaces_own(scrfd, photo, name, side):
    picture = photo(name, side)
    level = float(np.sort([face.score for face in Scrfd(scrfd).detect(picture, 0.01)])[-40:][0])
    model = get_model(str(scrfd), providers=["CPUExecutionProvider"])
    model.prepare(ctx_id=-1, input_size=(640, 640), det_thresh=level)
    rows, marks = model.detect(np.ascontiguousarray(picture[..., ::-1]))

    ours = Scrfd(scrfd).detect(picture, level)

    assert len(ours) > 5
    for face in ours:
        box = np.array([face.box.left, face.box.top, face.box.right, face.box.bottom])
        away = np.abs(rows[:, :4] - box).max(1)
        best = int(away.argmin())
        assert away[best] < 0.5
        assert rows[best, 4] == pytest.approx(face.score, abs=0.005)
        assert np.abs(marks[best] - face.landmarks).max() < 0.5


def test_the_package_as_an_adapter_gives_the_same(scrfd, photo):
    picture = photo("faceapi_sample5")
    level = float(np.sort([face.score for face in Scrfd(scrfd).detect(picture, 0.01)])[-40:][0])
    one, other = Scrfd(scrfd).detect(picture, level), InsightFace(scrfd).detect(picture, level)
    assert abs(len(one) - len(other)) <= 1
    corners = [np.array([(f.box.left, f.box.top, f.box.right, f.box.bottom) for f in faces]) for faces in (one, other)]
    assert np.median(np.abs(corners[0][:, None] - corners[1][None]).max(2).min(1)) < 0.5


def test_our_points_are_insightfaces_own(points106, photo):
    picture = photo("astronaut")
    face = Face(Box(170.2, 60.7, 290.1, 200.3), 0.9)
    theirs = Landmark(str(points106))
    wanted = theirs.get(np.ascontiguousarray(picture[..., ::-1]), as_known(face))
    ours = Insight106(points106)
    away = np.abs(ours.find_points(picture, face) - wanted)  # ours are cut out without a shift by half a pixel
    assert away.mean() < 2.0
    assert away.max() < 8.0
    assert np.array_equal(ours.locate(picture, face).landmarks, ours.find_points(picture, face)[list(FIVE)])


def test_our_genders_and_ages_are_insightfaces_own(genderage, photo):
    picture, ours, theirs = photo("faceapi_sample5"), GenderAge(genderage), Attribute(str(genderage))
    faces = FaceFix().detect(picture)
    seen = []
    for face in faces:
        gender, age = theirs.get(np.ascontiguousarray(picture[..., ::-1]), as_known(face))
        guess = ours.guess(picture, face)
        assert guess.gender == ("female", "male")[gender]
        assert guess.age == pytest.approx(max(0, age), abs=1)  # cut out without a shift by half a pixel
        seen.append(age)
    assert len(set(seen)) > 1


def test_the_files_are_found_where_webuis_keep_them(scrfd, photo, tmp_path):
    place = tmp_path / "models" / "insightface" / "models" / "buffalo_l"
    place.mkdir(parents=True)
    (place / "det_10g.onnx").write_bytes(scrfd.read_bytes())
    engine = FaceFix(Runtime(webui=str(tmp_path)))
    settings = [FaceSettings(detector=name, min_score=0.6, angles="off") for name in ("buffalo_l", "insightface")]
    one, other = (engine.detect(photo("astronaut"), each) for each in settings)
    assert abs(len(one) - len(other)) <= 0.02 * len(other)
    assert len(one) > 0


def test_what_is_no_detector_is_told(points106, tmp_path):
    (tmp_path / "broken.onnx").write_bytes(b"nothing")
    with pytest.raises(BadModel, match="is not an ONNX file, or incomplete"):
        InsightFace(tmp_path / "broken.onnx")
    with pytest.raises(BadModel, match=r"2d106det\.onnx is not an SCRFD|failed in"):
        Scrfd(points106).detect(np.zeros((64, 64, 3), np.uint8), 0.5)


def test_its_import_opens_no_socket():
    code = (
        "import socket, sys; seen = []; sys.addaudithook(lambda event, _: seen.append(event)); had = socket.has_ipv6; "
        "from lib_facefix.optional_imports import import_optional; import_optional('insightface'); "
        "import urllib3.util.connection as used; "
        "print([one for one in seen if one in ('socket.bind', 'socket.connect', 'socket.getaddrinfo')], "
        "used.HAS_IPV6 == socket.has_ipv6 == had)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[] True"


def test_no_socket_is_opened(scrfd, photo, sockets_of):
    picture, detectors = photo("faceapi_sample5"), (Scrfd(scrfd), InsightFace(scrfd))
    assert sockets_of(lambda: [detector.detect(picture, 0.5) for detector in detectors]) == []
