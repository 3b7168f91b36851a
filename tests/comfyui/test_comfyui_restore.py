"""Faces found, planned, masked, restored and compared in ComfyUI."""

import os

import numpy as np
import pytest
from comfy_server import Refused
from graphs import Graph
from safetensors.numpy import save_file

from lib_facefix import FaceFix, FaceSettings


@pytest.fixture
def graph(comfyui):
    return Graph(comfyui)


def test_faces_are_restored_as_the_library_does_and_nothing_else_changes(comfyui, graph, group):
    image = graph.load(comfyui, group)
    found = graph.add("FaceFixDetectFaces", image=image)
    plan = graph.add("FaceFixPlan", image=image, faces=found, overrides="2: method=leave", fidelity=0.2)
    fixed = graph.add("FaceFixRestoreFaces", image=image, plan=plan)
    mask = graph.add("MaskToImage", mask=[fixed, 1])
    saved, drawn = graph.add("SaveImage", images=fixed), graph.add("SaveImage", images=mask)
    count = graph.add("FaceFixTestShow", value=[found, 3])
    run = comfyui.run(graph.nodes)

    assert run.error is None
    assert run.outputs[count]["value"] == [5]
    assert run.outputs[fixed]["text"] == ["FaceFix: 5 faces: 4 restored, 1 skipped (your choice)"]
    assert "   2  80 px  skip" in run.outputs[plan]["text"][0]
    result = comfyui.view(run.outputs[saved]["images"][0])
    [own] = FaceFix().fix([group], FaceSettings(fidelity=0.2), overrides={2: {"method": "leave"}})
    assert np.abs(result.astype(int) - own.image).max() <= 1  # another OpenCV may round differently
    shown = comfyui.view(run.outputs[drawn]["images"][0])[..., 0]
    changed = (result != group).any(2)
    assert 0.03 < changed.mean() < 0.2
    assert not changed[shown == 0].any()
    assert [share for _, share in run.progress][-1] == 1


def test_an_image_without_a_face_keeps_its_bytes(comfyui, graph):
    noise = np.random.default_rng(3).integers(0, 256, (256, 256, 3), np.uint8)
    fixed = graph.add("FaceFixRestoreFaces", image=graph.load(comfyui, noise))
    saved = graph.add("SaveImage", images=fixed)
    run = comfyui.run(graph.nodes)
    assert run.outputs[fixed]["text"] == ["FaceFix: no face found"]
    assert (comfyui.view(run.outputs[saved]["images"][0]) == noise).all()


def test_a_batch_is_restored_together_and_choices_hold_for_each_image(comfyui, graph, group):
    image = graph.load(comfyui, group, group[:, ::-1].copy())
    choose = graph.add("FaceFixChooseFaces", faces="1", settings=graph.add("FaceFixMaskSettings", mask="ellipse"))
    upscale = graph.add("FaceFixUpscaleSettings", upscale="2", settings=choose)
    plan = graph.add("FaceFixPlan", image=image, settings=upscale)
    fixed = graph.add("FaceFixRestoreFaces", image=image, plan=plan)
    saved = graph.add("SaveImage", images=fixed)
    run = comfyui.run(graph.nodes)
    assert run.error is None
    told = run.outputs[fixed]["text"][0].splitlines()
    assert [line.split(" faces: ")[1][:10] for line in told] == ["1 restored", "1 restored"]
    assert told[1].startswith("FaceFix, image 2: 5 faces: 1 restored, 4 skipped")
    height, width = group.shape[:2]
    assert [comfyui.view(one).shape for one in run.outputs[saved]["images"]] == [(2 * height, 2 * width, 3)] * 2


