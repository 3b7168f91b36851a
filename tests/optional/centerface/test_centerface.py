"""CenterFace on ONNX Runtime, as its makers run it, and in OpenCV, as we do; and YuNet's published layout in OpenCV."""

import cv2
import numpy as np
import pytest

from lib_facefix import FaceFix, FaceSettings
from lib_facefix.detectors.centerface import CenterFace
from lib_facefix.detectors.yunet import YuNet
from lib_facefix.errors import BadModel
from lib_facefix.weights import asset

COUNTS = {
    "astronaut": 1,
    "faceapi_sample1": 3,
    "faceapi_sample2": 3,
    "faceapi_sample3": 3,
    "faceapi_sample4": 4,
    "faceapi_sample5": 5,
    "faceapi_sample6": 4,
}


@pytest.mark.parametrize(("name", "count"), COUNTS.items(), ids=COUNTS)
@pytest.mark.parametrize("detector", ["centerface", "blazeface + centerface", "2 of blazeface, centerface"])
def test_every_face_of_a_photo_is_found_and_nothing_else(photo, detector, name, count):
    assert len(FaceFix().detect(photo(name), FaceSettings(detector=detector))) == count


def test_onnx_runtime_gives_the_maps_that_opencv_gives():
    onnxruntime, onnx = pytest.importorskip("onnxruntime"), pytest.importorskip("onnx")
    model = onnx.load(asset("centerface.onnx"))
    for value in (*model.graph.input, *model.graph.output):  # the file says 10 x 3 x 32 x 32
        for side in value.type.tensor_type.shape.dim:
            side.dim_param = "any"
    weights = {tensor.name for tensor in model.graph.initializer}
    for value in [value for value in model.graph.input if value.name in weights]:
        model.graph.input.remove(value)
    blob = np.random.default_rng(1).integers(0, 256, (1, 3, 256, 320)).astype(np.float32)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    theirs = session.run(None, {"input.1": blob})
    ours = CenterFace()._net(blob)
    for one, other in zip(theirs, ours, strict=True):
        assert np.abs(one - other).max() < 1e-3


def test_small_faces_are_found_too(photo):
    group = photo("faceapi_sample6", 1920)
    [smallest, *_] = sorted(face.box.size for face in CenterFace().detect(group, 0.5))
    small = cv2.resize(group, None, fx=20 / smallest, fy=20 / smallest, interpolation=cv2.INTER_AREA)
    assert len(CenterFace().detect(small, 0.5)) == COUNTS["faceapi_sample6"]


def test_a_tilted_face_is_told_as_such(photo):
    picture = photo("astronaut")
    turn = cv2.getRotationMatrix2D((256, 256), -30, 1)
    [upright], [turned] = (
        CenterFace().detect(cv2.warpAffine(picture, m, (512, 512)), 0.5) for m in (np.eye(2, 3), turn)
    )
    assert turned.tilt - upright.tilt == pytest.approx(30, abs=6)


@pytest.fixture
def yunet(tmp_path):
    """A graph of YuNet's published layout: twelve outputs; it sees a face wherever a cell is bright."""
    onnx = pytest.importorskip("onnx")
    helper, to = onnx.helper, onnx.numpy_helper.from_array
    nodes, outputs, weights = [], [], []
    for stride in (8, 16, 32):
        nodes.append(
            helper.make_node("AveragePool", ["input"], [f"m{stride}"], kernel_shape=[stride] * 2, strides=[stride] * 2)
        )
        for kind, width in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
            name = f"{kind}_{stride}"
            sure = width == 1
            filters = np.full((width, 3, 1, 1), 1 / 765 if sure else 0, np.float32)
            fixed = {"cls": [0], "obj": [0], "bbox": [0, 0, np.log(3), np.log(4)], "kps": [*"0011223344"]}[kind]
            weights += [to(filters, f"{name}.w"), to(np.array(fixed, np.float32), f"{name}.b")]
            weights.append(to(np.array([1, -1, width], np.int64), f"{name}.s"))
            nodes += [
                helper.make_node("Conv", [f"m{stride}", f"{name}.w", f"{name}.b"], [f"{name}.c"]),
                helper.make_node("Transpose", [f"{name}.c"], [f"{name}.t"], perm=[0, 2, 3, 1]),
                helper.make_node("Reshape", [f"{name}.t", f"{name}.s"], [name]),
            ]
    for kind, width in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
        outputs += [
            helper.make_tensor_value_info(f"{kind}_{s}", onnx.TensorProto.FLOAT, [1, None, width]) for s in (8, 16, 32)
        ]
    picture = helper.make_tensor_value_info("input", onnx.TensorProto.FLOAT, [1, 3, 640, 640])
    graph = helper.make_graph(nodes, "yunet", [picture], outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)])
    model.ir_version = 6
    onnx.save(model, tmp_path / "yunet.onnx")
    return tmp_path / "yunet.onnx"


def test_opencvs_yunet_is_asked_in_the_pictures_own_pixels(yunet):
    picture = np.zeros((480, 640, 3), np.uint8)
    picture[96:128, 320:352] = 255
    faces = YuNet(yunet).detect(picture, 0.9)
    sizes = {(round(face.box.width), round(face.box.height)) for face in faces}
    assert sizes <= {(24, 32), (48, 64), (96, 128)}  # 3 x 4 cells of one of its scales
    best = faces[0]
    assert np.abs(np.subtract(best.box.centre, (336, 112))).max() < 40
    assert best.landmarks.shape == (5, 2)
    assert YuNet(yunet).detect(np.zeros((480, 640, 3), np.uint8), 0.9) == ()


def test_a_file_that_is_no_yunet_is_told(tmp_path):
    (tmp_path / "broken.onnx").write_bytes(b"nothing")
    with pytest.raises(BadModel, match="cannot read the YuNet"):
        YuNet(tmp_path / "broken.onnx")


def test_no_socket_is_opened(photo, sockets_of):
    detector, picture = CenterFace(), photo("faceapi_sample5")
    assert sockets_of(lambda: detector.detect(picture, 0.5)) == []
