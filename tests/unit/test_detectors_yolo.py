"""Every layout that YOLO nets answer in, written by hand: one face at a known place."""

import numpy as np
import pytest

from lib_facefix.detectors.yolo import Yolo, YoloNet
from lib_facefix.errors import BadModel, BadSetting

PICTURE = np.zeros((480, 640, 3), np.uint8)
BOX = (100.0, 120.0, 180.0, 220.0)
MARKS = np.array([(120, 150), (160, 150), (140, 175), (125, 195), (155, 195)], float)
PADDED = 80
"""Pixels of grey above the picture, in an input of 640 x 640."""
NAMES = {0: "person", 1: "face"}


class Answers:
    """A network that gives these outputs."""

    engine = "by hand"

    def __init__(self, *outputs):
        self.outputs, self.blobs = [np.asarray(output, np.float32) for output in outputs], []

    def __call__(self, blob):
        self.blobs.append(blob)
        return self.outputs


def net(*outputs, names=NAMES, points=None, size=(640, 640)):
    return YoloNet("hand.onnx", Answers(*outputs), names, points, size)


def centred():
    left, top, right, bottom = BOX
    return [(left + right) / 2, (top + bottom) / 2 + PADDED, right - left, bottom - top]


def cornered():
    left, top, right, bottom = BOX
    return [left, top + PADDED, right, bottom + PADDED]


def filled(rows, count=2000):
    table = np.zeros((count, len(rows[0])))
    table[5 : 5 + len(rows)] = rows
    return table[None]


def marks(each):
    seen = [0.9] * (each - 2)
    return [number for x, y in MARKS for number in (x, y + PADDED, *seen)]