def test_a_network_of_ones_own_enlarges_the_image(comfyui, graph, group):
    nothing = {"body.1.weight": (16,), "body.3.weight": (16,), "body.5.weight": (16,)}
    for place, (outputs, inputs) in {0: (16, 3), 2: (16, 16), 4: (16, 16), 6: (48, 16)}.items():
        nothing |= {f"body.{place}.weight": (outputs, inputs, 3, 3), f"body.{place}.bias": (outputs,)}
    folder = comfyui.folder / "models" / "upscale_models"
    folder.mkdir(exist_ok=True)
    save_file({name: np.zeros(shape, np.float32) for name, shape in nothing.items()}, folder / "blocks.safetensors")

    image = graph.load(comfyui, group)
    for sharpness in (0.6, 0.7):  # the network stays loaded for the second run
        settings = graph.add("FaceFixUpscaleSettings", upscale="4", upscaler="blocks.safetensors")
        plan = graph.add("FaceFixPlan", image=image, settings=settings, fidelity=sharpness)
        fixed = graph.add("FaceFixRestoreFaces", image=image, plan=plan)
        saved = graph.add("SaveImage", images=fixed)
        run = comfyui.run(graph.nodes)
        assert run.error is None, run.error
        result = comfyui.view(run.outputs[saved]["images"][0])
        blocks = group.repeat(4, 0).repeat(4, 1)  # a network of zeros repeats each pixel
        assert result.shape == blocks.shape
        same = (np.abs(result.astype(int) - blocks) <= 1).all(2).mean()
        assert 0.8 < same < 0.98
    known = comfyui.get("/object_info")["FaceFixUpscaleSettings"]["input"]["required"]
    assert "blocks.safetensors" in known["upscaler"][1]["options"]


def test_masks_follow_any_expression(comfyui, graph, group):
    image = graph.load(comfyui, group)
    found = graph.add("FaceFixDetectFaces", image=image)
    plan = graph.add("FaceFixPlan", image=image, faces=found, overrides="1: method=leave\n2: method=leave")
    whole = graph.add("FaceFixFaceMasks", image=image, faces=found, mask_feather=0.0)
    eyes = graph.add("FaceFixFaceMasks", image=image, plan=plan, mask_expression="eyes + lips", mask_feather=0.0)
    saved = [graph.add("SaveImage", images=graph.add("MaskToImage", mask=mask)) for mask in (whole, eyes)]
    run = comfyui.run(graph.nodes)
    whole, eyes = (comfyui.view(run.outputs[one]["images"][0])[..., 0] > 127 for one in saved)
    assert 0.03 < whole.mean() < 0.1
    assert 0.02 < eyes.sum() / whole.sum() < 0.1
    assert not (eyes & ~whole).any()
    assert not eyes[338:430, 130:225].any()  # face 1 is not in the plan


def test_the_restored_faces_stay_who_they_are(comfyui, graph, group, photos):
    image = graph.load(comfyui, group)
    fixed = graph.add("FaceFixRestoreFaces", image=image)
    same = graph.add("FaceFixCompareFaces", first_image=image, second_image=fixed)
    other = graph.load(comfyui, photos["astronaut.jpg"])
    strangers = graph.add("FaceFixCompareFaces", first_image=other, second_image=image)
    shown = [graph.add("FaceFixTestShow", value=[one, slot]) for one in (same, strangers) for slot in (0, 1)]
    run = comfyui.run(graph.nodes)
    distance, alike, foreign, mistaken = (run.outputs[one]["value"][0] for one in shown)
    assert 0.01 < distance < 0.35
    assert foreign > 0.5
    assert (alike, mistaken) == (True, False)
    assert "face 5 and face 5: distance" in run.outputs[same]["text"][0]


def test_the_slider_gets_both_images_and_the_faces(comfyui, graph, group):
    image = graph.load(comfyui, group)
    plan = graph.add("FaceFixPlan", image=image)
    fixed = graph.add("FaceFixRestoreFaces", image=image, plan=plan)
    slider = graph.add("FaceFixBeforeAfter", before=image, after=fixed, plan=plan)
    shown = comfyui.run(graph.nodes).outputs[slider]
    [[first, *_]] = shown["facefix_faces"]
    assert first["number"] == 1
    assert np.abs(np.array(first["box"]) - [130 / 720, 338 / 524, 225 / 720, 433 / 524]).max() < 0.01
    assert (comfyui.view(shown["facefix_before"][0]) == group).all()
    assert (comfyui.view(shown["facefix_after"][0]) != group).any()


