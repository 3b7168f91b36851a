"""Model files of the user in ComfyUI: restorers as ONNX, classes of a YOLO model, and advice about missing ones."""

import cv2
import numpy as np
import pytest
import restorers_made as made
from graphs import Graph
from yolo_made import yolo_onnx

BOXES = [(130, 338, 225, 433), (223, 169, 303, 249), (413, 90, 486, 163)]
"""Three faces of the group: left, top, right and bottom, in pixels."""
KINDS = ("girl", "boy", "man")
FILE = "kinds.onnx"
"""A model that finds them, as one class each."""


@pytest.fixture
def graph(comfyui):
    return Graph(comfyui)


@pytest.fixture
def kinds(comfyui, group):
    path = comfyui.folder / "models" / "ultralytics" / "bbox" / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = group.shape[:2]
    path.write_bytes(yolo_onnx((width, height), BOXES, names=str(dict(enumerate(KINDS))), kinds=[0, 1, 2]))
    yield
    path.unlink()


@pytest.fixture
def put(comfyui):
    """Write a restorer to a folder of ComfyUI's models; all are removed at the end."""
    files = []

    def write(name, content):
        path = comfyui.folder / "models" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        files.append(path)
        return path

    yield write
    for path in files:
        path.unlink()


def options(comfyui):
    return comfyui.get("/object_info")["FaceFixPlan"]["input"]["required"]["restorer"][1]["options"]


def inverting(side):
    return made.times(-1.0, side=side)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("facefusion/gfpgan_1.4.onnx", inverting(512)),
        ("facerestore_models/gpen_bfr_256.onnx", inverting(256)),
        ("facefusion/restoreformer_plus_plus.onnx", inverting(512)),
        ("facefusion/codeformer.onnx", made.codeformer()),
    ],
    ids=["GFPGAN", "GPEN", "RestoreFormer++", "CodeFormer"],
)
def test_an_onnx_restorer_of_comfyuis_models_is_listed_and_restores(comfyui, graph, group, put, name, content):
    put(name, content)
    put("facefusion/xseg_1.onnx", made.restorer(side=512, restored=200))
    file = name.rpartition("/")[2]
    assert file in options(comfyui)
    assert "xseg_1.onnx" not in options(comfyui)  # it cannot restore faces
    image = graph.load(comfyui, group)
    plan = graph.add("FaceFixPlan", image=image, restorer=file, fidelity=0.0, grain=0.0, method="restore", guard="off")
    fixed = graph.add("FaceFixRestoreFaces", image=image, plan=plan)
    saved = graph.add("SaveImage", images=fixed)
    run = comfyui.run(graph.nodes)
    if run.error:  # a ComfyUI without ONNX Runtime
        assert "-m pip install onnxruntime` and start ComfyUI again" in run.error["exception_message"]
        pytest.skip("this ComfyUI has no ONNX Runtime")
    assert run.outputs[fixed]["text"] == [f"FaceFix: 5 faces: 5 restored with {file}"]
    result = comfyui.view(run.outputs[saved]["images"][0])
    assert np.abs(result.astype(int) - group)[360:410, 150:200].mean() > 10  # the middle of a face


def test_a_missing_restorer_is_named_with_its_address_its_folder_and_a_command(comfyui, graph, group):
    image = graph.load(comfyui, group)
    plan = graph.add("FaceFixPlan", image=image, restorer="restoreformer", method="restore")
    fixed = graph.add("FaceFixRestoreFaces", image=image, plan=plan)
    graph.add("SaveImage", images=fixed)
    message = comfyui.run(graph.nodes).error["exception_message"]
    assert "RestoreFormer needs RestoreFormer.pth, which is not installed" in message
    assert f"to {comfyui.folder / 'models' / 'facefix'}" in message
    assert "https://github.com/" in message
    assert "-m lib_facefix models get restoreformer`" in message
    assert "`facefix" not in message


def test_the_classes_of_a_model_are_chosen_on_the_node(comfyui, graph, group, kinds):
    image = graph.load(comfyui, group)
    counts = {}
    for classes in ("", "girl, man", "1"):
        found = graph.add("FaceFixDetectFaces", image=image, detector=FILE, classes=classes)
        counts[classes] = graph.add("FaceFixTestShow", value=[found, 3])
    run = comfyui.run(graph.nodes)
    assert {classes: run.outputs[node]["value"] for classes, node in counts.items()} == {
        "": [3], "girl, man": [2], "1": [1]
    }  # fmt: skip


def test_class_by_class_numbers_and_fixes_the_first_class_first(comfyui, graph, group, kinds):
    image = graph.load(comfyui, group, group)
    asked = {"detector": FILE, "classes": "man, girl"}
    tables, results = [], []
    for each_class in (False, True):
        found = graph.add("FaceFixDetectFaces", image=image, each_class=each_class, **asked)
        plan = graph.add("FaceFixPlan", image=image, faces=found, method="restore", guard="off")
        results.append(graph.add("SaveImage", images=graph.add("FaceFixRestoreFaces", image=image, plan=plan)))
        tables.append(plan)
    run = comfyui.run(graph.nodes)
    assert run.error is None, run.error
    sizes = [[line.split()[1] for line in run.outputs[one]["text"][0].splitlines()[2:4]] for one in tables]
    assert sizes == [["95", "73"], ["73", "95"]]  # the girl is on the left, the man is smaller
    together, apart = ([comfyui.view(one) for one in run.outputs[node]["images"]] for node in results)
    assert all((one == other).all() for one, other in zip(together, apart, strict=True))  # they do not overlap


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"detector": FILE, "classes": "cat"}, "has no class 'cat'. Choose from: 0 girl, 1 boy, 2 man"),
        ({"detector": "blazeface", "classes": "girl"}, "blazeface detects only faces"),
        ({"detector_expression": f"{FILE} + yunet", "classes": "girl"}, "only be chosen for a single model file"),
        (
            {"detector_expression": f"{FILE}[girl, boy] + yunet", "each_class": True},
            "needs one model file, such as model.onnx[face, hand]",
        ),
    ],
    ids=["unknown", "no model file", "of two", "not separable"],
)
def test_classes_that_cannot_be_found_are_explained(comfyui, graph, group, kinds, inputs, said):
    found = graph.add("FaceFixDetectFaces", image=graph.load(comfyui, group), **inputs)
    graph.add("FaceFixTestShow", value=[found, 3])
    failed = comfyui.run(graph.nodes).error
    assert failed["node_id"] == found
    assert said in failed["exception_message"]


def test_a_detector_for_impact_pack_has_classes_too(comfyui, graph, group, kinds):
    image = graph.load(comfyui, cv2.GaussianBlur(group, (3, 3), 0))
    graph.add("FaceFixTestShow", value=graph.add("FaceFixImpactDetector", detector=FILE, classes="cat"))
    graph.add("PreviewImage", images=image)
    assert comfyui.run(graph.nodes).error is None  # the model is read when it is used
