"""Classes of a YOLO model in a running WebUI: several of them at once, or a pass for each."""

import re

import pictures
import pytest
from driving import QUICK, changed, difference, inside
from server import Refused
from yolo_made import yolo_onnx

SIDE = 192
THREE = pictures.sheet(3, side=SIDE)
HALF = SIDE / pictures.ROOM / 2
"""Of a face, pixels."""
FILE = "kinds.onnx"
"""A net that finds the left face as a girl, the middle one as a boy, and the right one as a dog."""
KINDS = ("girl", "boy", "dog")
BOXES = [(x - HALF, 96 - HALF, x + HALF, 96 + HALF) for x in (96, 288, 480)]


@pytest.fixture(scope="module", autouse=True)
def model(webui):
    path = webui.folder / "models" / "adetailer" / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(yolo_onnx(THREE.size, BOXES, names=str(dict(enumerate(KINDS))), kinds=[0, 1, 2]))
    yield
    path.unlink()


def test_classes_of_one_pass_share_a_sampling_run(host):
    made = host.txt2img({**QUICK, "detector": f"{FILE}[dog, girl]"}, draws=[THREE])
    assert [run["batch_size"] for run in host.runs()] == [2]
    [faces] = made.record()["faces"]
    assert [face["box"][0] // SIDE for face in faces] == [0, 2]
    where = changed(made.picture, pictures.array(THREE))
    assert [where[inside(box)].any() for box in BOXES] == [True, False, True]


def test_each_class_has_a_pass_in_the_order_given(host):
    unit = {**QUICK, "detector": f"{FILE}[dog, girl]", "each_class": True}
    made = host.txt2img(unit, draws=[THREE])
    assert [run["batch_size"] for run in host.runs()] == [1, 1]
    said = host.comments()
    assert made.record()["passes"] == [unit]
    assert [[face["box"][0] // SIDE for face in faces] for faces in made.record()["faces"]] == [[2], [0]]
    assert said.index("FaceFix, dog: 1 face: 1 re-diffused") < said.index("FaceFix, girl: 1 face: 1 re-diffused")

    one_by_one = host.txt2img(
        {**QUICK, "detector": f"{FILE}[dog]"}, {**QUICK, "detector": f"{FILE}[girl]"}, draws=[THREE]
    )
    assert difference(made.picture, one_by_one.picture) == 0


def test_several_passes_and_classes_are_told_apart(host):
    host.txt2img(
        {**QUICK, "detector": f"{FILE}[boy, dog]", "each_class": True}, {"detector": f"{FILE}[girl]"}, draws=[THREE]
    )
    for title in ("pass 1, boy", "pass 1, dog", "pass 2"):
        assert f"FaceFix, {title}: 1 face: " in host.comments()


@pytest.mark.parametrize(
    ("detector", "said"),
    [
        pytest.param(f"blazeface + {FILE}[dog, girl]", "one pass for each class needs one model file", id="of two"),
        pytest.param(f"{FILE}[dog, cat]", "has no class 'cat'. Choose from: 0 girl, 1 boy, 2 dog", id="unknown"),
    ],
)
def test_classes_that_cannot_be_separated_or_found_are_said(host, detector, said):
    with pytest.raises(Refused, match=re.escape(said)) as refused:
        host.txt2img({**QUICK, "detector": detector, "each_class": True}, draws=[THREE])
    assert refused.value.status == 422