def test_a_reference_photo_selects_one_person(comfyui, graph, group):
    image = graph.load(comfyui, group)
    person = graph.load(comfyui, np.ascontiguousarray(group[60:320, 430:700]))
    found = graph.add("FaceFixDetectFaces", image=image, person_image=person)
    plan = graph.add("FaceFixPlan", image=image, faces=found, settings=graph.add("FaceFixChooseFaces"))
    table = comfyui.run(graph.nodes).outputs[plan]["text"][0]
    decisions = [line.split()[3] for line in table.splitlines()[1:6]]
    assert decisions == ["skip", "skip", "skip", "skip", "restore*"]


def test_nothing_runs_again_unless_something_has_changed(comfyui, graph, group):
    folder = comfyui.folder / "models" / "facerestore_models"
    folder.mkdir(exist_ok=True)
    weights = folder / "mine.pth"
    weights.write_bytes(b"no model")
    image = graph.load(comfyui, group)
    plan = graph.add("FaceFixPlan", image=image, restorer="mine.pth")
    comfyui.run(graph.nodes)
    assert plan not in comfyui.run(graph.nodes).executed
    later = weights.stat().st_mtime + 10
    os.utime(weights, (later, later))
    assert plan in comfyui.run(graph.nodes).executed

    fixed = graph.add("FaceFixRestoreFaces", image=image, plan=plan)
    graph.add("SaveImage", images=fixed)
    failed = comfyui.run(graph.nodes).error
    assert failed["node_id"] == fixed
    assert failed["exception_message"].startswith("face 1 was not fixed: ")
    assert "mine.pth" in failed["exception_message"]


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"overrides": "two: method=leave"}, 'settings of one face must look like "3:fidelity=0.9"'),
        ({"overrides": "2: fidelty=1"}, "unknown setting 'fidelty'. Did you mean 'fidelity'?"),
        ({"prompt": "[face:0] a"}, "face numbers start at 1"),
    ],
    ids=["no number", "a typing error", "face 0"],
)
def test_mistakes_are_sentences_on_the_node(comfyui, graph, group, inputs, said):
    plan = graph.add("FaceFixPlan", image=graph.load(comfyui, group), **inputs)
    failed = comfyui.run(graph.nodes).error
    assert failed["node_id"] == plan
    assert said in failed["exception_message"]


def test_a_plan_for_another_image_is_refused(comfyui, graph, group):
    image, other = graph.load(comfyui, group), graph.load(comfyui, group[:400].copy())
    fixed = graph.add("FaceFixRestoreFaces", image=other, plan=graph.add("FaceFixPlan", image=image))
    graph.add("SaveImage", images=fixed)
    message = comfyui.run(graph.nodes).error["exception_message"]
    assert "1 image of 720x524 px, but this node has 1 image of 720x400 px" in message


def test_a_plan_to_re_diffuse_belongs_to_detail_faces(comfyui, graph, group):
    image = graph.load(comfyui, group)
    plan = graph.add("FaceFixPlan", image=image, method="re-diffuse")
    graph.add("SaveImage", images=graph.add("FaceFixRestoreFaces", image=image, plan=plan))
    assert "Connect it to Detail Faces" in comfyui.run(graph.nodes).error["exception_message"]


def test_comfyui_itself_refuses_values_out_of_range(comfyui, graph, group):
    graph.add("FaceFixPlan", image=graph.load(comfyui, group), fidelity=1.5)
    with pytest.raises(Refused, match="value_bigger_than_max"):
        comfyui.run(graph.nodes)