LAYOUTS = {
    "v8": net(filled([[*centred(), 0.1, 0.9]]).transpose(0, 2, 1)),
    "v8, unnamed": net(filled([[*centred(), 0.1, 0.9]]).transpose(0, 2, 1), names={}),
    "v8, near twins": net(filled([[*centred(), 0.1, 0.9], [*centred(), 0, 0.8]]).transpose(0, 2, 1)),
    "v8 pose": net(filled([[*centred(), 0.9, *marks(3)]]).transpose(0, 2, 1), names={0: "face"}, points=(5, 3)),
    "v8 face, unnamed": net(filled([[*centred(), 0.9, *marks(3)]]).transpose(0, 2, 1), names={}),
    "v5": net(filled([[*centred(), 0.95, 0.01, 0.9474]])),
    "v5 face": net(filled([[*centred(), 0.95, *marks(2), 0.9474]]), names={}),
    "by itself": net(filled([[*cornered(), 0.9, 1]], 300)),
    "by itself, with points": net(filled([[*cornered(), 0.9, 0, *marks(2)]], 300), names={0: "face"}, points=(5, 2)),
    "of any size": net(filled([[140, 170, 80, 100, 0.1, 0.9]]).transpose(0, 2, 1), size=None),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_face_is_found_where_it_is(name):
    [face] = Yolo(LAYOUTS[name]).detect(PICTURE, 0.5)
    box = face.box
    assert (box.left, box.top, box.right, box.bottom) == pytest.approx(BOX)
    assert face.score == pytest.approx(0.9, abs=1e-3)
    if "face" in name or "po" in name:
        assert face.landmarks == pytest.approx(MARKS)
    else:
        assert face.landmarks is None


def test_the_input_is_rgb_from_0_to_1_in_the_middle_of_grey():
    given = net(filled([[*centred(), 0, 0.9]]).transpose(0, 2, 1))
    red = np.zeros((480, 640, 3), np.uint8)
    red[..., 0] = 255
    Yolo(given).detect(red, 0.5)
    [blob] = given.run.blobs
    assert blob.shape == (1, 3, 640, 640)
    assert blob[0, :, 320, 320].tolist() == [1, 0, 0]
    assert blob[0, :, PADDED - 1, 320] == pytest.approx(114 / 255)
    assert blob[0, 0, PADDED, 320] == 1


def test_a_net_of_any_size_sees_no_more_grey_than_it_must():
    given = net(filled([[140, 170, 80, 100, 0, 0.9]]).transpose(0, 2, 1), size=None)
    Yolo(given).detect(PICTURE, 0.5)
    assert given.run.blobs[0].shape == (1, 3, 480, 640)


@pytest.mark.parametrize(("classes", "found"), [((), 2), (("face",), 1), (("FACE", "0"), 2), (("0",), 1)], ids=str)
def test_only_the_wanted_classes_count(classes, found):
    person = [400, 300, 100, 200, 0.8, 0.1]
    both = net(filled([[*centred(), 0.1, 0.9], person]).transpose(0, 2, 1))
    assert len(Yolo(both, classes).detect(PICTURE, 0.5)) == found


@pytest.mark.parametrize(("names", "said"), [(NAMES, "Choose from: 0 person, 1 face"), ({}, "It has no class names")])
def test_an_unknown_class_is_told(names, said):
    with pytest.raises(BadSetting, match=rf"hand\.onnx has no class 'cat'\. {said}"):
        Yolo(net(names=names), ["cat"])


def test_a_segmenting_net_gives_an_outline_inside_the_box():
    disc = np.hypot(*np.mgrid[-80:80, -80:80]) < 1e9  # the first prototype is everywhere, the second a disc
    y, x = np.mgrid[0:160, 0:160] + 0.5
    ball = np.hypot(x * 4 - 140, y * 4 - 170 - PADDED) < 30
    prototypes = np.stack([disc, ball]).astype(float)[None]
    given = net(filled([[*centred(), 0.1, 0.9, -4.0, 8.0]]).transpose(0, 2, 1), prototypes)

    [face] = Yolo(given).detect(PICTURE, 0.5)

    away = np.hypot(*(face.outline - (140, 170)).T)
    assert len(face.outline) > 8
    assert away == pytest.approx(np.full(len(away), 30), abs=3)


def test_a_mask_that_is_nowhere_gives_no_outline():
    given = net(filled([[*centred(), 0.1, 0.9, -1.0]]).transpose(0, 2, 1), np.ones((1, 1, 160, 160)))
    [face] = Yolo(given).detect(PICTURE, 0.5)
    assert face.outline is None


def test_maps_of_a_net_without_its_last_layers_are_put_together():
    maps = [np.full((1, 80, 640 // stride, 640 // stride), -9.0) for stride in (8, 16, 32)]
    row, column = 15, 8  # its centre is (136, 248) in the input, (136, 168) in the picture
    sides = (2.25, 3.0, 2.75, 3.25)
    for i, cells in enumerate(sides):
        low = int(cells)
        maps[1][0, i * 16 : i * 16 + 16, row, column] = -50
        maps[1][0, i * 16 + low, row, column] = np.log(1 - (cells - low)) if cells > low else 0
        if cells > low:
            maps[1][0, i * 16 + low + 1, row, column] = np.log(cells - low)
    maps[1][0, 64, row, column] = 3
    maps[1][0, 65:, row, column] = [0.25, -0.5, 2] * 5

    [face] = Yolo(net(*maps, names={})).detect(PICTURE, 0.5)

    box = face.box
    assert (box.left, box.top, box.right, box.bottom) == pytest.approx((100, 120, 180, 220), abs=0.01)
    assert face.landmarks[0] == pytest.approx((136, 144))


@pytest.mark.parametrize(
    "outputs",
    [
        pytest.param([], id="nothing"),
        pytest.param([np.zeros((1, 7, 2000))], id="a table of another width"),
        pytest.param([np.zeros((1, 6, 2000))] * 2, id="two tables"),
        pytest.param([np.zeros((4, 4))], id="no table"),
    ],
)
def test_an_unknown_layout_is_an_error_and_not_no_faces(outputs):
    with pytest.raises(BadModel, match="YOLO model"):
        Yolo(net(*outputs)).detect(PICTURE, 0.5)


def test_an_answer_that_is_no_number_is_an_error_and_not_no_faces():
    with pytest.raises(BadModel, match="returned infinite or undefined values"):
        Yolo(net(np.full((1, 6, 2000), np.nan))).detect(PICTURE, 0.5)
